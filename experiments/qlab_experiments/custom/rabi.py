"""custom.rabi: a pulse of growing length on a system of one's own."""

from typing import ClassVar

from pydantic import Field

from qlab.pulses import Play
from qlab.scan import Linear, Scan
from qlab.units import Seconds
from qlab_experiments.custom.played import ClickParameters, OnOwnSystem


class RabiParameters(ClickParameters):
    """Settings of a Rabi measurement."""

    duration: Scan[Seconds] = Field(Linear(0, 4e-6, 101), title="Pulse duration")


class Rabi(OnOwnSystem[RabiParameters]):
    """One pulse of growing length: the Rabi frequency of any system.

    P oscillates at √(Ω² + Δ²)/2π for two levels; whatever the Hamiltonian says for more. The system is a `UserSystem`.
    Try: sweep the amplitude instead, with `custom.sweep`.
    """

    title = "Rabi oscillations (own physics)"
    quantum: ClassVar = {
        **OnOwnSystem.quantum,
        "protocol": "Rabi",
        "measurand": "Rabi frequency",
        "unit": "Hz",
    }
    fit = "damped_cosine"

    def middle(self) -> Play:
        """One pulse."""
        p = self.parameters
        return Play(p.channel, p.duration.symbol("duration"), p.rabi_frequency)
