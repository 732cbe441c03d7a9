"""The database behind the library: rebuildable, never the only place of anything, shared by any number of processes."""

import base64
import hashlib
import json
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import platformdirs

from qlab.store.names import PART, moment
from qlab.store.query import Where, plain_name

Mark = tuple[int, int, int]  # size, time of change, time of change of the sidecar
Stored = dict[str, Any]
Row = tuple[Any, ...]

_VERSION = 6
SHOWN = (
    "run", "experiment", "title", "state", "started", "rows", "simulated", "figures", "headline", "notes",
    "tags", "star", "sample", "operator", "reason", "path",
)  # fmt: skip
# The unit separator of ASCII between the parts of a line: none but the last of them, the path, can contain it.
BETWEEN = "\x1f"
# One text a row: ten thousand rows of sixteen columns take SQLite four times as long as those of one.
_LINE = " || char(31) || ".join(SHOWN)
_SCHEMA = f"""
create table if not exists runs (
    id integer primary key, path text unique, grows integer, size integer, changed integer, said integer,
    run text, experiment text, title text, state text, started text, moment real, rows integer, simulated integer,
    figures text, headline text, notes text, tags text, star integer, sample text, operator text, reason text,
    line text generated always as ({_LINE}) stored
);
create index if not exists runs_by_moment on runs (moment desc, path desc);
create index if not exists runs_growing on runs (path, state) where grows;
create table if not exists tags (run integer, tag text);
create index if not exists tags_by_tag on tags (tag);
create table if not exists numbers (run integer, name text, unit text, low real, high real);
create index if not exists numbers_by_name on numbers (name, unit, low, high, run);
create index if not exists tags_by_run on tags (run);
create index if not exists numbers_by_run on numbers (run);
create table if not exists pictures (run integer primary key, image blob);
create table if not exists folders (path text primary key, parent text, changed integer, looked integer);
create virtual table if not exists words using fts5 (text, prefix = '2 3');
"""


def cache_folder() -> Path:
    """Return the folder of what can be made again (`QLAB_CACHE` overrides it)."""
    if given := os.environ.get("QLAB_CACHE"):
        return Path(given)
    return Path(platformdirs.user_cache_dir("qlab", appauthor=False))


class IndexFile:
    """What is known of the runs of one folder; where the disk takes no database, in memory."""

    def __init__(self, path: Path) -> None:
        self._database = _connect(path)
        self._closed = False

    @classmethod
    def of(cls, folder: Path) -> "IndexFile":
        """Open the database of a folder, made anew where it is damaged."""
        name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
        return cls(cache_folder() / f"runs-{name}-{_VERSION}.sqlite")

    def forget_file(self) -> None:
        """Go on in memory: the file is damaged or locked."""
        self.close()
        self._database = _prepared(":memory:")
        self._closed = False

    def marks(self) -> dict[str, Mark]:
        """Return the mark of each run."""
        rows = self._ask("select path, size, changed, said from runs")
        return {row[0]: (row[1], row[2], row[3]) for row in rows}

    def folders(self) -> dict[str, tuple[str, int, int]]:
        """Return the folders looked into: path -> (parent, time of change, when it was looked into)."""
        return {row[0]: (row[1], row[2], row[3]) for row in self._ask("select * from folders")}

    def growing(self) -> dict[str, str]:
        """Return the growing files with their states."""
        return dict(self._ask("select path, state from runs where grows"))

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """Change everything within at once, or nothing of it."""
        with self._database:
            self._database.execute("begin immediate")
            yield self._database

    def page(self, where: Where, offset: int, limit: int) -> list[str]:
        """Return the lines of the runs that fit, newest first: the columns `SHOWN`, with `BETWEEN` between them."""
        rows = self._ask(
            f"select line from runs where {where.sql} order by moment desc, path desc limit ? offset ?",  # noqa: S608
            *where.values, limit, offset,
        )  # fmt: skip
        return [row[0] for row in rows]

    def count(self, where: Where) -> int:
        """Return how many runs fit."""
        return int(self._ask(f"select count(*) from runs where {where.sql}", *where.values)[0][0])  # noqa: S608

    def picture(self, path: str) -> bytes | None:
        """Return the thumbnail of a run as bytes."""
        rows = self._ask(
            "select image from pictures join runs on runs.id = pictures.run where path = ?", path
        )
        return zlib.decompress(rows[0][0]) if rows else None

    def tags(self) -> list[tuple[str, int]]:
        """Return the tags in use, each with its number of runs, the most used first."""
        rows = self._ask("select tag, count(*) from tags group by tag order by count(*) desc, tag")
        return [(row[0], int(row[1])) for row in rows]

    def numbers(self) -> list[tuple[str, str]]:
        """Return (name, unit) of the numbers that runs are searched by, the most used first."""
        rows = self._ask(
            "select name, unit, count(*) from numbers group by name, unit order by count(*) desc, name"
        )
        return [(row[0], row[1]) for row in rows]

    def close(self) -> None:
        """Let go of the database."""
        if not self._closed:
            self._database.close()
            self._closed = True

    def _ask(self, statement: str, *values: Any) -> list[Row]:
        return self._database.execute(statement, values).fetchall()


