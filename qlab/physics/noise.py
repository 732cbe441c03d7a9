"""Classical noise on a transition: Gauss–Hermite averages, Ornstein–Uhlenbeck integrals, slow drift."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError

Floats = NDArray[np.float64]


# Pulses that turn the noise's rms detuning by more rad than this are averaged on an even grid.
GAUSSIAN_REACH = 4.0
MOST_NODES = 5000
TRUNCATED = 1e-10


def normal_nodes(turn: float, *, phases: bool) -> tuple[Floats, Floats]:
    """Return nodes z and weights w with sum(w f(z)) = <f(z)> for a standard normal z; shapes (nodes,).

    Exact to 1e-9 for f no rougher than exp(i turn z), and, with `phases`, for its Hermite series as well.
    Raises UsageError where that takes more nodes than can be had.
    """
    if turn > GAUSSIAN_REACH and not phases:
        # The trapezoidal rule converges exponentially once its step resolves both the phase and the weight.
        count = int(2.3 * (turn + 7)) | 1
        if count > MOST_NODES:
            raise UsageError(
                f"The detuning noise turns the spin by {turn:.0f} rad during the pulses: too many to average.",
                "Shorten the pulses.",
            )
        z = np.linspace(-7, 7, count)
        w = np.exp(-(z**2) / 2)
        return z, w / w.sum()
    n = np.arange(1, 101)
    if phases:
        left = n * math.log(max(turn, 1e-3)) - np.cumsum(np.log(n)) / 2
    else:
        left = 2 * n * math.log(max(turn, 1e-3)) - np.cumsum(np.log(2 * (2 * n - 1)))
    enough = np.flatnonzero(left < math.log(TRUNCATED))
    if not len(enough):
        raise UsageError(
            f"The detuning noise turns the spin by {turn:.2g} rad during the pulses: they select no resonance.",
            "Shorten the pulses.",
        )
    return gauss_hermite(int(n[enough[0]]))


@lru_cache(maxsize=64)
def gauss_hermite(nodes: int) -> tuple[Floats, Floats]:
    """Return Gauss-Hermite nodes z and weights w for a standard normal z; shapes (nodes,), not to be written to."""
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    w = w / math.sqrt(2 * math.pi)
    z.setflags(write=False)
    w.setflags(write=False)
    return z, w


def hermite_table(z: Floats) -> Floats:
    """Return the normalised Hermite polynomials he_n(z)/sqrt(n!) for n < len(z); shape (n, len(z))."""
    table = np.empty((len(z), len(z)))
    table[0] = 1.0
    if len(z) > 1:
        table[1] = z
    for n in range(2, len(z)):
        table[n] = (z * table[n - 1] - math.sqrt(n - 1) * table[n - 2]) / math.sqrt(n)
    return table


def ou_phase_covariance(
    start_a: Floats, stop_a: Floats, start_b: Floats, stop_b: Floats, tau_c: float
) -> Floats:
    """Return the integral of exp(-|t - s|/tau_c) over t in interval a and s in b, in s^2.

    Exact for any two intervals that are the same or do not overlap. With x = t/tau_c, one interval of length t
    gives 2 tau_c^2 (exp(-x) - 1 + x): Kubo's free decay (de Sousa, Top. Appl. Phys. 115, 183 (2009)).
    """
    if math.isinf(tau_c):
        return (stop_a - start_a) * (stop_b - start_b)

    def primitive(u: Floats) -> Floats:
        # Second integral of exp(-|u|/tau_c), even in u: tau_c^2 (exp(-x) - 1 + x), without cancellation.
        x = np.abs(u) / tau_c
        small = x**2 * (1 / 2 - x * (1 / 6 - x * (1 / 24 - x * (1 / 120 - x * (1 / 720 - x / 5040)))))
        return tau_c**2 * np.where(x < 1e-2, small, np.expm1(-x) + x)

    return (
        primitive(stop_a - start_b)
        + primitive(start_a - stop_b)
        - primitive(start_a - start_b)
        - primitive(stop_a - stop_b)
    )


def ou_point_covariance(start: Floats, stop: Floats, moment: Floats, tau_c: float) -> Floats:
    """Return the integral of exp(-|t - moment|/tau_c) over t from start to stop, in s."""
    if math.isinf(tau_c):
        return stop - start

    def primitive(u: Floats) -> Floats:
        return np.sign(u) * -np.expm1(-np.abs(u) / tau_c) * tau_c

    return primitive(stop - moment) - primitive(start - moment)


def slow_drift(seconds: Floats, seed: int, stream: int) -> Floats:
    """Return a random-walk-like drift at given times, of 1 per sqrt(s), as a function of seed and time alone.

    A sum of 64 cosines with random phases whose spectrum falls as 1/f^2 between 1e-5 and 1 Hz; it starts at 0.
    Because it has no memory, rows may be asked for in any order and grouping.
    """
    rng = np.random.Generator(np.random.Philox(key=[seed, stream]))
    frequency = np.geomspace(1e-5, 1.0, 64)
    step = math.log(frequency[1] / frequency[0])
    # One-sided S(f) = 2/(2 pi f)^2 is that of a walk with unit diffusion; df = f d(ln f).
    amplitude = np.sqrt(2 * (2 / (2 * np.pi * frequency) ** 2) * frequency * step)
    phase = rng.uniform(0, 2 * np.pi, frequency.size)
    turns = 2 * np.pi * np.multiply.outer(np.asarray(seconds, dtype=float), frequency)
    return np.asarray((amplitude * (np.cos(turns + phase) - np.cos(phase))).sum(axis=-1))
