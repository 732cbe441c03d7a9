"""Which power-law noise dominates at an averaging time: S_y(f) ~ f^α, from the data themselves."""

import math
from dataclasses import dataclass

import numpy as np

from qlab.metrology.stability.estimators import ESTIMATORS, variance
from qlab.metrology.stability.series import Reals, Series

NAMES = {
    2: "white phase", 1: "flicker phase", 0: "white frequency", -1: "flicker frequency",
    -2: "random-walk frequency", -3: "flicker-walk frequency", -4: "random-run frequency",
}  # fmt: skip
_FEWEST = 30  # averaged values that the autocorrelation needs (Riley and Greenhall)


@dataclass(frozen=True)
class Noise:
    """A noise type: the exponent α of S_y(f) ~ f^α, and how it was told.

    `method`: "autocorrelation", "ratio" (B1, and R(n) between the two phase noises), or "carried" from the next
    shorter averaging time where the data are too few for either or would tell a bluer noise than there.
    """

    alpha: int
    method: str

    @property
    def name(self) -> str:
        """What this noise is called."""
        return NAMES[self.alpha]


def identify(data: Series, factor: int, *, lowest: int = -2) -> Noise | None:
    """Return the dominant power-law noise at averaging time factor · interval; None with too few data.

    From 30 averages on by the lag-1 autocorrelation of the phase decimated to τ, differenced until stationary;
    else, from 8 on, by the bias function B1 = s²/σ_y², and R = Mod σ_y²/σ_y² to tell the phase noises apart.
    The autocorrelation of averages leans to a neighbour for the flicker noises, as in other programs.
    `lowest` is the most divergent α that is told: −2 for Allan, −4 for Hadamard deviations.
    Sources: Riley and Greenhall, 18th EFTF (2004), paper 3.3; Riley, NIST SP1065 (2008).
    """
    phase = data.phase[::factor]
    if len(phase) - 1 >= _FEWEST:
        return Noise(_by_autocorrelation(phase, lowest), "autocorrelation")
    if len(phase) - 1 >= 8:
        return Noise(max(_by_ratio(data, phase, factor), lowest), "ratio")
    return None


def _by_autocorrelation(phase: Reals, lowest: int) -> int:
    z = _without_parabola(phase)
    most = (2 - lowest) // 2
    for differences in range(most + 1):
        centred = z - z.mean()
        power = float(np.dot(centred, centred))
        r1 = float(np.dot(centred[1:], centred[:-1])) / power if power > 0 else 0.0
        delta = r1 / (1 + r1)
        if delta < 0.25 or differences == most:
            break
        z = np.diff(z)
    # For phase data α = p + 2 with S_x ~ f^p, p = −2(δ + d).
    return int(np.clip(round(2 - 2 * (delta + differences)), lowest, 2))


def _without_parabola(phase: Reals) -> Reals:
    """Return the phase (n,) less its least-squares parabola, by polynomials that are orthogonal on its points."""
    t = np.linspace(-1.0, 1.0, len(phase))
    square = t * t
    rest = phase - phase.mean()
    rest -= (np.dot(t, rest) / np.dot(t, t)) * t
    square -= square.mean()
    rest -= (np.dot(square, rest) / np.dot(square, square)) * square
    return np.asarray(rest)


def _by_ratio(data: Series, phase: Reals, factor: int) -> int:
    y = np.diff(phase)
    count = len(y)
    allan = float(np.mean(np.diff(y) ** 2)) / 2
    if allan == 0:
        return 0
    measured = float(np.var(y, ddof=1)) / allan
    # One value per μ of σ² ~ τ^μ; decided at the geometric means between neighbours.
    expected = {mu: expected_b1(count, mu) for mu in (-2, -1, 0, 1)}
    for mu, alpha in ((-2, 2), (-1, 0), (0, -1)):
        if measured < math.sqrt(expected[mu] * expected[mu + 1]):
            return _phase_noise(data, factor) if alpha == 2 else alpha
    return -2


def expected_b1(count: int, mu: float) -> float:
    """Return B1 = ⟨s²(N)⟩/σ_y² for N adjacent averages and σ_y² ~ τ^μ. Source: Barnes, NBS TN 375 (1969)."""
    if mu == 0:
        return count * math.log(count) / (2 * (count - 1) * math.log(2))
    return float(count * (1 - count**mu) / (2 * (count - 1) * (1 - 2**mu)))


def _phase_noise(data: Series, factor: int) -> int:
    if factor < 2:
        return 2
    plain = variance(data, ESTIMATORS["oadev"], factor).value
    modified = variance(data, ESTIMATORS["mdev"], factor).value
    if not plain > 0:
        return 2
    # R(n) is 1/n for white phase; for flicker phase from the variances of SP1065 with f_h = 1/(2τ0).
    flicker = 1.5 * math.log(256 / 27) / (1.038 + 3 * math.log(math.pi * factor))
    return 2 if modified / plain < math.sqrt(flicker / factor) else 1
