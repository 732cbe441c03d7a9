"""Limits: every value is checked before it reaches a device, on whatever path it comes. Nothing is ever clipped."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import LimitError
from qlab.knobs import Quantity
from qlab.units import format_quantity

if TYPE_CHECKING:
    from qlab.instrument import Instrument

Range = tuple[float, float]
STEP = 0.1  # s between the steps of a knob that has a rate and no ramp


def check_value(name: str, knob: Quantity[Any], value: float, ranges: Mapping[str, Range]) -> None:
    """Raise LimitError where a knob must not take a value; `ranges` maps whose limits they are to the limits."""
    if not knob.settable:
        raise LimitError(f"{name} can only be read.", "Choose another knob.")
    try:
        finite = math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite:
        raise LimitError(f"{name} cannot be set to {value}.", "Give a finite value.")
    for whose, (low, high) in ranges.items():
        if not low <= value <= high:
            span = f"{format_quantity(low, knob.unit)} to {format_quantity(high, knob.unit)}"
            raise LimitError(
                f"{name} = {format_quantity(value, knob.unit)} is outside the limits of the {whose}: {span}.",
                "Give a value inside them."
                if whose == "instrument"
                else f"Give a value inside them, or change the {whose}.",
            )
    if knob.choices and value not in knob.choices:
        shown = ", ".join(format_quantity(float(c), knob.unit) for c in knob.choices)
        raise LimitError(f"{name} = {format_quantity(value, knob.unit)} is not a choice.", f"Choose {shown}.")


def check_sweep(instrument: "Instrument", knob: str, values: Sequence[float] | NDArray[Any]) -> None:
    """Raise LimitError for the first value of a sweep that a knob must not take, naming the point (from 0)."""
    asked = np.asarray(values, dtype=float).ravel()
    if not len(asked):
        return
    low, high = instrument.span(knob)
    bad = np.flatnonzero(~((asked >= low) & (asked <= high) & np.isfinite(asked)))
    choices = instrument.knobs()[knob].choices
    suspects = range(len(asked)) if choices else [0, *bad[:1]]
    for point in suspects:
        try:
            instrument.check(knob, float(asked[point]))
        except LimitError as error:
            where = f" (point {point} of the sweep)" if len(asked) > 1 and np.ptp(asked) != 0 else ""
            raise LimitError(error.message.rstrip(".") + where + ".", error.hint) from None


def ramp_steps(
    knob: Quantity[Any], start: float, wanted: float, rate: float | None
) -> Iterator[tuple[float, float]]:
    """Yield (seconds to wait before it, value) of each step from where a knob is to where it is wanted."""
    largest, pause = knob.ramp or (math.inf, 0.0)
    if rate is not None:
        largest = min(largest, rate * max(pause, STEP))
    count = max(1, math.ceil(abs(wanted - start) / largest)) if math.isfinite(largest) else 1
    step = abs(wanted - start) / count
    if rate is not None:
        pause = max(pause, step / rate)
    for i in range(1, count + 1):
        value = wanted if i == count else start + (wanted - start) * i / count
        yield (pause if i > 1 else 0.0), value


def ramp_seconds(knob: Quantity[Any], start: float, wanted: float, rate: float | None) -> float:
    """Return how long a ramp takes, s."""
    return sum(wait for wait, _ in ramp_steps(knob, start, wanted, rate))


def wait_for_rate(since: float | None, moved: float, rate: float | None) -> None:
    """Wait until a knob that last moved by `moved` at `since` (monotonic s) may move again."""
    if rate is not None and since is not None:
        time.sleep(max(0.0, since + moved / rate - time.monotonic()))
