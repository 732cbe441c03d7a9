"""custom.echo: a Hahn echo on a system of one's own."""

from typing import ClassVar

from pydantic import Field

from qlab.physics.constants import TWO_PI
from qlab.pulses import Delay, Sequence
from qlab.scan import Linear, Scan
from qlab.units import Seconds
from qlab_experiments.custom.played import ClickParameters, OnOwnSystem


class EchoParameters(ClickParameters):
    """Settings of an echo."""

    tau: Scan[Seconds] = Field(Linear(0, 40e-6, 61), title="Total precession time")


class Echo(OnOwnSystem[EchoParameters]):
    """π/2, wait τ/2, π, wait τ/2, π/2: what a refocusing pulse cannot bring back.

    The system is a `UserSystem`; with jumps alone the decay is exponential.
    """

    title = "Hahn echo (own physics)"
    quantum: ClassVar = {
        **OnOwnSystem.quantum,
        "protocol": "Hahn echo",
        "measurand": "coherence time",
        "unit": "s",
    }
    fit = "stretched_decay"

    def middle(self) -> Sequence:
        """An echo."""
        half = self.parameters.tau.symbol("tau") / 2
        quarter = TWO_PI / 4
        return self.turn(quarter) + Delay(half) + self.turn(2 * quarter) + Delay(half) + self.turn(quarter)

    def fit_context(self) -> dict[str, float]:
        """Jumps make an exponential decay."""
        return {"fix_exponent": 1.0}
