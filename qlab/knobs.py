"""Knobs: one quantity of an instrument each, with its unit, limits, safe value, ramp, rate and readback."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from qlab.errors import LimitError

if TYPE_CHECKING:
    from qlab.instrument import Instrument

V = TypeVar("V", float, bool)
_TRUE, _FALSE = {"1", "ON", "TRUE"}, {"0", "OFF", "FALSE"}


class Quantity(Generic[V]):
    """One quantity of an instrument as a descriptor: reading it asks the device, setting it commands it.

    `get` and `set` are what the device is told ("FREQ?", "FREQ {:.9g}"), `limits` are hard, `safe` is the value
    that `make_safe` sets, `ramp` = (largest step, seconds between steps), `rate` the largest change per second: a
    knob with a ramp is ramped no faster, one without refuses. `tolerance` is the largest difference between what
    was set and what is read back, `choices` the only values there are. `settle` s are waited after each set; a
    device that speaks in another unit is told value/`scale`; of a reply with commas `part` is what counts.
    """

    kind: type
    labels: tuple[str, ...] = ()

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
        settle: float = 0.0,
        scale: float = 1.0,
        part: int | None = None,
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
        self.settle = settle
        self.scale = scale
        self.part = part
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

    def number(self, value: Any) -> Any:
        """Return the number that stands for a value a person gave."""
        return value

    def shown(self, value: float | bool) -> float | bool | str:
        """Return a value as people call it."""
        return self.labels[int(value)] if self.labels else value

    def message(self, value: float | bool) -> str:
        """Return what the device is told to set a value."""
        return self.set_command.format(float(value) / self.scale)

    def parse(self, reply: str) -> float | bool:
        """Return the value that a reply tells; raise ValueError where it is none."""
        return float(self._part(reply)) * self.scale

    def _part(self, reply: str) -> str:
        if self.part is None:
            return reply.strip()
        parts = reply.split(",")
        if self.part >= len(parts):
            raise ValueError(f"{reply!r} has no part {self.part}")
        return parts[self.part].strip()


class Knob(Quantity[float]):
    """A number with a unit."""

    kind = float


class Switch(Quantity[bool]):
    """On or off. `words` are what the device calls off and on where it is neither 0/1 nor OFF/ON."""

    kind = bool

    def __init__(self, unit: str = "1", *, words: tuple[str, str] | None = None, **options: Any) -> None:
        super().__init__(unit, **options)
        self.words = words

    def message(self, value: float | bool) -> str:
        """Return what the device is told to switch."""
        return self.set_command.format(self.words[bool(value)] if self.words else int(value))

    def parse(self, reply: str) -> float | bool:
        """Return whether a reply says on; raise ValueError where it says neither."""
        said = self._part(reply).strip('"').upper()
        if self.words and said in {word.upper() for word in self.words}:
            return said == self.words[1].upper()
        if said in _TRUE | _FALSE:
            return said in _TRUE
        number = float(said)
        if not math.isfinite(number):
            raise ValueError(reply)
        return bool(number)


class Choice(Quantity[float]):
    """One of several names: `Choice({"sine": "SIN", "square": "SQU"}, get="FUNC?", set="FUNC {}")`.

    Names map to what the device calls them. As a number, in files and sweeps, it is the place in the list; as an
    attribute it is read and set by name.
    """

    kind = float

    def __init__(self, names: Mapping[str, str], **options: Any) -> None:
        super().__init__("1", choices=range(len(names)), **options)
        self.labels = tuple(names)
        self.words = tuple(names.values())
        self.limits = (0.0, float(len(names) - 1))

    def __get__(self, instrument: "Instrument | None", owner: type) -> Any:
        return self if instrument is None else self.labels[int(instrument.read_knob(self))]

    def __set__(self, instrument: "Instrument", value: Any) -> None:
        instrument.set_knob(self, value)

    def number(self, value: Any) -> Any:
        """Return the place of a name in the list; raise LimitError where it is not there."""
        if not isinstance(value, str):
            return value
        if value not in self.labels:
            raise LimitError(f"{self.name} cannot be {value!r}.", f"Choose {', '.join(self.labels)}.")
        return float(self.labels.index(value))

    def message(self, value: float | bool) -> str:
        """Return what the device is told to choose."""
        return self.set_command.format(self.words[int(value)])

    def parse(self, reply: str) -> float | bool:
        """Return which of the words a reply is, its long form included; raise ValueError where it is none."""
        said = self._part(reply).strip('"').upper()
        exact = [i for i, word in enumerate(self.words) if said == word.upper()]
        longer = [i for i, word in enumerate(self.words) if word and said.startswith(word.upper())]
        if not (exact or longer):
            raise ValueError(f"{reply!r} is none of {', '.join(self.words)}")
        return float((exact or sorted(longer, key=lambda i: -len(self.words[i])))[0])
