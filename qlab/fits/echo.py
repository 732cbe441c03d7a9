"""Echo decays: modulation by a nucleus, and the spectrum of the noise behind the decay."""

from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from qlab.fits.decay import sizes
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import Candidates, grid_of, heights, spacing, span, with_constant


class EchoModulation(FitModel):
    """A Hahn echo modulated by one nucleus (ESEEM).

    y = offset + amplitude·exp(−(t/T2)^p)·[1 − 2 depth·sin²(π f₁ t/2)·sin²(π f₂ t/2)], t the total precession time
    (both arms), f₁ = `lower` and f₂ = `lower` + `splitting` the nuclear frequencies in the two electron states,
    in Hz. Context `larmor` (Hz) says where to look. Source: Childress, Science 314, 281 (2006); physics.md P09.
    """

    name: ClassVar[str] = "echo_modulation"
    title: ClassVar[str] = "Echo modulation (ESEEM)"
    formula: ClassVar[str] = "offset + A·exp(−(t/T2)^p)·[1 − 2k sin²(πf₁t/2)·sin²(πf₂t/2)]"
    feature: ClassVar[str] = "echo"
    axis_unit: ClassVar[str] = "s"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("T2", "s", "T2", minimum=0.0, essential=True),
        Variable("exponent", "1", "exponent p", minimum=0.5, maximum=4.0, free=False, default=1.0),
        Variable("depth", "1", "modulation depth k", minimum=0.0, maximum=1.0, default=0.3, essential=True),
        Variable("lower", "Hz", "lower nuclear frequency", minimum=0.0, essential=True),
        Variable("splitting", "Hz", "difference of the nuclear frequencies", minimum=0.0),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the echo after a total precession time x (s)."""
        reduced = np.maximum(x, 0.0) / np.maximum(theta["T2"], 1e-300)
        with np.errstate(over="ignore"):
            decay = np.exp(-(reduced ** theta["exponent"]))
        one = np.sin(np.pi * theta["lower"] * x / 2) ** 2
        other = np.sin(np.pi * (theta["lower"] + theta["splitting"]) * x / 2) ** 2
        return np.asarray(
            theta["offset"] + theta["amplitude"] * decay * (1 - 2 * theta["depth"] * one * other)
        )

    def candidates(self, x: Curve) -> Candidates:
        """Scan both frequencies and T2, solving offset, amplitude and depth."""
        step = 0.5 / span(x)
        near = self.known("larmor")
        first = near * np.linspace(0.8, 1.25, 16) if near > 0 else step * np.arange(1, 33)
        lower, splitting, time = grid_of(first, step * np.arange(33), span(x) * np.array([0.3, 0.8, 2.5]))
        decay = np.exp(-((np.maximum(x, 0) / time[:, None]) ** self.known("exponent")))
        one = np.sin(np.pi * lower[:, None] * x / 2) ** 2
        other = np.sin(np.pi * (lower + splitting)[:, None] * x / 2) ** 2
        values = {"T2": time, "lower": lower, "splitting": splitting}
        position = lower + 0.61 * splitting
        return Candidates(values, with_constant(decay, decay * one * other), position, step / 4, 4, _depths)

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a fraction of a cycle over the range for the frequencies."""
        cycle = 0.1 / span(x)
        return {**sizes(theta), "lower": cycle, "splitting": cycle, "depth": 0.2}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """The modulation has to lie below half the sampling rate."""
        if theta["lower"] + theta["splitting"] / 2 > 0.5 / spacing(x):
            return ["The modulation is faster than half the sampling rate: take smaller steps."]
        if theta["T2"] > 5 * span(x):
            return ["The decay is much longer than the sweep: take longer times."]
        return []


def _depths(coefficients: Curve) -> dict[str, Curve]:
    height = coefficients[..., 1]
    safe = np.where(np.abs(height) > 0, height, 1.0)
    depth = np.clip(-coefficients[..., 2] / (2 * safe), 0.01, 0.95)
    return {"offset": coefficients[..., 0], "amplitude": height, "depth": depth}


def _pulse_times(pulses: int) -> Curve:
    """Return the switching times of a CPMG train over [0, 1], ends included."""
    inner = (np.arange(pulses) + 0.5) / pulses if pulses else np.zeros(0)
    return np.concatenate([[0.0], inner, [1.0]])


