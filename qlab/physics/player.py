"""The player: density matrices taken through the segments of a timeline, to the outcomes of a readout.

Between drive pulses the density matrix evolves element by element: populations by a rate matrix, coherences by
their phase and decay. Pulses are Lindblad propagators, each distinct one exponentiated once. The Gaussian
detuning noise is averaged exactly over everything: in the pulses it is static, resolved on nodes; in a free
interval each coherence order picks up the integral of the Ornstein-Uhlenbeck process. Each path of coherence
orders through the free intervals is a branch, and its average over noise follows from

    <He_n(x/sigma) exp(-i Q)> = (-i c/sigma)^n exp(-var(Q)/2),   c = cov(Q, x),

for the phase Q of the branch and the static detuning x that its pulses saw. Of two branches that are each
other's Hermitian conjugate only one is kept.
"""

import math

import numpy as np

from qlab.errors import UsageError
from qlab.physics.levels import Complex, Floats, LevelSystem, Light
from qlab.physics.noise import hermite_table, normal_nodes, ou_phase_covariance, ou_point_covariance
from qlab.physics.pathways import contracted
from qlab.physics.propagate import durations, expm, hermitian_basis
from qlab.physics.rates import expm_by_duration, once, rate_matrix, windows
from qlab.physics.segments import Segment
from qlab.physics.stack import BlockStack
from qlab.physics.steady import continuous, node_rates
from qlab.pulses.timeline import Timeline

NEGLIGIBLE = 1e-13
MOST_BRANCHES = 2000
MOST_TURN = 1e8  # rad in one pulse; beyond it rounding would show
# How far, relative to 1, noise that wanders during a pulse may falsify what static noise gives.
WANDER = 3e-3


