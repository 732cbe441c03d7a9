"""A resonator's circle in the complex plane: transmission past it, or reflection off it."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.lines import line_doubts
from qlab.fits.model import Curve, FitModel, Theta, Variable
from qlab.fits.starts import best_distinct, grid_of, project, spacing, span


class ResonatorNotch(FitModel):
    """S21 past a resonator: S = a·e^{iα}·e^{−2πi(f−f_c)τ}·[1 − d·e^{iφ}/(1 + 2iQ_l(f/f_r − 1))].

    Complex data over the frequency in Hz. Q_l the loaded quality factor, d = `depth` the diameter of the circle,
    Q_l/|Q_c| in transmission, φ its asymmetry by a mismatch; f_c the middle of the sweep. From them
    1/Q_i = 1/Q_l − Re(e^{iφ}/|Q_c|) (diameter correction). Source: Probst, RSI 86, 024706 (2015); Khalil, JAP 111,
    054510 (2012).
    """

    name: ClassVar[str] = "resonator_notch"
    title: ClassVar[str] = "Resonator circle (transmission past it)"
    formula: ClassVar[str] = "a·e^{iα}·e^{−2πi(f−f_c)τ}·[1 − d·e^{iφ}/(1 + 2iQ_l(f/f_r − 1))]"
    feature: ClassVar[str] = "resonance"
    axis_unit: ClassVar[str] = "Hz"
    batched: ClassVar[bool] = True
    quadratures: ClassVar[bool] = True
    counts: ClassVar[bool] = False
    parts: ClassVar[float] = 1.0  # the diameter in units of Q_l/|Q_c|
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable("frequency", "Hz", "resonance frequency", minimum=0.0, essential=True),
        Variable("loaded_q", "1", "loaded quality factor Q_l", minimum=0.0, essential=True),
        Variable(
            "depth", "1", "diameter of the circle d", minimum=0.0, maximum=2.5, default=0.5, essential=True
        ),
        Variable("asymmetry", "rad", "asymmetry φ", minimum=-1.5, maximum=1.5),
        Variable("amplitude", "y", "amplitude off resonance", minimum=0.0, default=1.0, essential=True),
        Variable("phase", "rad", "phase off resonance"),
        Variable("delay", "s", "cable delay τ"),
    )

    def settle(self, x: Curve) -> dict[str, float]:
        """Return the frequency at which the phase off resonance is told."""
        return {"centre": float(np.mean([np.min(x), np.max(x)]))}

    def evaluate(self, x: Curve, theta: Theta) -> Any:
        """Return the complex transmission at x (Hz)."""
        turn = np.exp(1j * (theta["phase"] - 2 * np.pi * (x - self.known("centre")) * theta["delay"]))
        away = x / np.maximum(theta["frequency"], 1e-300) - 1
        circle = theta["depth"] * np.exp(1j * theta["asymmetry"]) / (1 + 2j * theta["loaded_q"] * away)
        return theta["amplitude"] * turn * (1 - circle)

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Read the delay off the ends of the sweep, scan centre and width, solving both complex amplitudes."""
        n = len(x)
        data = y[:n] + 1j * y[n:]
        starts: list[tuple[float, dict[str, float]]] = []
        for delay in dict.fromkeys((self._delay(x, data), 0.0)):
            turn = np.exp(-2j * np.pi * (x - self.known("centre")) * delay)
            centre, width = grid_of(
                np.linspace(x[0], x[-1], 61), np.geomspace(max(spacing(x), span(x) / 200), span(x), 7)
            )
            loop = turn / (1 + 2j * (x - centre[:, None]) / width[:, None])
            base = np.broadcast_to(turn, loop.shape)
            columns = np.stack(
                [np.concatenate([c.real, c.imag], axis=1) for c in (base, 1j * base, loop, 1j * loop)], axis=1
            )
            chi2, found = project(columns, y, error)
            for i in best_distinct(chi2, centre, span(x) / 15, 2):
                whole, part = complex(*found[i, :2]), complex(*found[i, 2:])
                circle = -part / whole if whole else 0.3 + 0j
                starts.append((float(chi2[i]), {
                    "frequency": float(centre[i]), "loaded_q": float(centre[i] / width[i]),
                    "depth": float(np.clip(abs(circle), 0.02, 2.3)),
                    "asymmetry": float(np.clip(np.angle(circle), -1.2, 1.2)),
                    "amplitude": abs(whole), "phase": float(np.angle(whole)), "delay": delay,
                }))  # fmt: skip
        return [start for _, start in sorted(starts, key=lambda item: item[0])[:3]]

    def _delay(self, x: Curve, data: Any) -> float:
        edge = max(len(x) // 6, 3)
        slopes = []
        for part in (slice(None, edge), slice(-edge, None)):
            steps = data[part][1:] * np.conj(data[part][:-1])
            if len(steps) and np.isfinite(steps).all():
                slopes.append(float(np.angle(steps.sum())) / spacing(x))
        return -float(np.mean(slopes)) / (2 * np.pi) if slopes else 0.0

    def derive(self, theta: Theta) -> dict[str, tuple[float, str, str]]:
        """Return the coupling and internal quality factors and the line width."""
        loaded, depth = theta["loaded_q"], theta["depth"] / self.parts
        if not (loaded > 0 and depth > 0 and theta["frequency"] > 0):
            return {}
        coupling = loaded / depth
        lost = 1 / loaded - np.cos(theta["asymmetry"]) / coupling
        found = {
            "coupling_q": (coupling, "1", "coupling quality factor |Q_c|"),
            "linewidth": (theta["frequency"] / loaded, "Hz", "line width κ/2π"),
        }
        if lost > 0:
            found["internal_q"] = (float(1 / lost), "1", "internal quality factor Q_i")
        return found

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the line width for the frequency, of a turn for phases."""
        width = theta["frequency"] / np.maximum(theta["loaded_q"], 1e-300)
        return {
            "frequency": 0.2 * width, "phase": 0.3, "asymmetry": 0.3, "depth": 0.2, "delay": 0.05 / span(x)
        }  # fmt: skip

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A resonance outside the sweep or narrower than a step is not measured; nor is one that gains."""
        width = theta["frequency"] / max(theta["loaded_q"], 1e-300)
        found = line_doubts(x, theta["frequency"], width)
        if width > 3 * span(x):
            found.append("The resonance is much wider than the sweep.")
        if theta["depth"] / self.parts * np.cos(theta["asymmetry"]) > 1.02:
            found.append("The circle is larger than any lossy resonator makes: check amplitude and delay.")
        return found


class ResonatorReflection(ResonatorNotch):
    """S11 off a resonator: the same circle with d = 2Q_l/|Q_c|; all else as `resonator_notch`."""

    name: ClassVar[str] = "resonator_reflection"
    title: ClassVar[str] = "Resonator circle (reflection)"
    parts: ClassVar[float] = 2.0
