"""The runs of this session: attached when they start, shown while they grow, kept when they end."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pydantic import ValidationError
from PySide6.QtCore import QTimer

from qlab.errors import QlabError
from qlab.grid import MemoryRows, Rows
from qlab.live import LiveTable
from qlab.record import ENDED, Record
from qlab.session import Event
from qlab_ui import text
from qlab_ui.feed import Feed
from qlab_ui.panels.runs import RunsPanel
from qlab_ui.panels.runs_model import Line, line_of_record
from qlab_ui.statusline import StatusLine
from qlab_ui.tabs import Centre

_LET_GO_MS = 300
_LARGE = 1_000_000  # numbers


class Voice(Protocol):
    """Who tells people what happened."""

    def tell(self, level: str, message: str, hint: str = "", *, toast: bool = False) -> None:
        """Log a line; as a toast too where it matters now."""
        ...


class AtWork:
    """Follows the events of runs, whoever ordered them."""

    def __init__(self, feed: Feed, centre: Centre, runs: RunsPanel, status: StatusLine, voice: Voice) -> None:
        self._centre, self._runs, self._status, self._voice = centre, runs, status, voice
        self.title_of: Callable[[str], str] = str  # of an experiment by its name
        self._tables: dict[str, LiveTable] = {}
        self._waiting: dict[str, Line] = {}
        self._began: dict[str, float] = {}
        self._progress: dict[str, Event] = {}
        self._lost: set[str] = set()
        self.current = ""  # the run that goes
        self.states: dict[str, str] = {}
        feed.on("queued", self._queued)
        feed.on("started", self._started)
        feed.on("state", self._state)
        feed.on("progress", self._told_progress)

    @property
    def busy(self) -> bool:
        """Whether a run goes or waits."""
        return any(state not in ENDED for state in self.states.values())

    @property
    def paused(self) -> bool:
        """Whether the run that goes is paused."""
        return self.states.get(self.current) == "paused"

    def close(self) -> None:
        """Let go of the live tables."""
        for page in self._centre.pages():
            page.rows = MemoryRows({})
        for table in self._tables.values():
            table.close()
        self._tables = {}

    def lost(self, message: str) -> None:
        """Take note that the bench process has gone; a run that goes on after all will start anew for us."""
        for run, state in list(self.states.items()):
            if state not in ENDED:
                self._lost.add(run)
                self._state({"run": run, "state": "interrupted", "reason": message})

    def _queued(self, event: Event) -> None:
        run, order = str(event["run"]), event.get("order") or {}
        self.states[run] = "queued"
        experiment = str(order.get("experiment", ""))
        name = str(order.get("title") or self.title_of(experiment))
        self._waiting[run] = Line(run, name, experiment, "queued")
        self._runs.put(self._waiting[run])

    def _started(self, event: Event) -> None:
        try:
            record = Record.model_validate(event["record"])
        except (ValidationError, KeyError) as error:
            self._voice.tell("error", f"A run started that cannot be shown: {error}", toast=True)
            return
        if record.id in self._tables:
            self._larger(record.id, str(event.get("table") or ""))
            return
        if self.states.get(record.id) in ENDED and record.id not in self._lost:
            return
        self._lost.discard(record.id)
        rows: Rows = _no_rows(record)
        try:
            if event.get("table"):
                rows = self._tables[record.id] = LiveTable.attach(Path(event["table"]))
        except (OSError, ValueError, QlabError) as error:
            self._voice.tell("warning", f"The live view of {record.title} cannot be read: {error}")
        self.current = record.id
        self.states[record.id] = record.state
        self._began[record.id] = time.monotonic()
        path = Path(event["path"]) if event.get("path") else None
        self._centre.open(record, rows, path, soon=True)
        self._list(record, len(rows), path)
        self._say(record)

    def _larger(self, run: str, path: str) -> None:
        """Follow a run whose live table was full to the larger one that took its place."""
        old, page = self._tables[run], self._centre.page(run)
        if not path or str(old.path) == path:
            return
        try:
            table = LiveTable.attach(Path(path))
        except (OSError, ValueError, QlabError) as error:
            self._voice.tell("warning", f"The live view cannot follow: {error}")
            return
        self._tables[run] = table
        if page is not None:
            page.take(page.record, table)
        QTimer.singleShot(_LET_GO_MS, old.close)

    def _state(self, event: Event) -> None:
        run, state = str(event["run"]), str(event["state"])
        self.states[run] = state
        page = self._centre.page(run)
        record = self._record(event, page.record if page is not None else None)
        if record is None:
            if run in self._waiting:
                self._runs.put(replace(self._waiting[run], state=state))
            return
        if state not in ENDED:
            self.current = run
        path = Path(event["path"]) if event.get("path") else None
        count = self._finish(record, path) if state in ENDED else len(self._tables.get(run, ()))
        if page is not None and state not in ENDED:
            page.take(record, None, path)
        if page is not None:
            self._centre.mark(page)
        self._list(record, count, path)
        self._say(record)
        if state in ENDED:
            self._ended(record, event)

    def _finish(self, record: Record, path: Path | None) -> int:
        """Keep the rows in memory and let go of the table; return how many rows there are."""
        page = self._centre.page(record.id)
        table = self._tables.pop(record.id, None)
        if table is None:
            return len(page.rows) if page is not None else 0
        columns = {name: table.column(name) for name in table.names}
        if len(table) * len(columns) > _LARGE and sys.platform != "win32":
            # To copy millions of rows would take a tenth of a second: their memory outlives the file's name.
            if page is not None:
                page.take(record, MemoryRows(columns), path)
            return len(table)
        rows = MemoryRows({name: column.copy() for name, column in columns.items()})
        if page is not None:
            page.take(record, rows, path)
        # To give back the memory of a long run takes as long as a frame.
        QTimer.singleShot(_LET_GO_MS, table.close)
        return len(rows)

    def _ended(self, record: Record, event: Event) -> None:
        title = record.title or record.experiment
        reason, hint = str(event.get("reason") or record.reason), str(event.get("hint") or "")
        if record.state == "failed":
            self._voice.tell("error", f"{title} failed: {reason}", hint, toast=True)
        elif record.state == "interrupted":
            self._voice.tell("warning", f"{title} was interrupted: {reason}", hint, toast=True)
        else:
            taken = time.monotonic() - self._began.get(record.id, time.monotonic())
            why = f" ({reason})" if reason and record.state == "stopped" else ""
            self._voice.tell("info", f"{title} {record.state}{why} after {text.duration(taken)}")

    def _record(self, event: Event, known: Record | None) -> Record | None:
        if event.get("record"):
            try:
                return Record.model_validate(event["record"])
            except ValidationError as error:
                self._voice.tell("error", f"The record of a run cannot be read: {error}")
        if known is None:
            return None
        change: dict[str, Any] = {"state": event["state"]}
        if event.get("reason"):
            change["reason"] = event["reason"]
        return known.model_copy(update=change)

    def _told_progress(self, event: Event) -> None:
        run = str(event.get("run", ""))
        self._progress[run] = event
        if run != self.current or self.states.get(run) in ENDED:
            return
        self._status.show_progress(event)
        page = self._centre.page(run)
        if page is not None:
            self._list(page.record, int(event.get("done", 0)), page.path)

    def _list(self, record: Record, rows: int, path: Path | None) -> None:
        self._runs.put(line_of_record(record, rows, path))

    def _say(self, record: Record) -> None:
        if record.id != self.current:
            return
        words = f"{text.STATE_WORDS[record.state]} {record.title or record.experiment}"
        self._status.show_state(text.STATE_ICONS[record.state], words)
        if record.state in ENDED:
            self._status.rest()


def _no_rows(record: Record) -> MemoryRows:
    return MemoryRows({column.name: np.zeros((0, *column.shape)) for column in record.columns})
