"""The interlock: watchdog rules on a running bench, and what they do to its run."""

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from qlab.bench import Bench
from qlab.control import Ask, Control
from qlab.errors import InstrumentError, UsageError
from qlab.instrument import Instrument
from qlab.record import Block, Column
from qlab.running.ledger import Ledger
from qlab.watch import EVERY, Rule, Watchdog


@dataclass
class _Guard:
    """One rule at its place: a column of the run, or a knob of an instrument."""

    dog: Watchdog
    column: str = ""
    instrument: Instrument | None = None
    knob: str = ""
    began: str = ""


class Interlock:
    """Watches columns as blocks come and knobs twice a second; acts through the run's control."""

    def __init__(
        self, bench: Bench, columns: Sequence[Column], control: Control, ledger: Ledger, rules: Sequence[Rule]
    ) -> None:
        self._bench, self._control, self._ledger = bench, control, ledger
        self._columns = {column.name: column for column in columns}
        self._lock = threading.Lock()
        self._looked = 0.0
        self.rules: tuple[Rule, ...] = ()
        self._guards: list[_Guard] = []
        self.idle = True
        self.set_rules(rules)

    def set_rules(self, rules: Sequence[Rule]) -> None:
        """Replace the rules; raise UsageError where one names nothing that can be watched."""
        names = [rule.name for rule in rules]
        if len(set(names)) < len(names):
            raise UsageError("Two watchdog rules have the same name.", "Give each a name of its own.")
        guards = [self._guard(rule) for rule in rules]
        now = time.monotonic()
        for guard in guards:
            guard.dog.expect(now)
        with self._lock:
            gone = {g.dog.rule.name for g in self._guards}
            self.rules, self._guards, self.idle = tuple(rules), guards, not guards
        for name in gone:
            self._control.release(_holder(name))

    def _guard(self, rule: Rule) -> _Guard:
        if rule.readout in self._columns:
            return _Guard(Watchdog(rule, self._columns[rule.readout].unit), column=rule.readout)
        if "." not in rule.readout:
            raise UsageError(
                f"The rule {rule.name!r} watches {rule.readout!r}, which is no column of this run.",
                f"Give instrument.knob, or one of {', '.join(self._columns)}.",
            )
        instrument, knob = self._bench.find(rule.readout)
        if not instrument.knobs()[knob].readable:
            raise UsageError(f"The rule {rule.name!r} watches a knob that cannot be read.", "")
        return _Guard(Watchdog(rule, instrument.knobs()[knob].unit), instrument=instrument, knob=knob)

    def take(self, block: Block) -> None:
        """Look at the rows that came."""
        now = time.monotonic()
        for guard in self._listed():
            if guard.column and guard.column in block:
                values = np.asarray(block[guard.column], dtype=float).ravel()
                if len(values):
                    at = float(block["time"][-1]) if "time" in block else now
                    self._after(guard, guard.dog.see(_worst(guard.dog.rule, values), now, at))

    def look(self) -> None:
        """Read the knobs that are watched, where it is time, and let silence be noticed."""
        now = time.monotonic()
        if now - self._looked < EVERY:
            return
        self._looked = now
        for guard in self._listed():
            if guard.instrument is not None:
                self._read(guard, guard.instrument)
        self.silence()

    def silence(self) -> None:
        """Let time pass for the rules on stale readouts; from any thread."""
        now = time.monotonic()
        for guard in self._listed():
            self._after(guard, guard.dog.look(now))

    def _listed(self) -> list[_Guard]:
        with self._lock:
            return list(self._guards)

    def _read(self, guard: _Guard, instrument: Instrument) -> None:
        try:
            value = float(instrument.read_knob(instrument.knobs()[guard.knob]))
        except InstrumentError:
            if guard.dog.rule.condition == "stale":
                return
            value = math.nan
        self._after(guard, guard.dog.see(value, time.monotonic()))

    def _after(self, guard: _Guard, changed: bool) -> None:
        if not changed:
            return
        rule = guard.dog.rule
        if guard.dog.firing:
            guard.began = datetime.now(UTC).astimezone().isoformat(timespec="milliseconds")
            why = f"watchdog {rule.name}: {guard.dog.words()}"
            self._ledger.log("warning", f"{why}; {rule.action.replace('_', ' ')}")
            self._act(rule, why)
        else:
            self._ledger.log("info", f"watchdog {rule.name}: {guard.dog.words()}; clear")
            if rule.resume_when_clear:
                self._control.release(_holder(rule.name))
        self.tell()

    def _act(self, rule: Rule, why: str) -> None:
        match rule.action:
            case "pause":
                self._control.hold(_holder(rule.name), why)
            case "stop":
                self._control.end(Ask.STOP, why)
            case "make_safe":
                self._control.end(Ask.HALT, why)

    def release_clear(self) -> list[str]:
        """Let go of the pauses of rules that no longer fire; return what still holds, in words."""
        still: list[str] = []
        for guard in self._listed():
            if guard.dog.firing and guard.column:
                # No row comes while the run is held: whoever resumes has seen to it.
                guard.dog.rest(time.monotonic())
            if guard.dog.firing and guard.dog.rule.action == "pause":
                still.append(f"watchdog {guard.dog.rule.name}: {guard.dog.words()}")
            else:
                self._control.release(_holder(guard.dog.rule.name))
        return still

    def resumed(self) -> None:
        """Expect values again from now on: none came during a pause."""
        now = time.monotonic()
        for guard in self._listed():
            if guard.column:
                guard.dog.expect(now)

    def tell(self) -> None:
        """Tell the rules and which of them fire."""
        firing = [
            {
                "rule": guard.dog.rule.name,
                "value": guard.dog.value if math.isfinite(guard.dog.value) else None,
                "since": guard.began,
                "action": guard.dog.rule.action,
                "words": guard.dog.words(),
            }
            for guard in self._listed()
            if guard.dog.firing
        ]
        rules = [rule.model_dump(mode="json") for rule in self.rules]
        self._ledger.teller.tell("watch", bench=self._bench.name, rules=rules, firing=firing)


def _holder(name: str) -> str:
    return f"watchdog {name}"


def _worst(rule: Rule, values: Any) -> float:
    if np.isnan(values).any():
        return math.nan
    if rule.condition == "above":
        return float(values.max())
    return float(values.min()) if rule.condition == "below" else float(values[-1])
