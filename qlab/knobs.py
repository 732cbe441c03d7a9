"""Knobs: one quantity of an instrument each, with its unit, limits, safe value, ramp, rate and readback."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

if TYPE_CHECKING:
    from qlab.instrument import Instrument

V = TypeVar("V", float, bool)


class Quantity(Generic[V]):
    """One quantity of an instrument as a descriptor: reading it asks the device, setting it commands it.

    `get` and `set` are what the device is told ("FREQ?", "FREQ {:.9g}"), `limits` are hard, `safe` is the value
    that `make_safe` sets, `ramp` = (largest step, seconds between steps), `rate` the largest change per second: a
    knob with a ramp is ramped no faster, one without refuses. `tolerance` is the largest difference between what
    was set and what is read back, `choices` the only values there are.
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
        rate: float | None = None,
        tolerance: float | None = None,
        choices: Sequence[float] = (),
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
        self.rate = rate
        self.tolerance = tolerance
        self.choices = tuple(choices)
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
