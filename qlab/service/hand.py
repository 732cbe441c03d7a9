"""A bench that is kept open for people: its panel, its knobs, and making it safe when everybody has left."""

import math
import time
from collections.abc import Callable
from typing import Any

from qlab.bench import Bench
from qlab.errors import QlabError
from qlab.holding import Holding
from qlab.instrument import Instrument
from qlab.running.hands import wanted
from qlab.service.channel import Message
from qlab.service.guarding import Guarding
from qlab.units import format_quantity
from qlab.watch import Rule

TRY_AGAIN = 5.0  # s until a bench that could not be opened is tried again


class HandBench:
    """One bench, open as long as somebody wants it. `by_hand` are the knobs set since it was last made safe."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.watch = self.serve = False
        self.bench: Bench | None = None
        self.by_hand: dict[str, float | bool] = {}
        self.rules: list[dict[str, Any]] = []
        self._guarding: Guarding | None = None
        self._held = Holding([])
        self._again = 0.0

    def open(self, known: dict[str, Any]) -> None:
        """Open the bench; raise QlabError where it cannot be, or another process has it."""
        if self.bench is not None:
            return
        self._again = time.monotonic() + TRY_AGAIN
        bench = Bench.load(self.name)
        recall(bench, known)
        self._held = Holding.of(bench, "qlab bench serve" if self.serve else "the instrument panel of qlab")
        try:
            bench.open()
            bench.begin(0)
        except BaseException:
            self._held.release()
            raise
        self.bench = bench
        self.guard(self.rules)

    def guard(self, rules: list[dict[str, Any]]) -> None:
        """Watch the bench by its own rules and these, as long as it is open."""
        self.rules = rules
        if self.bench is not None:
            self._guarding = Guarding(self.bench, [Rule.model_validate(rule) for rule in rules])

    def refresh(self, tell: Callable[[Message], None]) -> None:
        """Read what can be read, and make safe where a watchdog asks for it."""
        if self.bench is None or self._guarding is None:
            return
        self.bench.refresh()
        if self._guarding.look(tell):
            tell({"event": "safe", "bench": self.name, "report": self.make_safe()})

    @property
    def may_try(self) -> bool:
        """Whether a bench that could not be opened should be tried again."""
        return self.bench is None and time.monotonic() > self._again

    def turn(self, instrument: str, knob: str, value: float | bool | str) -> tuple[Callable[[], str], float]:
        """Return what sets a knob and says in words what was done, and how long that takes (s; inf: nobody knows).

        Raises QlabError where a limit refuses; what is returned, where the instrument does.
        """
        if self.bench is None:
            raise QlabError(f"Bench {self.name} is not open.", "See why in the log.")
        number = wanted(self.bench, instrument, knob, value)
        device, name = self.bench.find(f"{instrument}.{knob}")
        if device.ramping == name:  # the new value takes the place of the one that is on its way
            device.break_off()
        seconds = math.inf if device.ramping else device.ramp_seconds(name, number)
        return lambda: self._set(device, name, number), seconds

    def _set(self, device: Instrument, name: str, number: float | bool) -> str:
        quantity = device.knobs()[name]
        device.set_knob(quantity, number)
        self.by_hand[f"{device.name}.{name}"] = number
        held = device.setpoints[name]
        shown = ("on" if held else "off") if isinstance(held, bool) else quantity.shown(held)
        words = shown if isinstance(shown, str) else format_quantity(float(shown), quantity.unit, 9)
        return f"{device.name}.{name} was set to {words} by hand."

    def panel(self) -> Message:
        """Return the `panel` event."""
        instruments = {} if self.bench is None else self.bench.panel()
        return {"event": "panel", "bench": self.name, "owner": "", "instruments": instruments}

    def make_safe(self, *, close: bool = False) -> dict[str, str]:
        """Make the bench safe, and let go of it where `close` says so."""
        self.by_hand = {}
        report = {} if self.bench is None else self.bench.make_safe(close=close)
        if close:
            self.bench = self._guarding = None
            self._held.release()
        return report

    def kinds(self) -> dict[str, str]:
        """Return what each instrument is."""
        made = self.bench.instruments if self.bench is not None else {}
        return {name: instrument.title or type(instrument).__name__ for name, instrument in made.items()}


def recall(bench: Bench, known: dict[str, Any]) -> None:
    """Tell a bench's instruments in which state they were last seen: instrument -> knob -> (value, unit, s ago)."""
    now = time.monotonic()
    for name, knobs in known.items():
        instrument = bench.instruments.get(name)
        for knob, (value, _unit, ago) in knobs.items():
            if instrument is not None and knob in instrument.knobs():
                instrument.known.setdefault(knob, (value, now - float(ago)))