@lru_cache(maxsize=16)
def _filter(pulses: int) -> tuple[Curve, Curve, Curve]:
    """Return u, |Y(u)|² of a train of total time 1, and the quadrature weights du; u = ω t."""
    top = 400.0 * (pulses + 1)
    u = np.concatenate([np.geomspace(1e-4, 1.0, 400)[:-1], np.linspace(1.0, top, 40 * int(top))])
    times = _pulse_times(pulses)
    signs = (-1.0) ** np.arange(len(times) - 1)
    total = np.zeros(len(u), dtype=complex)
    for sign, begin, end in zip(signs, times[:-1], times[1:], strict=True):
        total += sign * (np.exp(1j * u * end) - np.exp(1j * u * begin)) / (1j * u)
    steps = np.diff(u)
    weights = np.concatenate([[0.0], steps]) / 2 + np.concatenate([steps, [0.0]]) / 2
    return u, np.abs(total) ** 2, weights


def power_law_integral(alpha: float, pulses: int) -> float:
    """Return K with χ(t) = A K t^(1+α) for the two-sided S(ω) = A/|ω|^α under a train of `pulses` π pulses.

    χ = ½ ∫ S(ω)|Y(ω)|² dω/2π over all ω (physics.md P10); for α = 0 K = ½, for an echo and α = 2 K = 1/24.
    """
    u, weight, step = _filter(pulses)
    inside = float(np.sum(weight * u**-alpha * step))
    # Beyond the grid |Y|² averages to the sum of the squared jumps over u²: 2 + 4·pulses... of each edge.
    beyond = (2.0 + 4.0 * pulses) * u[-1] ** (-1.0 - alpha) / (1.0 + alpha)
    below = float(weight[0] / u[0] ** 2) * u[0] ** (3.0 - alpha) / (3.0 - alpha) if pulses else 0.0
    return float(inside + beyond + below) / (2 * np.pi)


class EchoPowerLaw(FitModel):
    """The decay of an echo or CPMG train under noise of power-law spectrum S(ω) = A/|ω|^α, two-sided.

    y = offset + amplitude·exp(−χ(t)), χ = (t/T2)^(1+α); the filter function of the train then gives A, in
    (rad/s)^(1+α): S is that of the detuning δω in rad/s, A = 1/(K_N(α) T2^(1+α)). Context `pulses`: the number N
    of π pulses (1: Hahn echo). Source: Cywiński PRB 77, 174509 (2008); physics.md P10.
    """

    name: ClassVar[str] = "echo_power_law"
    title: ClassVar[str] = "Echo under power-law noise"
    formula: ClassVar[str] = "offset + amplitude·exp(−(t/T2)^(1+α)), S(ω) = A/|ω|^α"
    feature: ClassVar[str] = "decay"
    axis_unit: ClassVar[str] = "s"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("T2", "s", "T2", minimum=0.0, essential=True),
        Variable("alpha", "1", "exponent of the spectrum α", minimum=-0.5, maximum=2.8, default=1.0),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the echo after a total precession time x (s)."""
        reduced = np.maximum(x, 0.0) / np.maximum(theta["T2"], 1e-300)
        with np.errstate(over="ignore"):
            decay = np.exp(-(reduced ** (1 + theta["alpha"])))
        return np.asarray(theta["offset"] + theta["amplitude"] * decay)

    def candidates(self, x: Curve) -> Candidates:
        """Scan T2 and α, solving offset and amplitude."""
        times, alphas = grid_of(np.geomspace(0.3 * spacing(x), 5 * float(np.max(x)), 40), [0.0, 1.0, 2.0])
        with np.errstate(over="ignore"):
            shapes = np.exp(-((np.maximum(x, 0) / times[:, None]) ** (1 + alphas[:, None])))
        return Candidates(
            {"T2": times, "alpha": alphas}, with_constant(shapes), np.log(times), 1.0, 2, heights
        )

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the strength of the noise at 1/T2: S(ω = 1/T2), two-sided, in rad²/s."""
        pulses = max(int(self.known("pulses") or 1), 1)
        if not -0.5 <= theta["alpha"] < 3 or not theta["T2"] > 0:
            return {}
        strength = 1 / (power_law_integral(theta["alpha"], pulses) * theta["T2"])
        return {"noise_at_T2": (strength, "rad2/s", "noise S(ω = 1/T2), two-sided")}

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the height of the decay for both heights."""
        del x
        return {**sizes(theta), "alpha": 0.3}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A decay within one step, or far beyond the range, is not measured by these points."""
        if theta["T2"] < spacing(x):
            return ["The decay is shorter than one step of the sweep: take shorter times."]
        if theta["T2"] > 5 * span(x):
            return ["The decay is much longer than the sweep: take longer times."]
        return []


