"""The writer of a run: buffers rows, hands them to the growing file, and rewrites it at the end."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from numpy.typing import NDArray

from qlab.errors import FileError, RecordingError, UsageError
from qlab.record import ENDED, Record, State
from qlab.store.claim import claimed, in_spool
from qlab.store.columns import all_stored, check_columns
from qlab.store.final import write_final
from qlab.store.journal import line
from qlab.store.lock import RunLock
from qlab.store.metadata import scrubbed
from qlab.store.names import FINAL, PART, run_stem
from qlab.store.part import ROWS, PartFile
from qlab.store.pending import Pending
from qlab.store.place import current_path, mount_point, on_network
from qlab.store.rows import StoredRows
from qlab.store.spool import deliver, forget_home, note_home, set_aside, spool_folder
from qlab.store.synced import discard, sync_folder
from qlab.store.trust import trust

P = ParamSpec("P")
R = TypeVar("R")
HAND_OVER = 0.1  # s between two hand-overs at least: HDF5 pays per call, not per row
SYNC = 5.0  # s between two fsyncs
BUFFER = 8 << 20  # bytes buffered at most


def _alone(method: Callable[P, R]) -> Callable[P, R]:
    """Let one thread at a time into a writer."""

    @wraps(method)
    def guarded(*arguments: P.args, **options: P.kwargs) -> R:
        with arguments[0]._guard:  # type: ignore[attr-defined]  # noqa: SLF001 - the writer's own
            return method(*arguments, **options)

    return guarded


class RunWriter:
    """Writes one run. Rows are in the file, safe from a crash of this process, within half a second.

    `path` is the growing file, `final` the finished one, `rows` how many rows were taken so far;
    `warnings` tells in plain lines what went wrong on the way without costing a row.
    """

    def __init__(self, part: PartFile, lock: RunLock, final: Path, spool: Path | None) -> None:
        self.path, self.final, self.rows = part.path, final, 0
        self.warnings: list[str] = []
        self._part, self._locks, self._spool = part, [lock], spool
        self._left: list[PartFile] = []  # growing files given up on: they keep what they have
        self._root, self._drive = _identity(final.parent.parent), mount_point(final.parent)
        self._pending = {ROWS: Pending(part.record)}
        self._pending |= {stream.name: Pending(stream) for stream in part.record.streams}
        self._lines: list[bytes] = []
        self._handed = self._synced = time.monotonic()
        self._done = False
        # The runner writes; a keeper hands over while the runner waits for an instrument.
        self._guard = threading.RLock()

    @classmethod
    def create(cls, folder: Path, record: Record, *, spool: Path | None = None) -> Self:
        """Make the growing file of a run in a dated folder below `folder` and take its lock.

        `spool` is where rows go when the folder fails later (a folder of qlab's own by default). On a network the
        growing file stands there from the start: HDF5 cannot be watched or trusted to survive elsewhere.
        Raises UsageError where the folder cannot be written or the record has names no file can carry.
        """
        check_columns(record)
        record = scrubbed(record)
        day, stem = run_stem(record)
        try:
            (folder / day).mkdir(parents=True, exist_ok=True)
            path, lock = claimed(folder / day, stem)
        except OSError as error:
            raise _unwritable(folder, error) from error
        final = path.with_name(path.name.removesuffix(PART) + FINAL)
        try:
            if on_network(folder):
                path, lock = in_spool(path, lock, record.id, spool)
            part = PartFile(path, record)
        except (OSError, RuntimeError, ValueError) as error:
            lock.release()
            raise _unwritable(folder, error) from error
        except BaseException:
            lock.release()
            raise
        return cls(part, lock, final, spool)

    @_alone
    def write(self, block: Mapping[str, NDArray[Any]]) -> None:
        """Take whole rows: every column, row by row; raises RecordingError where they do not fit.

        Also raises it where they can no longer be written; they are kept, and `finish` tries once more.
        """
        self.rows += self._pending[ROWS].add(block)
        self.tick()

    @_alone
    def write_stream(self, name: str, block: Mapping[str, NDArray[Any]]) -> None:
        """Take whole entries of a stream that the record declares; as `write`, beside the rows."""
        if name not in self._pending or name == ROWS:
            raise RecordingError(f"The run has no stream {name!r}.", "Declare it before the run starts.")
        self._pending[name].add(block)
        self.tick()

    @_alone
    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """Put one line into the journal: a program as played, a change, a log line, a fit, figures ..."""
        self._lines.append(line(kind, data))
        self.tick()

    @_alone
    def tick(self) -> None:
        """Hand over what is buffered where it is time; to be called while waiting for the next rows."""
        if self._done:
            return
        now = time.monotonic()
        if now - self._handed >= HAND_OVER or sum(p.bytes for p in self._pending.values()) > BUFFER:
            self.flush()
        if now - self._synced >= SYNC:
            self._synced = now
            self._look_after()

    def _look_after(self) -> None:
        """Bring the file to the disk; where its folder is gone, go on in the spool."""
        if current_path(self._part.handle(), self.path) is None:
            gone = RecordingError(f"The folder of {self.path.name} has vanished.", "Is its disk connected?")
            self._to_spool(gone)
        self._part.sync()

    @_alone
    def set_state(self, state: State) -> None:
        """Change the state that readers of the growing file see."""
        self._lines.append(line("state", {"state": state}))
        self.flush()
        self._part.set_status(state)

    @_alone
    def flush(self) -> None:
        """Hand over everything now; where the folder fails, go on in the spool and warn."""
        self._handed = time.monotonic()
        if not (self._lines or any(p.blocks for p in self._pending.values())):
            return
        if self._part.broken:
            raise RecordingError("Rows can no longer be written.", "End the run; its rows so far are kept.")
        try:
            self._append(self._part)
        except RecordingError as error:
            self._handed = -math.inf  # until it works again every write tries, and tells
            self._to_spool(error)

    def _append(self, part: PartFile) -> None:
        blocks = {name: (p.joined(), p.rows) for name, p in self._pending.items() if p.blocks}
        part.append(blocks, b"".join(self._lines))
        self._lines = []
        for pending in self._pending.values():
            pending.clear()

    def _to_spool(self, cause: RecordingError) -> None:
        """Go on in the spool, in a growing file with all rows so far; raise `cause` where that fails too."""
        folder = spool_folder(self._spool)
        if folder is None or self._left or self._part.path.parent == folder:
            raise cause
        path = folder / self._part.path.name
        fresh: PartFile | None = None
        lock: RunLock | None = None
        try:
            lock = RunLock.take(path)
            if lock is None:
                raise cause
            fresh = PartFile(path, self._part.record)
            fresh.append({}, self._part.journal())
            for name in self._pending:
                _copy(self._part.source(name), fresh, name)
            self._append(fresh)
            note_home(path, self.final.parent, self._part.record.id, self._drive)
        except (OSError, RuntimeError, RecordingError) as error:
            if fresh is not None:
                fresh.close()
                discard(path)
            if lock is not None:
                lock.release()
            raise cause from error
        self._locks.append(lock)
        self._left.append(self._part)
        self._part = fresh
        self.path = path
        self.warnings.append(f"{cause.message} The run goes on in {path}.")
        self.note("log", {"level": "warning", "message": cause.message})

    @_alone
    def finish(self, record: Record) -> Path:
        """Rewrite the run to its final file with the final record and return where it is.

        Tries in its own folder first (where that is now, should it have been renamed), then in the spool; where
        neither has room, the growing file stays and its path is returned. Raises RecordingError only where rows
        could be kept nowhere.
        """
        record = scrubbed(record)
        if record.state not in ENDED:
            raise UsageError(f"A run cannot end as {record.state!r}.", "Set the state before finishing.")
        self._lines.append(line("record", record.model_dump()))
        try:
            self.flush()
        except RecordingError as error:
            self.warnings.append(error.message)
        tables = self._tables(record)
        for target in self._targets():
            try:
                self.warnings += write_final(target, record, tables.pop(ROWS), tables)
            except RecordingError as error:
                self.warnings.append(error.message)
                tables = self._tables(record)
                continue
            return self._settle(target, record)
        lost = self._pending[ROWS].rows
        path = current_path(self._part.handle(), self.path) or self.path
        self._let_go()
        if lost:
            raise RecordingError(
                f"There is no room anywhere: the last {lost} rows are lost, all others are in {path.name}.",
                "Free some space, then run `qlab recover` on it.",
            )
        return path

    def _settle(self, target: Path, record: Record) -> Path:
        """Let go of the growing files once a finished one stands, and bring one in the spool home."""
        spooled = target.parent != self.final.parent
        if spooled:
            note_home(target, self.final.parent, record.id, self._drive)
        self._let_go(complete=target)
        if spooled and self._at_home():
            target = deliver(target) or target
        if target.parent != self.final.parent:
            self.warnings.append(
                f"The run is complete in {target}; `qlab recover {self.final.parent.parent}` brings it home."
            )
        trust(target)
        return target

    @_alone
    def close(self) -> None:
        """Leave the growing file as it is, for `qlab recover`; does nothing after `finish`."""
        if not self._done:
            try:
                self.flush()
            except RecordingError as error:
                self.warnings.append(error.message)
            self._let_go()

    def _tables(self, record: Record) -> dict[str, StoredRows]:
        if not _same_tables(record, self._part.record):
            raise FileError("The columns of a run changed on the way.", "Declare them before the run starts.")
        return {
            name: self._part.source(name, tuple(pending.blocks), pending.rows)
            for name, pending in self._pending.items()
        }

    def _at_home(self) -> bool:
        """Tell whether the folder of the run's folder is the one it was when the run began."""
        return self._root is not None and _identity(self.final.parent.parent) == self._root

    def _targets(self) -> Iterator[Path]:
        for part in (self._part, *self._left):
            here = current_path(part.handle(), part.path)
            if here is not None and part.path.parent == self.final.parent and here != part.path:
                # The folder was renamed meanwhile: the run stays in it.
                self.warnings.append(f"The folder of the run was renamed; it is finished in {here.parent}.")
                self.final = here.with_name(self.final.name)
                self._root = _identity(self.final.parent.parent)
        folder = spool_folder(self._spool)
        local = self._part.path.parent == folder and not self._left
        if local and folder is not None:
            # On a network folder: written here, then copied there in one go.
            yield folder / self.final.name
        if self._at_home():
            yield self.final
        if not local and folder is not None and folder != self.final.parent:
            yield folder / self.final.name

    def _let_go(self, *, complete: Path | None = None) -> None:
        for part in (*self._left, self._part):
            here = current_path(part.handle(), part.path)
            part.close()
            if complete is None or here is None:
                continue
            at_home = complete.parent == self.final.parent
            if at_home or complete.parent == here.parent:
                discard(here)
                if at_home and here.parent != complete.parent:
                    forget_home(here)
            else:
                # The complete file is in the spool: what was begun here must not be taken for a run of its own.
                _quietly_aside(here)
            sync_folder(here.parent)
        for lock in self._locks:
            lock.release()
        self._done = True


def _quietly_aside(part: Path) -> None:
    try:
        set_aside(part)
    except OSError:
        return  # found out about when it is recovered


def _same_tables(one: Record, other: Record) -> bool:
    def shape(record: Record) -> list[tuple[str, list[str]]]:
        return [
            (name, sorted(c.name for c in columns))
            for name, columns in (("", record.columns), *((s.name, s.columns) for s in record.streams))
        ]

    return shape(one) == shape(other)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        stat = folder.stat()
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def _copy(source: StoredRows, target: PartFile, name: str) -> None:
    items = list(all_stored(source.record))
    step = max(1, (1 << 20) // max(1, sum(item.row_bytes for item in items)))
    for start in range(0, source.count, step):
        stop = min(start + step, source.count)
        block = {i.name: source.shots[i.name][start:stop] for i in items}
        target.append({name: (block, stop - start)})


def _unwritable(folder: Path, error: BaseException) -> UsageError:
    why = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
    return UsageError(
        f"Runs cannot be written to {folder}: {why}.",
        "Choose a folder that you may write, with some room left.",
    )
