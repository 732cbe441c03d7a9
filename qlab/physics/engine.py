"""The engine: a timeline played on a system, for all sweep points at once, with its noise averaged exactly.

Between drive pulses the density matrix evolves element by element: populations by a rate matrix, coherences by
their phase and decay. Pulses are Lindblad propagators, each distinct one exponentiated once. The Gaussian
detuning noise is averaged exactly over everything: in a pulse it is static, resolved on Gauss–Hermite nodes; in
a free interval each coherence order picks up the integral of the Ornstein–Uhlenbeck process. Each path of
coherence orders through the free intervals is a branch, and its average over noise follows from

    <He_n(x/sigma) exp(-i Q)> = (-i c/sigma)^n exp(-var(Q)/2),   c = cov(Q, x),

for the phase Q of the branch and the static detuning x that its pulses saw.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.levels import Block, Complex, Floats, LevelSystem, Light
from qlab.physics.noise import gauss_hermite, hermite_table, ou_phase_covariance, ou_point_covariance
from qlab.physics.propagate import durations, expm, liouvillian
from qlab.physics.segments import Segment, cut
from qlab.physics.steady import settled_rate
from qlab.pulses.timeline import Timeline

NEGLIGIBLE = 1e-13
# Nodes that resolve a static detuning which turns a driven spin by up to so many rad (rms).
NODES = ((0.1, 5), (0.5, 9), (2.0, 15), (np.inf, 31))
MOST_BRANCHES = 2000


@dataclass(frozen=True)
class Readout:
    """What a detector sees in one shot: with `probability` (points, m) outcome m, then `means[key]` (points, m)
    photons on average in each acquisition window.
    """

    probability: Floats
    means: Mapping[str, Floats]

    def expected(self, key: str) -> Floats:
        """Return the mean counts in one shot; shape (points,)."""
        return np.asarray((self.probability * self.means[key]).sum(axis=-1))

    def transfer(self) -> Floats:
        """Return the probability of the last outcome (out of the bright state); shape (points,)."""
        return self.probability[:, -1]


def play(system: LevelSystem, timeline: Timeline) -> Readout:
    """Return what the detector sees at each point of a timeline; see `Readout`.

    Drive frequency and laser power are the setpoints `microwave.frequency` (Hz) and `laser.power` (W).
    """
    blocks = system.blocks()
    count = len(timeline)
    labels = 1 + max(int(block.labels.max()) for block in blocks)
    probability = np.zeros((count, labels))
    means: dict[str, Floats] = {}
    for group, segments in cut(timeline):
        part = timeline.take(group)
        for block in blocks:
            player = _Player(system, block, part, nodes=_nodes(system, segments))
            shares, seen = player.play(segments, labels)
            probability[group] += block.weight * shares
            for key, values in seen.items():
                total = means.setdefault(key, np.zeros((count, labels)))
                total[group] += block.weight * values
    return Readout(np.clip(probability, 0.0, 1.0), means)


def _nodes(system: LevelSystem, segments: tuple[Segment, ...]) -> int:
    if system.sigma_detuning == 0:
        return 1
    driven = sum(float(s.seconds.max()) for s in segments if s.play is not None)
    return next(nodes for turn, nodes in NODES if system.sigma_detuning * driven < turn)


@dataclass
class _Branch:
    """Density matrices of one path of coherence orders: `rho` (points or 1, nodes, d, d), and its free intervals."""

    rho: Complex
    path: tuple[tuple[int, int], ...] = ()  # (free interval, coherence order)


@dataclass
class _Player:
    """Plays segments on one block."""

    system: LevelSystem
    block: Block
    timeline: Timeline
    nodes: int
    branches: list[_Branch] = field(default_factory=list)
    free: list[tuple[Floats, Floats]] = field(default_factory=list)  # start and stop of each free interval
    moment: Floats | None = None  # when the static detuning of the pulses is taken

    def __post_init__(self) -> None:
        z, self.weights = gauss_hermite(self.nodes)
        self.detunings = z * self.system.sigma_detuning
        self.hermite = hermite_table(z)
        power = self.timeline.setpoints.get("laser.power", np.zeros(1))
        if np.ptp(power) > 0:
            raise UsageError("The laser power cannot be swept within one program.", "Scan it from outside.")
        self.lit: Light = self.system.light(float(power[0]))
        self.dark = Light(np.zeros_like(self.lit.jumps[:0]), np.zeros_like(self.lit.brightness))
        frequency = self.timeline.setpoints.get("microwave.frequency", np.zeros(len(self.timeline)))
        self.carrier = 2 * np.pi * np.broadcast_to(frequency, (len(self.timeline),))
        self.settings = {name: float(v[0]) for name, v in self.timeline.setpoints.items() if np.ptp(v) == 0}

    def play(self, segments: tuple[Segment, ...], labels: int) -> tuple[Floats, dict[str, Floats]]:
        start = np.diag(self.block.initial).astype(complex)
        self.branches = [_Branch(np.broadcast_to(start, (1, self.nodes, *start.shape)).copy())]
        last_drive = max((i for i, s in enumerate(segments) if s.play is not None), default=-1)
        reading = next((i for i, s in enumerate(segments) if s.keys), len(segments))
        if reading <= last_drive:
            return self._continuous(segments, labels)
        for index, segment in enumerate(segments[:reading]):
            self._step(segment, coherent=index < last_drive)
        shares = self._collapse(labels)
        return shares, self._windows(segments[reading:], labels)

    def _step(self, segment: Segment, *, coherent: bool) -> None:
        if segment.play is not None:
            if self.moment is None:
                self.moment = segment.start
            for branch in self.branches:
                branch.rho = self._drive(segment, branch.rho)
        elif segment.lit or not coherent:
            for branch in self.branches:
                branch.rho = self._undriven(segment, branch.rho, self.detunings)
        else:
            self._spread(segment)

    def _spread(self, segment: Segment) -> None:
        """A free interval: each branch splits by coherence order, whose noise phase is averaged at the end."""
        interval = len(self.free)
        self.free.append((segment.start, segment.start + segment.seconds))
        order = self.block.order[:, None] - self.block.order[None, :]
        grown: list[_Branch] = []
        for branch in self.branches:
            evolved = self._undriven(segment, branch.rho, np.zeros(1))
            for q in np.unique(order):
                part = np.where(order == q, evolved, 0)
                if np.abs(part).max() > NEGLIGIBLE:
                    grown.append(_Branch(part, (*branch.path, (interval, int(q)))))
        if len(grown) > MOST_BRANCHES:
            raise UsageError(
                "This sequence has too many free intervals for the exact noise average.",
                "Shorten it, or set sigma_detuning to 0 in the truth.",
            )
        self.branches = grown

    def _undriven(self, segment: Segment, rho: Complex, detunings: Floats) -> Complex:
        """Evolve without drive for the segment's duration; shapes as of `_Branch.rho`."""
        block, light = self.block, self.lit if segment.lit else self.dark
        rates, decay = _secular(np.concatenate([block.jumps, light.jumps]))
        frame = block.energies - block.quanta * _once(self.carrier)[:, None]
        gap = frame[:, :, None] - frame[:, None, :]
        order = block.order[:, None] - block.order[None, :]
        static = detunings[:, None, None] * order
        seconds = _once(segment.seconds)[:, None, None]
        phase = np.exp(-(1j * gap + decay) * seconds)[:, None] * np.exp(-1j * static * seconds[:, None])
        result = rho * phase
        population = np.einsum("pnii->pni", rho)
        propagator = _expm_by_duration(rates, _once(segment.seconds))
        moved = np.einsum("pij,pnj->pni", propagator, population)
        index = np.arange(len(block.energies))
        result[..., index, index] = np.broadcast_to(moved, (*result.shape[:2], len(index)))
        return result

    def _drive(self, segment: Segment, rho: Complex) -> Complex:
        """Evolve under a pulse; each distinct (carrier, amplitude, duration) is exponentiated once."""
        play = segment.play
        assert play is not None  # noqa: S101 - narrows the type; only driven segments come here
        offset = 2 * np.pi * play.frequency
        rabi = self.system.rabi(play.amplitude, self.settings)
        settings = np.column_stack([self.carrier + offset, rabi, segment.seconds])
        distinct, which = np.unique(settings, axis=0, return_inverse=True)
        phase = np.column_stack([play.phase, play.phase + offset * segment.seconds])
        if np.all(phase == phase[0]):
            phase = phase[:1]
        quanta = self.block.quanta[:, None] - self.block.quanta[None, :]
        before, after = (np.exp(-1j * phase[:, i, None, None, None] * quanta) for i in (0, 1))
        entering = rho * before.conj()
        flat = entering.reshape(*entering.shape[:2], -1)
        leaving = self._propagate(distinct, which.reshape(-1), flat, lit=segment.lit)
        return np.asarray(leaving.reshape(*leaving.shape[:2], *rho.shape[2:]) * after)

    def _propagate(self, distinct: Floats, which: NDArray[np.int64], rho: Complex, *, lit: bool) -> Complex:
        """Apply the pulse of each point to vectors (points or 1, nodes, d*d)."""
        if len(np.unique(distinct[:, :2], axis=0)) == 1 and len(distinct) > 1 and len(rho) == 1:
            # Only the duration is swept: one decomposition serves all points.
            generator = self.generators(distinct[:1, 0], distinct[:1, 1], lit=lit)[0]
            return durations(generator, distinct[:, 2], rho[0]).transpose(1, 0, 2)[which]
        generator = self.generators(distinct[:, 0], distinct[:, 1], lit=lit)
        propagators = expm(generator * distinct[:, 2][:, None, None, None])
        if len(distinct) == 1:
            # One pulse for all points: one product of matrices for each node.
            return np.asarray((propagators[0] @ rho.transpose(1, 2, 0)).transpose(2, 0, 1))
        return np.asarray((propagators[which] @ rho[..., None])[..., 0])

    def generators(self, carrier: Floats, rabi: Floats, *, lit: bool) -> Complex:
        """Return Liouvillians for each (carrier, Rabi frequency) and node; shape (n, nodes, d*d, d*d)."""
        block = self.block
        jumps = np.concatenate([block.jumps, (self.lit if lit else self.dark).jumps])
        drive = (block.drive + block.drive.conj().T) / 2
        diagonal = block.energies - block.quanta * carrier[:, None]
        diagonal = diagonal[:, None, :] + self.detunings[None, :, None] * block.order
        # Only differences of energies matter; centring keeps the numbers small.
        diagonal -= diagonal[..., 1:2]
        hamiltonian = rabi[:, None, None, None] * drive + diagonal[..., None] * np.eye(len(block.energies))
        return liouvillian(hamiltonian, jumps)

    def _collapse(self, labels: int) -> Floats:
        """Return the outcome probabilities at the readout, averaged over the noise; shape (points, labels)."""
        total = np.zeros((len(self.timeline), labels))
        for branch in self.branches:
            population = np.einsum("pnii->pni", branch.rho)
            averaged = self._average(branch, population)
            for level, label in enumerate(self.block.labels):
                total[:, label] += averaged[:, level].real
        return total

    def _average(self, branch: _Branch, values: Complex) -> Complex:
        path = [(self.free[i], q) for i, q in branch.path if q != 0]
        if not path or self.system.sigma_detuning == 0:
            return np.asarray(np.einsum("n,pni->pi", self.weights, values))
        tau_c, sigma = self.system.tau_c, self.system.sigma_detuning
        moment = self.moment if self.moment is not None else np.zeros(len(self.timeline))
        shared = sum(q * ou_point_covariance(*span, moment, tau_c) for span, q in path) * sigma
        variance = sum(
            qa * qb * ou_phase_covariance(*a, *b, tau_c) for a, qa in path for b, qb in path
        ) * sigma**2  # fmt: skip
        n = np.arange(self.nodes)
        coefficients = np.einsum("kn,n,pni->pki", self.hermite, self.weights, values)
        factorial = np.cumprod(np.concatenate([[1.0], np.sqrt(n[1:])]))
        power = np.power(-1j * np.asarray(shared)[:, None], n) / factorial
        factor = power * np.exp(-np.asarray(variance)[:, None] / 2)
        return np.asarray((factor[..., None] * coefficients).sum(axis=1))

    def _windows(self, segments: tuple[Segment, ...], labels: int) -> dict[str, Floats]:
        """Return the mean counts in each window after a collapse into each outcome; arrays (points, labels)."""
        block, d = self.block, len(self.block.energies)
        population = np.zeros((labels, d))
        for label in range(labels):
            inside = block.labels == label
            population[label, inside] = 1 / inside.sum()
        state = np.broadcast_to(population, (len(self.timeline), labels, d))
        seen: dict[str, Floats] = {}
        for segment in segments:
            light = self.lit if segment.lit else self.dark
            rates, _ = _secular(np.concatenate([block.jumps, light.jumps]))
            augmented = np.zeros((d + 1, d + 1))
            augmented[:d, :d] = rates
            augmented[d, :d] = light.brightness + self.system.dark_rate
            propagator = _expm_by_duration(augmented, segment.seconds)
            counted = np.einsum("pj,plj->pl", propagator[:, d, :d], state)
            state = np.einsum("pij,plj->pli", propagator[:, :d, :d], state)
            for key in segment.keys:
                seen[key] = seen.get(key, np.zeros(counted.shape)) + counted
        return seen

    def _continuous(self, segments: tuple[Segment, ...], labels: int) -> tuple[Floats, dict[str, Floats]]:
        """Drive and light together while counting: the settled photon rate, with no single outcome."""
        seen: dict[str, Floats] = {}
        for segment in segments:
            if not segment.keys:
                continue
            rate = settled_rate(self, segment) + self.system.dark_rate
            for key in segment.keys:
                counted = np.repeat((rate * segment.seconds)[:, None], labels, axis=1)
                seen[key] = seen.get(key, np.zeros(counted.shape)) + counted
        shares = np.zeros((len(self.timeline), labels))
        shares[:, 0] = 1.0
        return shares, seen


def _secular(jumps: Complex) -> tuple[Floats, Floats]:
    """Return the rate matrix (d, d) of populations and the decay rates (d, d) of coherences.

    Exact for jumps that are diagonal or lead from one level to another, as those of the cards are.
    """
    strength = np.abs(jumps) ** 2
    rates = strength.sum(axis=0)
    leaving = strength.sum(axis=(0, 1))
    diagonal = np.einsum("kii->ki", jumps)
    kept = np.einsum("ki,kj->ij", diagonal, diagonal.conj()).real
    decay = (leaving[:, None] + leaving[None, :]) / 2 - kept
    np.fill_diagonal(decay, 0.0)
    return rates - np.diag(leaving), decay


def _once(values: Floats) -> Floats:
    """Return one value where all points share it, so that nothing is computed twice."""
    return values[:1] if np.all(values == values[0]) else values


def _expm_by_duration(generator: Floats, seconds: Floats) -> Floats:
    distinct, which = np.unique(seconds, return_inverse=True)
    stack = expm(generator * distinct[:, None, None])
    return np.asarray(stack[which.reshape(-1)], dtype=float)
