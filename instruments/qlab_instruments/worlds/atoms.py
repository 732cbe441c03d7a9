"""The world behind `sim-atoms`: cold rubidium in free fall, between three light pulses."""

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.judges.atoms import SolvedThreePulse
from qlab.physics.path import Path, path_of
from qlab.physics.systems.atom_interferometer import ThreePulse, two_photon
from qlab.physics.systems.clock import ClockAtoms
from qlab.pulses import Timeline
from qlab.units import Radians, Unit
from qlab_instruments.worlds.seeded import SeededWorld

Level = Annotated[float, Ge(0)]
CAMERA, MIRROR = 8, 18  # random streams
LUNAR = 44714.16  # s, the principal tide
FALLING = "Without gravity, vibration and what wavefronts take of the contrast: the chirp follows the fall."


class AtomsTruth(Parameters):
    """What is hidden in the simulated gravimeter: 87Rb, as in Freier et al., J. Phys. Conf. Ser. 723, 012050 (2016)."""

    gravity: Annotated[float, Unit("m/s2")] = 9.81261234
    tide: Level = 0.0  # m/s^2, amplitude of the semidiurnal tide
    wavelength: Annotated[float, Unit("m"), Gt(0)] = 780.241209686e-9
    velocity: Annotated[float, Unit("m/s"), Ge(0)] = 1.5e-3  # rms along the beams, after selection
    atoms: Annotated[float, Gt(0), Le(1e10)] = 2e5
    atom_fluctuation: Annotated[float, Ge(0), Le(0.5)] = 0.05
    detection_noise: Level = 60.0  # atoms, rms in each state
    coherence: Annotated[float, Ge(0), Le(1)] = (
        0.6  # what wavefronts and spontaneous emission leave of the contrast
    )
    vibration: Level = 2e-7  # m/s^2/sqrt(Hz) of the mirror, one-sided and white
    phase_noise: Level = 5e-3  # rad rms of the laser phase in a shot
    phase_shift: Radians = 0.03  # that does not turn with the momentum: light shifts
    drive_gain: Annotated[float, Ge(0), Le(2)] = 1.0


class AtomsWorld(SeededWorld):
    """A cloud, the lasers that split, reflect and join it, and a camera that counts both states (readout model R4).

    The two-photon detuning of falling atoms runs as (k g - 2 pi chirp) t; the momentum transfer may be turned round.
    """

    hidden: AtomsTruth

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = AtomsTruth.read(truth)

    def gravity(self, seconds: float) -> float:
        """Return g at a moment of virtual time, tide included."""
        return self.hidden.gravity + self.hidden.tide * math.sin(TWO_PI * seconds / LUNAR)

    def interferometer(self, timeline: Timeline) -> ThreePulse:
        """Return the interferometer that a timeline plays; raise UsageError where it is none."""
        pulses = sorted((e for e in timeline.events if e.kind == "play"), key=lambda e: int(e.start[0]))
        lengths = [float(e.duration[0]) * 1e-12 for e in pulses]
        gaps = [(int(b.start[0]) - int(a.stop[0])) * 1e-12 for a, b in pairwise(pulses)]
        same = len(pulses) == 3 and abs(gaps[0] - gaps[1]) < 1e-9 and abs(lengths[0] - lengths[2]) < 1e-9
        if not same or abs(lengths[1] - 2 * lengths[0]) > 1e-9 or any(np.ptp(e.duration) for e in pulses):
            raise UsageError(
                "This bench knows three pulses, π/2 – π – π/2, of one strength and equally far apart.",
                "Play those.",
            )
        h = self.hidden
        rabi = TWO_PI * float(pulses[0].amplitude[0]) * h.drive_gain
        kind = SolvedThreePulse if self.solver == "qutip" else ThreePulse
        return kind(gaps[0], lengths[0], rabi, two_photon(h.wavelength), h.velocity)

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return the atoms counted in each shot, (points, shots, 2): excited, then ground."""
        del single  # every shot is kept here anyway
        system, h, shots = self.interferometer(timeline), self.hidden, timeline.shots
        last = max((e for e in timeline.events if e.kind == "play"), key=lambda e: int(e.start[0]))
        spent = timeline.duration * 1e-12 * shots
        moments = self.elapsed + np.cumsum(spent) - spent / 2
        gravity = np.array([self.gravity(float(moment)) for moment in moments])
        direction = np.where(timeline.setpoints["raman.direction"] < 0, -1.0, 1.0)
        slope = direction * (system.k * gravity - TWO_PI * timeline.setpoints["raman.chirp"])
        level, cosine, sine = system.fringe(slope)
        rms = math.hypot(system.vibration_phase(h.vibration), h.phase_noise)
        pictures = np.empty((len(timeline), shots, 2))
        for point in range(len(timeline)):
            phase = last.phase[point] + h.phase_shift
            phase = phase + rms * self.stream(MIRROR, self.rows + point).normal(size=shots)
            share = level[point] + h.coherence * (cosine[point] * np.cos(phase) + sine[point] * np.sin(phase))
            pictures[point] = self._picture(np.clip(share, 0.0, 1.0), self.stream(CAMERA, self.rows + point))
        return {event.key: pictures for event in timeline.events if event.kind == "acquire"}

    def path(self, timeline: Timeline, point: int) -> Path:
        """Return the two states of the atoms along the three pulses, in the frame that falls with them."""
        system, h = self.interferometer(timeline), self.hidden
        pair = ClockAtoms(shift=0.0, sigma_detuning=system.k * system.velocity, drive_gain=h.drive_gain)
        names = ("F = 2", "F = 1")
        return replace(path_of(pair, replace(timeline, setpoints={}), point), names=names, note=FALLING)

    def _picture(self, share: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return what the camera counts, (shots, 2)."""
        h = self.hidden
        atoms = np.maximum(
            np.rint(h.atoms * (1 + h.atom_fluctuation * rng.normal(size=len(share)))), 1
        ).astype(np.int64)
        excited = rng.binomial(atoms, share)
        seen = np.stack([excited, atoms - excited], axis=-1)
        return np.asarray(seen + h.detection_noise * rng.normal(size=seen.shape))
