"""nv.t1: spin-lattice relaxation."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from qlab.pulses import Delay
from qlab.scan import Log, Scan
from qlab.units import Seconds
from qlab_experiments.nv.figures import relaxation_rate
from qlab_experiments.nv.pulsed import PulsedNV, PulsedParameters, Shots


class T1Parameters(PulsedParameters):
    """Settings of a T1 measurement."""

    tau: Scan[Seconds] = Field(Log(10e-6, 20e-3, 31), title="Wait")
    shots: Shots = Field(200_000, title="Shots", description="Repetitions of each point, over all passes")


class T1(PulsedNV[T1Parameters]):
    """The spin forgets its polarisation in the dark: T1.

    Sequence: laser, wait τ, laser with counting. With equal rates 1/(3 T1) between the three levels every population
    difference decays as exp(−τ/T1). Reference: Myers et al., Phys. Rev. Lett. 118, 197201 (2017).
    Try: shorten T1 in the truth, as magnetic noise near the surface would.
    """

    title = "T1 relaxation"
    fit = "stretched_decay"
    figures = (relaxation_rate,)
    quantum: ClassVar = {
        **PulsedNV.quantum,
        "protocol": "T1 relaxometry",
        "measurand": "relaxation time",
        "unit": "s",
    }

    def middle(self) -> Delay:
        """Nothing but waiting."""
        return Delay(self.parameters.tau.symbol("tau"))

    def fit_context(self) -> dict[str, float]:
        """One exponential."""
        return {**super().fit_context(), "fix_exponent": 1.0}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """The decay time is T1."""
        return {"time": truth["T1"]}
