"""What the decoupling protocols share: XY8 trains between two π/2 pulses, and the settings that belong to them."""

import math
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le
from pydantic import Field

from qlab.experiment import Blocks
from qlab.expression import Number
from qlab.physics.constants import A_PARALLEL_14N, A_PARALLEL_15N, TWO_PI
from qlab.playing import grouped
from qlab.pulses import Align, Delay, Play, Repeat, Sequence
from qlab.record import Column
from qlab.units import Hertz, Unit
from qlab_experiments.nv.pulsed import PulsedParameters, RabiHertz, half_pi, light_shift

HYPERFINE = {14: abs(A_PARALLEL_14N), 15: abs(A_PARALLEL_15N)}
# XYXYYXYX, phases in quarter turns (Gullion, J. Magn. Reson. 89, 479 (1990)).
QUARTERS = (0, 1, 0, 1, 1, 0, 1, 0)
PULSES = len(QUARTERS)


class TrainParameters(PulsedParameters):
    """Settings of every decoupling protocol."""

    microwave_frequency: Hertz = Field(
        1.748805e9, title="Microwave frequency", description="Carrier of the pulses"
    )
    rabi_frequency: RabiHertz = Field(
        20e6, title="Rabi frequency", description="Asked strength of the pulses"
    )
    amplitude_error: Annotated[float, Unit("1"), Ge(-0.9), Le(0.9)] = Field(
        0.0, title="Amplitude error", description="Share by which the π pulses are too strong, on purpose"
    )
    nitrogen: Literal[15, 14] = Field(
        15,
        title="Nitrogen",
        description="Which isotope splits the line",
        json_schema_extra={"group": "Model"},
    )
    expected_T2: Annotated[float, Unit("s"), Gt(0)] = Field(
        280e-6,
        title="Expected T2",
        description="Of the train, for the fit and the best working point",
        json_schema_extra={"group": "Model"},
    )


def xy8(p: TrainParameters, spacing: Number, repeats: int, phase: Number) -> Sequence:
    """π/2, `repeats` times XY8 with `spacing` s between the middles of its pulses, π/2 about an axis at `phase`."""
    duration = 1 / (2 * p.rabi_frequency)
    around = Delay(spacing / 2 - duration / 2)
    body = Sequence()
    for quarter in QUARTERS:
        pulse = Play("mw", duration, p.rabi_frequency * (1 + p.amplitude_error), quarter * math.pi / 2)
        body = body + around + pulse + around
    return half_pi(p) + Repeat(repeats, body.operations) + Align() + half_pi(p, phase)


def start_of_train(p: TrainParameters) -> float:
    """Return when the first π/2 pulse of a shot ends, in s: phases of signals are counted from there."""
    return p.laser_time + p.settle_time + 1 / (4 * p.rabi_frequency)


def train_context(p: TrainParameters) -> dict[str, float]:
    """Return what the fits need to know of the pulses and of the nucleus."""
    return {
        "rabi_frequency": p.rabi_frequency,
        "ends": 1 / (4 * p.rabi_frequency),
        "amplitude_error": p.amplitude_error,
        "light_shift": light_shift(p.microwave_frequency, p.rabi_frequency),
        "nitrogen": float(p.nitrogen),
        "hyperfine": HYPERFINE[p.nitrogen],
        "T2": p.expected_T2,
    }


def wrapped(phase: float) -> float:
    """Return a phase between −π and π."""
    return math.remainder(phase, TWO_PI)


def inverted(column: Column) -> Column:
    """Return the column for what was measured with the last pulse turned on."""
    return column.model_copy(
        update={"name": f"{column.name}_inverted", "long_name": f"{column.long_name}, last pulse turned on"}
    )


def paired(blocks: Blocks) -> Blocks:
    """Yield one row for each two: what was measured with the last pulse turned back, and turned on.

    Counts of the second get the ending `_inverted`; its time stays. A pair that two blocks share waits for its half.
    """
    for block in grouped(blocks, 2):
        if not block:
            yield block
            continue
        first, second = ({name: v[k::2] for name, v in block.items()} for k in (0, 1))
        del first["turn"]
        counted = {
            f"{name}_inverted": v for name, v in second.items() if name.startswith(("counts", "reference"))
        }
        yield {**first, **counted, "time": second["time"]}
