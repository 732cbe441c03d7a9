"""The sidecar of a run, `NAME.notes.json`: notes, tags, star and later fits, beside a file that never changes."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from qlab.errors import FileError
from qlab.record import FitResult
from qlab.store.document import dump, load
from qlab.store.lock import RunLock
from qlab.store.names import DRAFT, sidecar_path
from qlab.store.synced import discard

FORMAT, FORMAT_VERSION = "qlab-notes", "1.0"
MOST_BYTES = 16 << 20
PATIENCE = 10.0  # s that an edit waits for another one on the same run
_HINT = "Repair or remove it; the run itself is untouched."


@dataclass(frozen=True)
class Sidecar:
    """What people said about a run after it was taken.

    `fit_times` are the moments (ISO 8601) at which `fits` were made, one each; `changed` is that of the last edit.
    """

    notes: str = ""
    tags: tuple[str, ...] = ()
    star: bool = False
    fits: tuple[FitResult, ...] = ()
    fit_times: tuple[str, ...] = ()
    changed: str = ""
    unknown: tuple[tuple[str, Any], ...] = ()  # what a later qlab wrote there: kept, not understood


def read_sidecar(path: Path | str) -> Sidecar:
    """Return the sidecar of a run (path of the run's file); an empty one where there is none.

    Raises FileError where it is damaged, larger than 16 MiB, or of a later major version.
    """
    path = sidecar_path(Path(path))
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return Sidecar()
    except OSError as error:
        raise FileError(f"{path.name} cannot be read: {error.strerror}.", "Check the rights.") from error
    if len(raw) > MOST_BYTES:
        raise FileError(f"{path.name} is larger than {MOST_BYTES >> 20} MiB.", _HINT)
    return _parsed(raw, path.name)


def edit_sidecar(
    path: Path | str,
    *,
    notes: str | None = None,
    tags: Iterable[str] | None = None,
    add_tags: Iterable[str] = (),
    remove_tags: Iterable[str] = (),
    star: bool | None = None,
    add_fit: FitResult | None = None,
) -> Sidecar:
    """Change what is given of the sidecar of a run (path of the run's file), and return it as it then is.

    Read, changed and replaced in one step under a lock: two processes do not lose each other's edits. A damaged
    sidecar is set aside as `NAME.notes.damaged.json`, never overwritten. Raises FileError where the run does not
    exist, its folder cannot be written, or another process holds the lock for longer than 10 s.
    """
    run = Path(path)
    if not run.exists():
        raise FileError(f"There is no run {run}.", "Check the name.")
    target = sidecar_path(run)
    with _locked(target):
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        before = _for_editing(run, target)
        wanted = before.tags if tags is None else _clean(tags)
        dropped = set(_clean(remove_tags))
        kept = tuple(tag for tag in dict.fromkeys((*wanted, *_clean(add_tags))) if tag not in dropped)
        after = replace(before, tags=kept, changed=now)
        if notes is not None:
            after = replace(after, notes=notes)
        if star is not None:
            after = replace(after, star=star)
        if add_fit is not None:
            after = replace(after, fits=(*after.fits, add_fit), fit_times=(*after.fit_times, now))
        _write(target, after)
    return after


def _clean(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as single words in lower case, as the search language takes them."""
    return tuple(word for tag in tags if (word := "-".join(tag.split()).lower().strip('#"')))


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            lock = RunLock.take(target)
        except OSError as error:
            raise _unwritable(target, error) from error
        if lock is not None:
            break
        if time.monotonic() > deadline:
            raise FileError(
                f"Another program has been changing {target.name} for {PATIENCE:.0f} s.", "Try again later."
            )
        time.sleep(0.02)
    try:
        yield
    finally:
        lock.release()


def _for_editing(run: Path, target: Path) -> Sidecar:
    try:
        return read_sidecar(run)
    except FileError as error:
        if "later" in error.message or not target.exists():
            raise
        number = 1
        while (aside := target.with_name(target.name.replace(".json", f".damaged{number}.json"))).exists():
            number += 1
        target.replace(aside)
        return Sidecar()


def _write(target: Path, sidecar: Sidecar) -> None:
    data = {
        **dict(sidecar.unknown), "format": FORMAT, "format_version": FORMAT_VERSION, "changed": sidecar.changed,
        "notes": sidecar.notes, "tags": sidecar.tags, "star": sidecar.star,
        "fits": [
            {"time": at, **fit.model_dump()}
            for fit, at in zip(sidecar.fits, sidecar.fit_times, strict=True)
        ],
    }  # fmt: skip
    draft = target.with_name(target.name + DRAFT)
    raw = dump(data, indent=1)
    if len(raw) > MOST_BYTES:
        raise FileError(f"{target.name} would grow beyond {MOST_BYTES >> 20} MiB.", "Shorten the notes.")
    try:
        with draft.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
    except OSError as error:
        discard(draft)
        raise _unwritable(target, error) from error


def _parsed(raw: bytes, name: str) -> Sidecar:
    try:
        data = load(raw.decode("utf-8"))
    except (FileError, UnicodeDecodeError) as error:
        raise FileError(f"{name} is damaged: it is not JSON.", _HINT) from error
    if not isinstance(data, dict):
        raise FileError(f"{name} is damaged: it is not a table.", _HINT)
    major = str(data.get("format_version", FORMAT_VERSION)).partition(".")[0]
    if not major.isdigit() or int(major[:9]) > int(FORMAT_VERSION.partition(".")[0]):
        raise FileError(f"{name} was written by a later qlab.", "Open it with that one.")
    notes, tags, fits = data.get("notes", ""), data.get("tags", []), data.get("fits", [])
    if not isinstance(notes, str) or not isinstance(tags, list) or not isinstance(fits, list):
        raise FileError(f"{name} is damaged: notes, tags or fits are of the wrong kind.", _HINT)
    known = {"format", "format_version", "changed", "notes", "tags", "star", "fits"}
    try:
        return Sidecar(
            notes=notes,
            tags=_clean(str(tag) for tag in tags),
            star=data.get("star", False) is True,
            fits=tuple(FitResult.model_validate(fit) for fit in fits),
            fit_times=tuple(str(fit.get("time", "")) for fit in fits),
            changed=str(data.get("changed", "")),
            unknown=tuple((key, value) for key, value in data.items() if key not in known),
        )
    except ValidationError as error:
        raise FileError(f"{name} is damaged: a fit in it does not hold together.", _HINT) from error


def _unwritable(target: Path, error: OSError) -> FileError:
    return FileError(
        f"{target.name} cannot be written: {error.strerror or error}.",
        "Notes stand beside the run: its folder must be writable.",
    )
