"""nv.rabi: how strong the pulses are."""

import math
from collections.abc import Mapping
from typing import Annotated, ClassVar

from annotated_types import Ge
from pydantic import Field

from qlab.physics.constants import A_PARALLEL_14N, D_NV
from qlab.pulses import Play
from qlab.scan import Linear, Scan
from qlab.units import Seconds, Unit
from qlab_experiments.nv.figures import microwave_field
from qlab_experiments.nv.pulsed import PulsedNV, PulsedParameters, light_shift


class RabiParameters(PulsedParameters):
    """Settings of a Rabi measurement."""

    duration: Scan[Seconds] = Field(Linear(0, 500e-9, 101), title="Pulse duration")
    expected_noise: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        112.5e3,
        title="Expected detuning noise",
        description="Rms of the static detuning, held fixed in the fit",
        json_schema_extra={"group": "Model"},
    )


class Rabi(PulsedNV[RabiParameters]):
    """A resonant pulse of growing length: the Rabi frequency.

    Sequence: laser, pulse of length t, laser with counting. Each 14N line with detuning δ gives
    Ω²/(Ω²+δ²)·sin²(√(Ω²+δ²)·t/2): off resonance the flop is faster and shallower.
    Try: detune the microwave by 20 MHz (22.4 MHz at contrast 0.20), change the source's power by 6 dB.
    """

    title = "Rabi oscillation"
    fit = "rabi_hyperfine"
    figures = (microwave_field,)
    quantum: ClassVar = {**PulsedNV.quantum, "protocol": "Rabi", "measurand": "Rabi frequency", "unit": "Hz"}

    def middle(self) -> Play:
        """One pulse of swept duration."""
        p = self.parameters
        return Play("mw", p.duration.symbol("duration"), p.rabi_frequency)

    def fit_context(self) -> dict[str, float]:
        """Add the hyperfine splitting, the static noise, which the flop itself barely shows, and the other line."""
        p = self.parameters
        return {
            **super().fit_context(),
            "hyperfine": abs(A_PARALLEL_14N),
            "sigma_detuning": p.expected_noise,
            "other_line": 2 * (D_NV - p.microwave_frequency),
        }

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """The pulses are as strong as asked, times the gain of the drive; far off, the detuning shows too."""
        p = self.parameters
        asked = p.rabi_frequency * truth["drive_gain"]
        # While it is driven, the transition stands where the light shift puts it.
        away = abs(p.microwave_frequency - truth["resonance"] - light_shift(p.microwave_frequency, asked))
        return {"rabi_frequency": asked, "detuning": away, "effective_rate": math.hypot(asked, away)}
