"""The ledger: programs played, knobs changed, lines logged, upkeep done; each with its row, in journal and record."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from qlab.bench import Bench
from qlab.provenance import clock
from qlab.pulses import Program
from qlab.record import Record
from qlab.running.telling import Teller

PASSES = "run.passes"  # the change that says that a run was extended


class Journal(Protocol):
    """Where lines go at once, so that they outlive the process."""

    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take one line."""
        ...


class Ledger:
    """Keeps what happens during a run beside its rows. `row` is how many rows were taken when it happened."""

    def __init__(self, bench: Bench, teller: Teller) -> None:
        self.bench, self.teller = bench, teller
        self.row = 0
        self.source = "experiment"
        self._journal: Journal | None = None
        self._lock = threading.Lock()
        self._kept: dict[str, list[dict[str, Any]]] = {
            "program": [], "change": [], "log": [], "upkeep": []
        }  # fmt: skip

    def open(self, journal: Journal) -> None:
        """Write from here on, beginning with what was kept before there was a file."""
        with self._lock:
            self._journal = journal
            early = [(kind, item) for kind, items in self._kept.items() for item in items]
        for kind, item in early:
            journal.note(kind, item)

    def keep(self, kind: str, data: dict[str, Any]) -> None:
        """Keep one entry."""
        with self._lock:
            self._kept[kind].append(data)
            journal = self._journal
        if journal is not None:
            journal.note(kind, data)

    def played(self, program: Program) -> None:
        """Keep a program as it is played."""
        self.keep("program", program.to_dict())

    def changed(self, instrument: str, knob: str, value: float | bool) -> None:
        """Keep a change of a knob, with who made it."""
        self._change(f"{instrument}.{knob}", value, self.source)

    def extended(self, passes: int) -> None:
        """Keep that passes were added."""
        self._change(PASSES, passes, "panel")

    def _change(self, knob: str, value: float | bool, source: str) -> None:
        when = {"time": self.bench.now(), "row": self.row}
        self.keep("change", {**when, "knob": knob, "value": value, "source": source})

    def log(self, level: str, message: str) -> None:
        """Keep and tell one line."""
        entry = {"time": clock(), "row": self.row, "level": level, "message": message}
        self.keep("log", entry)
        self.teller.tell("log", level=level, message=message)

    @contextmanager
    def by(self, source: str) -> Iterator[None]:
        """Say who makes the changes within."""
        before, self.source = self.source, source
        try:
            yield
        finally:
            self.source = before

    def listen(self) -> None:
        """Hear of every change of a knob."""
        for instrument in self.bench.instruments.values():
            instrument.on_change = self.changed

    def deafen(self) -> None:
        """Hear no more."""
        for instrument in self.bench.instruments.values():
            instrument.on_change = None

    def into(self, record: Record) -> Record:
        """Return the record with everything kept."""
        with self._lock:
            kept = {kind: tuple(items) for kind, items in self._kept.items()}
        return record.model_copy(
            update={
                "programs": kept["program"],
                "changes": kept["change"],
                "log": kept["log"],
                "upkeep": kept["upkeep"],
            }
        )
