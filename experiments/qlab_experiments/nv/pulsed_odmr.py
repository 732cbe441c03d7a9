"""nv.pulsed_odmr: the resonance lines without power or light broadening."""

from collections.abc import Mapping
from typing import Annotated, ClassVar

from annotated_types import Gt
from pydantic import Field

from qlab.expression import Number
from qlab.pulses import Play
from qlab.scan import Centre, Scan
from qlab.units import Hertz, Unit
from qlab_experiments.nv.figures import dc_field_sensitivity, field_from_frequency
from qlab_experiments.nv.pulsed import PulsedNV, PulsedParameters, light_shift, pi


class PulsedODMRParameters(PulsedParameters):
    """Settings of a pulsed ODMR spectrum."""

    frequency: Scan[Hertz] = Field(Centre(2.814e9, 8e6, 161), title="Frequency")
    rabi_frequency: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        0.5e6, title="Rabi frequency", description="Of the π pulse: it sets the width of the lines"
    )


class PulsedODMR(PulsedNV[PulsedODMRParameters]):
    """A weak π pulse of swept frequency: the three hyperfine lines.

    Sequence: laser, π pulse at f, laser with counting. Each line is Ω²/(Ω²+δ²)·sin²(√(Ω²+δ²)·t_π/2), broadened by
    the slow detuning noise. Reference: Dréau et al., Phys. Rev. B 84, 195204 (2011).
    Try: 20 µT more field (560.6 kHz); a stronger, shorter pulse.
    """

    title = "Pulsed ODMR"
    group = "Spectroscopy"
    fit = "rabi_line_triplet"
    figures = (field_from_frequency, dc_field_sensitivity)
    quantum: ClassVar = {
        **PulsedNV.quantum,
        "protocol": "pulsed ODMR",
        "measurand": "magnetic flux density",
        "unit": "T",
    }

    def carrier(self) -> Number:
        """The swept frequency."""
        return self.parameters.frequency.symbol("frequency")

    def middle(self) -> Play:
        """One π pulse."""
        return pi(self.parameters)

    def fit_context(self) -> dict[str, float]:
        """Add the pulse as played; its light shift is that at the middle of the sweep."""
        p = self.parameters
        middle = float(p.frequency.values().mean())
        return {
            **super().fit_context(),
            "light_shift": light_shift(middle, p.rabi_frequency),
            "pulse_duration": 1 / (2 * p.rabi_frequency),
        }

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Add the line position."""
        return {**super().expected(truth), "frequency": truth["resonance"]}
