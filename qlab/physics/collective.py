"""Collective spins in the Dicke basis m = N/2 ... -N/2: states, moments, twisting, collective dephasing.

A permutation-symmetric state of N spins 1/2 has N + 1 amplitudes. Everything here stays on the few diagonals that
the moments of J touch, so that N = 1000 and beyond cost nothing. One-axis twisting: Kitagawa & Ueda, PRA 47, 5138
(1993).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.propagate import even_step

Floats = NDArray[np.float64]
Complex = NDArray[np.complex128]
EVEN_FROM = 8  # times, from which giant steps pay


@dataclass(frozen=True)
class Moments:
    """First and second moments of the collective spin, arrays of one shape; yz is <JyJz + JzJy>/2, and so on."""

    x: Floats
    y: Floats
    z: Floats
    xx: Floats
    yy: Floats
    zz: Floats
    xy: Floats
    yz: Floats
    zx: Floats


def count(spins: int) -> int:
    """Return the number of spins. Raises UsageError for less than one, and for a part of one."""
    if not math.isfinite(spins) or spins < 1 or spins != int(spins):
        raise UsageError(f"There cannot be {spins} spins.", "Give a whole number, at least 1.")
    return int(spins)


def levels(spins: int) -> Floats:
    """Return m = N/2 ... -N/2; shape (N + 1,). Raises UsageError for less than one spin."""
    spins = count(spins)
    return np.asarray(spins / 2 - np.arange(spins + 1), dtype=float)


def ladder(spins: int) -> Floats:
    """Return <m + 1|J+|m> for m = N/2 - 1 ... -N/2; shape (N,)."""
    m = levels(spins)[1:]
    return np.asarray(np.sqrt(spins / 2 * (spins / 2 + 1) - m * (m + 1)))


def coherent(spins: int, polar: float, azimuth: float) -> Complex:
    """Return the coherent state that points along (polar, azimuth) from +z; shape (N + 1,)."""
    m = levels(spins)
    k = spins / 2 - m
    up, down = np.cos(polar / 2), np.sin(polar / 2)
    if not (math.isfinite(polar) and math.isfinite(azimuth)):
        raise UsageError("The direction of a coherent state is not finite.", "Check its angles.")
    if up == 0 or down == 0:
        return np.where(k == (spins if up == 0 else 0), np.exp(1j * azimuth * k), 0)
    size = np.zeros(spins + 1)
    np.cumsum(np.log(m[:-1] + spins / 2) - np.log(k[1:]), out=size[1:])
    size = size / 2 + (spins - k) * math.log(abs(up)) + k * math.log(abs(down))
    made = np.exp(size) * np.sign(up) ** (spins - k) * np.sign(down) ** k
    return np.asarray(made if azimuth == 0 else made * np.exp(1j * azimuth * k), dtype=complex)


def twisting(
    spins: int, times: Floats, chi: float, *, dephasing: float = 0.0, start: Complex | None = None
) -> Moments:
    """Return the moments under chi Jz^2 (rad/s) with collective dephasing sqrt(dephasing) Jz, at times (t,).

    From a coherent state along x, or any symmetric `start` (N + 1,). Exact: each diagonal q of the density matrix
    only turns, by chi ((m + q)^2 - m^2) t, and decays by exp(-dephasing q^2 t/2).
    """
    t = np.atleast_1d(np.asarray(times, dtype=float))
    if not (np.isfinite(t).all() and math.isfinite(chi) and math.isfinite(dephasing)) or dephasing < 0:
        raise UsageError("Times and rates of twisting are not finite or negative.", "Check the sweep.")
    if start is None:
        return _twisted_along_x(spins, t, chi, dephasing)
    m, up = levels(spins), ladder(spins)
    psi = np.asarray(start, dtype=complex)
    if psi.shape != m.shape or not np.isfinite(psi).all():
        raise UsageError(f"A state of shape {psi.shape} is none of {spins} spins.", "Give N + 1 amplitudes.")
    first = psi[:-1].conj() * up * psi[1:]  # of J+, between m + 1 and m
    second = psi[:-2].conj() * up[:-1] * up[1:] * psi[2:]  # of J+^2, between m + 2 and m
    low = m[1:]
    raising = np.stack([first, first * (2 * low + 1) / 2], axis=1)  # of J+, and of (J+ Jz + Jz J+)/2
    step = even_step(t) if len(t) >= EVEN_FROM else None
    one = _turned(raising, chi * (2 * low + 1), t, dephasing / 2, step)
    two = _turned(second[:, None], chi * (4 * low[1:] + 4), t, 2 * dephasing, step)[:, 0]
    weight = np.abs(psi) ** 2
    z, zz = (np.full(len(t), float(weight @ power)) for power in (m, m**2))
    around = (spins / 2 * (spins / 2 + 1) - zz) / 2
    return Moments(
        x=one[:, 0].real,
        y=one[:, 0].imag,
        z=z,
        xx=around + two.real / 2,
        yy=around - two.real / 2,
        zz=zz,
        xy=two.imag / 2,
        yz=one[:, 1].imag,
        zx=one[:, 1].real,
    )


def _twisted_along_x(spins: int, t: Floats, chi: float, dephasing: float) -> Moments:
    """Return the moments from a coherent state along x in closed form (Kitagawa & Ueda 1993), for any N."""
    count(spins)
    n, cosine, sine = float(spins), np.cos(chi * t), np.sin(chi * t)
    single, double = cosine ** max(n - 2, 0.0), np.cos(2 * chi * t) ** max(n - 2, 0.0)
    if dephasing:
        single, double = single * np.exp(-dephasing / 2 * t), double * np.exp(-2 * dephasing * t)
    none = np.zeros(len(t))
    across = n * (n - 1) / 8 * double
    return Moments(
        x=n / 2 * single * (cosine if n > 1 else 1.0),
        y=none, z=none, xx=n * (n + 1) / 8 + across, yy=n * (n + 1) / 8 - across, zz=np.full(len(t), n / 4),
        xy=none, yz=n * (n - 1) / 4 * sine * single, zx=none,
    )  # fmt: skip


def _turned(weights: Complex, rates: Floats, times: Floats, decay: float, step: float | None) -> Complex:
    """Return sum_m weights[m, k] exp(i rates[m] t - decay t) for each t; (t, k). Even times by giant steps."""
    if step is None:
        return np.asarray(np.exp(1j * np.multiply.outer(times, rates) - decay * times[:, None]) @ weights)
    babies = math.isqrt(len(times)) + 1
    giants = -(-len(times) // babies)
    small = np.exp(1j * np.multiply.outer(rates, step * np.arange(babies)))
    large = np.exp(1j * np.multiply.outer(times[0] + step * babies * np.arange(giants), rates))
    made = (large * weights.T[:, None, :]) @ small
    made = made.reshape(weights.shape[1], -1)[:, : len(times)].T
    return np.asarray(made * np.exp(-decay * times)[:, None]) if decay else made


def moments(psi: Complex) -> Moments:
    """Return the moments of a symmetric state (N + 1,); scalars in arrays of shape ()."""
    made = twisting(len(psi) - 1, np.zeros(1), 0.0, start=psi)
    return Moments(**{name: np.asarray(value[0]) for name, value in vars(made).items()})


def wineland(spins: int, seen: Moments) -> Floats:
    """Return xi_R^2 = N (smallest variance across the mean spin)/|<J>|^2 (Wineland, PRA 50, 67 (1994))."""
    count(spins)
    length2 = seen.x**2
    if not _along_x(seen):
        length2 = length2 + seen.y**2 + seen.z**2
    if not (length2 > 0).all():
        raise UsageError("The mean spin vanishes: it has no squeezing.", "Look at other times.")
    return np.asarray(spins * smallest_variance(seen) / length2)


def kitagawa(spins: int, seen: Moments) -> Floats:
    """Return xi_S^2 = (smallest variance across the mean spin)/(N/4) (Kitagawa & Ueda 1993)."""
    return np.asarray(smallest_variance(seen) / (count(spins) / 4))


def _along_x(seen: Moments) -> bool:
    """Say whether the mean spin lies along x, as it does in twisting from there: y and z are across it."""
    return bool(np.all(seen.x) and not (np.any(seen.y) or np.any(seen.z)))


def smallest_variance(seen: Moments) -> Floats:
    """Return the smallest variance of a spin component across the mean spin."""
    if _along_x(seen):
        half = (seen.yy - seen.zz) / 2
        return np.asarray((seen.yy + seen.zz) / 2 - np.sqrt(half * half + seen.yz * seen.yz))
    xx, yy, zz = seen.xx - seen.x**2, seen.yy - seen.y**2, seen.zz - seen.z**2
    xy, yz, zx = seen.xy - seen.x * seen.y, seen.yz - seen.y * seen.z, seen.zx - seen.z * seen.x
    length = np.sqrt(seen.x**2 + seen.y**2 + seen.z**2)
    safe = np.where(length == 0, 1.0, length)
    x, y, z = seen.x / safe, seen.y / safe, np.where(length == 0, 1.0, seen.z / safe)
    # In the plane across n the covariance C has the trace tr C - n.C.n and the determinant n.adj(C).n.
    along = x * x * xx + y * y * yy + z * z * zz + 2 * (x * y * xy + y * z * yz + z * x * zx)
    half = (xx + yy + zz - along) / 2
    minors = (
        x * x * (yy * zz - yz**2)
        + y * y * (xx * zz - zx**2)
        + z * z * (xx * yy - xy**2)
        + 2 * (x * y * (yz * zx - xy * zz) + y * z * (xy * zx - yz * xx) + z * x * (xy * yz - zx * yy))
    )
    return np.asarray(half - np.sqrt(np.maximum(half**2 - minors, 0.0)))


def operators(spins: int) -> tuple[Any, Any, Any]:
    """Return Jx, Jy, Jz as sparse matrices on the N + 1 symmetric states."""
    from scipy.sparse import diags_array

    up = diags_array(ladder(spins), offsets=1).tocsr().astype(complex)
    return (up + up.T) / 2, (up - up.T) / 2j, diags_array(levels(spins)).tocsr().astype(complex)


def evolved(hamiltonian: Any, psi: Complex, seconds: float) -> Complex:
    """Return exp(-i H t) psi for a sparse H on the symmetric states (two-axis twisting, twist and turn, ...).

    By the action of the exponential (Al-Mohy & Higham 2011), to rounding; shape (N + 1,).
    """
    from scipy.sparse.linalg import expm_multiply

    if hamiltonian.shape != (len(psi), len(psi)):
        raise UsageError(f"H of shape {hamiltonian.shape} does not act on {len(psi)} levels.", "Check N.")
    if abs(hamiltonian - hamiltonian.conj().T).max() > 1e-10 * max(abs(hamiltonian).max(), 1e-300):
        raise UsageError("The Hamiltonian is not Hermitian.", "Add the Hermitian conjugate.")
    if not np.isfinite(seconds) or not np.isfinite(abs(hamiltonian).max()):
        raise UsageError("The duration or the Hamiltonian is not finite.", "Check the numbers.")
    return np.asarray(expm_multiply(-1j * seconds * hamiltonian, psi))
