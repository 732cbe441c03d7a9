"""Torrey's solution: a driven two-level system that decays and dephases while it is driven."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.sampling import alias_doubts
from qlab.fits.starts import Candidates, dips, frequencies, grid_of, no_dip, span, with_constant


def inversion(t: Curve, rabi: Curve, detuning: Curve, rate1: Curve, rate2: Curve, rest: float) -> Curve:
    """Return w(t) of the Bloch equations from w = −1 at t = 0, exactly, by eigenvalues.

    u' = −Γ₂u + δv, v' = −δu − Γ₂v − Ωw, w' = Ωv − Γ₁(w − rest). Ω, δ in Hz, rates in 1/s, t (n,) in s; Ω, δ and
    rates are numbers or (traces, 1). Source: Torrey, Phys. Rev. 76, 1059 (1949).
    """
    shape = np.broadcast(rabi, detuning, rate1, rate2).shape
    flat = [np.ravel(np.broadcast_to(part, shape)).astype(float) for part in (rabi, detuning, rate1, rate2)]
    omega, delta, g1, g2 = 2 * np.pi * flat[0], 2 * np.pi * flat[1], flat[2], flat[3]
    # Far below every other rate, and yet it keeps the steady state unique and the eigenvectors apart.
    tiny = 1e-9 * (np.abs(omega) + np.abs(delta) + g1 + g2 + 1e-30)
    m = np.zeros((len(omega), 3, 3))
    m[:, 0, 0], m[:, 1, 1], m[:, 2, 2] = -g2 - tiny, -g2, -g1 - tiny
    m[:, 0, 1], m[:, 1, 0] = delta, -delta
    m[:, 1, 2], m[:, 2, 1] = -omega, omega
    pull = np.zeros((len(omega), 3, 1))
    pull[:, 2, 0] = g1 * rest
    settled = -np.linalg.solve(m, pull)[..., 0]
    begin = np.array([0.0, 0.0, -1.0]) - settled
    rates, vectors = np.linalg.eig(m)
    parts = np.linalg.solve(vectors, begin[..., None].astype(complex))[..., 0] * vectors[:, 2, :]
    found = settled[:, 2, None] + np.einsum("ki,kin->kn", parts, np.exp(rates[..., None] * t)).real
    return np.asarray(found.reshape(*shape[:-1], len(t)) if shape else found[0])


class Torrey(FitModel):
    """Rabi oscillations with T1 and T2, by Torrey's solution: y = level·(1 − contrast·P(t)), P = (1 + w)/2.

    x: pulse duration in s. T1 is held (context `T1`, infinite by default), the detuning at 0; context
    `equilibrium` is the w that T1 leads to (−1: the ground state, the default; 0: both levels alike).
    """

    name: ClassVar[str] = "torrey"
    title: ClassVar[str] = "Damped Rabi oscillations (Torrey)"
    formula: ClassVar[str] = "level·(1 − contrast·(1 + w(t; Ω, Δ, T1, T2))/2)"
    feature: ClassVar[str] = "oscillation"
    axis_unit: ClassVar[str] = "s"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("rabi_frequency", "Hz", "Rabi frequency Ω", minimum=0.0, essential=True),
        Variable("detuning", "Hz", "detuning |Δ|", minimum=0.0, squared=True, free=False),
        Variable("T2", "s", "T2", minimum=0.0, essential=True),
        Variable("T1", "s", "T1", minimum=0.0, free=False, default=np.inf),
        Variable("contrast", "1", "contrast", minimum=0.0, maximum=1.0, essential=True, default=0.3),
        Variable("level", "y", "level", minimum=0.0, default=1.0),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the mean signal after a pulse of duration x (s)."""
        rest = self.context.get("equilibrium", -1.0)
        rate1, rate2 = (1 / np.maximum(theta[name], 1e-30) for name in ("T1", "T2"))
        w = inversion(x, theta["rabi_frequency"], theta["detuning"], rate1, rate2, rest)
        return np.asarray(theta["level"] * (1 - theta["contrast"] * (1 + w) / 2))

    def candidates(self, x: Curve) -> Candidates:
        """Scan Rabi frequency and T2, solving level and contrast."""
        rabi, time = grid_of(frequencies(x, limit=700), span(x) * np.array([0.1, 0.3, 1.0, 4.0]))
        # On resonance coherence and inversion share the decay: half of 1/T2, if T1 is long.
        decay = np.exp(-np.abs(x) / (2 * time[:, None]))
        shape = 0.5 - 0.5 * decay * np.cos(2 * np.pi * rabi[:, None] * x)
        values = {"rabi_frequency": rabi, "T2": time}
        return Candidates(values, with_constant(shape), rabi, 0.7 / span(x), 3, dips, no_dip)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a fraction of a cycle over the range for the rates (the square of the detuning)."""
        cycle = 0.2 / span(x)
        return {"rabi_frequency": cycle, "detuning": 2 * cycle * np.maximum(theta["rabi_frequency"], cycle)}

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the duration of a π pulse."""
        return {"pi_time": (0.5 / max(theta["rabi_frequency"], 1e-100), "s", "π pulse duration")}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The flop has to be seen: not faster than the sampling, not slower than the sweep."""
        if theta["rabi_frequency"] * span(x) < 0.25:
            return ["The sweep shows less than a quarter of an oscillation: take longer pulses."]
        return alias_doubts(x, float(theta["rabi_frequency"]), self.parameters)
