"""nv.hahn_echo: the coherence time without slow noise."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from qlab.pulses import Delay, Sequence
from qlab.scan import Linear, Scan
from qlab.units import Seconds
from qlab_experiments.nv.figures import ac_field_sensitivity
from qlab_experiments.nv.pulsed import PulsedNV, PulsedParameters, Shots, half_pi, pi


class HahnEchoParameters(PulsedParameters):
    """Settings of a Hahn echo."""

    tau: Scan[Seconds] = Field(
        Linear(2e-6, 202e-6, 51), title="Total precession time", description="Both arms together"
    )
    shots: Shots = Field(150_000, title="Shots", description="Repetitions of each point, over all passes")


class HahnEcho(PulsedNV[HahnEchoParameters]):
    """A π pulse in the middle of a precession refocuses slow noise: T2.

    Sequence: laser, π/2, wait τ/2, π, wait τ/2, π/2, laser with counting; τ is the total precession time.
    Noise slower than τ cancels; for an Ornstein–Uhlenbeck bath exp[−σ²τ³/(12 τ_c)] remains (Kubo; de Sousa 2009).
    Try: shorten tau_c in the truth; compare with Ramsey.
    """

    title = "Hahn echo"
    fit = "stretched_decay"
    figures = (ac_field_sensitivity,)
    quantum: ClassVar = {
        **PulsedNV.quantum,
        "protocol": "Hahn echo",
        "measurand": "coherence time",
        "unit": "s",
    }

    def middle(self) -> Sequence:
        """π/2, half the time, π, the other half, π/2."""
        p = self.parameters
        tau = p.tau.symbol("tau")
        return half_pi(p) + Delay(tau / 2) + pi(p) + Delay(tau / 2) + half_pi(p)

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """The decay time is T2."""
        return {"time": truth["T2"]}
