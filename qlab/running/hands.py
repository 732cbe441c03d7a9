"""Hands on a running bench: knobs set from the panel, done on the run's own thread at a checkpoint, and replayed."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from qlab.bench import Bench
from qlab.control import Control
from qlab.errors import QlabError, UsageError
from qlab.instrument import Instrument
from qlab.running.ledger import PASSES, Ledger
from qlab.units import parse_quantity

_ON = {
    "on": True,
    "true": True,
    "1": True,
    "yes": True,
    "off": False,
    "false": False,
    "0": False,
    "no": False,
}


def wanted(bench: Bench, instrument: str, knob: str, value: float | bool | str) -> float | bool:
    """Return a value for a knob as typed, checked against every limit; raise UsageError for a bad one."""
    device, name = bench.find(f"{instrument}.{knob}")
    quantity = device.knobs()[name]
    if quantity.kind is bool:
        said = _ON.get(str(value).strip().lower().removesuffix(".0"))
        if said is None:
            raise UsageError(f"{instrument}.{knob} is a switch; {value!r} is neither on nor off.", "")
        device.check(name, said)
        return said
    try:
        number = parse_quantity(value, quantity.unit) if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{value!r} is no value for {instrument}.{knob}.", "Give a number.") from None
    device.check(name, number)
    return number


class Hands:
    """What people ask of the knobs during a run. `ask` from any thread, `work` from the run's own."""

    def __init__(
        self,
        bench: Bench,
        owned: frozenset[str],
        control: Control,
        ledger: Ledger,
        replay: Iterable[Mapping[str, Any]] = (),
        knobs: Mapping[str, float | bool | str] | None = None,
    ) -> None:
        self._bench, self._owned, self._control, self._ledger = bench, owned, control, ledger
        self._todo: deque[tuple[Instrument, str, float | bool]] = deque()
        panel = [dict(change) for change in replay if change.get("source") == "panel"]
        self._replay = deque(sorted(panel, key=lambda change: int(change["row"])))
        self._knobs = dict(knobs or {})
        self._lock = threading.Lock()

    def ask(self, instrument: str, knob: str, value: float | bool | str, take_over: bool) -> None:
        """Take a wish, or raise UsageError where a limit or the run that owns the instrument forbids it."""
        device, name = self._bench.find(f"{instrument}.{knob}")
        if device.name in self._owned and not take_over:
            raise UsageError(
                f"{device.name} belongs to the run that is going.",
                "Take it over to change it; the change is written into the run.",
            )
        number = wanted(self._bench, instrument, knob, value)
        with self._lock:
            self._todo.append((device, name, number))
        self._control.poke()

    def first(self) -> None:
        """Set the knobs that the order asks for, before the first command; one that cannot be set ends the run."""
        for name, value in self._knobs.items():
            device, knob = self._bench.find(name)
            number = wanted(self._bench, name.partition(".")[0], knob, value)
            with self._ledger.by("panel"):
                device.set_knob(device.knobs()[knob], number)

    @property
    def idle(self) -> bool:
        """Whether nothing is to be replayed."""
        return not self._replay

    def due_passes(self, row: int) -> int:
        """Return how many passes are to be added by now, as a replayed run was extended."""
        passes = 0
        while self._replay and self._replay[0]["knob"] == PASSES and int(self._replay[0]["row"]) <= row:
            passes += int(self._replay.popleft()["value"])
        return passes

    def work(self) -> None:
        """Do what is wished for, and what a replayed run had done by this row."""
        while self._replay and int(self._replay[0]["row"]) <= self._ledger.row:
            if self._replay[0]["knob"] == PASSES:
                break
            change = self._replay.popleft()
            device, name = self._bench.find(str(change["knob"]))
            self._set(device, name, change["value"])
        while self._todo:
            with self._lock:
                device, name, value = self._todo.popleft()
            self._set(device, name, value)

    def _set(self, device: Instrument, name: str, value: float | bool) -> None:
        with self._ledger.by("panel"):
            try:
                device.set_knob(device.knobs()[name], value)
            except QlabError as error:
                # A knob that a person turned in vain does not end the run.
                self._ledger.log("error", f"{device.name}.{name} was not set: {error}")
