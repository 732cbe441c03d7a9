"""The world behind `sim-squeezing`: atoms in a cavity, twisted by light and counted by a camera."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.judge import safe_options
from qlab.physics.noise import gauss_hermite
from qlab.physics.path import SAMPLES, Path
from qlab.physics.quantum import qutip
from qlab.physics.segments import cut
from qlab.physics.systems.collective import CollectiveSpin
from qlab.pulses import Timeline
from qlab.units import Hertz, Unit
from qlab_instruments.worlds.seeded import SeededWorld, normalised
from qlab_instruments.worlds.steps import Step, steps_of

CAMERA = 5  # random stream
NODES = 21  # of the shared phase: coherences that it turns by up to 4 rad rms are averaged to 1e-7
MOST_KEPT = 512  # states that are not computed again
MEAN = "The mean spin of all atoms: it shortens as they are squeezed."


class SqueezingTruth(Parameters):
    """What is hidden in the simulated squeezing bench: 200 atoms in a cavity (Pezzè et al., RMP 90, 035005 (2018))."""

    atoms: Annotated[int, Ge(2), Le(2000)] = 200
    chi: Hertz = 1.0  # twisting H/h = chi Jz^2 while the light is on
    collective_dephasing: Annotated[float, Unit("1/s"), Ge(0)] = (
        0.02  # coherence of each spin, while the light is on
    )
    detection_noise: Annotated[float, Ge(0)] = 1.5  # atoms, rms in each state
    drive_gain: Annotated[float, Gt(0), Le(2)] = 1.0
    light_shift: Hertz = 0.0  # of the transition, while the light is on
    loss: Annotated[float, Ge(0), Lt(1)] = 0.0  # share of the atoms that are gone before the picture


class SqueezingWorld(SeededWorld):
    """N atoms as one spin, shared by the instruments of a bench.

    A shot starts with all atoms in the lower state; pulses on `mw` turn the spin (on resonance), light on `twist`
    twists it and shakes its phase; the camera counts both states with some noise (readout model R4).
    """

    hidden: SqueezingTruth

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = SqueezingTruth.read(truth)
        self._known: dict[tuple[Any, ...], NDArray[np.float64]] = {}

    @property
    def spin(self) -> CollectiveSpin:
        """The spin."""
        return CollectiveSpin(self.hidden.atoms)

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return the atoms counted in each shot, (points, shots, 2): upper state, then lower."""
        del single  # every shot is kept here anyway
        shares = self.shares(timeline)
        h, m = self.hidden, self.spin.m
        pictures = np.empty((len(timeline), timeline.shots, 2))
        for point, share in enumerate(shares):
            rng = self.stream(CAMERA, self.rows + point)
            upper = rng.choice(h.atoms + 1, size=timeline.shots, p=normalised(share))
            both = np.stack([upper, len(m) - 1 - upper], axis=-1)
            pictures[point] = rng.binomial(both, 1 - h.loss) if h.loss > 0 else both
            pictures[point] += h.detection_noise * rng.normal(size=pictures[point].shape)
        return {event.key: pictures for event in timeline.events if event.kind == "acquire"}

    def shares(self, timeline: Timeline) -> NDArray[np.float64]:
        """Return the probability of each number of atoms in the upper state; (points, N + 1)."""
        found = np.empty((len(timeline), self.hidden.atoms + 1))
        for point, steps in enumerate(steps_of(timeline, "twist")):
            key = (self.solver, *steps)
            if key not in self._known:
                if len(self._known) >= MOST_KEPT:
                    self._known.clear()
                self._known[key] = self._play(steps)
            found[point] = self._known[key]
        return found

    def path(self, timeline: Timeline, point: int) -> Path:
        """Return where the mean spin of all atoms points, its length in parts of N/2."""
        one = timeline.take(np.array([point]))
        steps = steps_of(one, "twist")[0]
        lasts = [float(s.seconds[0]) for s in next(iter(cut(one)))[1] if s.seconds[0] > 0]
        state, shaken, weights = self._start(steps)
        state = np.repeat(state, len(weights), axis=1)
        share, begin = np.linspace(0, 1, SAMPLES), 0.0
        times: list[NDArray[np.float64]] = []
        spins: list[NDArray[np.float64]] = []
        for (kind, first, second), seconds in zip(steps, lasts, strict=True):
            spin = mean_spin(state, weights)
            for part in share:
                if kind == "turn":
                    spins.append(turned(spin, part * first * self.hidden.drive_gain, second))
                else:
                    spins.append(mean_spin(self._after(state, (kind, part * first, second), shaken), weights))
            times.append(begin + seconds * share)
            begin += seconds
            state = self._after(state, (kind, first, second), shaken)
        bloch = np.array(spins).T
        shares = np.clip(np.array([1 + bloch[2], 1 - bloch[2]]) / 2, 0.0, 1.0)
        return Path(np.concatenate(times), ("upper", "lower"), shares, (0, 1), bloch, MEAN)

    def _play(self, segments: tuple[Step, ...]) -> NDArray[np.float64]:
        """Return the share of each Jz after turns and twists, averaged over the shared phase."""
        state, shaken, weights = self._start(segments)
        for step in segments:
            state = self._after(state, step, shaken)
        return np.asarray(np.abs(state) ** 2 @ weights)

    def _start(
        self, steps: tuple[Step, ...]
    ) -> tuple[NDArray[np.complex128], NDArray[np.float64], NDArray[np.float64]]:
        """Return all atoms below, (N + 1, 1), and the nodes of the shared phase: what 1 s of light adds, weights."""
        h, spin = self.hidden, self.spin
        twisting = sum(seconds for kind, seconds, _ in steps if kind == "light")
        rms = math.sqrt(2 * h.collective_dephasing * twisting)
        z, weights = gauss_hermite(NODES) if rms > 0 else (np.zeros(1), np.ones(1))
        state = np.zeros((h.atoms + 1, 1), dtype=complex)
        state[0] = 1.0
        # What one phase has shaken while the light was on, in all stretches together.
        return state, np.multiply.outer(spin.m, z) * (rms / twisting if rms > 0 else 0.0), weights

    def _after(
        self, state: NDArray[np.complex128], step: Step, shaken: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Return a state, (N + 1, 1 or nodes), after one step."""
        kind, first, second = step
        if kind == "turn":
            return self._turned(state, first * self.hidden.drive_gain, second)
        if kind == "light":
            m = self.spin.m
            phase = TWO_PI * first * (self.hidden.chi * m**2 + self.hidden.light_shift * m)
            return np.asarray(self._twisted(state, phase) * np.exp(-1j * shaken * first))
        return state

    def _turned(self, state: NDArray[np.complex128], angle: float, phase: float) -> NDArray[np.complex128]:
        if self.solver != "qutip":
            return self.spin.turn(state, angle, phase)
        qt = qutip()
        jx, jy, _ = qt.jmat(self.hidden.atoms / 2)
        return self._solved((math.cos(phase) * jx + math.sin(phase) * jy) * angle, state)

    def _twisted(self, state: NDArray[np.complex128], phase: NDArray[np.float64]) -> NDArray[np.complex128]:
        if self.solver != "qutip":
            return np.asarray(np.exp(-1j * phase)[:, None] * state)
        # QuTiP counts Jz downwards.
        return self._solved(qutip().Qobj(np.diag(phase[::-1]), dims=[[len(phase)], [len(phase)]]), state)

    def _solved(self, hamiltonian: Any, state: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Return each column of a state after unit time under H, by QuTiP's sesolve."""
        qt = qutip()
        columns = [
            qt.sesolve(
                hamiltonian, qt.Qobj(column[::-1]), [0.0, 1.0], options=safe_options(1.0)
            ).final_state.full()
            for column in state.T
        ]
        return np.asarray(np.hstack(columns)[::-1])


def mean_spin(state: NDArray[np.complex128], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (Jx, Jy, Jz) in parts of N/2 of states (N + 1, nodes), Jz upwards, averaged over the nodes."""
    spin = (len(state) - 1) / 2
    m = np.arange(len(state)) - spin
    raising = np.sqrt(spin * (spin + 1) - m[:-1] * (m[:-1] + 1))
    plus = raising @ (state[1:].conj() * state[:-1]) @ weights
    return np.array([plus.real, plus.imag, m @ np.abs(state) ** 2 @ weights]) / spin


def turned(spin: NDArray[np.float64], angle: float, phase: float) -> NDArray[np.float64]:
    """Return a vector (3,) turned by an angle about (cos phase, sin phase, 0)."""
    axis = np.array([math.cos(phase), math.sin(phase), 0.0])
    along = axis * (axis @ spin)
    return np.asarray(along + math.cos(angle) * (spin - along) + math.sin(angle) * np.cross(axis, spin))
