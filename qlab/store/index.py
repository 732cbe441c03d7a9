"""The list of the runs in a folder: each file is looked into once, later only its size and time are."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from qlab.errors import FileError
from qlab.store.child import ask_all
from qlab.store.indexfile import IndexFile, Mark, matches
from qlab.store.lock import RunLock
from qlab.store.names import FINAL, NOTES, PART
from qlab.store.sidecar import read_sidecar

SECONDS = 20.0


@dataclass(frozen=True)
class RunSummary:
    """One run in a list: `figures` by name in SI units, `headline` the first of them as people read it.

    `reason` tells why a damaged file shows nothing else.
    """

    path: Path
    id: str = ""
    experiment: str = ""
    title: str = ""
    state: str = ""
    started: str = ""
    rows: int = 0
    simulated: bool = False
    figures: dict[str, float] = field(default_factory=dict)
    headline: str = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    star: bool = False
    reason: str = ""


_SHOWN = {item.name for item in fields(RunSummary)} - {"path"}


def list_runs(folder: Path | str, query: str = "") -> list[RunSummary]:
    """Return the runs below a folder, newest first; `query` keeps those in which each of its words occurs.

    A damaged file is a row with its reason. Raises FileError where the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileError(f"There is no folder {folder}.", "Give the folder in which runs are kept.")
    marks = dict(_scan(str(folder)))
    with IndexFile.open(folder) as index:
        known = index.known(marks)
        fresh = _look(path for path in marks if path not in known)
        index.remember({p: (marks[p], s) for p, s in fresh.items() if not p.endswith(PART)}, gone=marks)
        rows = {**known, **fresh}
        if words := query.split():
            found = index.found(words)
            rows = {
                p: s
                for p, s in rows.items()
                if (p in found if found is not None and p in known else matches(s, words))
            }
    summaries = [_summary(path, stored) for path, stored in rows.items()]
    return sorted(summaries, key=lambda run: (run.started, run.path.name), reverse=True)


def _summary(path: str, stored: dict[str, Any]) -> RunSummary:
    shown = {key: value for key, value in stored.items() if key in _SHOWN}
    return RunSummary(Path(path), **{**shown, "tags": tuple(shown.get("tags", ()))})


def _scan(folder: str) -> Iterator[tuple[str, Mark]]:
    """Yield (path, mark) of each run file; of a run with a growing and a finished file, the finished one."""
    try:
        entries = {entry.name: entry for entry in os.scandir(folder)}
    except OSError:
        return  # a folder we may not read holds no run of ours
    for name, entry in entries.items():
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _scan(entry.path)
            elif name.endswith(FINAL) and entry.is_file():
                stem = name.removesuffix(PART) if name.endswith(PART) else name.removesuffix(FINAL)
                if name.endswith(PART) and stem + FINAL in entries:
                    continue
                notes = entries.get(stem + NOTES)
                stat = entry.stat()
                yield entry.path, (stat.st_size, stat.st_mtime_ns, notes.stat().st_mtime_ns if notes else 0)
        except OSError:
            continue  # it went away while we looked


def _look(paths: Iterator[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    wanted = [Path(path) for path in paths]
    for path, answer in ask_all("summary", wanted, SECONDS) if wanted else ():
        if isinstance(answer, FileError):
            answer = {"reason": answer.message, "state": "damaged"}
        elif path.name.endswith(PART) and answer["state"] in {"preparing", "running", "paused", "queued"}:
            answer["state"] = answer["state"] if _alive(path) else "interrupted"
        answer |= _said(path)
        said = f"{answer['notes']} {' '.join(answer['tags'])}"
        answer["words"] = f"{answer.get('words', '')} {path.name} {said}"
        found[str(path)] = answer
    return found


def _alive(path: Path) -> bool:
    try:
        lock = RunLock.take(path)
    except OSError:
        return False
    if lock is None:
        return True
    lock.release()
    return False


def _said(path: Path) -> dict[str, Any]:
    """Return what a run's sidecar says; nothing where it is damaged, which must not cost the row."""
    try:
        sidecar = read_sidecar(path)
    except FileError:
        return {"notes": "", "tags": [], "star": False}
    return {"notes": sidecar.notes, "tags": list(sidecar.tags), "star": sidecar.star}
