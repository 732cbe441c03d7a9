"""Long trains of pulses on a timeline, under tones: XY8, CPMG, Qdyne, with finite pulses and all levels.

`qlab.physics.player` averages the noise exactly over every path of coherence orders, and their number grows
exponentially with the pulses. Here the static part of the noise is resolved on nodes through everything, pulses and
waits, and so is exact for any pulses; what the noise wanders during the train is put on the path that ideal pulses
take, exp(-chi) with the chi of Ornstein-Uhlenbeck noise under their signs: exact for ideal pulses, and beside them
wrong by no more than the share of the other paths times chi.

Tones act during waits as their exact integral, and during a pulse as kicks at Gauss points, enough of them to follow
the level that turns fastest: right to first order in the angle a by which a tone turns the spin in one pulse, and
beyond it to a tenth of a^2.
The state of all points is held as real parts in the Hermitian basis; a pulse is one product of matrices.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.exponential import expm
from qlab.physics.levels import Complex, Floats, LevelSystem
from qlab.physics.noise import normal_nodes, ou_phase_covariance
from qlab.physics.player import MOST_TURN, Player
from qlab.physics.rates import expm_by_duration, once, rate_matrix
from qlab.physics.segments import Segment
from qlab.physics.stack import BlockStack
from qlab.physics.tones import Tone
from qlab.pulses.timeline import Timeline

FEW_PULSES = 4  # up to which the paths of coherence orders can be followed
MOST_NUMBERS = 4_000_000  # in the state of the points played together
FEWEST_KICKS, MOST_KICKS = 4, 24
STIRRED = 0.02  # share of its distance from resonance with which a drive must turn for a level to be followed
Turn = Callable[[Floats, Floats], Floats]


def is_train(segments: tuple[Segment, ...], tones: tuple[Tone, ...]) -> bool:
    """Return whether a timeline has to be played here: many pulses before the light, or tones between them."""
    pulses = sum(segment.play is not None for segment in segments)
    if pulses < 2 or any(segment.keys and segment.play is not None for segment in segments):
        return False
    return pulses > FEW_PULSES or any(not tone.silent for tone in tones)


class Train(Player):
    """Plays a train of pulses under tones; `play` as `Player.play`."""

    def __init__(
        self,
        system: LevelSystem,
        stack: BlockStack,
        timeline: Timeline,
        segments: tuple[Segment, ...],
        tones: tuple[Tone, ...] = (),
    ) -> None:
        super().__init__(system, stack, timeline, segments)
        self.tones = tuple(tone for tone in tones if not tone.silent)
        d = stack.dimension
        low, high = np.array([(i, j) for i in range(d) for j in range(i)]).T
        one = stack.one
        self.order = (one.order[low] - one.order[high]).astype(float)  # of each coherence (e,)
        self.quanta = (one.quanta[low] - one.quanta[high]).astype(float)
        self.gap = stack.energies[:, low] - stack.energies[:, high]  # (blocks, e), rad/s
        self.pairs = low, high

    def play(self, labels: int) -> tuple[Floats, dict[str, Floats]]:
        """Return the probability of each outcome (points, labels) and the mean counts of each window."""
        driven = [i for i, s in enumerate(self.segments) if s.play is not None]
        reading = next((i for i, s in enumerate(self.segments) if s.keys), len(self.segments))
        self._check([self.segments[i] for i in driven])
        first, last = driven[0], driven[-1]
        span = self.segments[last].start + self.segments[last].seconds - self.segments[first].start
        turn = self.system.sigma_detuning * float(span.max())
        z, weights = normal_nodes(turn, phases=False) if turn > 0 else (np.zeros(1), np.ones(1))
        self.detunings, self.weights = z * self.system.sigma_detuning, weights
        wander = self._wander(first, last)
        size = len(self.stack.weights) * len(z) * self.stack.dimension**2
        step = max(1, MOST_NUMBERS // size)
        shares = np.concatenate(
            [
                self._chunk(slice(at, min(at + step, self.points)), reading, first, last, wander, labels)
                for at in range(0, self.points, step)
            ]
        )
        return shares, self._windows(self.segments[reading:], labels)

    def _check(self, driven: list[Segment]) -> None:
        for segment in driven:
            if float(np.max(np.abs(self.rabi(segment)) * segment.seconds)) > MOST_TURN:
                raise UsageError(
                    f"A pulse would turn the spin by more than {MOST_TURN:.0g} rad.", "Shorten it."
                )

    def _wander(self, first: int, last: int) -> Floats:
        """Return by how much the coherence decays per second of the train beyond static noise, 1/s; (points,)."""
        sigma, tau_c = self.system.sigma_detuning, self.system.tau_c
        if sigma == 0 or np.isinf(tau_c):
            return np.zeros(self.points)
        pulses = [s for s in self.segments[first : last + 1] if s.play is not None]
        middles = np.array([s.start + s.seconds / 2 for s in pulses])
        flips = [
            np.abs(np.cos(float(np.median(self.rabi(s) * s.seconds)) / 2)) < np.sqrt(0.5) for s in pulses
        ]
        signs = np.cumprod([1.0] + [-1.0 if flip else 1.0 for flip in flips[1:-1]])[:, None]
        start, stop = middles[:-1], middles[1:]
        total = np.zeros(self.points)
        for k in range(len(start)):
            with_others = ou_phase_covariance(start[k], stop[k], start[k:], stop[k:], tau_c)
            with_others = with_others - (stop[k] - start[k]) * (stop[k:] - start[k:])
            twice = np.where(np.arange(len(with_others)) > 0, 2.0, 1.0)[:, None]
            total = total + signs[k] * (twice * signs[k:] * with_others).sum(axis=0)
        return np.asarray(sigma**2 * total / 2 / np.maximum(middles[-1] - middles[0], 1e-300))

    def _chunk(self, rows: slice, reading: int, first: int, last: int, wander: Floats, labels: int) -> Floats:
        d, blocks, nodes = self.stack.dimension, len(self.stack.weights), len(self.detunings)
        tones = tuple(tone.take(rows) for tone in self.tones)

        def kicked(start: Floats, seconds: Floats) -> Floats:
            return np.asarray(seconds * sum(tone.at(start) for tone in tones))

        count = len(range(*rows.indices(self.points)))
        state = np.zeros((blocks, nodes, d * d, count))
        state[:, :, :d] = self.stack.one.initial[:, None]
        made: dict[bytes, Complex] = {}
        pulses: dict[bytes, list[Floats]] = {}
        for index, segment in enumerate(self.segments[:reading]):
            start, seconds = segment.start[rows], segment.seconds[rows]
            if segment.play is not None:
                self._pulse(state, segment, rows, pulses, kicked if tones else None)
                continue
            self._relax(state, segment, seconds)
            if not first < index < last:
                continue  # before the pulses there is no coherence, and after them none is seen
            coherence = self._coherence(state)
            coherence *= self._wait(segment, rows, wander[rows], made)
            if tones:
                turn = sum(tone.integral(start, seconds) for tone in tones)
                coherence *= np.exp(-1j * self.order[:, None] * turn)
            self._write(state, coherence)
        population = np.einsum("b,n,bnip->pi", self.stack.weights, self.weights, state[:, :, :d])
        shares = np.zeros((count, labels))
        for level, label in enumerate(self.stack.one.labels):
            shares[:, label] += population[:, level]
        return shares

    def _coherence(self, state: Floats) -> Complex:
        d = self.stack.dimension
        return np.asarray(state[:, :, d::2] + 1j * state[:, :, d + 1 :: 2])

    def _write(self, state: Floats, coherence: Complex) -> None:
        d = self.stack.dimension
        state[:, :, d::2], state[:, :, d + 1 :: 2] = coherence.real, coherence.imag

    def _relax(self, state: Floats, segment: Segment, seconds: Floats) -> None:
        """Populations relax at the rates of the jumps."""
        d = self.stack.dimension
        rates, _ = rate_matrix(self.jumps(lit=segment.lit))
        moved = expm_by_duration(rates, once(seconds))
        if len(moved) == 1:
            state[:, :, :d] = moved[0] @ state[:, :, :d]
        else:
            state[:, :, :d] = np.einsum("pij,bnjp->bnip", moved, state[:, :, :d])

    def _wait(self, segment: Segment, rows: slice, wander: Floats, made: dict[bytes, Complex]) -> Complex:
        """Return what a wait does to each coherence, (blocks, nodes, e, points); each distinct length once."""
        seconds = segment.seconds[rows]
        key = seconds.tobytes() + bytes([segment.lit])
        if key not in made:
            _, decay = rate_matrix(self.jumps(lit=segment.lit))
            carrier = self.carrier[rows] * self.quanta[:, None]
            turn = (self.gap[:, :, None] - carrier) * seconds
            loss = decay[self.pairs][:, None] * seconds + self.order[:, None] ** 2 * wander * seconds
            noise = np.multiply.outer(self.detunings, self.order)[:, :, None] * seconds
            made[key] = np.exp(-1j * turn - loss)[:, None] * np.exp(-1j * noise)
        return made[key]

    def _pulse(
        self,
        state: Floats,
        segment: Segment,
        rows: slice,
        made: dict[bytes, list[Floats]],
        kicked: Turn | None,
    ) -> None:
        """Apply a pulse in place: into its frame, its propagators with kicks between, and out again."""
        play = segment.play
        assert play is not None  # noqa: S101 - narrows the type; only driven segments come here
        start, seconds = segment.start[rows], segment.seconds[rows]
        phase, offset = play.phase[rows], 2 * np.pi * play.frequency[rows]
        settings = np.column_stack([self.drive_frequency(segment)[rows], self.rabi(segment)[rows], seconds])
        distinct, which = np.unique(settings, axis=0, return_inverse=True)
        self._rotate(state, -phase, self.quanta)
        nodes, shares = self._kicks(segment, rows) if kicked else (np.zeros(0), np.zeros(0))
        places = (0.0, *nodes, 1.0)
        for part, (begin, end) in enumerate(pairwise(places)):
            for i, setting in enumerate(distinct):
                key = np.array([*setting, round(end - begin, 12), segment.lit]).tobytes()
                if key not in made:
                    made[key] = [self._propagator(setting, end - begin, lit=segment.lit)]
                if len(distinct) == 1:
                    state[...] = made[key][0] @ state
                else:
                    chosen = np.flatnonzero(which.reshape(-1) == i)
                    state[..., chosen] = made[key][0] @ state[..., chosen]
            if kicked and part < len(nodes):
                self._rotate(state, kicked(start + end * seconds, shares[part] * seconds), self.order)
        self._rotate(state, phase + offset * seconds, self.quanta)

    def _kicks(self, segment: Segment, rows: slice) -> tuple[Floats, Floats]:
        """Return places in a pulse and their shares of it: Gauss points that resolve every level that it stirs."""
        seconds, rabi = float(segment.seconds[rows].max()), float(np.abs(self.rabi(segment)[rows]).max())
        gaps = np.abs(self.gap[:, :, None] - self.carrier[rows] * self.quanta[:, None])
        fastest = float(np.max(gaps, where=gaps * STIRRED < rabi, initial=rabi))
        count = FEWEST_KICKS + int(1.5 * min(fastest * seconds / (2 * np.pi), MOST_KICKS))
        places, shares = np.polynomial.legendre.leggauss(min(count, MOST_KICKS))
        return np.asarray((places + 1) / 2), np.asarray(shares / 2)

    def _propagator(self, setting: NDArray[np.float64], share: float, *, lit: bool) -> Floats:
        carrier, rabi, seconds = setting
        jumps = self.jumps(lit=lit)
        made = self.stack.generators(np.array([carrier]), np.array([rabi]), self.detunings, jumps)[0]
        return expm(made * (seconds * share))

    def _rotate(self, state: Floats, angle: Floats, by: Floats) -> None:
        """Turn each coherence by exp(-i angle * by)."""
        if not np.any(angle):
            return
        turn = once(angle) * by[:, None]
        cosine, sine = np.cos(turn), np.sin(turn)
        d = self.stack.dimension
        real, imag = state[:, :, d::2].copy(), state[:, :, d + 1 :: 2]
        state[:, :, d::2] = cosine * real + sine * imag
        state[:, :, d + 1 :: 2] = cosine * imag - sine * real