def forget(database: sqlite3.Connection, paths: Iterable[str]) -> None:
    """Take runs out."""
    known = [(path,) for path in paths]
    for table, key in (("words", "rowid"), ("tags", "run"), ("numbers", "run"), ("pictures", "run")):
        database.executemany(
            f"delete from {table} where {key} in (select id from runs where path = ?)",  # noqa: S608
            known,
        )
    database.executemany("delete from runs where path = ?", known)


def remember(database: sqlite3.Connection, fresh: Mapping[str, tuple[Mark, Stored]]) -> None:
    """Put runs in, in place of what was known of them."""
    forget(database, fresh)
    for path, (mark, stored) in fresh.items():
        at = moment(str(stored.get("started", "")))
        tags = [str(tag) for tag in stored.get("tags", ())]
        row = database.execute(
            f"insert into runs (grows, size, changed, said, moment, {', '.join(SHOWN)}) "  # noqa: S608
            f"values ({', '.join('?' * (5 + len(SHOWN)))})",
            (
                int(path.endswith(PART)), *mark, at.timestamp() if at else 0.0,
                *(_plain(stored.get(key, "")) for key in ("id", "experiment", "title", "state", "started")),
                int(stored.get("rows", 0)), int(bool(stored.get("simulated"))),
                _plain(json.dumps(stored.get("figures", {}))), _plain(stored.get("headline", "")),
                _plain(stored.get("notes", "")), _plain(json.dumps(tags)), int(bool(stored.get("star"))),
                *(_plain(stored.get(key, "")) for key in ("sample", "operator", "reason")), path,
            ),
        ).lastrowid  # fmt: skip
        database.execute("insert into words (rowid, text) values (?, ?)", (row, _text(stored)))
        database.executemany("insert into tags values (?, ?)", [(row, tag.lower()) for tag in tags])
        database.executemany(
            "insert into numbers values (?, ?, ?, ?, ?)",
            [(row, plain_name(n), unit, low, high) for n, unit, low, high in stored.get("numbers", ())],
        )
        if picture := stored.get("picture"):
            database.execute("insert into pictures values (?, ?)", (row, base64.b64decode(picture)))


def _plain(value: Any) -> str:
    return str(value).replace(BETWEEN, " ")


def _text(stored: Stored) -> str:
    names = ("experiment", "title", "state", "id", "started", "sample", "operator", "words")
    return " ".join(str(stored.get(key, "")) for key in names)


def _prepared(path: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=20.0, isolation_level=None, check_same_thread=False)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = off")
        database.execute("pragma case_sensitive_like = off")
        database.execute("pragma cache_size = -65536")  # KiB: ten thousand runs at once
        database.execute("pragma mmap_size = 268435456")
        database.executescript(_SCHEMA)
        database.execute("select count(*) from runs").fetchone()
    except BaseException:
        database.close()
        raise
    return database


def _connect(path: Path) -> sqlite3.Connection:
    for attempt in range(2):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return _prepared(path)
        except (sqlite3.Error, OSError) as error:
            # Only a damaged database is thrown away; one that another process is using is left to it.
            damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(
                error, sqlite3.OperationalError
            )
            if attempt or not damaged:
                break
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
    return _prepared(":memory:")
