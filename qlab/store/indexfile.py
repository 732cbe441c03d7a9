"""The database behind the list of runs: rebuildable, never needed, shared by any number of processes."""

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

Mark = tuple[int, int, int]  # size, time of change, time of change of the sidecar
Stored = dict[str, Any]

_VERSION = 3
_SCHEMA = """
create table if not exists runs
    (path text primary key, size integer, changed integer, notes integer, summary text);
create virtual table if not exists words using fts5 (path unindexed, text);
"""


def cache_folder() -> Path:
    """Return the folder of what can be made again (`QLAB_CACHE` overrides it)."""
    if given := os.environ.get("QLAB_CACHE"):
        return Path(given)
    return Path(platformdirs.user_cache_dir("qlab", appauthor=False))


def matches(stored: Stored, words: Sequence[str]) -> bool:
    """Tell whether each word begins a word of what is known of a run."""
    text = _text(stored).lower()
    return all(word.lower() in text for word in words)


class IndexFile:
    """The remembered summaries of one folder; without a usable database it remembers nothing."""

    def __init__(self, database: sqlite3.Connection | None) -> None:
        self._database = database

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["IndexFile"]:
        """Open the database of a folder, made anew where it is damaged."""
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        path = cache_folder() / f"runs-{name}-{_VERSION}.sqlite"
        index = cls(_connect(path))
        try:
            yield index
        finally:
            index._close()

    def known(self, marks: Mapping[str, Mark]) -> dict[str, Stored]:
        """Return what is remembered of those files that are as they were."""
        rows = self._ask("select path, size, changed, notes, summary from runs") or []
        return {
            path: json.loads(summary)
            for path, size, changed, notes, summary in rows
            if marks.get(path) == (size, changed, notes)
        }

    def remember(self, fresh: Mapping[str, tuple[Mark, Stored]], *, gone: Mapping[str, Mark]) -> None:
        """Remember new summaries, and forget files that are in none of `gone` any more."""
        paths = [row[0] for row in self._ask("select path from runs") or []]
        old = [(path,) for path in paths if path not in gone or path in fresh]
        if self._database is None or not (old or fresh):
            return
        try:
            with self._database:
                self._database.executemany("delete from runs where path = ?", old)
                self._database.executemany("delete from words where path = ?", old)
                self._database.executemany(
                    "insert or replace into runs values (?, ?, ?, ?, ?)",
                    [(path, *mark, json.dumps(stored)) for path, (mark, stored) in fresh.items()],
                )
                self._database.executemany(
                    "insert into words values (?, ?)",
                    [(path, _text(stored)) for path, (_, stored) in fresh.items()],
                )
        except sqlite3.Error:
            self._close()

    def found(self, words: Sequence[str]) -> set[str] | None:
        """Return the paths in which each word begins a word; None where the database cannot tell."""
        terms = " ".join('"' + word.replace('"', '""') + '"*' for word in words)
        rows = self._ask("select path from words where words match ?", terms)
        return None if rows is None else {row[0] for row in rows}

    def _ask(self, statement: str, *values: str) -> list[tuple[Any, ...]] | None:
        if self._database is None:
            return None
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error:
            self._close()
            return None

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _text(stored: Stored) -> str:
    return " ".join(
        str(stored.get(key, "")) for key in ("experiment", "title", "state", "id", "started", "words")
    )


def _connect(path: Path) -> sqlite3.Connection | None:
    for attempt in range(2):
        database: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(path, timeout=5.0)
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = off")
            database.executescript(_SCHEMA)
            database.execute("select count(*) from runs").fetchone()
        except (sqlite3.Error, OSError) as error:
            if database is not None:
                database.close()
            # Only a damaged database is thrown away; one that another process is using is left to it.
            if (
                attempt
                or not isinstance(error, sqlite3.DatabaseError)
                or isinstance(error, sqlite3.OperationalError)
            ):
                return None
            path.unlink(missing_ok=True)
        else:
            return database
    return None
