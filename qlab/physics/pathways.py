"""Pathways: pulses that no point changes, contracted over the noise before the points are unfolded.

Where only waiting times and phases are swept, a sequence of pulses and free intervals is a sum over paths: the
element of the density matrix (or the mode of the populations) that lives in each interval. Along a path the points
enter as one complex factor, so the average over nodes and levels is done once for all of them. The noise itself is
averaged as in `qlab.physics.player`.
"""

from dataclasses import dataclass
from itertools import groupby, product
from typing import TYPE_CHECKING

import numpy as np

from qlab.physics.exponential import expm
from qlab.physics.levels import Complex, Floats
from qlab.physics.propagate import WORST_CONDITION
from qlab.physics.rates import rate_matrix
from qlab.physics.segments import Segment
from qlab.physics.superoperator import hermitian_basis

if TYPE_CHECKING:
    from qlab.physics.player import Player

NEGLIGIBLE = 1e-14
# Elements to the power of the intervals: with three levels two intervals have 81 paths, three have 729.
MOST_PATHS = 300


@dataclass(frozen=True)
class _Parts:
    """A sequence taken apart: before the first pulse, the pulses, what lies between them, what follows."""

    before: list[Segment]
    pulses: list[Segment]
    between: list[tuple[Floats, Floats]]  # start and seconds of each free interval
    after: list[Segment]


def contracted(player: "Player", segments: tuple[Segment, ...], labels: int) -> Floats | None:
    """Return the outcome probabilities (points, labels), or None where the points change the pulses."""
    found = _taken_apart(player, segments)
    if found is None or player.stack.dimension ** (2 * len(found.between)) > MOST_PATHS:
        return None
    modes = _modes(player)
    if modes is None:
        return None
    decay, basis, inverse = modes
    stack, d = player.stack, player.stack.dimension
    player.free = [(start, start + seconds) for start, seconds in found.between]
    maps = [inverse @ _pulse(player, pulse) @ basis for pulse in found.pulses]

    population = stack.one.initial
    for segment in found.before:
        population = _relaxed(player, segment) @ population
    readout = (stack.one.labels[None, :] == np.arange(labels)[:, None]).astype(float)
    for segment in reversed(found.after):
        readout = readout @ _relaxed(player, segment)
    diagonal = np.arange(d) * (d + 1)
    first = (maps[0] @ (inverse[:, diagonal] @ population))[..., None, :]
    last = readout @ (basis[diagonal] @ maps[-1])
    # (blocks, nodes, labels, element of the last interval, ... of the first), contracted over the nodes.
    whole = (
        last * first if len(maps) == 2 else last[..., None] * maps[1][..., None, :, :] * first[..., None, :]
    )
    weighted = (player.hermite * player.weights) @ np.moveaxis(whole, 1, 0).reshape(len(player.weights), -1)
    kernel = weighted.reshape(len(player.hermite), whole.shape[0], *whole.shape[2:])
    kernel = kernel * stack.weights[:, None, *[None] * len(found.between)]
    return _unfolded(player, found, decay, kernel, labels)


def _taken_apart(player: "Player", segments: tuple[Segment, ...]) -> _Parts | None:
    groups = [(driven, list(group)) for driven, group in groupby(segments, lambda s: s.play is not None)]
    pulses = [segment for driven, group in groups if driven for segment in group]
    if len(pulses) not in (2, 3) or any(driven and len(group) > 1 for driven, group in groups):
        return None
    before = groups[0][1] if not groups[0][0] else []
    after = groups[-1][1] if not groups[-1][0] else []
    gaps = [group for driven, group in groups if not driven and group is not before and group is not after]
    steady = [*before, *after, *pulses]
    if len(gaps) != len(pulses) - 1 or any(segment.lit for gap in gaps for segment in gap):
        return None
    if not all(_one(segment.seconds) for segment in steady) or not _one(player.carrier):
        return None
    if not all(_one(player.rabi(p)) and _one(player.drive_frequency(p)) for p in pulses):
        return None
    between = [(gap[0].start, np.sum([segment.seconds for segment in gap], axis=0)) for gap in gaps]
    return _Parts(before, pulses, between, after)


