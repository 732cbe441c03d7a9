"""The driven two-level system in closed form: lines of a hyperfine triplet, Rabi transfer, Ramsey pulses."""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals = NDArray[np.float64]
Complexes = NDArray[np.complex128]

HYPERFINE_14N = 2.14e6  # Hz, the usual splitting: only where a fit starts looking
HYPERFINE_15N = 3.03e6
HYPERFINE_BORON_VACANCY = 47e6
NITROGEN_14 = (-1.0, 0.0, 1.0)
NITROGEN_15 = (-0.5, 0.5)


def line_offsets(
    hyperfine: ArrayLike, asymmetry: float = 0.0, projections: tuple[float, ...] = NITROGEN_14
) -> Reals:
    """Return where the lines of a nucleus stand from their mean: m A + (m² − ⟨m²⟩) q; Hz.

    Shape (lines, 1) for a number A, (lines, traces, 1) for A of shape (traces, 1): either broadcasts against x.
    """
    m = np.array(projections)
    offsets = np.multiply.outer(m, np.atleast_1d(hyperfine))
    second = (m**2 - np.mean(m**2)) * asymmetry
    return np.asarray(offsets + second.reshape(-1, *[1] * (offsets.ndim - 1)))


@cache
def _hermite(nodes: int) -> tuple[Reals, Reals]:
    points, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return points, weights / weights.sum()


def gaussian_nodes(sigma: ArrayLike, duration: float) -> tuple[Reals, Reals]:
    """Return detunings (Hz) and weights that average over N(0, σ²) by Gauss–Hermite.

    Shapes: detunings (nodes, 1) for a number σ, (nodes, traces, 1) for σ of shape (traces, 1); weights (nodes,).
    Enough nodes for the phase 2π σ t that spreads over a duration (s): 21 are exact to 1e-7 at 4 rad.
    """
    widths = np.atleast_1d(np.asarray(sigma, dtype=float))
    widest = float(np.max(np.abs(widths)))
    if widest == 0:
        return np.zeros((1, *widths.shape)), np.ones(1)
    turn = min(8 * np.pi * widest * duration, 61.0) if np.isfinite(widest) else 61.0
    points, weights = _hermite(int(np.clip(7 + turn, 7, 61)) | 1)
    return np.multiply.outer(points, widths), weights


def rabi_transfer(rabi: ArrayLike, detuning: ArrayLike, duration: ArrayLike) -> Reals:
    """Return Ω²/(Ω²+δ²) sin²(π √(Ω²+δ²) t): transfer by a square pulse. Ω, δ in Hz, t in s; broadcasts."""
    rabi, detuning, duration = np.asarray(rabi), np.asarray(detuning), np.asarray(duration)
    # numpy's sinc keeps this finite where both rates vanish.
    sinc = np.sinc(np.hypot(rabi, detuning) * duration)
    return np.asarray((np.pi * rabi * duration * sinc) ** 2, dtype=float)


def _first_pulse(rabi: float, duration: float, detuning: Reals) -> tuple[Complexes, Reals]:
    rate = np.hypot(rabi, detuning)
    half = np.pi * rate * duration
    kept = np.cos(half) + 1j * detuning / rate * np.sin(half)
    return kept, (rabi / rate * np.sin(half)) ** 2


def ramsey_pulses(rabi: float, duration: float, detuning: Reals) -> tuple[Reals, Complexes, Complexes]:
    """Return (mean, coherence, delay) of two equal square pulses; shapes of `detuning` (Hz).

    With H = −(δ/2)σ_z + (Ω/2)(cos φ σ_x + sin φ σ_y), index 0 excited, U = [[a, b], [−b*, a*]] for the first
    pulse, the transfer after a free precession τ at δ' and a second pulse of phase φ is
    mean + Re[coherence · exp(i(2π δ' τ + φ))], with mean = 2|a|²|b|² and coherence = 2|b|² a².
    `delay` = d ln(coherence)/d(2πi δ), in s: to first order a static spread of δ acts for τ + delay, not for
    τ, because the coherence exists during part of the pulses. Ideal pulses where rabi or duration is 0.
    """
    if rabi <= 0 or duration <= 0:
        shape = np.shape(detuning)
        return np.full(shape, 0.5), np.full(shape, 0.5 + 0j), np.zeros(shape, dtype=complex)
    kept, moved = _first_pulse(rabi, duration, detuning)
    step = 1e-4 * rabi
    ahead, behind = (_first_pulse(rabi, duration, detuning + s) for s in (step, -step))
    coherence = 2 * moved * kept**2
    change = 2 * (ahead[1] * ahead[0] ** 2 - behind[1] * behind[0] ** 2) / (2 * step)
    safe = np.where(np.abs(coherence) > 1e-9, coherence, 1e-9)
    delay = np.where(np.abs(coherence) > 1e-9, change / safe, 0) / (2j * np.pi)
    return 2 * np.abs(kept) ** 2 * moved, coherence, delay
