"""The state along a sequence: density matrices between the pulses too, averaged as a detector would see them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from qlab.errors import UsageError
from qlab.physics.levels import Complex, Floats, LevelSystem
from qlab.physics.noise import hermite_table, normal_nodes
from qlab.physics.player import Player
from qlab.physics.segments import Segment, cut
from qlab.physics.stack import stacks
from qlab.pulses.timeline import Timeline

SAMPLES = 49  # in each stretch in which nothing changes, its ends included
MOST_FREE = 4  # free intervals for which the noise is averaged exactly
STATIC = "Slow noise is taken as constant within a shot."


@dataclass(frozen=True)
class Path:
    """Where the state is at each moment: averaged over the noise and over all blocks.

    `times` (n,) in s from the start of the sequence, `names` of the levels, `populations` (levels, n), `pair` the upper
    and the lower level of the driven transition, `bloch` (3, n) its Bloch vector in the frame of the drive: z = +1 is
    the upper level, and a pulse of phase phi turns about (cos phi, sin phi, 0). `note` says what was left out.
    """

    times: Floats
    names: tuple[str, ...]
    populations: Floats
    pair: tuple[int, int]
    bloch: Floats
    note: str = ""


def path_of(system: LevelSystem, timeline: Timeline, point: int = 0) -> Path:
    """Return the state along one point of a timeline.

    The detuning noise is averaged exactly over up to `MOST_FREE` free intervals; beyond that it is taken as constant
    within a shot, which the note says. Raises UsageError for what cannot be followed.
    """
    many = timeline.take(np.full(SAMPLES, point))
    _, segments = next(iter(cut(many)))
    try:
        return _followed(system, many, segments, Follower)
    except (_TooMany, UsageError):
        return replace(_followed(system, many, segments, StaticFollower), note=STATIC)


class _TooMany(Exception):  # noqa: N818 - not an error: the other way is taken
    """There are too many free intervals for the exact average."""


def _followed(
    system: LevelSystem, many: Timeline, segments: tuple[Segment, ...], kind: "type[Follower]"
) -> Path:
    total: Complex | None = None
    pair, names = (0, 0), level_names(system)
    for stack in stacks(system.blocks()):
        player = kind(system, stack, many, segments)
        states = np.concatenate(list(player.follow()))
        if total is not None and total.shape != states.shape:
            raise UsageError("The blocks of this system have different levels: no path can be drawn.", "")
        total = states if total is None else total + states
        pair = player.pair()
    if total is None:
        raise UsageError("This system has no levels.", "")
    times = np.concatenate([s.start[0] + np.linspace(0, 1, SAMPLES) * s.seconds[0] for s in segments])
    return made(times, names or tuple(str(i) for i in range(total.shape[-1])), total, pair)


def made(times: Floats, names: tuple[str, ...], states: Complex, pair: tuple[int, int]) -> Path:
    """Return the path of density matrices (n, d, d)."""
    upper, lower = pair
    coherence = states[:, upper, lower]
    populations = np.einsum("nii->in", states).real
    up_down = populations[upper] - populations[lower]
    return Path(
        times, names, np.clip(populations, 0.0, 1.0), pair,
        np.array([2 * coherence.real, -2 * coherence.imag, up_down]),
    )  # fmt: skip


def level_names(system: object) -> tuple[str, ...]:
    """Return what a system calls its levels; none where it has no names for them."""
    return tuple(getattr(system, "level_names", ()))


class Follower(Player):
    """A player of one point of a sweep whose points are moments within each segment instead."""

    def pair(self) -> tuple[int, int]:
        """Return the upper and the lower level of the transition nearest to the carrier."""
        drive, carrier = self.stack.drive[0], float(self.carrier[0])
        quanta, energies = self.stack.one.quanta, self.stack.energies[0]
        driven = [(int(u), int(low)) for u, low in np.argwhere(drive != 0)]
        if not driven:
            return 1, 0
        return min(
            driven,
            key=lambda p: abs(energies[p[0]] - energies[p[1]] - (quanta[p[0]] - quanta[p[1]]) * carrier),
        )

    def _gauge(self) -> Complex:
        """Return the phases of the levels that make each drive real and positive; (blocks, d).

        Eigenvectors have any phase, another one in each block: without this their coherences would cancel.
        """
        gauge = np.ones((len(self.stack.weights), self.stack.dimension), dtype=complex)
        for block, drive in enumerate(self.stack.drive):
            known = {int(np.argmin(self.stack.one.quanta))}
            edges = [(int(u), int(low)) for u, low in np.argwhere(drive != 0)]
            while new := [(u, low) for u, low in edges if (u in known) != (low in known)]:
                u, low = new[0]
                turn = drive[u, low] / abs(drive[u, low])
                if low in known:
                    gauge[block, u] = turn * gauge[block, low]
                else:
                    gauge[block, low] = gauge[block, u] / turn
                known |= {u, low}
        return gauge

    def follow(self) -> Iterator[Complex]:
        """Yield the averaged density matrices (SAMPLES, d, d) of each segment."""
        driven = [i for i, s in enumerate(self.segments) if s.play is not None]
        self._prepare(driven)
        start = np.diag(self.stack.one.initial).astype(complex)
        self.rho = np.broadcast_to(start, (1, 1, len(self.stack.weights), len(self.detunings), *start.shape))
        share = np.linspace(0, 1, SAMPLES)
        for index, segment in enumerate(self.segments):
            within = replace(segment, seconds=segment.seconds * share)
            if segment.play is not None:
                self.rho = self._drive(within)
            elif segment.lit or not driven or index < driven[0]:
                self.rho = self._undriven(within, self.detunings)
            else:
                self._wait(within)
            yield self._mean()
            # The next segment begins where this one ends.
            self.rho = self.rho[:, -1:]
            if self.free:
                begin, end = self.free[-1]
                self.free[-1] = (begin, np.broadcast_to(end[-1:], end.shape))

    def _prepare(self, driven: list[int]) -> None:
        free = [
            s for s in self.segments[driven[0] :] if s.play is None and not s.lit
        ] if driven else []  # fmt: skip
        if len(free) > MOST_FREE:
            raise _TooMany
        segments = [self.segments[i] for i in driven]
        self._resolve_noise(segments)
        if len(driven) == 1 and free:
            # The engine needs no Hermite series after the last pulse; what happens there is looked at here.
            turn = self.system.sigma_detuning * float(segments[0].seconds.max())
            z, self.weights = normal_nodes(turn, phases=True) if turn > 0 else (np.zeros(1), np.ones(1))
            self.detunings, self.hermite = z * self.system.sigma_detuning, hermite_table(z)

    def _wait(self, segment: Segment) -> None:
        self._spread(segment)

    def _mean(self) -> Complex:
        """Return the density matrices of this segment, averaged over noise and blocks; (SAMPLES, d, d)."""
        d = self.stack.dimension
        gauge = self._gauge()
        turned = self.rho * (gauge.conj()[:, :, None] * gauge[:, None, :])[:, None]
        values = np.einsum("b,kpbnij->kpnij", self.stack.weights, turned)
        total = np.zeros((SAMPLES, d, d), dtype=complex)
        for branch, path in zip(values, self.paths, strict=True):
            seen = self._average(branch.reshape(*branch.shape[:2], d * d), path).reshape(-1, d, d)
            total += seen
            if any(path):
                total += seen.conj().swapaxes(-1, -2)
        return total


class StaticFollower(Follower):
    """The same with detunings that stay constant within a shot."""

    def _prepare(self, driven: list[int]) -> None:
        sigma = self.system.sigma_detuning
        first = self.segments[driven[0]].start[0] if driven else 0.0
        last = self.segments[-1]
        turn = sigma * float(last.start[0] + last.seconds[0] - first)
        z, self.weights = normal_nodes(turn, phases=False) if turn > 0 else (np.zeros(1), np.ones(1))
        self.detunings, self.hermite = z * sigma, np.ones((1, len(z)))

    def _wait(self, segment: Segment) -> None:
        self.rho = self._undriven(segment, self.detunings)
