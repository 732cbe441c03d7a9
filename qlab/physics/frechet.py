"""Exact derivatives of propagated states: Frechet derivatives of the exponential, for Fisher information.

exp([[A, E], [0, A]] t) holds exp(A t) and its derivative in the direction E, with no step size (Van Loan, IEEE TAC
23, 395 (1978); Najfeld & Havel, Adv. Appl. Math. 16, 321 (1995)).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics import given
from qlab.physics.exponential import expm
from qlab.physics.given import Complex, Floats
from qlab.physics.superoperator import generators, liouvillian, matrices, parts, real_form


def frechet(generators: NDArray[Any], directions: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return exp(A), (..., n, n), and its derivatives in k directions (k, ..., n, n)."""
    n = generators.shape[-1]
    if directions.shape[-2:] != generators.shape[-2:] or directions.ndim < 3:
        raise UsageError(f"Directions of shape {directions.shape} do not fit.", "Give (k, ..., n, n).")
    lead = np.broadcast_shapes(directions.shape[:-2], generators.shape[:-2])
    whole = np.zeros((*lead, 2 * n, 2 * n), dtype=np.result_type(generators, directions, float))
    whole[..., :n, :n] = whole[..., n:, n:] = generators
    whole[..., :n, n:] = directions
    # The derivative is linear in the direction: one of the generator's own size keeps the scaling small.
    size = np.abs(directions).max(axis=(-2, -1), keepdims=True)
    scale = np.where(size > 0, size, 1.0) / np.maximum(
        np.abs(generators).max(axis=(-2, -1), keepdims=True), 1.0
    )
    whole[..., :n, n:] /= scale
    made = expm(whole)
    if not lead[0]:
        return expm(generators), made[..., :n, n:]
    return made[0, ..., :n, :n], made[..., :n, n:] * scale


@dataclass(frozen=True)
class Varied:
    """A step of `seconds` under H (d, d) in rad/s, and dH/dtheta for each parameter (k, d, d).

    `jumps` and `rates`: collapse operators sqrt(rate)*jump, and for each parameter d(rate)/dtheta/rate of each of
    them, (k, jumps); None where they do not depend on the parameters.
    """

    hamiltonian: Any
    slopes: Any
    seconds: float
    jumps: Any = ()
    rates: Any = None


def with_derivatives(steps: Sequence[Varied], start: Any) -> tuple[Complex, Complex]:
    """Return rho (d, d) after the steps and d rho/d theta (k, d, d), exact to rounding."""
    rho = given.density(start)
    d = rho.shape[-1]
    if not steps:
        raise UsageError("There are no steps.", "Give at least one.")
    counts = {len(given.array(step.slopes)) for step in steps}
    if len(counts) > 1:
        raise UsageError("The steps have derivatives for different parameters.", "Give k for each.")
    k = counts.pop()
    state, moved = parts(rho), np.zeros((k, d * d))
    for step in steps:
        h = given.hermitian(step.hamiltonian, "The Hamiltonian", d)
        slopes = given.hermitian(step.slopes, "A derivative of the Hamiltonian", d)
        relaxing = given.jumps(step.jumps, d)
        seconds = float(given.seconds(step.seconds))
        directions = generators(slopes, np.zeros((0, d, d), dtype=complex))
        if step.rates is not None:
            directions = directions + _rate_slopes(relaxing, np.asarray(step.rates, dtype=float), d)
        whole, turned = frechet(generators(h, relaxing) * seconds, directions * seconds)
        moved = moved @ whole.T + turned @ state
        state = whole @ state
    return matrices(state), matrices(moved)


def _rate_slopes(jumps: Complex, rates: Floats, d: int) -> Floats:
    if rates.ndim != 2 or rates.shape[1] != len(jumps):
        raise UsageError(f"Slopes of rates of shape {rates.shape} do not fit.", "Give (k, jumps).")
    still = np.zeros((d, d), dtype=complex)
    each = np.array([real_form(liouvillian(still, jump[None])) for jump in jumps])
    return np.asarray(np.tensordot(rates, each, axes=1))