def _one(values: Floats) -> bool:
    return bool(np.all(values == values[0]))


def _modes(player: "Player") -> tuple[Complex, Complex, Complex] | None:
    """Return the decay of each element or mode (d*d,), and the bases from and to them (d*d, d*d)."""
    d = player.stack.dimension
    rates, decay = rate_matrix(player.jumps(lit=False))
    values, vectors = np.linalg.eig(rates)
    if not np.linalg.cond(vectors) < WORST_CONDITION:
        return None
    diagonal = np.arange(d) * (d + 1)
    basis, inverse = np.eye(d * d, dtype=complex), np.eye(d * d, dtype=complex)
    basis[diagonal[:, None], diagonal] = vectors
    inverse[diagonal[:, None], diagonal] = np.linalg.inv(vectors)
    fading = -decay.reshape(-1).astype(complex)
    fading[diagonal] = np.minimum(values.real, 0) + 1j * values.imag
    return fading, basis, inverse


def _pulse(player: "Player", segment: Segment) -> Complex:
    """Return what a pulse does to the elements, its phase left out; (blocks, nodes, d*d, d*d)."""
    frequency, rabi = player.drive_frequency(segment)[:1], player.rabi(segment)[:1]
    jumps = player.jumps(lit=segment.lit)
    generator = player.stack.generators(frequency, rabi, player.detunings, jumps)[0]
    basis = hermitian_basis(player.stack.dimension)
    return np.asarray(basis.conj().T @ expm(generator * segment.seconds[0]) @ basis)


def _relaxed(player: "Player", segment: Segment) -> Floats:
    rates, _ = rate_matrix(player.jumps(lit=segment.lit))
    return np.asarray(expm(rates * segment.seconds[0]))


def _turns(player: "Player", found: _Parts, decay: Complex, k: int) -> Complex:
    """Return the factor of each element over interval k, the pulses' phases included; (points, blocks, d*d)."""
    stack = player.stack
    seconds = found.between[k][1]
    frame = stack.energies - stack.one.quanta * player.carrier[0]
    gap = (frame[:, :, None] - frame[:, None, :]).reshape(len(frame), -1)
    made = np.exp((decay - 1j * gap) * seconds[:, None, None])
    early, late = found.pulses[k].play, found.pulses[k + 1].play
    assert early is not None  # noqa: S101 - narrows the type; pulses are driven
    assert late is not None  # noqa: S101
    after = early.phase + 2 * np.pi * early.frequency * found.pulses[k].seconds
    phase = np.broadcast_to(late.phase - after, (player.points,))
    turned = np.exp(1j * np.multiply.outer(phase, np.arange(-stack.quanta.max(), stack.quanta.max() + 1)))
    return np.asarray(made * turned[:, None, stack.quanta.reshape(-1) + stack.quanta.max()])


def _unfolded(player: "Player", found: _Parts, decay: Complex, kernel: Complex, labels: int) -> Floats:
    """Return the sum over paths; kernel (hermite, blocks, labels, element of the last interval, ... first)."""
    order = player.stack.order.reshape(-1)
    chosen = {int(q): np.flatnonzero(order == q) for q in np.unique(order)}
    turns = [_turns(player, found, decay, k) for k in range(len(found.between))]
    total = np.zeros((player.points, labels))
    for path in product(chosen, repeat=len(found.between)):
        whole = not any(path)
        if not whole and next(q for q in path if q) < 0:
            continue  # of two conjugate paths one is enough
        last = chosen[path[-1]]
        part = kernel[:, :, :, last]
        if len(path) == 2:
            part = part[..., chosen[path[0]]]
        if np.abs(part).max() < NEGLIGIBLE:
            continue
        factor = player.noise_factors(path)
        part = part[: factor.shape[1]]
        size = part.shape[1:]
        values = (factor @ part.reshape(len(part), -1)).reshape(len(factor), *size)
        if len(path) == 2:
            early = turns[0][:, :, None, chosen[path[0]], None]
            values = (values @ early)[..., 0]
        seen = (values @ turns[-1][:, :, last, None])[..., 0].sum(axis=1).real
        total += (1.0 if whole else 2.0) * seen
    return total
