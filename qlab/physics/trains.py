"""Pulse trains under an AC signal: XY8, CPMG, Qdyne, with finite pulses and relaxation, for all points at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics import given
from qlab.physics.given import Complex, Floats
from qlab.physics.sectors import hilbert_sectors
from qlab.physics.signals import Frame, Series, Stack, frame
from qlab.physics.superoperator import generators, parts


@dataclass(frozen=True)
class Pulse:
    """A drive added to the Hamiltonian, (d, d) in rad/s, for so many seconds."""

    drive: Any
    seconds: float


@dataclass(frozen=True)
class Signal:
    """coupling * cos(omega t + phase) in the Hamiltonian; coupling (d, d) in rad/s, phase one or (points,)."""

    coupling: Any
    omega: float
    phase: Any = 0.0


def train(
    hamiltonian: Any,
    signal: Signal,
    pulses: Sequence[tuple[Pulse, Any]],
    end: Any,
    start: Any,
    observable: Any,
    collapse: Any = (),
) -> Floats:
    """Return Tr(O rho) after a train of pulses under a periodic signal; shape (points,).

    `pulses` in order, each with the time at which it begins, one or (points,); `end` the time of the readout; the
    state `start` is that of t = 0. To about 1e-10, whatever the strength and frequency of the signal. Raises
    UsageError where pulses overlap or operators do not fit.
    """
    rho = given.density(start)
    d = rho.shape[-1]
    h = given.hermitian(hamiltonian, "The Hamiltonian", d)
    tilt = given.hermitian(signal.coupling, "The signal's coupling", d)
    readout = given.hermitian(observable, "The observable", d)
    relaxing = given.jumps(collapse, d)
    kinds: list[Pulse] = []
    for pulse, _ in pulses:
        if not any(pulse is kind for kind in kinds):
            kinds.append(pulse)
    drives = [given.hermitian(kind.drive, "A drive", d) for kind in kinds]
    starts, stops, points = _times(pulses, end, signal.phase)
    phase = np.broadcast_to(np.asarray(signal.phase, dtype=float), (points,))
    if not np.isfinite(phase).all():
        raise UsageError("The phase of the signal is not finite.", "Check the sweep.")
    which = [next(i for i, kind in enumerate(kinds) if kind is pulse) for pulse, _ in pulses]
    total = np.zeros(points)
    for sector in _alike(hilbert_sectors([h, tilt, *drives], relaxing, [rho, readout]), [rho, readout]):
        rows, columns = sector[:, :, None], sector[:, None, :]
        collapse_here = np.ascontiguousarray(np.moveaxis(relaxing[..., rows, columns], 0, 1))
        base = generators(np.ascontiguousarray(h[rows, columns]), collapse_here)
        none = np.zeros((0, sector.shape[1], sector.shape[1]), dtype=complex)
        lean = generators(np.ascontiguousarray(tilt[rows, columns]), none)
        still = frame(base, lean, signal.omega)
        made = {
            i: still.pulse(
                base + generators(np.ascontiguousarray(drive[rows, columns]), none),
                lean,
                signal.omega,
                kinds[i].seconds,
            )
            for i, drive in enumerate(drives)
        }
        left, right = (parts(np.ascontiguousarray(end_[rows, columns])) for end_ in (readout, rho))
        total += _played(still, made, which, starts, stops, phase, signal.omega, left, right)
    return total


def _times(pulses: Sequence[tuple[Pulse, Any]], end: Any, phase: Any) -> tuple[Floats, Floats, int]:
    """Return when each free interval starts and stops, (pulses + 1, points) each."""
    begins = [given.seconds(begin, "The start of a pulse") for _, begin in pulses]
    last = given.seconds(end, "The end of the train")
    sizes = {x.size for x in (*begins, last, np.asarray(phase)) if x.ndim}
    if len(sizes) > 1:
        raise UsageError(f"Sweeps of lengths {sorted(sizes)} meet.", "Sweep over one list.")
    points = sizes.pop() if sizes else 1
    lengths = [float(given.seconds(pulse.seconds)) for pulse, _ in pulses]
    wide = [np.broadcast_to(x, (points,)) for x in (*begins, last)]
    starts = np.array([np.zeros(points), *(x + n for x, n in zip(wide, lengths, strict=False))])
    stops = np.array(wide)
    slack = 1e-9 * max(float(stops.max()), 1e-300)
    if np.any(stops < starts - slack):
        raise UsageError("Pulses overlap.", "Leave at least a pulse's length between them.")
    return starts, np.maximum(stops, starts), points


def _alike(found: list[NDArray[np.int64]], ends: Sequence[Complex]) -> list[NDArray[np.int64]]:
    """Return the sectors in which something starts and is seen, those of one size together."""
    held = [s for s in found if all(end[..., s[:, None], s].any() for end in ends)]
    sizes = sorted({len(s) for s in held})
    return [np.array([s for s in held if len(s) == size]) for size in sizes]


def _played(
    still: Frame,
    made: dict[int, Series],
    which: list[int],
    starts: Floats,
    stops: Floats,
    phase: Floats,
    omega: float,
    left: Floats,
    right: Floats,
) -> Floats:
    """Return left . (the train) . right summed over sectors (g, n); in the frame, sector by sector."""
    points = len(phase)
    turn = np.exp(1j * (omega * stops + phase))
    state = np.broadcast_to(right[:, None, :], (len(right), points, right.shape[1])).astype(complex)
    state = _apply(still.into, np.exp(1j * phase), state)
    waited: dict[bytes, Stack] = {}
    for k, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        # The same interval comes back many times, but for rounding of the times themselves.
        wait = stop - start
        key = np.round(wait / (1e-12 * max(float(stops.max()), 1e-300))).tobytes()
        if key not in waited:
            waited[key] = np.exp(still.exponents[:, None, :] * wait[:, None])
        state = state * waited[key]
        if k < len(which):
            state = _apply(made[which[k]], turn[k], state)
    state = _apply(still.out, turn[-1], state)
    return np.asarray((state @ left[:, :, None]).sum(axis=0)[:, 0].real)


def _apply(matrix: Series, turn: Stack, state: Stack) -> Stack:
    """Return sum_h turn^h (M_h state), state (g, points, n), turn (points,)."""
    sectors, points, n = state.shape
    count = len(matrix.orders)
    wide = matrix.coefficients.transpose(1, 3, 0, 2).reshape(sectors, n, count * n)
    each = (state @ wide).reshape(sectors, points, count, n)
    shares = turn[:, None] ** matrix.orders
    return np.asarray((shares[:, None, :] @ each)[:, :, 0, :])