class Player:
    """Plays the segments of a timeline on a stack of blocks.

    `rho` (branches, points or 1, blocks, nodes, d, d) and `paths`, for each branch its coherence orders in the
    free intervals so far.
    """

    def __init__(
        self, system: LevelSystem, stack: BlockStack, timeline: Timeline, segments: tuple[Segment, ...]
    ) -> None:
        self.system, self.stack, self.timeline, self.segments = system, stack, timeline, segments
        self.points = len(timeline)
        power = timeline.setpoints.get("laser.power", np.zeros(1))
        self.lit: Light = system.light(float(power[0]))
        self.dark = Light(np.zeros_like(self.lit.jumps[:0]), np.zeros_like(self.lit.brightness))
        frequency = timeline.setpoints.get("microwave.frequency", np.zeros(self.points))
        self.carrier = 2 * np.pi * np.broadcast_to(frequency, (self.points,))
        self.moment: Floats = np.zeros(self.points)  # when the static detuning of the pulses is taken
        self.free: list[tuple[Floats, Floats]] = []  # start and stop of each free interval
        self.paths: list[tuple[int, ...]] = [()]

    def play(self, labels: int) -> tuple[Floats, dict[str, Floats]]:
        """Return the probability of each outcome (points, labels) and the mean counts of each window."""
        segments = self.segments
        driven = [i for i, s in enumerate(segments) if s.play is not None]
        last_drive = driven[-1] if driven else -1
        reading = next((i for i, s in enumerate(segments) if s.keys), len(segments))
        if reading <= last_drive:
            # Drive and light together while counting: the settled photon rate, with no single outcome.
            shares = np.zeros((self.points, labels))
            shares[:, 0] = float(self.stack.weights.sum())
            seen = continuous(self)
            return shares, {k: np.repeat(v[:, None], labels, axis=1) for k, v in seen.items()}
        self._resolve_noise([segments[i] for i in driven])
        whole = self._contracted(segments[:reading], labels)
        if whole is not None:
            return whole, self._windows(segments[reading:], labels)
        start = np.diag(self.stack.one.initial).astype(complex)
        self.rho: Complex = np.broadcast_to(
            start, (1, 1, len(self.stack.weights), len(self.detunings), *start.shape)
        )
        for index, segment in enumerate(segments[:reading]):
            if segment.play is not None:
                self.rho = self._drive(segment)
            elif segment.lit or not driven or not driven[0] < index < last_drive:
                self.rho = self._undriven(segment, self.detunings)
            else:
                self._spread(segment)
        return self._collapse(labels), self._windows(segments[reading:], labels)

    def jumps(self, *, lit: bool) -> Complex:
        """Return the jumps of the levels, those of the light included where it is on; (k, d, d)."""
        return np.concatenate([self.stack.one.jumps, (self.lit if lit else self.dark).jumps])

    def rabi(self, segment: Segment) -> Floats:
        """Return the Rabi angular frequency of a pulse at each point, rad/s."""
        play = segment.play
        if play is None:
            return np.zeros(self.points)
        return np.broadcast_to(self.system.rabi(play.amplitude, self.timeline.setpoints), (self.points,))

    def drive_frequency(self, segment: Segment) -> Floats:
        """Return the angular frequency of a pulse at each point, rad/s: carrier plus offset."""
        return self.carrier + (0.0 if segment.play is None else 2 * np.pi * segment.play.frequency)

    def photon_rates(self, settings: Floats, detunings: Floats, jumps: Complex) -> Floats:
        """Return the photons per second of settled levels; (blocks, nodes, settings).

        `settings` (m, 2): drive and Rabi angular frequencies; `detunings` (nodes,), all rad/s.
        """
        return node_rates(self, settings, detunings, jumps)

    def _contracted(self, segments: tuple[Segment, ...], labels: int) -> Floats | None:
        return contracted(self, segments, labels)

    def _windows(self, segments: tuple[Segment, ...], labels: int) -> dict[str, Floats]:
        return windows(self, segments, labels)

    def _resolve_noise(self, driven: list[Segment]) -> None:
        sigma, tau_c = self.system.sigma_detuning, self.system.tau_c
        if driven:
            self.moment = driven[0].start
        between = len(driven) > 1
        turn = sigma * sum(float(s.seconds.max()) for s in driven)
        z, self.weights = normal_nodes(turn, phases=between) if turn > 0 else (np.zeros(1), np.ones(1))
        self.detunings = z * sigma
        self.hermite = hermite_table(z) if between else np.ones((1, len(z)))
        longest = max((float(s.seconds.max()) for s in driven), default=0.0)
        if min((sigma * longest) ** 2, 4.0) * longest / (6 * tau_c) > WANDER:
            raise UsageError(
                f"The detuning noise changes within {tau_c:.2g} s, during a pulse of {longest:.2g} s.",
                "Use shorter pulses, or a longer tau_c.",
            )

    def _spread(self, segment: Segment) -> None:
        """A free interval: each branch splits by coherence order, whose noise phase is averaged at the end."""
        self.free.append((segment.start, segment.start + segment.seconds))
        evolved = self._undriven(segment, np.zeros(1))
        grown: list[Complex] = []
        paths: list[tuple[int, ...]] = []
        for rho, path in zip(evolved, self.paths, strict=True):
            whole = not any(path)
            for q in np.unique(self.stack.order):
                if whole and q < 0:
                    continue
                part = np.where(self.stack.order == q, rho, 0)
                if np.abs(part).max() > NEGLIGIBLE:
                    grown.append(part)
                    paths.append((*path, int(q)))
        if len(grown) > MOST_BRANCHES:
            raise UsageError(
                "This sequence has too many free intervals for the exact noise average.",
                "Shorten it, or set sigma_detuning to 0 in the truth.",
            )
        self.rho, self.paths = np.array(grown), paths

    def _undriven(self, segment: Segment, detunings: Floats) -> Complex:
        """Return what the branches become without drive, each static detuning (nodes,) or none at all."""
        stack = self.stack
        rates, decay = rate_matrix(self.jumps(lit=segment.lit))
        frame = stack.energies - stack.one.quanta * once(self.carrier)[:, None, None]
        gap = frame[..., :, None] - frame[..., None, :]
        seconds = once(segment.seconds)
        phase = np.exp(-(1j * gap + decay) * seconds[:, None, None, None])[:, :, None]
        if np.any(detunings):
            turn = np.multiply.outer(seconds, detunings)
            phase = phase * np.exp(-1j * turn[:, None, :, None, None] * stack.order)
        result: Complex = self.rho * phase
        propagator = expm_by_duration(rates, seconds)
        index = np.arange(stack.dimension)
        population = self.rho[..., index, index]
        result[..., index, index] = (propagator[:, None, None] @ population[..., None])[..., 0]
        return result

    def _drive(self, segment: Segment) -> Complex:
        """Return what a pulse makes of the branches; each distinct (frequency, amplitude, duration) once."""
        play = segment.play
        assert play is not None  # noqa: S101 - narrows the type; only driven segments come here
        rabi = self.rabi(segment)
        if float(np.max(np.abs(rabi) * segment.seconds)) > MOST_TURN:
            raise UsageError(f"A pulse would turn the spin by more than {MOST_TURN:.0g} rad.", "Shorten it.")
        settings = np.column_stack([self.drive_frequency(segment), rabi, segment.seconds])
        offset = 2 * np.pi * play.frequency
        before, after = self._frame(play.phase), self._frame(play.phase + offset * segment.seconds)
        basis = hermitian_basis(self.stack.dimension)
        entering = self.rho * before.conj()
        flat = entering.reshape(*entering.shape[:4], -1) @ basis.T
        leaving = self._propagate(settings, flat, lit=segment.lit) @ basis.conj()
        return np.asarray(leaving.reshape(*leaving.shape[:4], *self.rho.shape[4:]) * after)

    def _frame(self, phase: Floats) -> Complex:
        return np.asarray(np.exp(-1j * once(phase)[:, None, None] * self.stack.quanta)[:, None, None])

    def _propagate(self, settings: Floats, parts: Complex, *, lit: bool) -> Complex:
        """Apply the pulse of each point to vectors (branches, points or 1, blocks, nodes, d*d)."""
        distinct, which = np.unique(settings, axis=0, return_inverse=True)
        which = which.reshape(-1)
        jumps = self.jumps(lit=lit)
        swept = np.any(distinct[:, :2] != distinct[0, :2])
        if not swept and len(distinct) > 1 and parts.shape[:2] == (1, 1):
            # Only the duration is swept: one decomposition serves all points.
            generator = self.stack.generators(distinct[:1, 0], distinct[:1, 1], self.detunings, jumps)[0]
            made = durations(generator, distinct[:, 2], parts[0, 0])
            return np.moveaxis(made, 2, 0)[which][None]
        generator = self.stack.generators(distinct[:, 0], distinct[:, 1], self.detunings, jumps)
        propagators = expm(generator * distinct[:, 2][:, None, None, None, None])
        if len(distinct) == 1:
            # One pulse for all points: one product of matrices for each block and node.
            columns = parts.reshape(-1, *parts.shape[2:]).transpose(1, 2, 3, 0)
            product = propagators[0].astype(complex) @ columns
            return np.asarray(product.transpose(3, 0, 1, 2).reshape(parts.shape))
        if len(which) != len(distinct) or np.any(np.diff(which) != 1):
            propagators = propagators[which]
        if not any(any(path) for path in self.paths):
            # Parts of Hermitian matrices are real: half the work, and no copy of the propagators.
            return np.asarray((propagators @ parts.real[..., None])[..., 0])
        return np.asarray((propagators @ parts[..., None])[..., 0])

    def _collapse(self, labels: int) -> Floats:
        """Return the outcome probabilities at the readout, averaged over noise and blocks; (points, labels)."""
        index = np.arange(self.stack.dimension)
        # Blocks differ in nothing that the average depends on: they are summed first.
        population = np.einsum("b,kpbni->kpni", self.stack.weights, self.rho[..., index, index])
        total = np.zeros((self.points, labels))
        for values, path in zip(population, self.paths, strict=True):
            mirrored = 2.0 if any(path) else 1.0
            averaged = mirrored * self._average(values, path).real
            for level, label in enumerate(self.stack.one.labels):
                total[:, label] += averaged[:, level]
        return total

    def _average(self, values: Complex, path: tuple[int, ...]) -> Complex:
        """Return the noise average of values (points or 1, nodes, d) of a branch; (points or 1, d)."""
        factor = self.noise_factors(path)
        table = self.hermite[: factor.shape[1]]
        coefficients = np.einsum("kn,n,pni->pki", table, self.weights, values)
        return np.asarray((factor[..., None] * coefficients).sum(axis=1))

    def noise_factors(self, path: tuple[int, ...]) -> Complex:
        """Return what each Hermite coefficient of a branch is multiplied by; (points or 1, coefficients)."""
        spans = [(self.free[i], q) for i, q in enumerate(path) if q != 0]
        if not spans or self.system.sigma_detuning == 0:
            return np.ones((1, 1), dtype=complex)
        tau_c, sigma = self.system.tau_c, self.system.sigma_detuning
        shared = sigma * sum(q * ou_point_covariance(*span, self.moment, tau_c) for span, q in spans)
        variance = sigma**2 * sum(
            qa * qb * ou_phase_covariance(*a, *b, tau_c) for a, qa in spans for b, qb in spans
        )
        shared, variance = np.asarray(shared), np.asarray(variance)
        # What has decayed beyond all numbers must not meet a power that is beyond them too.
        lost = variance > 1400
        shared, damping = np.where(lost, 0.0, shared), np.where(lost, 0.0, np.exp(-variance / 2))
        n = np.arange(len(self.weights))
        factorial = np.array([math.sqrt(math.factorial(k)) for k in n])
        return np.asarray(np.power(-1j * shared[:, None], n) / factorial * damping[:, None])
