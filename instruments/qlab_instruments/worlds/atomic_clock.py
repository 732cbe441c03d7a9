"""The world behind `sim-clock`: atoms in a lattice, probed by a laser whose frequency wanders."""

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.exponential import expm
from qlab.physics.judge import propagators
from qlab.physics.oscillator import OscillatorCycles, OscillatorNoise
from qlab.physics.path import Path, path_of
from qlab.physics.segments import Segment, cut
from qlab.physics.systems.clock import ClockAtoms
from qlab.pulses import Timeline
from qlab.pulses.timeline import Event
from qlab.units import Hertz, Unit
from qlab_instruments.worlds.seeded import SeededWorld

Time = Annotated[float, Unit("s"), Gt(0)]
Level = Annotated[float, Ge(0)]
Vector = tuple[float, float, float]
FEW_STEPS = 3  # turns and damping in a pulse; from more on the Bloch equations are solved as they are
CAMERA, LASER, COMB = 4, 14, 24  # random streams


class ClockTruth(Parameters):
    """What is hidden in the simulated clock: 171Yb in a lattice, after Ludlow et al., RMP 87, 637 (2015)."""

    shift: Hertz = 0.04  # of the atoms from the nominal frequency
    laser_offset: Hertz = 0.3  # of the free-running laser at the start
    T1: Time = 20.0
    Tphi: Time = 1e4
    atoms: Annotated[float, Gt(0), Le(1e9)] = 5000
    atom_fluctuation: Annotated[float, Ge(0), Le(0.5)] = 0.05
    contrast: Annotated[float, Gt(0), Le(1)] = 0.85
    detection_noise: Level = 8.0  # atoms, rms in each state
    white: Annotated[float, Unit("1/Hz"), Ge(0)] = 4e-33  # h0
    flicker: Level = 2.6e-33  # h_1: a floor of 6e-17
    walk: Annotated[float, Unit("Hz"), Ge(0)] = 1e-39  # h_2
    comb_noise: Level = 1e-17  # fractional, of one comparison
    drive_gain: Level = 1.0


