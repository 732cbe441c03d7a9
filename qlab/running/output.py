"""Where a run goes: its rows to the file and the live table, its states to file and listeners; and its record."""

import threading
import time
from pathlib import Path
from typing import Any

from qlab.errors import RecordingError
from qlab.live import LiveTable, remove_left_over, table_path
from qlab.record import Block, Record, State, divided
from qlab.running.ledger import Ledger
from qlab.running.telling import Teller
from qlab.settings import runtime_folder
from qlab.store import RunWriter

LIVE_ROWS = 100_000  # room of the live table at least; it grows with the run


class Output:
    """Takes what a run yields. Rows go to the file first, then to the live table: a failed write fails the run.

    `record` and `state` are those of the run as they stand. Once it is `shut`, nothing more is taken: the thread of
    an experiment that was given up may wake at any time.
    """

    def __init__(self, record: Record, ledger: Ledger, teller: Teller) -> None:
        self.record, self.state = record, record.state
        self.ledger, self.teller = ledger, teller
        self.table: LiveTable | None = None
        self._writer: RunWriter | None = None
        # Whoever is told of a larger table may ask the run something at once.
        self._lock = threading.RLock()
        self._shut = False
        self._warned = 0

    def open(self, folder: Path) -> None:
        """Make the file and the live table; raise UsageError where the folder cannot be written."""
        self._writer = RunWriter.create(folder, self.record)
        self.ledger.open(self._writer)
        remove_left_over(runtime_folder())
        self._grow(self.record.expected_rows)

    @property
    def writer(self) -> RunWriter:
        """The writer of the file."""
        if self._writer is None:
            raise RecordingError("The run has no file.", "Start it with run().")
        return self._writer

    def close(self) -> None:
        """Remove the live table."""
        if self.table is not None:
            self.table.close(remove=True)

    def shut(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._shut = True

    def take(self, block: Block) -> bool:
        """Write rows and entries of streams; return whether they were taken."""
        with self._lock:
            if self._shut:
                return False
            writer, table = self.writer, self.table
            rows, streams = divided(block)
            for name, entries in streams.items():
                writer.write_stream(name, entries)
            if rows:
                writer.write(rows)
            if rows and table is not None:
                if writer.rows > table.capacity:
                    table = self._grow(writer.rows)
                table.append(rows)
            self.ledger.row = writer.rows
        if len(writer.warnings) > self._warned:
            self._pass_on_warnings(writer)
        if time.monotonic() > self.teller.due:
            self.progress()
        return True

    def progress(self) -> None:
        """Tell how far it is."""
        self.teller.progress(self.ledger.row, self.record.expected_rows)

    def amend(self, **known: Any) -> None:
        """Change fields of the record, from any thread."""
        with self._lock:
            self.record = self.record.model_copy(update=known)

    def started(self) -> None:
        """Tell that rows may come, and where."""
        self.teller.started(
            self.record, self.table.path if self.table is not None else None, self.writer.path
        )

    def set_state(self, state: State, reason: str = "") -> None:
        """Change the state that readers of the file and listeners see."""
        with self._lock:
            if self._shut:
                return
            self.state = state
            self.record = self.record.model_copy(update={"state": state})
            self.writer.set_state(state)
        self.teller.state(state, self.writer.path, reason)

    def finish(self, record: Record, hint: str) -> Path:
        """Write the final file and tell the end; return where it is."""
        path = self.writer.finish(record)
        self._pass_on_warnings(self.writer)  # the last rows, too, may have had to go elsewhere
        self.record, self.state = record, record.state
        self.teller.state(record.state, path, record.reason, hint, record=record.model_dump(mode="json"))
        return path

    def _pass_on_warnings(self, writer: RunWriter) -> None:
        """Tell what the writer had to do so as not to lose rows, such as moving to the spool."""
        fresh = writer.warnings[self._warned :]
        self._warned = len(writer.warnings)
        for line in fresh:
            self.ledger.log("warning", line)

    def _grow(self, rows: int) -> LiveTable:
        """Make the live table with room for twice the rows; one that is full gives way to it, and that is told."""
        before, capacity = self.table, max(2 * rows, LIVE_ROWS)
        path = table_path(runtime_folder(), self.record.id)
        if before is not None:
            stem, pid, kind = path.name.rsplit(".", 2)
            path = path.with_name(f"{stem}-{capacity}.{pid}.{kind}")
        table = self.table = LiveTable.create(path, self.record.columns, capacity)
        if before is not None:
            if len(before):
                table.append({name: before.column(name) for name in before.names})
            before.close(remove=True)
            self.started()
        return table
