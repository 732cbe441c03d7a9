"""Instruments: devices with knobs that can always be made safe, and what is known of them without asking."""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, ClassVar, Literal

from qlab.calls import Wire, watched
from qlab.errors import InstrumentError, LimitError, UsageError
from qlab.knobs import Choice, Knob, Quantity, Switch
from qlab.limits import Range, check_sweep, check_value, ramp_seconds, ramp_steps, wait_for_rate
from qlab.units import format_quantity

__all__ = ["Choice", "Instrument", "Knob", "Quantity", "Switch"]
STRAYING = 1e-3  # of a value, by which a device may round what it was set to
# What runs beside a call that hangs, or never speaks to the device.
_UNWATCHED = {
    "abort",
    "rehearsal",
    "knobs",
    "check",
    "span",
    "panel",
    "break_off",
    "snapshot",
    "set_knob",
    "read_knob",
    "make_safe",
}


class Instrument:
    """A device: its knobs, and open, close, make_safe, identity. Subclasses declare knobs as class attributes.

    `ask` and `tell` carry a knob to the device; here they only remember, which is what a device without a wire
    does. `on_change(instrument, knob, value)` hears of every change; `on_lost(instrument, error)` is called where
    the connection broke, to bring it back or to raise. One call at a time reaches the device, and none may take
    longer than `call_timeout` (s; `call_timeouts` for single methods): a driver whose calls last has to say so.
    """

    title: ClassVar[str] = ""
    vendor: ClassVar[str] = ""
    simulated: ClassVar[bool] = False
    call_timeouts: ClassVar[dict[str, float]] = {"open": 30.0}
    call_timeout: float = 10.0
    _declared: ClassVar[dict[str, Quantity[Any]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        """Put the lock and the deadline around every public method of a driver, and find its knobs."""
        super().__init_subclass__(**options)
        for name, member in list(vars(cls).items()):
            if isinstance(member, FunctionType) and not name.startswith("_") and name not in _UNWATCHED:
                setattr(cls, name, watched(_checked(member) if name in {"tell", "load_list"} else member))
        cls._declared = {
            n: k for owner in reversed(cls.__mro__) for n, k in vars(owner).items() if isinstance(k, Quantity)
        }

    def __init__(self) -> None:
        self.name = type(self).__name__
        self.address = ""  # devices with the same one are made safe one after the other
        self.model_limits: dict[str, Range] = {}  # of the very model that answers
        self.soft_limits: dict[str, Range] = {}
        self.sample_limits: dict[str, Range] = {}
        self.soft_rates: dict[str, float] = {}
        self.safe_values: dict[str, float | bool] = {}
        self.start_values: dict[str, float | bool | str] = {}
        self.on_change: Callable[[str, str, float | bool], None] | None = None
        self.on_lost: Callable[[Instrument, InstrumentError], None] | None = None
        self.on_told: Callable[[str, Any], None] | None = None  # of each value or list: a world that listens
        self.wire = Wire()
        self.state: Literal["open", "closed", "lost"] = "closed"
        self.message = ""
        self.known: dict[str, tuple[float | bool, float]] = {}  # knob -> (value, monotonic time)
        self.setpoints: dict[
            str, float | bool
        ] = {}  # what each knob was set to last, whatever it reads since
        self.known_identity: dict[str, str] = {}
        self._moved: dict[str, tuple[float, float]] = {}  # knob -> (by how much, when): of a rate limit
        self._setting = False
        self.ramping = ""  # the knob that is being turned, in whichever thread
        self._turning = threading.RLock()
        self._break_off = threading.Event()
        self._held: dict[str, float | bool] = {}

    @classmethod
    def knobs(cls) -> dict[str, Quantity[Any]]:
        """Return the knobs by name, in the order in which they are declared."""
        return cls._declared

    @classmethod
    def rehearsal(cls) -> contextlib.AbstractContextManager[dict[str, Any]]:
        """Return options for as long as a `with` lasts: an instrument made with them speaks to a simulated device."""
        raise UsageError(f"{cls.__name__} has no simulated device to be tried on.", "Give its address.")

    def open(self) -> None:
        """Connect to the device."""

    def close(self) -> None:
        """Let go of the device."""

    def abort(self) -> None:
        """Break off a call that hangs, from another thread, by closing the connection under it."""

    def identity(self) -> dict[str, str]:
        """Return vendor, model, serial number and firmware, as far as they are known."""
        return {"vendor": self.vendor, "model": self.title or type(self).__name__}

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Ask the device for a knob's value."""
        held: float | bool = self._held.get(knob.name, knob.kind(knob.safe or 0))
        return held

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Tell the device a knob's new value."""
        if not self._setting:
            self.check(knob.name, value)
        self._held[knob.name] = value

    def span(self, name: str) -> Range:
        """Return the lowest and the highest value that a knob may take by every limit."""
        ranges = self._ranges(name).values()
        return max(low for low, _ in ranges), min(high for _, high in ranges)

    def check(self, name: str, value: float) -> None:
        """Raise LimitError where a knob must not take a value. Limits refuse; nothing is ever clipped."""
        check_value(f"{self.name}.{name}", self.knobs()[name], value, self._ranges(name))

    def _ranges(self, name: str) -> dict[str, Range]:
        ranges = {"instrument": self.knobs()[name].limits}
        if name in self.model_limits:
            ranges["model"] = self.model_limits[name]
        if name in self.soft_limits:
            ranges["bench"] = self.soft_limits[name]
        if name in self.sample_limits:
            ranges["sample"] = self.sample_limits[name]
        return ranges

    def largest_rate(self, name: str) -> float | None:
        """Return the largest change per second of a knob; None where there is no limit."""
        rates = [r for r in (self.knobs()[name].rate, self.soft_rates.get(name)) if r is not None]
        return min(rates) if rates else None

    def read_knob(self, knob: Quantity[Any]) -> float | bool:
        """Return a knob's value as the device tells it."""
        if not knob.readable:
            raise InstrumentError(f"{self.name}.{knob.name} cannot be read.", "It can only be set.")
        value = self.ask(knob)
        self.known[knob.name] = (value, time.monotonic())
        return value

    def set_knob(self, knob: Quantity[Any], value: float | bool | str) -> None:
        """Set a knob within its limits, ramped and read back where it says so; a choice by name or number."""
        number = knob.number(value)
        self.check(knob.name, number)
        wanted = bool(number) if knob.kind is bool else float(number)
        self.setpoints[knob.name] = wanted
        # One turns at a time; between the steps of a ramp the device can be read.
        with self._turning:
            self._break_off.clear()
            self.ramping = knob.name
            try:
                self._move(knob, wanted)
            finally:
                self.ramping = ""
            if knob.tolerance is not None:
                with self.wire.lock:
                    self._read_back(knob, float(wanted))
        if self.on_change is not None:
            self.on_change(self.name, knob.name, wanted)

    def _move(self, knob: Quantity[Any], wanted: float | bool) -> None:
        rate = self.largest_rate(knob.name)
        if knob.kind is bool or (knob.ramp is None and rate is None):
            self._tell(knob, wanted)
            return
        start = self._where(knob)
        moved, since = self._moved.get(knob.name, (0.0, None))
        wait_for_rate(since, moved, rate)
        for pause, value in ramp_steps(knob, start, float(wanted), rate):
            if self._break_off.wait(pause):
                raise InstrumentError(
                    f"The ramp of {self.name}.{knob.name} was broken off at {format_quantity(start, knob.unit)}.",
                    "Set it again, or make the bench safe.",
                )
            self._tell(knob, value)
            self._moved[knob.name] = (abs(value - start), time.monotonic())
            start = value

    def _where(self, knob: Quantity[Any]) -> float:
        """Return where a ramp starts."""
        if knob.readable:
            start = float(self.ask(knob))
            if math.isfinite(start):
                return start
            raise InstrumentError(
                f"{self.name}.{knob.name} reads {start}, so that it cannot be ramped.",
                "Check the instrument.",
            )
        if knob.name in self.known:
            return float(self.known[knob.name][0])
        return float(knob.safe or 0.0)

    def _tell(self, knob: Quantity[Any], value: float | bool) -> None:
        with self.wire.lock:
            self._setting = True
            try:
                self.tell(knob, value)
            finally:
                self._setting = False
            self.known[knob.name] = (value, time.monotonic())
            if self.on_told is not None:
                self.on_told(knob.name, value)
            if knob.settle:
                time.sleep(knob.settle)

    def _read_back(self, knob: Quantity[Any], wanted: float) -> None:
        told = float(self.ask(knob))
        if not abs(told - wanted) <= (knob.tolerance or 0.0):
            self.known[knob.name] = (told, time.monotonic())
            raise InstrumentError(
                f"{self.name}.{knob.name} was set to {format_quantity(wanted, knob.unit)} and reads"
                f" {format_quantity(told, knob.unit)}.",
                "Check the instrument before going on.",
            )

    def break_off(self) -> None:
        """End a ramp that goes on in another thread, at its next step; without one nothing happens."""
        self._break_off.set()

    def make_safe(self) -> None:
        """Bring every knob that has a safe value to it, switches first. Goes on past a knob that fails."""
        failures: list[str] = []
        for knob, safe in self._safe():
            try:
                self.set_knob(knob, safe)
            except (InstrumentError, LimitError, OSError) as error:
                failures.append(str(error))
        if failures:
            raise InstrumentError("; ".join(failures), "")

    def _safe(self) -> list[tuple[Quantity[Any], Any]]:
        knobs = sorted(self.knobs().values(), key=lambda k: k.kind is not bool)
        pairs = [(knob, self.safe_values.get(knob.name, knob.safe)) for knob in knobs]
        return [(knob, safe) for knob, safe in pairs if safe is not None]

    def ramp_seconds(self, name: str, value: float | bool | str) -> float:
        """Return how long it takes to bring a knob to a value from where it is known to be, s."""
        knob = self.knobs()[name]
        wanted = knob.number(value)
        if knob.kind is bool or name not in self.known:
            return 0.0
        return ramp_seconds(knob, float(self.known[name][0]), float(wanted), self.largest_rate(name))

    def safe_seconds(self) -> float:
        """Return how long the ramps to the safe values take from what is known, s."""
        total = 0.0
        for knob, safe in self._safe():
            if knob.kind is not bool:
                start = float(self.known.get(knob.name, (safe, 0.0))[0])
                total += ramp_seconds(knob, start, float(safe), self.largest_rate(knob.name))
        return total

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return every readable knob as {value, unit}; one that fails to answer as {error, unit}."""
        state: dict[str, dict[str, Any]] = {}
        for name, knob in self.knobs().items():
            if not knob.readable or not knob.settable:
                continue
            try:
                value = self.read_knob(knob)
                state[name] = {"value": value, "unit": knob.unit}
                if knob.labels:
                    state[name]["label"] = knob.labels[int(value)]
            except Exception as error:  # noqa: BLE001 - a driver may raise anything
                state[name] = {"error": str(error), "unit": knob.unit}
        return state

    def refresh(self) -> None:
        """Read every knob that can be read, so that `panel` shows it, and which cannot; waits for the device."""
        failed: list[str] = []
        for name, knob in self.knobs().items():
            if knob.readable:
                try:
                    self.read_knob(knob)
                except Exception as error:  # noqa: BLE001 - a driver may raise anything; the others are read
                    failed.append(f"{name} cannot be read: {error}")
        if self.state == "open":
            self.message = "; ".join(failed)

    def panel(self) -> dict[str, Any]:
        """Return what is known of the device as plain data, without asking it; see `qlab.session.Session`."""
        return {
            "kind": self.title or type(self).__name__,
            "identity": self.known_identity,
            "state": self.state,
            "message": self.message,
            "knobs": {name: self._shown(name, knob) for name, knob in self.knobs().items()},
        }

    def _shown(self, name: str, knob: Quantity[Any]) -> dict[str, Any]:
        value, when = self.known.get(name, (None, None))
        low, high = self.span(name)
        return {
            "value": value if value is None or isinstance(value, bool) or math.isfinite(value) else None,
            "unit": knob.unit,
            "limits": [low if math.isfinite(low) else None, high if math.isfinite(high) else None],
            "writable": knob.settable,
            "doc": knob.doc,
            "choices": [False, True] if knob.kind is bool else list(knob.choices),
            "labels": list(knob.labels),
            "age": None if when is None else time.monotonic() - when,
            "setpoint": self.setpoints.get(name),
            "strays": self._strays(knob),
        }

    def _strays(self, knob: Quantity[Any]) -> bool:
        """Return whether what a knob was found at is not what it was set to, beyond what a device rounds."""
        if knob.name not in self.setpoints or knob.name not in self.known:
            return False
        value, setpoint = self.known[knob.name][0], self.setpoints[knob.name]
        if knob.kind is bool or knob.labels:
            return value != setpoint
        near = STRAYING * max(abs(value), abs(setpoint)) if knob.tolerance is None else knob.tolerance
        return not abs(value - setpoint) <= near

    def last_state(self) -> str:
        """Return in words what the device was told or told last, and when."""
        now = time.monotonic()
        knobs = self.knobs()
        return last_known(
            {
                name: (knobs[name].shown(value), knobs[name].unit, now - when)
                for name, (value, when) in self.known.items()
                if name in knobs
            }
        )


def last_known(values: Mapping[str, tuple[Any, str, float]]) -> str:
    """Return in words what is known of an instrument: knob -> (value, unit, s ago)."""
    if not values:
        return "Nothing is known of its state."
    now = time.time()
    parts = [
        f"{name} {_words(value, unit)} at {time.strftime('%H:%M:%S', time.localtime(now - float(ago)))}"
        for name, (value, unit, ago) in values.items()
    ]
    return f"Last known: {', '.join(parts)}."


def _words(value: Any, unit: str) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else format_quantity(float(value), unit)


def _checked(method: Any) -> Any:
    """Return a driver's `tell` or `load_list` that nobody reaches past the limits, not even by calling it."""
    if method.__name__ == "tell":

        def tell(self: Instrument, knob: Quantity[Any], value: float | bool) -> None:
            if not self._setting:
                self.check(knob.name, value)
            method(self, knob, value)

        tell.__wrapped__ = method  # type: ignore[attr-defined]
        return tell

    def load_list(self: Instrument, knob: str, values: Any) -> None:
        check_sweep(self, knob, values)
        # What it holds from here on is the device's business.
        self.known.pop(knob, None)
        self.setpoints.pop(knob, None)
        method(self, knob, values)
        if self.on_told is not None:
            self.on_told(knob, values)

    load_list.__wrapped__ = method  # type: ignore[attr-defined]
    return load_list
