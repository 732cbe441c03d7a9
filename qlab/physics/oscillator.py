"""The frequency of a free-running oscillator: white, flicker and random-walk noise, averaged over given stretches.

One-sided spectrum of the fractional frequency S1_y(f) = h0 + h_1/f + h_2/f^2. White noise is a Wiener phase, flicker
a sum of Ornstein-Uhlenbeck processes whose rates are evenly spaced in their logarithm, random walk a Wiener process:
each is advanced exactly over any stretch, together with its mean in it, so that no time grid is involved.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError

Floats = NDArray[np.float64]
PER_DECADE = 2
SLOWEST, FASTEST = 1e-6, 1e3  # 1/s, rates of the flicker processes
CHUNK = 2048  # cycles drawn together, whatever the grouping of those that ask


@dataclass(frozen=True)
class OscillatorNoise:
    """The coefficients of S1_y: `white` h0 (1/Hz), `flicker` h_1 (1), `walk` h_2 (Hz)."""

    white: float = 0.0
    flicker: float = 0.0
    walk: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= level < math.inf for level in (self.white, self.flicker, self.walk)):
            raise UsageError("The noise of an oscillator is finite and not negative.", "Check h0, h-1, h-2.")

    def allan(self, tau: float) -> float:
        """Return the Allan deviation of the free oscillator (NIST SP1065, table 7; physics.md P20)."""
        walk = 2 * math.pi**2 / 3 * self.walk * tau
        return math.sqrt(self.white / (2 * tau) + 2 * math.log(2) * self.flicker + walk)


class OscillatorCycles:
    """Mean fractional frequencies of an oscillator in the stretches of cycles that are all alike.

    `seconds` (stretches,) are the lengths of the stretches of a cycle; `stream(chunk)` gives the random numbers of
    each chunk of cycles, so that a cycle's noise depends on its number alone.
    """

    def __init__(
        self, noise: OscillatorNoise, seconds: Floats, stream: Callable[[int], np.random.Generator]
    ) -> None:
        self.noise, self.seconds, self.stream = noise, np.asarray(seconds, dtype=float), stream
        decades = math.log10(FASTEST / SLOWEST)
        self.rates = np.geomspace(SLOWEST, FASTEST, int(PER_DECADE * decades) + 1)
        spacing = math.log(self.rates[1] / self.rates[0])
        # Each has S1 = 4 v r/(r^2 + w^2); with v = h_1 d(ln r) they sum to h_1/f.
        self.variance = noise.flicker * spacing
        self.state: Floats | None = None
        self.walked = 0.0
        self.chunk = -1
        self.drawn: Floats = np.empty((0, len(self.seconds)))

    def means(self, cycle: int) -> Floats:
        """Return the means of a cycle, (stretches,); cycles are asked for in ascending order."""
        while cycle // CHUNK > self.chunk:
            self.chunk += 1
            self.drawn = self._draw(self.stream(self.chunk))
        return np.asarray(self.drawn[cycle % CHUNK])

    def _draw(self, rng: np.random.Generator) -> Floats:
        steps = np.tile(self.seconds, CHUNK)
        safe = np.where(steps > 0, steps, 1.0)
        y = math.sqrt(self.noise.white / 2) * rng.normal(size=len(steps)) / np.sqrt(safe)
        y = y + self._walk(rng, steps)
        if self.variance > 0:
            y = y + self._flicker(rng, steps)
        return np.asarray(np.where(steps > 0, y, 0.0).reshape(CHUNK, -1))

    def _walk(self, rng: np.random.Generator, steps: Floats) -> Floats:
        """A Wiener process of variance D t, D = 2 pi^2 h_2: its mean over each step, given its ends."""
        spread = math.sqrt(2 * math.pi**2 * self.noise.walk)
        ends = self.walked + np.cumsum(spread * np.sqrt(steps) * rng.normal(size=len(steps)))
        starts = np.concatenate([[self.walked], ends[:-1]])
        self.walked = float(ends[-1])
        # The mean of a Brownian bridge has the variance D t/12.
        return (starts + ends) / 2 + spread * np.sqrt(steps / 12) * rng.normal(size=len(steps))

    def _flicker(self, rng: np.random.Generator, steps: Floats) -> Floats:
        if self.state is None:
            self.state = math.sqrt(self.variance) * rng.normal(size=len(self.rates))
        total = np.zeros(len(steps))
        for k, rate in enumerate(self.rates):
            x = rate * steps
            keep = np.exp(-x)
            lost = -np.expm1(-x)
            safe = np.where(x > 0, x, 1.0)
            # Exact joint step of value and mean (Gillespie, PRE 54, 2084 (1996)).
            var_value = -np.expm1(-2 * x)
            var_mean = _mean_variance(safe)
            cross = lost**2 / safe
            first, second = rng.normal(size=(2, len(steps)))
            deviation = np.sqrt(self.variance * var_value)
            kick = deviation * first
            slope = np.divide(cross, var_value, out=np.zeros_like(cross), where=var_value > 0)
            rest = np.sqrt(np.maximum(self.variance * (var_mean - slope * cross), 0.0))
            value = np.empty(len(steps) + 1)
            value[0] = self.state[k]
            value[1:] = _recursion(keep, kick, self.state[k], len(self.seconds))
            total += value[:-1] * lost / safe + slope * kick + rest * second
            self.state[k] = value[-1]
        return total


def _mean_variance(x: Floats) -> Floats:
    """Return the variance of the mean of a unit Ornstein-Uhlenbeck process over x lifetimes, its start known."""
    exact = (2 * x - 3 + 4 * np.exp(-x) - np.exp(-2 * x)) / x**2
    return np.asarray(np.where(x < 0.02, 2 * x / 3 * (1 - 3 * x / 4 + 7 * x**2 / 20), exact))


def _recursion(keep: Floats, kick: Floats, start: float, period: int) -> Floats:
    """Return x_n = keep_n x_(n-1) + kick_n, whose factors repeat with a period; shape of `keep`."""
    from scipy.signal import lfilter

    kept, kicked = keep.reshape(-1, period), kick.reshape(-1, period)
    # First from period to period with one factor, then within all periods at once.
    ahead = np.zeros(len(kept))
    for j in range(period):
        ahead = kept[:, j] * ahead + kicked[:, j]
    whole = float(np.prod(kept[0]))
    ends, _ = lfilter([1.0], [1.0, -whole], ahead, zi=[whole * start])
    now = np.concatenate([[start], ends[:-1]])
    out = np.empty_like(kept)
    for j in range(period):
        now = kept[:, j] * now + kicked[:, j]
        out[:, j] = now
    return out.ravel()
