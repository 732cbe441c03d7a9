"""The library: the runs below a folder, found in milliseconds by an index that can be made again at any time."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import numpy as np
from numpy.typing import NDArray

from qlab.errors import FileError
from qlab.settings import default_spool
from qlab.store.child import ask_all
from qlab.store.indexfile import BETWEEN, SHOWN, IndexFile, Mark, Stored, forget, remember
from qlab.store.lock import RunLock
from qlab.store.names import PART
from qlab.store.query import where
from qlab.store.raster import HEIGHT, WIDTH
from qlab.store.sidecar import read_sidecar
from qlab.store.spool import spooled_below
from qlab.store.walk import folder_of, folders_below, mark_of, runs_in, settled

SECONDS = 20.0
SHOWN_AFTER = 0.3  # s between two times that what was looked into can be found
_GROWING = {"preparing", "running", "paused", "queued"}


class RunSummary(NamedTuple):
    """One run in a list, as it stands in the index: `path`, `figures` and `tags` are made when asked for.

    `headline` is the first figure of merit as people read it; `reason` tells why a damaged file shows nothing else.
    """

    place: str
    id: str = ""
    experiment: str = ""
    title: str = ""
    state: str = ""
    started: str = ""
    rows: int = 0
    simulated: bool = False
    stored_figures: str = "{}"
    headline: str = ""
    notes: str = ""
    stored_tags: str = "[]"
    star: bool = False
    sample: str = ""
    operator: str = ""
    reason: str = ""

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self.place)

    @property
    def figures(self) -> dict[str, float]:
        """The figures of merit by name, in SI units."""
        return dict(json.loads(self.stored_figures))

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags."""
        return tuple(json.loads(self.stored_tags))

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain data."""
        stored = {"place", "stored_figures", "stored_tags"}
        plain = {name: value for name, value in self._asdict().items() if name not in stored}
        return {
            "path": self.place, **plain, "figures": self.figures, "tags": list(self.tags),
        }  # fmt: skip


_ROWS, _SIMULATED, _STAR = (SHOWN.index(name) for name in ("rows", "simulated", "star"))


def _summary(line: str) -> RunSummary:
    *parts, place = cast("list[Any]", line.split(BETWEEN, len(SHOWN) - 1))
    parts[_ROWS], parts[_SIMULATED], parts[_STAR] = (
        int(parts[_ROWS]),
        parts[_SIMULATED] == "1",
        parts[_STAR] == "1",
    )
    return RunSummary(place, *parts)


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

    def refresh(self, *, full: bool = False, tell: Callable[[int, int], None] | None = None) -> None:
        """Take up what was added, changed and removed; `full` looks at every file, not only into changed folders.

        New files are looked into newest first, and each `SHOWN_AFTER` seconds those done so far are found by all
        users of the index; `tell` is then called with (done, all).
        """
        try:
            self._refresh(full, tell)
        except sqlite3.Error:
            self._index.forget_file()
            self._refresh(True, tell)

    def page(self, query: str = "", offset: int = 0, limit: int = 100) -> list[RunSummary]:
        """Return runs that fit a query (see `qlab.store.query.where`), newest first, `limit` from `offset` on."""
        return [_summary(line) for line in self._index.page(where(query), offset, limit)]

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

    def _refresh(self, full: bool, tell: Callable[[int, int], None] | None) -> None:
        known = {} if full else self._index.folders()
        looked: dict[str, tuple[str, int, int]] = {}
        unchanged: set[str] = set()
        for path, parent, changed in folders_below(str(self.folder), known):
            if settled(known.get(path), changed):
                unchanged.add(path)
            else:
                looked[path] = (parent, changed, time.time_ns())
        lost = set(self._index.folders() if full else known) - set(looked) - unchanged
        growing = self._index.growing()
        # Runs that this folder could not take stand in the spool until `recover` brings them home.
        spooled = [str(path) for path in spooled_below(self.folder, default_spool())]
        if looked or lost or growing or spooled:
            self._take_up(looked, unchanged, growing, lost, spooled, tell)

    def _take_up(
        self,
        looked: dict[str, tuple[str, int, int]],
        unchanged: set[str],
        growing: dict[str, str],
        lost: set[str],
        spooled: list[str],
        tell: Callable[[int, int], None] | None,
    ) -> None:
        marks = {path: mark for folder in looked for path, mark in runs_in(folder)}
        # A growing file changes without a sign in its folder's time.
        marks |= {p: mark for p in growing if folder_of(p) in unchanged and (mark := mark_of(p)) is not None}
        marks |= {path: mark for path in spooled if (mark := mark_of(path)) is not None}
        old = self._index.marks()
        gone = [p for p in old if p not in marks and (folder_of(p) not in unchanged or p in growing)]
        self._look_into([path for path, mark in marks.items() if old.get(path) != mark], marks, tell)
        ended = [
            path for path, state in self._index.growing().items()
            if path in marks and state in _GROWING and not _alive(Path(path))
        ]  # fmt: skip
        with self._index.change() as database:
            forget(database, gone)
            database.executemany(
                "update runs set state = 'interrupted' where path = ?", [(p,) for p in ended]
            )
            database.executemany("delete from folders where path = ?", [(path,) for path in lost])
            # Last: a folder counts as known once everything in it is.
            database.executemany(
                "insert or replace into folders values (?, ?, ?, ?)",
                [(p, *item) for p, item in looked.items()],
            )

    def _look_into(
        self, paths: list[str], marks: dict[str, Mark], tell: Callable[[int, int], None] | None
    ) -> None:
        paths.sort(reverse=True)  # the folders are named by day
        ready: dict[str, tuple[Mark, Stored]] = {}
        kept = time.monotonic()
        for done, (path, stored) in enumerate(_looks(paths), start=1):
            ready[path] = (marks[path], stored)
            if time.monotonic() - kept > SHOWN_AFTER or done == len(paths):
                with self._index.change() as database:
                    remember(database, ready)
                ready, kept = {}, time.monotonic()
                if tell is not None:
                    tell(done, len(paths))


def list_runs(folder: Path | str, query: str = "") -> list[RunSummary]:
    """Return the runs below a folder that fit a query, newest first (`Library` for a page at a time).

    A damaged file is a row with its reason. Raises FileError where the folder does not exist, UsageError where the
    query cannot be understood.
    """
    with Library(folder) as library:
        library.refresh()
        return library.page(query, 0, -1)


def _looks(paths: list[str]) -> Iterator[tuple[str, Stored]]:
    """Yield (path, what is known of it) of each file, as soon as it was looked into."""
    for path, answer in ask_all("summary", [Path(path) for path in paths], SECONDS) if paths else ():
        if isinstance(answer, FileError):
            answer = {"reason": answer.message, "state": "damaged"}
        elif path.name.endswith(PART) and answer["state"] in _GROWING:
            answer["state"] = answer["state"] if _alive(path) else "interrupted"
        answer |= _said(path)
        numbers = [*answer.get("numbers", ()), *answer.pop("later", ())]
        said = f"{answer['notes']} {' '.join(answer['tags'])}"
        yield (
            str(path),
            {**answer, "numbers": numbers, "words": f"{answer.get('words', '')} {path.name} {said}"},
        )


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
