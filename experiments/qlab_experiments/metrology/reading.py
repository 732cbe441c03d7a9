"""How a bench with a two-level system prepares and reads it, and what an outcome says: photons, bits or clicks."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from qlab.bayes import Binomial, SpinPhotons
from qlab.bench import Bench
from qlab.errors import UsageError
from qlab.expression import Number
from qlab.physics.constants import D_NV
from qlab.pulses import Acquire, Align, Delay, Program, Sequence
from qlab.record import Column
from qlab_experiments.nv.pulsed import (
    PulsedParameters,
    hyperfine_asymmetry,
    optical_init,
    optical_readout,
)
from qlab_experiments.transmon.driven import DrivenParameters

Row = Mapping[str, NDArray[Any]]
Reals = NDArray[np.float64]


class TwoLevelParameters(DrivenParameters, PulsedParameters):
    """Settings of a two-level system, whichever way it is read: those of photons and of a resonator."""

    microwave_frequency: float = PulsedParameters.model_fields["microwave_frequency"]  # type: ignore[assignment]
    keep_shots: Literal["off"] = Field(
        "off", title="Keep single shots", json_schema_extra={"group": "Readout"}
    )


@dataclass(frozen=True)
class Calibrated:
    """What an unturned (0) and a fully turned (1) system give in each shot: photons, or the chance of a one.

    Numbers, or arrays that broadcast against the values of a posterior that carries their errors along.
    """

    low: float | Reals
    high: float | Reals


class Reading(Protocol):
    """How the system is prepared and read, and what the numbers of a row say."""

    role: ClassVar[str]  # of the detector
    counted: ClassVar[str]  # the column that counts

    def program(self, p: TwoLevelParameters, middle: Sequence, shots: int) -> Program:
        """Return the whole program around what is played."""
        ...

    def columns(self) -> tuple[Column, ...]:
        """Return what is measured."""
        ...

    def context(self, p: TwoLevelParameters) -> dict[str, float]:
        """Return what the physics of the platform adds to the fit model's context."""
        ...

    def rate(self, row: Row) -> tuple[float, float]:
        """Return what a row gave in each shot, as `Calibrated` means it, and its standard deviation."""
        ...

    def likelihood(self, response: Any, given: Calibrated, row: Row) -> Binomial | SpinPhotons:
        """Return the likelihood of the row's count for a response (probability of being turned)."""
        ...


@dataclass(frozen=True)
class Clicks:
    """A projective readout: each shot clicks or not."""

    role: ClassVar[str] = "counter"
    counted: ClassVar[str] = "clicks"

    def program(self, p: TwoLevelParameters, middle: Sequence, shots: int) -> Program:
        """Play, then look."""
        return Program(middle + Align() + Acquire("counter", p.signal_window, "clicks"), shots=shots)

    def columns(self) -> tuple[Column, ...]:
        """Return clicks and shots."""
        return _counts(("clicks", "shots that clicked"))

    def context(self, p: TwoLevelParameters) -> dict[str, float]:
        """Nothing more is known."""
        del p
        return {}

    def rate(self, row: Row) -> tuple[float, float]:
        """Return the share of ones, never quite 0 or 1 (Laplace)."""
        shots = float(row["shots"][0])
        share = (float(row[self.counted][0]) + 1) / (shots + 2)
        return share, math.sqrt(share * (1 - share) / shots)

    def likelihood(self, response: Any, given: Calibrated, row: Row) -> Binomial:
        """Return a binomial likelihood between both calibrated shares."""

        def chance(theta: Any, setting: Any) -> Any:
            return np.clip(given.low + (given.high - given.low) * response(theta, setting), 0, 1)

        return Binomial(chance, int(row["shots"][0]))


@dataclass(frozen=True)
class Bits(Clicks):
    """A resonator probed after each shot, judged by a threshold."""

    role: ClassVar[str] = "digitizer"
    counted: ClassVar[str] = "ones"

    def program(self, p: TwoLevelParameters, middle: Sequence, shots: int) -> Program:
        """Wait for relaxation, play, probe."""
        acquire = Acquire("digitizer", 1e-6, "ones", "bits")
        return Program(Delay(p.reset_time) + middle + Align() + acquire, shots, setpoints=p.setpoints())

    def columns(self) -> tuple[Column, ...]:
        """Return ones and shots."""
        return _counts(("ones", "shots above the threshold"))


@dataclass(frozen=True)
class Photons:
    """A spin that glows less when it is turned: counts in a signal window, normalised to a reference window."""

    role: ClassVar[str] = "counter"
    counted: ClassVar[str] = "counts"

    def program(self, p: TwoLevelParameters, middle: Sequence, shots: int) -> Program:
        """Polarise by light, play, read by light."""
        setpoints: dict[str, Number] = {
            "microwave.frequency": p.microwave_frequency, "microwave.on": 1.0,
            "laser.power": p.laser_power, "laser.on": 1.0,
        }  # fmt: skip
        return Program(optical_init(p) + middle + optical_readout(p), shots=shots, setpoints=setpoints)

    def columns(self) -> tuple[Column, ...]:
        """Return counts of both windows and shots."""
        return _counts(
            ("counts", "photons in the signal window"), ("reference", "photons in the reference window")
        )

    def context(self, p: TwoLevelParameters) -> dict[str, float]:
        """Return the other transition of the spin 1, and the asymmetry of its lines."""
        return {
            "other_line": 2 * (D_NV - p.microwave_frequency),
            "asymmetry": hyperfine_asymmetry(p.microwave_frequency),
        }

    def rate(self, row: Row) -> tuple[float, float]:
        """Return photons over those of the reference."""
        counts, reference = max(float(row["counts"][0]), 1.0), max(float(row["reference"][0]), 1.0)
        return counts / reference, counts / reference * math.sqrt(1 / counts + 1 / reference)

    def likelihood(self, response: Any, given: Calibrated, row: Row) -> SpinPhotons:
        """Return the likelihood of the photons, both levels scaled to this row's reference."""
        shots, reference = int(row["shots"][0]), float(max(row["reference"][0], 1))
        scale = reference / shots
        return SpinPhotons(response, given.low * scale, given.high * scale, shots, reference)


def reading_of(bench: Bench) -> Reading:
    """Return how the system of a bench is read, from the roles that it has; UsageError where none suits."""
    if bench.role("digitizer") is not None:
        return Bits()
    if bench.role("counter") is None:
        raise UsageError(
            f"Bench {bench.name!r} has nothing that reads a two-level system.",
            "It needs a counter (of clicks, or of photons beside a laser) or a digitizer under [roles].",
        )
    return Photons() if bench.role("laser") is not None else Clicks()


def _counts(*named: tuple[str, str]) -> tuple[Column, ...]:
    columns = tuple(Column(name=name, long_name=title, dtype="i8") for name, title in named)
    return (*columns, Column(name="shots", long_name="shots summed over", dtype="i8"))


def one_row(blocks: Any) -> dict[str, NDArray[Any]]:
    """Return the one row that a program without a sweep gives."""
    rows = [block for block in blocks if block]
    return {name: np.asarray(value)[-1:] for name, value in rows[-1].items()}
