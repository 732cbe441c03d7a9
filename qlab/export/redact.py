"""Redaction: a run's record without personal data, and a file written anew from it."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from qlab.errors import FileError
from qlab.record import Record
from qlab.runs import Run
from qlab.store.copy import rewritten

GONE = "redacted"
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
_HOME = re.compile(r"(?:/home/|/Users/|[A-Za-z]:\\+Users\\+)[^/\\\s\"']+")
# Where people write sentences; elsewhere a part of a name may be a word of the machine ("Long", "Field").
_FREE = {
    "title",
    "reason",
    "description",
    "log",
    "changes",
    "notes",
    "comment",
    "text",
    "tags",
    "message",
    "safe_report",
}
_KEPT = {"columns", "streams", "axes", "signals", "id", "experiment", "state", "started", "ended", "software"}


def redacted(record: Record, also: Iterable[str] = ()) -> Record:
    """Return the record without name, ORCID, consent, mail addresses and home folders; the pseudonym stays.

    The name, each of its parts, and every word of `also` are taken out of all texts. Rights, embargo, affiliation and
    funding stay: they are no personal data and must travel.
    """
    profile = record.profile
    whole = [
        word
        for word in (profile.name, profile.orcid, profile.orcid.rpartition("/")[2], *also)
        if word.strip()
    ]
    family, _, given = profile.name.partition(",")
    if given.strip():
        whole.append(f"{given.strip()} {family.strip()}")
    parts = [part for part in re.findall(r"[^\W\d_]+", profile.name) if len(part) > 1]
    strict, loose = _taker(whole, ()), _taker(whole, parts)

    def clean(value: Any, *, free: bool) -> Any:
        if isinstance(value, dict):
            return {
                strict(k) if isinstance(k, str) else k: clean(v, free=free or str(k) in _FREE)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return type(value)(clean(item, free=free) for item in value)
        if isinstance(value, str):
            return (loose if free else strict)(value)
        return value

    data = record.model_dump()
    data["profile"] |= {"name": "", "orcid": "", "consent": ""}
    return Record.model_validate(
        {key: value if key in _KEPT else clean(value, free=key in _FREE) for key, value in data.items()}
    )


def _taker(whole: Iterable[str], parts: Iterable[str]) -> Callable[[str], str]:
    words = sorted({*whole, *parts}, key=len, reverse=True)
    pattern = "|".join(rf"(?<![^\W\d_]){re.escape(word)}(?![^\W\d_])" for word in words)
    found = re.compile(pattern, re.IGNORECASE) if pattern else None

    def take(text: str) -> str:
        text = _HOME.sub("~", _MAIL.sub(GONE, text))
        return found.sub(GONE, text) if found else text

    return take


def redact(run: Run, target: Path, also: Iterable[str] = ()) -> Path:
    """Write a run without personal data to a new file and return it.

    The new file is searched for what was taken out; where anything is left it is removed again, and FileError says
    what it was (a column that carries a name, for example).
    """
    if run.path is None:
        raise FileError("The run has no file yet.", "Export it once it is finished.")
    also = tuple(also)
    rewritten(run.path, target, redacted(run.record, also))
    if left := found_in(target, secrets(run.record, also)):
        target.unlink()
        raise FileError(
            f"{left!r} stands in a name inside the file and cannot be taken out.", "Rename it, run again."
        )
    return target


def secrets(record: Record, also: Iterable[str] = ()) -> list[str]:
    """Return what must not be found in a redacted file: the name, the ORCID, and the words of `also`."""
    profile = record.profile
    return [word for word in (profile.name, profile.orcid.rpartition("/")[2], *also) if word.strip()]


def found_in(path: Path, words: Iterable[str]) -> str:
    """Return the first of some words that stands in a file's bytes, in UTF-8 or UTF-16; empty for none."""
    wanted = [(word, word.lower().encode(code)) for word in words for code in ("utf-8", "utf-16-le")]
    overlap = max((len(raw) for _, raw in wanted), default=0)
    before = b""
    with path.open("rb") as file:
        while piece := file.read(4 << 20):
            here = before + piece.lower()
            for word, raw in wanted:
                if raw in here:
                    return word
            before = here[-overlap:] if overlap else b""
    return ""


def free_texts(record: Record) -> Iterator[tuple[str, str]]:
    """Yield (where, text) of what people wrote freely: only they know whether a person can be recognised in it."""
    for where in ("title", "reason"):
        if text := getattr(record, where):
            yield where, text
    for line in record.log:
        if text := str(line.get("message", "")):
            yield "log", text
    if record.notes:
        yield "notes", record.notes