def lorentzian_dephasing(t: Curve, sigma: Curve, tau_c: Curve, pulses: int) -> Curve:
    """Return χ(t) of Ornstein–Uhlenbeck noise under a CPMG train of `pulses` π pulses (0: Ramsey), exact.

    σ (Hz, rms) and τ_c (s) broadcast against t. Source: Kubo; de Sousa (2009); physics.md P10.
    """
    strength = (2 * np.pi * sigma * tau_c) ** 2
    times = _pulse_times(pulses)
    total = memory = np.zeros(np.broadcast(t, tau_c).shape)
    for k, share in enumerate(np.diff(times)):
        x = share * t / tau_c
        lost = -np.expm1(-x)
        own = np.where(x < 1e-3, x * x / 2 - x**3 / 6 + x**4 / 24, x - lost)
        sign = (-1.0) ** k
        total = total + own + sign * lost * memory
        memory = memory * np.exp(-x) + sign * lost
    return np.asarray(strength * np.maximum(total, 0.0))


class LorentzianNoise(FitModel):
    """The decay of a Ramsey fringe's envelope, an echo or a CPMG train under noise of Lorentzian spectrum.

    y = offset + amplitude·exp(−χ(t)), exact for an Ornstein–Uhlenbeck detuning of rms σ (Hz) and correlation time
    τ_c. Context `pulses`: the number of π pulses (0: free decay, 1: Hahn echo, the default). For t ≪ τ_c an echo
    shows σ²/τ_c alone: hold one of them, `--fix tau_c=1e-3`.
    """

    name: ClassVar[str] = "lorentzian_noise"
    title: ClassVar[str] = "Decay under Lorentzian noise"
    formula: ClassVar[str] = "offset + amplitude·exp(−χ_N(t; σ, τ_c))"
    feature: ClassVar[str] = "decay"
    axis_unit: ClassVar[str] = "s"
    batched: ClassVar[bool] = True
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("sigma", "Hz", "rms detuning σ", minimum=0.0, essential=True),
        Variable("tau_c", "s", "correlation time τ_c", minimum=0.0, essential=True),
        Variable("amplitude", "y", "amplitude", essential=True),
        Variable("offset", "y", "offset"),
    )

    @property
    def _pulses(self) -> int:
        return int(self.context.get("pulses", 1.0))

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the coherence after a total precession time x (s)."""
        tau_c = np.maximum(theta["tau_c"], 1e-30)
        loss = lorentzian_dephasing(np.maximum(x, 0.0), theta["sigma"], tau_c, self._pulses)
        return np.asarray(theta["offset"] + theta["amplitude"] * np.exp(-loss))

    def candidates(self, x: Curve) -> Candidates:
        """Scan correlation time and 1/e time, solving offset and amplitude."""
        held = self.context.get("fix_tau_c", 0.0)
        correlations = [held] if held > 0 else span(x) * np.geomspace(0.02, 5, 8)
        tau_c, time = grid_of(correlations, np.geomspace(spacing(x), 3 * span(x), 25))
        # σ such that χ = 1 at the trial time.
        unit = np.array([
            float(lorentzian_dephasing(np.array([t]), np.array([1.0]), np.array([c]), self._pulses)[0])
            for t, c in zip(time, tau_c, strict=True)
        ])  # fmt: skip
        sigma = 1 / np.sqrt(np.maximum(unit, 1e-300))
        loss = lorentzian_dephasing(x, sigma[:, None], tau_c[:, None], self._pulses)
        position = np.log(sigma) + 0.5 * np.log(tau_c)
        return Candidates(
            {"sigma": sigma, "tau_c": tau_c}, with_constant(np.exp(-loss)), position, 0.4, 3, heights
        )

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return the height of the decay for both heights."""
        del x
        return sizes(theta)
