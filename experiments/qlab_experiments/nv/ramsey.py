"""nv.ramsey: the DC magnetometer."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from qlab.physics.constants import D_NV, TWO_PI
from qlab.pulses import Delay, Sequence
from qlab.scan import Linear, Scan
from qlab.units import Hertz, Seconds
from qlab_experiments.nv.figures import dc_field_sensitivity, field_from_offset
from qlab_experiments.nv.pulsed import PulsedNV, PulsedParameters, Shots, half_pi


class RamseyParameters(PulsedParameters):
    """Settings of a Ramsey measurement."""

    tau: Scan[Seconds] = Field(Linear(0, 4e-6, 201), title="Precession time")
    shots: Shots = Field(100_000, title="Shots", description="Repetitions of each point, over all passes")
    fringe_frequency: Hertz = Field(
        4e6,
        title="Fringe frequency",
        description="Programmed phase ramp, not the resonance offset that is fitted",
    )


class Ramsey(PulsedNV[RamseyParameters]):
    """Two π/2 pulses around a free precession: the DC magnetometer.

    Sequence: laser, π/2, wait τ, π/2 with phase 2π·f_fringe·τ, laser with counting. The spin precesses at its
    offset from the microwave; the three 14N lines beat. Fluorescence 1 − C·P with
    P = 1/2 − 1/6 Σ_m cos(2π(f_fringe ± (δ + m A))τ) exp[−(τ/T2*)²] for short pulses; the fit uses the exact ones.
    Sensitivity: Barry et al., Rev. Mod. Phys. 92, 015004 (2020), eq. 14.
    Try: detune the microwave by 1 MHz; set the truth B; lengthen τ beyond T2*.
    """

    title = "Ramsey fringes"
    fit = "damped_cosine_triplet"
    figures = (field_from_offset, dc_field_sensitivity)
    quantum: ClassVar = {
        **PulsedNV.quantum,
        "protocol": "Ramsey",
        "measurand": "magnetic flux density",
        "unit": "T",
    }

    def middle(self) -> Sequence:
        """Two π/2 pulses; the phase of the second advances with τ."""
        p = self.parameters
        tau = p.tau.symbol("tau")
        return half_pi(p) + Delay(tau) + half_pi(p, phase=TWO_PI * p.fringe_frequency * tau)

    def fit_context(self) -> dict[str, float]:
        """Add the phase ramp and the pulses as played."""
        p = self.parameters
        return {
            **super().fit_context(),
            "fringe_frequency": p.fringe_frequency,
            "pulse_duration": 1 / (4 * p.rabi_frequency),
            "other_line": 2 * (D_NV - p.microwave_frequency),
        }

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Add the offset of the microwave from resonance."""
        offset = self.parameters.microwave_frequency - truth["resonance"]
        return {**super().expected(truth), "frequency": offset}