class ClockWorld(SeededWorld):
    """Atoms, camera and laser of a clock.

    Every shot is one cycle. The laser's frequency in each of its stretches (dead time, pulses, dark time) is the mean
    of its noise there plus what the frequency shifter adds; it is taken as constant within a stretch. Detection is
    readout model R4: a binomial number of excited atoms out of a fluctuating number, and the noise of the camera.
    """

    hidden: ClockTruth

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = ClockTruth.read(truth)
        self.lines["oscillator.offset"] = 0.0
        self._timing: tuple[float, ...] = ()
        self._cycles: OscillatorCycles | None = None
        self._first = 0
        self._programs = 0
        self._known: tuple[tuple[Event, ...], Stretches] | None = None
        self._shots = 0
        self._compared: list[float] = []

    def begin(self, seed: int, speed: float | None) -> None:
        """Start a run."""
        super().begin(seed, speed)
        self._cycles, self._timing, self._known = None, (), None
        self._shots, self._programs, self._first = 0, 0, 0
        self._compared.clear()

    @cached_property
    def atoms(self) -> ClockAtoms:
        """The atoms."""
        h = self.hidden
        return ClockAtoms(shift=h.shift, T1=h.T1, Tphi=h.Tphi, drive_gain=h.drive_gain)

    def noise(self) -> OscillatorNoise:
        """Return the noise of the laser."""
        return OscillatorNoise(self.hidden.white, self.hidden.flicker, self.hidden.walk)

    def truth(self) -> dict[str, float]:
        """Return the process parameters and what follows from them."""
        return {**self.settings(), "fractional_shift": self.hidden.shift / self.atoms.nominal}

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return the atoms counted in each shot, (points, shots, 2): excited, then ground."""
        del single  # every shot is kept here anyway
        keys = [event.key for event in timeline.events if event.kind == "acquire"]
        pictures = np.empty((len(timeline), timeline.shots, 2))
        offsets = timeline.setpoints["oscillator.offset"]
        for point in range(len(timeline)):
            stretches = self._stretches(timeline, point)
            for shot in range(timeline.shots):
                excited = self._cycle(stretches, float(offsets[point]))
                pictures[point, shot] = self._picture(excited)
                self._shots += 1
        return dict.fromkeys(keys, pictures)

    def path(self, timeline: Timeline, point: int) -> Path:
        """Return the state of the atoms along one cycle, as a laser without noise would drive them."""
        offset = timeline.setpoints.get("oscillator.offset", np.zeros(len(timeline)))[point]
        away = self.hidden.shift - self.hidden.laser_offset - float(offset)
        note = "The laser is drawn without its noise."
        return replace(path_of(replace(self.atoms, shift=away), timeline, point), note=note)

    def _stretches(self, timeline: Timeline, point: int) -> "Stretches":
        """Return the stretches of one point; those of a timeline that is played again and again are kept."""
        if len(timeline) == 1 and self._known is not None and self._known[0] is timeline.events:
            return self._known[1]
        segments = next(iter(cut(timeline.take(slice(point, point + 1)))))[1]
        made = Stretches.of(segments, self.hidden)
        self._known = (timeline.events, made) if len(timeline) == 1 else None
        return made

    def _cycle(self, stretches: "Stretches", offset: float) -> float:
        """Return the probability of excitation at the end of one cycle."""
        if stretches.seconds != self._timing:
            self._begin_cycles(stretches.seconds)
        cycles = self._cycles
        assert cycles is not None  # noqa: S101 - narrows the type; _begin_cycles has made it
        free = cycles.means(self._shots - self._first).tolist()
        nominal, laser = self.atoms.nominal, self.hidden.laser_offset + offset
        mean = sum(y * t for y, t in zip(free, stretches.seconds, strict=True)) / sum(stretches.seconds)
        self._compared.append(mean + laser / nominal)
        detunings = [TWO_PI * (y * nominal + laser - self.hidden.shift) for y in free]
        whole = self._solve(stretches, detunings) if self.solver == "qutip" else stretches.turn(detunings)
        return 0.5 + self.hidden.contrast * (whole - 0.5)

    def _begin_cycles(self, seconds: tuple[float, ...]) -> None:
        program = self._programs
        self._programs += 1
        self._timing, self._first = seconds, self._shots
        stream = lambda chunk: self.stream(LASER, (program << 32) + chunk)  # noqa: E731
        self._cycles = OscillatorCycles(self.noise(), np.array(seconds), stream)

    def _solve(self, stretches: "Stretches", detunings: list[float]) -> float:
        """Return the same by QuTiP: one mesolve for each stretch."""
        jumps = np.array([c.full() for c in self.atoms.collapse_operators()]).reshape(-1, 2, 2)
        state = np.array([0, 0, 0, 1], dtype=complex)
        for time, drive, delta, steps in zip(
            stretches.seconds, stretches.drives, detunings, stretches.steps, strict=True
        ):
            if not steps:
                break
            raising = complex(drive[0], -drive[1]) / 2
            hamiltonian = np.array([[-delta / 2, raising], [raising.conjugate(), delta / 2]])
            state = propagators(hamiltonian, jumps, np.array([time]))[0] @ state
        return float(state[0].real)

    def _picture(self, excited: float) -> tuple[float, float]:
        h = self.hidden
        rng = self.stream(CAMERA, self._shots)
        loaded = max(round(h.atoms * (1 + h.atom_fluctuation * float(rng.normal()))), 1)
        upper = int(rng.binomial(loaded, min(max(excited, 0.0), 1.0)))
        first, second = h.detection_noise * rng.normal(size=2)
        return upper + float(first), loaded - upper + float(second)

    def compare(self) -> float:
        """Return the mean fractional frequency of the steered laser since the last comparison, from nominal."""
        if not self._compared:
            return math.nan
        mean = sum(self._compared) / len(self._compared)
        self._compared.clear()
        rng = self.stream(COMB, self.reads)
        self.reads += 1
        return mean + self.hidden.comb_noise * float(rng.normal())


@dataclass(frozen=True)
class Stretches:
    """One cycle as the atoms see it.

    `seconds` of each stretch, `drives` (Ω cos φ, Ω sin φ) in rad/s, `dampings` of half a step, `steps` (0: read out).
    """

    seconds: tuple[float, ...]
    drives: tuple[tuple[float, float], ...]
    dampings: tuple[tuple[float, float], ...]
    steps: tuple[int, ...]

    @classmethod
    def of(cls, segments: tuple[Segment, ...], hidden: ClockTruth) -> "Stretches":
        """Return the stretches of a cycle cut at every edge."""
        seconds = tuple(float(s.seconds[0]) for s in segments)
        drives, dampings, steps = [], [], []
        # The camera opens on what it finds: what the atoms do while it looks changes nothing any more.
        reading = next((i for i, s in enumerate(segments) if s.keys), len(segments))
        for i, (segment, time) in enumerate(zip(segments, seconds, strict=True)):
            rabi, phase = 0.0, 0.0
            if segment.play is not None:
                rabi = TWO_PI * float(segment.play.amplitude[0]) * hidden.drive_gain
                phase = float(segment.play.phase[0])
            # Turning and damping commute in the dark; in a pulse they take turns, in steps so short that what is
            # left out, damping*(turn/steps)^2/24, stays below 1e-5.
            lost = time / hidden.T1 + time / hidden.Tphi
            count = max(1, math.ceil(math.sqrt(lost / 2.4e-4) * rabi * time))
            half = time / count / 2
            drives.append((rabi * math.cos(phase), rabi * math.sin(phase)))
            across = math.exp(-half / (2 * hidden.T1) - half / hidden.Tphi)
            dampings.append((across, math.exp(-half / hidden.T1)))
            steps.append(count if i < reading else 0)
        return cls(seconds, tuple(drives), tuple(dampings), tuple(steps))

    def turn(self, detunings: list[float]) -> float:
        """Return the excitation at the end, for detunings in rad/s of each stretch: one Bloch vector, turned."""
        vector = (0.0, 0.0, -1.0)
        for time, drive, (across, along), count, delta in zip(
            self.seconds, self.drives, self.dampings, self.steps, detunings, strict=True
        ):
            if count and drive == (0.0, 0.0):
                u, v, w = vector
                turned = complex(u, v) * across * across * cmath.exp(-1j * delta * time) if u or v else 0j
                vector = (turned.real, turned.imag, (w + 1) * along * along - 1)
                continue
            if count > FEW_STEPS:
                vector = _bloch(vector, (*drive, -delta), (across, along), count, time)
                continue
            for _ in range(count):
                u, v, w = vector
                vector = _turned(
                    (u * across, v * across, (w + 1) * along - 1), (*drive, -delta), time / count
                )
                u, v, w = vector
                vector = (u * across, v * across, (w + 1) * along - 1)
        return (1 + vector[2]) / 2


def _bloch(vector: Vector, field: Vector, damping: tuple[float, float], count: int, time: float) -> Vector:
    """Turn a vector about a field (rad/s) while it decays towards w = -1: the Bloch equations, exactly.

    `damping` is that of half a step (u and v, w), of `count` steps.
    """
    a, b, c = (part * time for part in field)
    lost, fallen = (-2 * count * math.log(kept) for kept in damping)
    flow = np.array([[-lost, -c, b, 0], [c, -lost, -a, 0], [-b, a, -fallen, -fallen], [0, 0, 0, 0]])
    u, v, w = (expm(flow)[:3] @ np.array([*vector, 1.0])).tolist()
    return u, v, w


def _turned(vector: Vector, field: Vector, time: float) -> Vector:
    """Turn a vector about a field (rad/s) for a time: Rodrigues' formula."""
    rate = math.sqrt(field[0] ** 2 + field[1] ** 2 + field[2] ** 2)
    if rate == 0:
        return vector
    a, b, c = field[0] / rate, field[1] / rate, field[2] / rate
    u, v, w = vector
    cosine, sine = math.cos(rate * time), math.sin(rate * time)
    along = (a * u + b * v + c * w) * (1 - cosine)
    return (
        u * cosine + (b * w - c * v) * sine + a * along,
        v * cosine + (c * u - a * w) * sine + b * along,
        w * cosine + (a * v - b * u) * sine + c * along,
    )
