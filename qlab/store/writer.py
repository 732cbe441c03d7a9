"""The writer of a run: buffers rows, hands them to the growing file, and rewrites it at the end."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from qlab.errors import FileError, RecordingError, UsageError
from qlab.record import ENDED, Record, State
from qlab.settings import runtime_folder
from qlab.store.columns import Fitter, check_columns
from qlab.store.final import sync_folder, write_final
from qlab.store.journal import line
from qlab.store.lock import RunLock
from qlab.store.metadata import scrubbed
from qlab.store.names import FINAL, PART, run_stem
from qlab.store.part import PartFile
from qlab.store.rows import StoredRows
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
        self._part, self._lock, self._spool = part, lock, spool
        self._left: list[PartFile] = []  # growing files given up on: they keep what they have
        self._pending: list[dict[str, NDArray[Any]]] = []
        self._pending_rows = self._pending_bytes = 0
        self._lines: list[bytes] = []
        self._handed = self._synced = time.monotonic()
        self._done = False
        # The runner writes; a keeper hands over while the runner waits for an instrument.
        self._guard = threading.RLock()
        self._fitter = Fitter(part.record)

    @classmethod
    def create(cls, folder: Path, record: Record, *, spool: Path | None = None) -> Self:
        """Make the growing file of a run in a dated folder below `folder` and take its lock.

        `spool` is where rows go when the folder fails later (a folder of qlab's own by default).
        Raises UsageError where the folder cannot be written or the record has names no file can carry.
        """
        check_columns(record)
        record = scrubbed(record)
        day, stem = run_stem(record)
        try:
            (folder / day).mkdir(parents=True, exist_ok=True)
            path, lock = _claim(folder / day, stem)
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            part = PartFile(path, record)
        except (OSError, RuntimeError, ValueError) as error:
            lock.release()
            raise _unwritable(folder, error) from error
        except BaseException:
            lock.release()
            raise
        return cls(part, lock, path.with_name(path.name.removesuffix(PART) + FINAL), spool)

    @_alone
    def write(self, block: Mapping[str, NDArray[Any]]) -> None:
        """Take whole rows: every column, row by row; raises RecordingError where they do not fit.

        Also raises it where they can no longer be written; they are kept, and `finish` tries once more.
        """
        # Copies: the caller may go on to fill the same arrays.
        rows, fitted = self._fitter.fit(block)
        if rows:
            self._pending.append(fitted)
            self._pending_rows += rows
            self._pending_bytes += rows * self._fitter.row_bytes
            self.rows += rows
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
        if now - self._handed >= HAND_OVER or self._pending_bytes > BUFFER:
            self.flush()
        if now - self._synced >= SYNC:
            self._synced = now
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
        if not (self._pending or self._lines):
            return
        if self._part.broken:
            raise RecordingError("Rows can no longer be written.", "End the run; its rows so far are kept.")
        try:
            self._append(self._part)
        except RecordingError as error:
            self._handed = -math.inf  # until it works again every write tries, and tells
            self._to_spool(error)

    def _append(self, part: PartFile) -> None:
        part.append(_joined(self._pending), self._pending_rows, b"".join(self._lines))
        self._pending, self._pending_rows, self._pending_bytes, self._lines = [], 0, 0, []

    def _to_spool(self, cause: RecordingError) -> None:
        """Go on in the spool, in a growing file with all rows so far; raise `cause` where that fails too."""
        folder = spool_folder(self._spool)
        if folder is None or self._left or self._part.path.parent == folder:
            raise cause
        path = folder / self._part.path.name
        fresh: PartFile | None = None
        try:
            fresh = PartFile(path, self._part.record)
            _copy(self._part.source(), fresh)
            self._append(fresh)
        except (OSError, RuntimeError, RecordingError) as error:
            if fresh is not None:
                fresh.close()
                path.unlink(missing_ok=True)
            raise cause from error
        self._left.append(self._part)
        self._part = fresh
        self.path = path
        self.warnings.append(f"{cause.message} The run goes on in {path}.")
        self.note("log", {"level": "warning", "message": cause.message})

    @_alone
    def finish(self, record: Record) -> Path:
        """Rewrite the run to its final file with the final record and return where it is.

        Tries beside the growing file first, then in the spool; where neither has room, the growing file stays
        and its path is returned. Raises RecordingError only where rows could be kept nowhere.
        """
        record = scrubbed(record)
        if record.state not in ENDED:
            raise UsageError(f"A run cannot end as {record.state!r}.", "Set the state before finishing.")
        self._lines.append(line("record", record.model_dump()))
        try:
            self.flush()
        except RecordingError as error:
            self.warnings.append(error.message)
        rows = self._rows(record)
        for target in self._targets():
            try:
                self.warnings += write_final(target, record, rows)
            except RecordingError as error:
                self.warnings.append(error.message)
                continue
            self._let_go(complete=target)
            trust(target)
            return target
        lost = self._pending_rows
        path = self._part.path
        self._let_go()
        if lost:
            raise RecordingError(
                f"There is no room anywhere: the last {lost} rows are lost, all others are in {path.name}.",
                "Free some space, then run `qlab recover` on it.",
            )
        return path

    @_alone
    def close(self) -> None:
        """Leave the growing file as it is, for `qlab recover`; does nothing after `finish`."""
        if not self._done:
            try:
                self.flush()
            except RecordingError as error:
                self.warnings.append(error.message)
            self._let_go()

    def _rows(self, record: Record) -> StoredRows:
        rows = self._part.source(tuple(self._pending), self._pending_rows)
        names = {column.name for column in record.columns}
        if names != {column.name for column in self._part.record.columns}:
            raise FileError("The columns of a run changed on the way.", "Declare them before the run starts.")
        return rows

    def _targets(self) -> Iterator[Path]:
        yield self.final
        folder = spool_folder(self._spool)
        if folder is not None and folder != self.final.parent:
            yield folder / self.final.name

    def _let_go(self, *, complete: Path | None = None) -> None:
        for part in (*self._left, self._part):
            part.close()
            # A growing file goes once a complete one stands beside it; the spool may not outlive a reboot.
            if complete is not None and complete.parent in {part.path.parent, self.final.parent}:
                part.path.unlink(missing_ok=True)
                sync_folder(part.path.parent)
        self._lock.release()
        self._done = True


def spool_folder(given: Path | None) -> Path | None:
    """Return the folder for runs whose own folder failed, made where it is missing; None where that fails."""
    try:
        folder = given or runtime_folder() / "spool"
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def _claim(folder: Path, stem: str) -> tuple[Path, RunLock]:
    """Return a name that no run has yet, and its lock."""
    for number in range(1, 1000):
        name = stem if number == 1 else f"{stem}-{number}"
        path = folder / f"{name}{PART}"
        if path.exists() or path.with_name(name + FINAL).exists():
            continue
        lock = RunLock.take(path)
        if lock is None:
            continue
        if not path.exists() and not path.with_name(name + FINAL).exists():
            return path, lock
        lock.release()
    raise FileExistsError(f"{folder / stem} is taken")


def _joined(blocks: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    if len(blocks) == 1:
        return blocks[0]
    return {name: np.concatenate([block[name] for block in blocks]) for name in (blocks[0] if blocks else ())}


def _copy(source: StoredRows, target: PartFile) -> None:
    names = target.stored
    step = max(1, (1 << 20) // max(1, sum(item.row_bytes for item in names)))
    for start in range(0, source.count, step):
        stop = min(start + step, source.count)
        target.append({i.name: source.shots[i.name][start:stop] for i in names}, stop - start)


def _unwritable(folder: Path, error: BaseException) -> UsageError:
    why = getattr(error, "strerror", None) or (str(error).splitlines() or [type(error).__name__])[0]
    return UsageError(
        f"Runs cannot be written to {folder}: {why}.",
        "Choose a folder that you may write, with some room left.",
    )
