"""The library: the runs below a folder, found in milliseconds by an index that can be made again at any time."""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from qlab.errors import FileError
from qlab.store.child import ask_all
from qlab.store.indexfile import IndexFile, Mark, Stored, forget, remember
from qlab.store.lock import RunLock
from qlab.store.names import FINAL, NOTES, PART
from qlab.store.query import where
from qlab.store.raster import HEIGHT, WIDTH
from qlab.store.sidecar import read_sidecar

SECONDS = 20.0
_SETTLED_NS = 2_000_000_000  # a folder that changed so long ago shows every later change in its time
_GROWING = {"preparing", "running", "paused", "queued"}


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
    sample: str = ""
    operator: str = ""
    reason: str = ""


class Library:
    """The runs below a folder. `refresh` looks at what changed on the disk; everything else asks the index alone.

    Deleting the index loses nothing; any number of processes may use it. To be used as a context, or closed.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise FileError(f"There is no folder {folder}.", "Give the folder in which runs are kept.")
        self._index = IndexFile.of(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index."""
        self._index.close()

    def refresh(self, *, full: bool = False) -> None:
        """Take up what was added, changed and removed; `full` looks at every file, not only into changed folders."""
        try:
            self._refresh(full)
        except sqlite3.Error:
            self._index.forget_file()
            self._refresh(full=True)

    def page(self, query: str = "", offset: int = 0, limit: int = 100) -> list[RunSummary]:
        """Return runs that fit a query (see `qlab.store.query.where`), newest first, `limit` from `offset` on."""
        return [_summary(row) for row in self._index.page(where(query), offset, limit)]

    def count(self, query: str = "") -> int:
        """Return how many runs fit a query."""
        return self._index.count(where(query))

    def tags(self) -> list[tuple[str, int]]:
        """Return the tags in use with their numbers of runs, the most used first."""
        return self._index.tags()

    def numbers(self) -> list[tuple[str, str]]:
        """Return (name, unit) of the parameters, figures and fitted values that runs can be searched by."""
        return self._index.numbers()

    def thumbnail(self, path: Path) -> NDArray[np.uint8] | None:
        """Return the small picture of a run, shape (100, 160), grey values; None where it has none."""
        raw = self._index.picture(str(path))
        if raw is None or len(raw) != HEIGHT * WIDTH:
            return None
        return np.frombuffer(raw, dtype=np.uint8).reshape(HEIGHT, WIDTH)

    def _refresh(self, full: bool) -> None:
        known = {} if full else self._index.folders()
        looked: dict[str, tuple[str, int, int]] = {}
        marks: dict[str, Mark] = {}
        unchanged: set[str] = set()
        for path, parent, changed in _folders(str(self.folder), known):
            before = known.get(path)
            if before is not None and before[1] == changed and before[2] - changed > _SETTLED_NS:
                unchanged.add(path)
                continue
            looked[path] = (parent, changed, time.time_ns())
            marks.update(_runs_in(path))
        self._take_up(looked, marks, unchanged)

    def _take_up(
        self, looked: dict[str, tuple[str, int, int]], marks: dict[str, Mark], unchanged: set[str]
    ) -> None:
        old = self._index.marks()
        growing = dict(self._index.growing())
        for path in growing:
            # It grows without a sign in its folder's time.
            if os.path.dirname(path) in unchanged and (mark := _mark(path)) is not None:  # noqa: PTH120
                marks[path] = mark
        here = {p for p in old if os.path.dirname(p) not in unchanged or p in growing}  # noqa: PTH120
        fresh = _look(path for path, mark in marks.items() if old.get(path) != mark)
        gone = [path for path in here if path not in marks]
        ended = [p for p, state in growing.items() if p not in fresh and p in marks and state in _GROWING]
        ended = [path for path in ended if not _alive(Path(path))]
        lost = set(self._index.folders()) - set(looked) - unchanged
        if not (fresh or gone or ended or looked or lost):
            return
        with self._index.change() as database:
            forget(database, gone)
            remember(database, {path: (marks[path], stored) for path, stored in fresh.items()})
            database.executemany(
                "update runs set state = 'interrupted' where path = ?", [(p,) for p in ended]
            )
            database.executemany("delete from folders where path = ?", [(path,) for path in lost])
            database.executemany(
                "insert or replace into folders values (?, ?, ?, ?)",
                [(p, *item) for p, item in looked.items()],
            )


