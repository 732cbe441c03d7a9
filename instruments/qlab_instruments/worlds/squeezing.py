"""The world behind `sim-squeezing`: atoms in a cavity, twisted by light and counted by a camera."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.judge import safe_options
from qlab.physics.noise import gauss_hermite
from qlab.physics.quantum import qutip
from qlab.physics.systems.collective import CollectiveSpin
from qlab.pulses import Timeline
from qlab.units import Hertz, Unit
from qlab_instruments.worlds.seeded import SeededWorld, normalised
from qlab_instruments.worlds.steps import Step, steps_of

CAMERA = 5  # random stream
NODES = 21  # of the shared phase: coherences that it turns by up to 4 rad rms are averaged to 1e-7
MOST_KEPT = 512  # states that are not computed again


class SqueezingTruth(Parameters):
    """What is hidden in the simulated squeezing bench: 200 atoms in a cavity (Pezzè et al., RMP 90, 035005 (2018))."""

    atoms: Annotated[int, Ge(2), Le(2000)] = 200
    chi: Hertz = 1.0  # twisting H/h = chi Jz^2 while the light is on
    collective_dephasing: Annotated[float, Unit("1/s"), Ge(0)] = (
        0.02  # coherence of each spin, while the light is on
    )
    detection_noise: Annotated[float, Ge(0)] = 1.5  # atoms, rms in each state
    drive_gain: Annotated[float, Gt(0), Le(2)] = 1.0


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
            upper = rng.choice(h.atoms + 1, size=timeline.shots, p=normalised(share)).astype(float)
            pictures[point] = np.stack([upper, len(m) - 1 - upper], axis=-1)
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

    def _play(self, segments: tuple[Step, ...]) -> NDArray[np.float64]:
        """Return the share of each Jz after turns and twists, averaged over the shared phase."""
        h, spin = self.hidden, self.spin
        twisting = sum(seconds for kind, seconds, _ in segments if kind == "light")
        rms = math.sqrt(2 * h.collective_dephasing * twisting)
        z, weights = gauss_hermite(NODES) if rms > 0 else (np.zeros(1), np.ones(1))
        state = np.zeros((h.atoms + 1, 1), dtype=complex)
        state[0] = 1.0
        for kind, first, second in segments:
            if kind == "turn":
                state = self._turned(state, first * h.drive_gain, second)
            elif kind == "light":
                # What one phase has shaken while the light was on, in all stretches together.
                phase = TWO_PI * h.chi * first * spin.m**2
                shaken = rms * first / twisting * np.multiply.outer(spin.m, z)
                state = self._twisted(state, phase) * np.exp(-1j * shaken)
        return np.asarray(np.abs(state) ** 2 @ weights)

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
