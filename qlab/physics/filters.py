"""Filter functions: how much Gaussian dephasing noise of any spectrum a pulse sequence lets through.

chi = (1/2) int S2(w) |Y(w)|^2 dw/2pi over all w, W = exp(-chi), with S2 the two-sided spectrum of the detuning in
(rad/s)^2/(rad/s) and Y the Fourier transform of the sign that the pulses give to it (Cywinski, PRB 77, 174509
(2008); Degen, RMP 89, 035002 (2017)).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.noise import ou_phase_covariance

Floats = NDArray[np.float64]
MOST_PANELS = 200_000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def edges(kind: str, pulses: int, total: float) -> Floats:
    """Return 0, the middles of the pi pulses and the end; kind `ramsey`, `hahn`, `cpmg`, `pdd` or `udd`."""
    if not (math.isfinite(total) and total >= 0) or pulses < 0:
        raise UsageError("A sequence has no such duration or number of pulses.", "Both are 0 or more.")
    k = np.arange(1, pulses + 1)
    shapes = {
        "ramsey": np.zeros(0),
        "hahn": np.array([0.5]),
        "cpmg": (k - 0.5) / max(pulses, 1),
        "pdd": k / (pulses + 1),
        "udd": np.sin(np.pi * k / (2 * pulses + 2)) ** 2,
    }
    if kind not in shapes:
        raise UsageError(f"There is no sequence {kind!r}.", f"Choose one of {', '.join(shapes)}.")
    return np.concatenate([[0.0], shapes[kind], [1.0]]) * total


def transform(omega: Floats, moments: Floats, pulse: float = 0.0) -> NDArray[np.complex128]:
    """Return Y(w) = int y(t) exp(i w t) dt of a sequence with pi pulses around `moments[1:-1]`; shape of omega.

    With `pulse` > 0 the sign turns as cos(pi s/pulse) during each: the part along z of a resonant finite pulse.
    """
    times = np.asarray(moments, dtype=float)
    if np.any(np.diff(times) < 0) or (len(times) > 2 and np.any(np.diff(times[1:-1]) < pulse)):
        raise UsageError("Pulses are out of order, or overlap.", "Give their middles in rising order.")
    w = np.asarray(omega, dtype=float)
    if not (np.isfinite(w).all() and np.isfinite(times).all() and 0 <= pulse < np.inf):
        raise UsageError("Frequencies, moments or the pulse are not finite, or negative.", "Check them.")
    starts, stops = times[:-1].copy(), times[1:].copy()
    starts[1:] += pulse / 2
    stops[:-1] -= pulse / 2
    if np.any(stops < starts):
        raise UsageError("The pulses are longer than the sequence leaves room for.", "Shorten them.")
    length, middle = stops - starts, (stops + starts) / 2
    signs: Floats = np.where(np.arange(len(starts)) % 2, -1.0, 1.0)
    free = _sum(w, signs * length, middle, length)
    if pulse > 0 and len(times) > 2:
        return np.asarray(free + _turning(w, signs[:-1], times[1:-1], pulse))
    return free


def _sum(w: Floats, weight: Floats, middle: Floats, length: Floats) -> NDArray[np.complex128]:
    each = np.sinc(w[..., None] * length / (2 * np.pi)) * np.exp(1j * w[..., None] * middle)
    return np.asarray(each @ weight)


def _turning(w: Floats, signs: Floats, middles: Floats, pulse: float) -> NDArray[np.complex128]:
    # int cos(pi s/p) e^{i w (m - p/2 + s)} ds over 0 < s < p, an odd function around the middle: two sincs.
    rate = np.pi / pulse
    up, down = np.sinc((w + rate) * pulse / (2 * np.pi)), np.sinc((w - rate) * pulse / (2 * np.pi))
    shape = 1j * pulse * (up - down) / 2
    return np.asarray(shape * (np.exp(1j * w[..., None] * middles) @ signs))


def train_transform(
    omega: Floats, spacing: Floats, pulses: int, pulse: float, ends: float
) -> NDArray[np.complex128]:
    """Return Y(w) of `pulses` pi pulses `spacing` s apart between two pi/2 pulses of `ends` s each; shape (points,).

    `omega` (rad/s) and `spacing` (s, between middles; half of it before the first and after the last) one or
    (points,), the time from the end of the first pi/2 pulse. While a resonant pulse turns the spin its part along z
    follows as a cosine (pi), a rising and a falling sine (pi/2): right to first order in the signal.
    """
    w, tau = np.broadcast_arrays(np.asarray(omega, dtype=float), np.asarray(spacing, dtype=float))
    if not (np.isfinite(w).all() and np.isfinite(tau).all() and 0 <= pulse < np.inf and 0 <= ends < np.inf):
        raise UsageError("Frequencies, spacings or pulses are not finite, or negative.", "Check them.")
    if pulses < 0 or (pulses and (tau < pulse).any()):
        raise UsageError("The pulses are longer than the train leaves room for.", "Shorten them.")
    k = np.arange(pulses + 1)
    starts = np.where(k == 0, 0.0, (k - 0.5) * tau[..., None] + pulse / 2)
    stops = np.where(k == pulses, pulses * tau[..., None], (k + 0.5) * tau[..., None] - pulse / 2)
    signs: Floats = np.where(k % 2, -1.0, 1.0)
    length, middle = stops - starts, (stops + starts) / 2
    wide = w[..., None]
    whole = (signs * length * np.sinc(wide * length / (2 * np.pi)) * np.exp(1j * wide * middle)).sum(axis=-1)
    if pulse > 0 and pulses:
        turning = _turning(w.reshape(-1), np.ones(1), np.zeros(1), pulse).reshape(w.shape)
        middles = (np.arange(pulses) + 0.5) * tau[..., None]
        whole = whole + turning * (signs[:-1] * np.exp(1j * wide * middles)).sum(axis=-1)
    if ends > 0:
        # int_0^e sin(pi s/(2 e)) e^{i w (s - e)} ds, and its mirror image behind the last wait.
        rate, e = np.pi / (2 * ends), ends
        rise = (rate * np.exp(-1j * w * e) + 1j * w) / (rate**2 - w**2)
        whole = whole + rise + signs[-1] * np.conj(rise) * np.exp(1j * w * pulses * tau)
    return np.asarray(whole)


def exponent(
    s2: Callable[[Floats], Floats], moments: Floats, *, pulse: float = 0.0, lowest: float = 0.0
) -> float:
    """Return chi for a two-sided spectrum s2(w), w > 0 in rad/s, from |w| = `lowest` rad/s on.

    To 1e-8 of its value: Gauss-Legendre on panels of half a fringe of Y, until they add nothing. Raises
    UsageError where the integral does not converge (a spectrum that falls more slowly than 1/w, or 1/f noise
    with no lowest frequency in a sequence that does not refocus).
    """
    times = np.asarray(moments, dtype=float)
    total = float(times[-1] - times[0])
    if total == 0:
        return 0.0
    fringe = np.pi / total
    found, batch, start = 0.0, 64, 0
    # Below the first fringe the spectrum may be steep: panels of equal ratio.
    low = max(lowest, fringe * 1e-12)
    if low < fringe:
        count = 1 + 2 * math.ceil(math.log2(fringe / low))
        steep = np.asarray(np.geomspace(low, fringe, count), dtype=np.float64)
        pieces = _panels(s2, times, pulse, steep)
        if not np.isfinite(pieces).all():
            raise UsageError("The spectrum is not finite.", "Check it at low frequencies.")
        if lowest == 0 and pieces[0] > 1e-10 * pieces.sum():
            raise UsageError("The noise has no lowest frequency: chi is infinite.", "Give `lowest`.")
        found = float(pieces.sum())
    offset = max(low, fringe)
    quiet = 0
    while start < MOST_PANELS:
        bounds: Floats = np.asarray(offset + fringe * np.arange(start, start + batch + 1), dtype=np.float64)
        more = float(_panels(s2, times, pulse, bounds).sum())
        if not math.isfinite(more):
            raise UsageError("The spectrum is not finite.", "Check it at high frequencies.")
        found += more
        start, batch = start + batch, min(2 * batch, 4096)
        # What is left falls at least as 1/w: as much again as the last batch, which doubled the range.
        quiet = quiet + 1 if more <= 2e-9 * found else 0
        if quiet > 1:
            return found / (2 * np.pi)
    raise UsageError("The spectrum falls too slowly: chi does not converge.", "Cut it off at some frequency.")


def _panels(s2: Callable[[Floats], Floats], times: Floats, pulse: float, bounds: Floats) -> Floats:
    half, middle = np.diff(bounds) / 2, (bounds[1:] + bounds[:-1]) / 2
    w = middle[:, None] + half[:, None] * _NODES
    return np.asarray(half * ((s2(w) * np.abs(transform(w, times, pulse)) ** 2) @ _WEIGHTS))


def exponent_ou(sigma: float, tau_c: float, moments: Floats) -> float:
    """Return chi for Ornstein-Uhlenbeck noise of rms `sigma` rad/s, in closed form; instantaneous pulses."""
    if not (sigma >= 0 and tau_c > 0):
        raise UsageError("Noise has a positive correlation time and an rms of 0 or more.", "Check it.")
    times = np.asarray(moments, dtype=float)
    signs = (-1.0) ** np.arange(len(times) - 1)
    a, b = times[:-1, None], times[1:, None]
    covariance = ou_phase_covariance(a, b, a.T, b.T, tau_c)
    return float(sigma**2 * (signs @ covariance @ signs) / 2)
