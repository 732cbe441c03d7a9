"""custom.ramsey: free precession of a system of one's own."""

from typing import ClassVar

from pydantic import Field

from qlab.physics.constants import TWO_PI
from qlab.pulses import Delay, Sequence
from qlab.scan import Linear, Scan
from qlab.units import Hertz, Seconds
from qlab_experiments.custom.played import ClickParameters, OnOwnSystem


class RamseyParameters(ClickParameters):
    """Settings of a Ramsey measurement."""

    tau: Scan[Seconds] = Field(Linear(0, 10e-6, 101), title="Precession time")
    fringe_frequency: Hertz = Field(0.5e6, title="Fringe frequency", description="Programmed phase ramp")


class Ramsey(OnOwnSystem[RamseyParameters]):
    """Two π/2 pulses around a free precession: the frequencies of any system in the frame of its Hamiltonian.

    The phase of the second pulse advances by 2π·f_fringe·τ. The system is a `UserSystem`.
    Try: a Hamiltonian with two frequencies, and a Fourier look at the beat.
    """

    title = "Ramsey fringes (own physics)"
    quantum: ClassVar = {**OnOwnSystem.quantum, "protocol": "Ramsey", "measurand": "frequency", "unit": "Hz"}
    fit = "damped_cosine"

    def middle(self) -> Sequence:
        """π/2, wait, π/2 with a phase."""
        p = self.parameters
        tau = p.tau.symbol("tau")
        half = TWO_PI / 4
        return self.turn(half) + Delay(tau) + self.turn(half, TWO_PI * p.fringe_frequency * tau)

    def fit_context(self) -> dict[str, float]:
        """Jumps make an exponential decay."""
        return {"fix_exponent": 1.0}
