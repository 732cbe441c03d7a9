"""The ellipse of two ports that share a phase nobody knows: what is common drops out, the difference stays."""

from typing import Any, ClassVar

import numpy as np

from qlab.fits.model import Curve, FitModel, Theta, Variable


class Ellipse(FitModel):
    """Two fringes against each other: x = x₀ + A cos θ, y = y₀ + B cos(θ + φ), θ another in each shot.

    Gradiometers and synchronous clocks: φ is the differential phase, between 0 and π (its sign does not show).
    The residual of a shot is its distance from the ellipse in standard deviations, the phase θ fitted for each
    (maximum likelihood for normal noise); the error of x is that of y times context `x_error` (1). Close to 0 and
    π the fit is biased outwards. Source: Foster, Opt. Lett. 27, 951 (2002).
    """

    name: ClassVar[str] = "ellipse"
    title: ClassVar[str] = "Ellipse of two ports (differential phase)"
    formula: ClassVar[str] = "x = x₀ + A cos θ, y = y₀ + B cos(θ + φ)"
    batched: ClassVar[bool] = True
    counts: ClassVar[bool] = False
    parameters: ClassVar[tuple[Variable, ...]] = (
        Variable(
            "phase", "rad", "differential phase φ", minimum=0.0, maximum=np.pi, default=1.5, essential=True
        ),
        Variable("x_centre", "x", "centre of port 1"),
        Variable("x_amplitude", "x", "amplitude of port 1", minimum=0.0, essential=True),
        Variable("y_centre", "y", "centre of port 2"),
        Variable("y_amplitude", "y", "amplitude of port 2", minimum=0.0, essential=True),
    )

    def evaluate(self, x: Curve, theta: Theta) -> Curve:
        """Return the middle line of the ellipse: the mean of both its branches at x."""
        slope = theta["y_amplitude"] * np.cos(theta["phase"]) / np.maximum(theta["x_amplitude"], 1e-300)
        return np.asarray(theta["y_centre"] + slope * (x - theta["x_centre"]))

    def residual(self, x: Curve, y: Curve, error: Curve, theta: Theta) -> Curve:
        """Return the signed distance of each shot from the ellipse, in standard deviations; outside positive."""
        size = error * (self.context.get("x_error") or 1.0)
        one, other = (x - theta["x_centre"]) / size, (y - theta["y_centre"]) / error
        first, second = theta["x_amplitude"] / size, theta["y_amplitude"] / error
        phase = np.asarray(theta["phase"])
        sine, cosine = np.sin(phase), np.cos(phase)
        angle = self._nearest(one, other, first, second, phase)
        away = [one - first * np.cos(angle), other - second * np.cos(angle + phase)]
        u, v = one / np.maximum(first, 1e-9), other / np.maximum(second, 1e-9)
        outside = u * u + v * v - 2 * u * v * cosine > sine * sine
        return np.asarray(np.hypot(*away) * np.where(outside, 1.0, -1.0))

    @staticmethod
    def _nearest(one: Curve, other: Curve, first: Curve, second: Curve, phase: Curve) -> Curve:
        """Return the phase θ of the nearest point of the ellipse for each shot."""
        # The map that makes the ellipse a circle gives the phase of every point on it, and a start for the others.
        u, v = one / np.maximum(first, 1e-9), other / np.maximum(second, 1e-9)
        sine = np.maximum(np.sin(phase), 0.02)
        best = np.arctan2((u * np.cos(phase) - v) / sine, u)
        for _ in range(7):
            dx, dy = one - first * np.cos(best), other - second * np.cos(best + phase)
            tx, ty = first * np.sin(best), second * np.sin(best + phase)
            slope = dx * tx + dy * ty
            bend = tx * tx + ty * ty + dx * first * np.cos(best) + dy * second * np.cos(best + phase)
            step = -slope / np.where(bend > 0.05 * (tx * tx + ty * ty), bend, tx * tx + ty * ty + 1e-12)
            step = np.clip(step, -0.3, 0.3)
            best = best + step
        return best

    def guess(self, x: Curve, y: Curve, error: Curve) -> list[dict[str, float]]:
        """Read centres and amplitudes off the extent of the cloud, the phase off the correlation."""
        del error
        found = []
        for spread in ("range", "moments"):
            if spread == "range":
                (a, b), (c, d) = np.quantile(x, [0.01, 0.99]), np.quantile(y, [0.01, 0.99])
                centre, size = ((a + b) / 2, (c + d) / 2), ((b - a) / 2, (d - c) / 2)
            else:
                centre, size = (x.mean(), y.mean()), (1.414 * x.std(), 1.414 * y.std())
            size = (max(size[0], 1e-12), max(size[1], 1e-12))
            both = np.mean((x - centre[0]) * (y - centre[1])) * 2 / (size[0] * size[1])
            found.append({
                "phase": float(np.arccos(np.clip(both, -0.97, 0.97))), "x_centre": float(centre[0]),
                "x_amplitude": float(size[0]), "y_centre": float(centre[1]), "y_amplitude": float(size[1]),
            })  # fmt: skip
        return found

    def scales(self, x: Curve, theta: Theta) -> dict[str, Any]:
        """Return a part of the amplitudes for all lengths."""
        del x
        one, other = 0.2 * theta["x_amplitude"], 0.2 * theta["y_amplitude"]
        return {"phase": 0.2, "x_centre": one, "x_amplitude": one, "y_centre": other, "y_amplitude": other}

    def doubts(self, x: Curve, theta: Theta) -> list[str]:
        """A flat ellipse, or a part of one, does not determine the phase well."""
        if not 0.05 < theta["phase"] < np.pi - 0.05:
            return ["The ellipse is closed to a line: the phase is biased there; shift it towards 90°."]
        if np.ptp(x) < 1.2 * theta["x_amplitude"]:
            return ["The shots cover only a part of the ellipse: vary the common phase more."]
        return []