def list_runs(folder: Path | str, query: str = "") -> list[RunSummary]:
    """Return the runs below a folder that fit a query, newest first (`Library` for a page at a time).

    A damaged file is a row with its reason. Raises FileError where the folder does not exist, UsageError where the
    query cannot be understood.
    """
    with Library(folder) as library:
        library.refresh()
        return library.page(query, 0, -1)


def _summary(row: tuple[Any, ...]) -> RunSummary:
    (
        path,
        run,
        experiment,
        title,
        state,
        started,
        rows,
        simulated,
        figures,
        headline,
        notes,
        tags,
        star,
        *rest,
    ) = row
    return RunSummary(
        Path(path), run, experiment, title, state, started, rows, bool(simulated),
        json.loads(figures) if figures != "{}" else {}, headline, notes,
        tuple(json.loads(tags)) if tags != "[]" else (), bool(star), *rest,
    )  # fmt: skip


def _folders(root: str, known: dict[str, tuple[str, int, int]]) -> Iterator[tuple[str, str, int]]:
    """Yield (path, parent, time of change) of each folder; the content of an unchanged one is known."""
    below: dict[str, list[str]] = {}
    for path, (parent, _, _) in known.items():
        below.setdefault(parent, []).append(path)
    pending = [(root, "")]
    while pending:
        path, parent = pending.pop()
        try:
            changed = os.stat(path).st_mtime_ns  # noqa: PTH116 - ten thousand times
            before = known.get(path)
            if before is not None and before[1] == changed and before[2] - changed > _SETTLED_NS:
                inside = below.get(path, [])
            else:
                with os.scandir(path) as entries:
                    inside = [
                        e.path
                        for e in entries
                        if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)
                    ]
        except OSError:
            continue  # a folder we may not read holds no run of ours
        yield path, parent, changed
        pending += [(item, path) for item in inside]


def _runs_in(folder: str) -> Iterator[tuple[str, Mark]]:
    """Yield (path, mark) of each run file; of a run with a growing and a finished file, the finished one."""
    try:
        entries = {entry.name: entry for entry in os.scandir(folder)}
    except OSError:
        return
    for name, entry in entries.items():
        try:
            if name.endswith(FINAL) and not name.startswith(".") and entry.is_file():
                stem = name.removesuffix(PART) if name.endswith(PART) else name.removesuffix(FINAL)
                if name.endswith(PART) and stem + FINAL in entries:
                    continue
                notes = entries.get(stem + NOTES)
                stat = entry.stat()
                yield entry.path, (stat.st_size, stat.st_mtime_ns, notes.stat().st_mtime_ns if notes else 0)
        except OSError:
            continue  # it went away while we looked


def _mark(path: str) -> Mark | None:
    return dict(_runs_in(os.path.dirname(path))).get(path)  # noqa: PTH120


def _look(paths: Iterator[str]) -> dict[str, Stored]:
    found: dict[str, Stored] = {}
    wanted = [Path(path) for path in paths]
    for path, answer in ask_all("summary", wanted, SECONDS) if wanted else ():
        if isinstance(answer, FileError):
            answer = {"reason": answer.message, "state": "damaged"}
        elif path.name.endswith(PART) and answer["state"] in _GROWING:
            answer["state"] = answer["state"] if _alive(path) else "interrupted"
        answer |= _said(path)
        numbers = [*answer.get("numbers", ()), *answer.pop("later", ())]
        said = f"{answer['notes']} {' '.join(answer['tags'])}"
        answer |= {"numbers": numbers, "words": f"{answer.get('words', '')} {path.name} {said}"}
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


def _said(path: Path) -> Stored:
    """Return what a run's sidecar says; nothing where it is damaged, which must not cost the row."""
    try:
        sidecar = read_sidecar(path)
    except FileError:
        return {"notes": "", "tags": [], "star": False}
    later = [
        (p.name, p.unit, p.value, p.value) for fit in sidecar.fits for p in fit.parameters if fit.success
    ]
    return {"notes": sidecar.notes, "tags": list(sidecar.tags), "star": sidecar.star, "later": later}
