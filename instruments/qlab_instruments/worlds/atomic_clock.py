"""The world behind `sim-clock`: atoms in a lattice, probed by a laser whose frequency wanders."""

import cmath
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from operator import itemgetter
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
        self._known: tuple[tuple[Event, ...], list[Stretches]] | None = None
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
        offsets, stretches = timeline.setpoints["oscillator.offset"].tolist(), self._stretches(timeline)
        first = self._shots
        cycles = [
            (stretches[point], self._detunings(stretches[point], offsets[point]))
            for point in range(len(timeline))
            for _ in range(timeline.shots)
        ]
        pictures = [
            self._picture(first + shot, excited) for shot, excited in enumerate(self._excited(cycles))
        ]
        return dict.fromkeys(keys, np.array(pictures).reshape(len(timeline), timeline.shots, 2))

    def path(self, timeline: Timeline, point: int) -> Path:
        """Return the state of the atoms along one cycle, as a laser without noise would drive them."""
        offset = timeline.setpoints.get("oscillator.offset", np.zeros(len(timeline)))[point]
        away = self.hidden.shift - self.hidden.laser_offset - float(offset)
        note = "The laser is drawn without its noise."
        return replace(path_of(replace(self.atoms, shift=away), timeline, point), note=note)

    def _stretches(self, timeline: Timeline) -> "list[Stretches]":
        """Return the stretches of each point; those of a timeline that is played again and again are kept."""
        if self._known is None or self._known[0] is not timeline.events:
            made: dict[int, Stretches] = {}
            for chosen, segments in cut(timeline):
                for place, point in enumerate(chosen.tolist()):
                    made[point] = Stretches.of(segments, place, self.hidden)
            self._known = timeline.events, [made[point] for point in range(len(timeline))]
        return self._known[1]

    def _detunings(self, stretches: "Stretches", offset: float) -> list[float]:
        """Return the laser's detuning in each stretch of the next cycle, rad/s."""
        if stretches.seconds != self._timing:
            self._begin_cycles(stretches.seconds)
        cycles = self._cycles
        assert cycles is not None  # noqa: S101 - narrows the type; _begin_cycles has made it
        free = cycles.means(self._shots - self._first)
        self._shots += 1
        nominal, laser = self.atoms.nominal, self.hidden.laser_offset + offset
        self._compared.append(float(free @ stretches.shares) + laser / nominal)
        detunings: list[float] = (TWO_PI * (free * nominal + (laser - self.hidden.shift))).tolist()
        return detunings

    def _excited(self, cycles: "list[tuple[Stretches, list[float]]]") -> Iterator[float]:
        """Yield the probability of excitation at the end of each cycle, for its detunings."""
        for stretches, alike in groupby(cycles, key=itemgetter(0)):
            detunings = [found for _, found in alike]
            if self.solver == "qutip":
                ends: Iterable[float] = (self._solve(stretches, found) for found in detunings)
            else:
                ends = stretches.turns(detunings)
            for whole in ends:
                yield 0.5 + self.hidden.contrast * (whole - 0.5)

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

    def _picture(self, shot: int, excited: float) -> tuple[float, float]:
        h = self.hidden
        rng = self.stream(CAMERA, shot)
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
    def of(cls, segments: tuple[Segment, ...], place: int, hidden: ClockTruth) -> "Stretches":
        """Return the stretches of the cycle at a place among points cut at every edge."""
        segments = tuple(s for s in segments if s.seconds[place] > 0)
        seconds = tuple(float(s.seconds[place]) for s in segments)
        drives, dampings, steps = [], [], []
        # The camera opens on what it finds: what the atoms do while it looks changes nothing any more.
        reading = next((i for i, s in enumerate(segments) if s.keys), len(segments))
        for i, (segment, time) in enumerate(zip(segments, seconds, strict=True)):
            rabi, phase = 0.0, 0.0
            if segment.play is not None:
                rabi = TWO_PI * float(segment.play.amplitude[place]) * hidden.drive_gain
                phase = float(segment.play.phase[place])
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

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """The part that each stretch is of the cycle."""
        return np.array(self.seconds) / sum(self.seconds)

    @cached_property
    def long(self) -> tuple[int, ...]:
        """Which stretches are solved as a whole."""
        return tuple(i for i, count in enumerate(self.steps) if count > FEW_STEPS)

    def turns(self, detunings: list[list[float]]) -> list[float]:
        """Return the excitation at the end of each cycle, for detunings in rad/s of each stretch."""
        solved = {
            i: _bloch(
                self.drives[i], np.array(detunings)[:, i], self.dampings[i], self.steps[i], self.seconds[i]
            )
            for i in self.long
        }
        return [
            self._turn(found, {i: maps[k] for i, maps in solved.items()}) for k, found in enumerate(detunings)
        ]

    def _turn(self, detunings: list[float], solved: Mapping[int, NDArray[np.float64]]) -> float:
        """Return the excitation at the end of one cycle: one Bloch vector turned; `solved` are maps of stretches."""
        u, v, w = 0.0, 0.0, -1.0
        for i, (time, (a, b), (across, along), count, delta) in enumerate(
            zip(self.seconds, self.drives, self.dampings, self.steps, detunings, strict=True)
        ):
            if not count:
                break
            if a == b == 0:
                turned = complex(u, v) * across * across * cmath.exp(-1j * delta * time) if u or v else 0j
                u, v, w = turned.real, turned.imag, (w + 1) * along * along - 1
            elif i in solved:
                u, v, w = (solved[i] @ np.array([u, v, w, 1.0])).tolist()
            else:
                # Rodrigues' formula about the field (a, b, -delta), between two halves of the damping.
                rate = math.sqrt(a * a + b * b + delta * delta)
                x, y, z = a / rate, b / rate, -delta / rate
                cosine, sine = math.cos(rate * time / count), math.sin(rate * time / count)
                for _ in range(count):
                    u, v, w = u * across, v * across, (w + 1) * along - 1
                    stays = (x * u + y * v + z * w) * (1 - cosine)
                    u, v, w = (
                        u * cosine + (y * w - z * v) * sine + x * stays,
                        v * cosine + (z * u - x * w) * sine + y * stays,
                        w * cosine + (x * v - y * u) * sine + z * stays,
                    )
                    u, v, w = u * across, v * across, (w + 1) * along - 1
        return (1 + w) / 2


def _bloch(
    drive: tuple[float, float],
    deltas: NDArray[np.float64],
    damping: tuple[float, float],
    count: int,
    time: float,
) -> NDArray[np.float64]:
    """Return the maps (cycles, 3, 4) of (u, v, w, 1) for detunings in rad/s, with decay towards w = -1.

    They are the Bloch equations, exactly; `damping` is that of half a step (u and v, w), of `count` steps.
    """
    a, b, c = drive[0] * time, drive[1] * time, -deltas * time
    lost, fallen = (-2 * count * math.log(kept) for kept in damping)
    flow = np.zeros((len(deltas), 4, 4))
    flow[:, :3] = [[-lost, 0, b, 0], [0, -lost, -a, 0], [-b, a, -fallen, -fallen]]
    flow[:, 0, 1], flow[:, 1, 0] = -c, c
    return np.asarray(expm(flow)[:, :3])
