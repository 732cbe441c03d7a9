"""Instruments: knobs with units and limits, and devices that can always be made safe."""

import math
import time
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from qlab.errors import InstrumentError, LimitError
from qlab.units import format_quantity

V = TypeVar("V", float, bool)


class Quantity(Generic[V]):
    """One quantity of an instrument as a descriptor: reading it asks the device, setting it commands it.

    `get` and `set` are what the device is told ("FREQ?", "FREQ {:.9g}"), `limits` are hard, `safe` is the value
    that `make_safe` sets, `ramp` = (largest step, seconds between steps), `tolerance` the largest difference
    between what was set and what is read back.
    """

    kind: type

    def __init__(
        self,
        unit: str = "1",
        *,
        get: str = "",
        set: str = "",
        limits: tuple[float, float] = (-math.inf, math.inf),
        safe: V | None = None,
        ramp: tuple[float, float] | None = None,
        tolerance: float | None = None,
        settable: bool = True,
        readable: bool = True,
        doc: str = "",
    ) -> None:
        self.unit = unit
        self.get_command = get
        self.set_command = set
        self.limits = limits
        self.safe: Any = safe
        self.ramp = ramp
        self.tolerance = tolerance
        self.settable = settable
        self.readable = readable
        self.doc = doc
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instrument: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instrument: "Instrument", owner: type) -> V: ...
    def __get__(self, instrument: "Instrument | None", owner: type) -> Any:
        return self if instrument is None else instrument.read_knob(self)

    def __set__(self, instrument: "Instrument", value: V) -> None:
        instrument.set_knob(self, value)


class Knob(Quantity[float]):
    """A number with a unit."""

    kind = float


class Switch(Quantity[bool]):
    """On or off."""

    kind = bool


class Instrument:
    """A device: its knobs, and open, close, make_safe, identity. Subclasses declare knobs as class attributes.

    `ask` and `tell` carry a knob to the device; here they only remember, which is what a device without a wire
    does. `on_change(instrument, knob, value)` hears of every change.
    """

    title: ClassVar[str] = ""
    vendor: ClassVar[str] = ""
    simulated: ClassVar[bool] = False

    def __init__(self) -> None:
        self.name = type(self).__name__
        self.soft_limits: dict[str, tuple[float, float]] = {}
        self.safe_values: dict[str, float | bool] = {}
        self.on_change: Callable[[str, str, float | bool], None] | None = None
        self._held: dict[str, float | bool] = {}

    @classmethod
    def knobs(cls) -> dict[str, Quantity[Any]]:
        """Return the knobs by name, in the order in which they are declared."""
        found: dict[str, Quantity[Any]] = {}
        for owner in reversed(cls.__mro__):
            found.update({n: k for n, k in vars(owner).items() if isinstance(k, Quantity)})
        return found

    def open(self) -> None:
        """Connect to the device."""

    def close(self) -> None:
        """Let go of the device."""

    def identity(self) -> dict[str, str]:
        """Return vendor, model, serial number and firmware, as far as they are known."""
        return {"vendor": self.vendor, "model": self.title or type(self).__name__}

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Ask the device for a knob's value."""
        held: float | bool = self._held.get(knob.name, knob.kind(knob.safe or 0))
        return held

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Tell the device a knob's new value."""
        self._held[knob.name] = value

    def check(self, name: str, value: float) -> None:
        """Raise LimitError where a knob must not take a value. Limits refuse; nothing is ever clipped."""
        knob = self.knobs()[name]
        if not knob.settable:
            raise LimitError(f"{self.name}.{name} can only be read.", "Choose another knob.")
        if not math.isfinite(value):
            raise LimitError(f"{self.name}.{name} cannot be set to {value}.", "Give a finite value.")
        for kind, (low, high) in (
            ("instrument", knob.limits),
            ("bench", self.soft_limits.get(name, (-math.inf, math.inf))),
        ):
            if not low <= value <= high:
                span = f"{format_quantity(low, knob.unit)} to {format_quantity(high, knob.unit)}"
                raise LimitError(
                    f"{self.name}.{name} = {format_quantity(value, knob.unit)} is outside the limits of the"
                    f" {kind}: {span}.",
                    "Give a value inside them."
                    if kind == "instrument"
                    else "Give a value inside them, or change the bench.",
                )

    def read_knob(self, knob: Quantity[Any]) -> float | bool:
        """Return a knob's value as the device tells it."""
        if not knob.readable:
            raise InstrumentError(f"{self.name}.{knob.name} cannot be read.", "It can only be set.")
        return self.ask(knob)

    def set_knob(self, knob: Quantity[Any], value: float | bool) -> None:
        """Set a knob within its limits, ramped and read back where it says so."""
        wanted = bool(value) if knob.kind is bool else float(value)
        self.check(knob.name, float(wanted))
        for step in self._ramp(knob, wanted):
            self.tell(knob, step)
        if knob.tolerance is not None:
            told = float(self.ask(knob))
            if not abs(told - float(wanted)) <= knob.tolerance:
                raise InstrumentError(
                    f"{self.name}.{knob.name} was set to {format_quantity(float(wanted), knob.unit)} and reads"
                    f" {format_quantity(told, knob.unit)}.",
                    "Check the instrument before going on.",
                )
        if self.on_change is not None:
            self.on_change(self.name, knob.name, wanted)

    def _ramp(self, knob: Quantity[Any], wanted: float | bool) -> list[float | bool]:
        if knob.ramp is None or knob.kind is bool:
            return [wanted]
        largest, pause = knob.ramp
        start = float(self.ask(knob))
        count = max(1, math.ceil(abs(wanted - start) / largest))
        steps: list[float | bool] = []
        for i in range(1, count):
            self.tell(knob, start + (wanted - start) * i / count)
            time.sleep(pause)
        steps.append(wanted)
        return steps

    def make_safe(self) -> None:
        """Bring every knob that has a safe value to it, switches first. Goes on past a knob that fails."""
        failures: list[str] = []
        knobs = sorted(self.knobs().values(), key=lambda k: k.kind is not bool)
        for knob in knobs:
            safe = self.safe_values.get(knob.name, knob.safe)
            if safe is None:
                continue
            try:
                self.set_knob(knob, safe)
            except (InstrumentError, LimitError, OSError) as error:
                failures.append(str(error))
        if failures:
            raise InstrumentError("; ".join(failures), f"Check {self.name} by hand.")

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return every readable knob as {value, unit}; one that fails to answer as {error, unit}."""
        state: dict[str, dict[str, Any]] = {}
        for name, knob in self.knobs().items():
            if not knob.readable or not knob.settable:
                continue
            try:
                state[name] = {"value": self.ask(knob), "unit": knob.unit}
            except (InstrumentError, OSError) as error:
                state[name] = {"error": str(error), "unit": knob.unit}
        return state
