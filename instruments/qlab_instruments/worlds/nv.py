"""The world behind `sim-nv`: one NV centre with its field, noise, optics, drift, seed and clock."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field

from qlab.parameters import Parameters
from qlab.physics.constants import D_NV, GAMMA_NV
from qlab.physics.engine import Readout, play
from qlab.physics.noise import slow_drift
from qlab.physics.path import Path, path_of
from qlab.physics.phases import at_phase, over_phases
from qlab.physics.systems.carbon import with_carbon
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.nv_axes import axis_frame
from qlab.physics.systems.nv_levels import couplings
from qlab.pulses import Acquire, Delay, Gate, Play, Program, Timeline, compile_program
from qlab.shots import SUFFIX
from qlab.units import Hertz, Radians, Tesla, Unit
from qlab_instruments.worlds.seeded import SeededWorld, normalised
from qlab_instruments.worlds.wave import Wave

PerSecond = Annotated[float, Unit("Hz"), Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]
DETECTOR, CONTINUOUS, SINGLE, WAVE = 1, 2, 3, 4  # random streams
FIELD, LASER = 11, 12  # drifts


class NVTruth(Parameters):
    """What is hidden in the simulated NV bench. Typical of a single NV in natural diamond (Barry, RMP 2020).

    One NV centre (`orientations` 1): the field is given in its own frame. More axes of the crystal: in the frame of
    the crystal, and `emitters` centres share them. `signal_*` is an AC field of the sample along each axis, whose
    phase runs on through all shots; `coil_gain` what the test coil really makes of an asked tesla. D, E, gamma, and how
    many nuclei are coupled and how, make another spin 1 of it: a boron vacancy in hBN, a neutral silicon vacancy.
    """

    B: Annotated[float, Unit("T"), Ge(-10), Le(10)] = 2e-3
    theta: Radians = 0.0
    phi: Radians = 0.0
    D: Hertz = D_NV
    E: Hertz = 0.0
    gamma: Annotated[float, Unit("Hz/T"), Gt(0)] = GAMMA_NV
    nitrogen: Annotated[int, Ge(14), Le(15)] = 14
    equivalent: Annotated[int, Ge(0), Le(6), Field(title="Equivalent nitrogen nuclei")] = 1
    hyperfine_parallel: Hertz = 0.0  # 0 and 0: those of the nitrogen of an NV centre
    hyperfine_perpendicular: Hertz = 0.0
    carbon_parallel: Hertz = 0.0  # of one 13C; 0 and 0: none beside this centre
    carbon_perpendicular: Hertz = 0.0
    sigma_detuning: Annotated[
        float, Unit("Hz"), Ge(0), Field(title="Slow detuning noise, rms (sets T2*)")
    ] = 112.5e3
    tau_c: Annotated[float, Unit("s"), Gt(0), Field(title="Correlation time of the noise (sets T2)")] = 40e-3
    T1: Annotated[float, Unit("s"), Gt(0)] = 5e-3
    Tphi: Annotated[float, Unit("s"), Gt(0)] = 5e-3
    drive_gain: Annotated[float, Ge(0)] = 1.0
    rabi_at_0dbm: Hertz = 1e6
    polarisation: Annotated[float, Gt(0.34), Le(1)] = 0.95
    fluorescence_contrast: Share = 0.35
    saturated_rate: PerSecond = 400e3
    saturation_power: Annotated[float, Unit("W"), Gt(0)] = 1e-3
    background_rate: PerSecond = 2e3
    dark_rate: PerSecond = 200.0
    field_drift: Tesla = 1e-9
    laser_drift: Share = 2e-4
    signal_amplitude: Annotated[float, Unit("T"), Ge(0)] = 0.0
    signal_frequency: Annotated[float, Unit("Hz"), Ge(0)] = 1e6
    signal_phase: Radians = 0.0
    signal_linewidth: Annotated[float, Unit("Hz"), Ge(0)] = 0.0
    coil_gain: Annotated[float, Ge(0)] = 1.0
    orientations: Annotated[int, Ge(1), Le(4)] = 1
    emitters: Annotated[int, Ge(1), Le(10**9)] = 1


class NVWorld(SeededWorld):
    """One NV centre, or an ensemble along the axes of the crystal, shared by all instruments of a bench.

    Counts follow readout model R1: each shot finds the spin bright or dark, then emits a Poisson number of photons; a
    row's total is drawn from exactly that mixture.
    """

    hidden: NVTruth

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = NVTruth.read(truth)
        self.wave = Wave(self.hidden.signal_frequency, self.hidden.signal_phase, self.hidden.signal_linewidth)

    def begin(self, seed: int, speed: float | None) -> None:
        """Start a run; the signal of the sample starts at its own phase."""
        super().begin(seed, speed)
        self.wave.begin()

    def truth(self) -> dict[str, float]:
        """Return the process parameters and what follows from them, in SI units."""
        nv = self.centre(0.0)
        return {
            **self.settings(),
            "resonance": nv.resonance(),
            "upper_resonance": nv.resonance(1),
            "hyperfine": nv.hyperfine(),
            "T2_star": nv.free_decay_time(),
            "T2": nv.echo_decay_time(),
            **dict(zip(("Bx", "By", "Bz"), self.field(0.0), strict=True)),
        }

    def field(self, seconds: float) -> tuple[float, float, float]:
        """Return the field at a moment of virtual time, drift and coil included, in T."""
        hidden = self.hidden
        drift = float(slow_drift(np.asarray(seconds), self.seed, FIELD)) * hidden.field_drift
        strength = hidden.B + drift
        along = (
            math.sin(hidden.theta) * math.cos(hidden.phi),
            math.sin(hidden.theta) * math.sin(hidden.phi),
            math.cos(hidden.theta),
        )
        coil = (self.lines.get(f"coil.b{axis}", 0.0) for axis in "xyz")
        x, y, z = (strength * part + extra for part, extra in zip(along, coil, strict=True))
        return x, y, z

    def centres(self, seconds: float) -> list[NVCentre]:
        """Return a centre for each axis that is seen."""
        count = self.hidden.orientations
        return [self.centre(seconds, axis if count > 1 else None) for axis in range(count)]

    def centre(self, seconds: float, axis: int | None = None) -> NVCentre:
        """Return the NV centre as it is at a moment; along an axis of the crystal (0 to 3), or in its own frame."""
        hidden = self.hidden
        if axis is None and hidden.orientations > 1:
            axis = 0
        field = np.array(self.field(seconds))
        x, y, z = field if axis is None else axis_frame(axis) @ field
        coupled = couplings(
            hidden.nitrogen, hidden.equivalent, hidden.hyperfine_parallel, hidden.hyperfine_perpendicular
        )
        centre = NVCentre(
            field=(float(x), float(y), float(z)),
            D=hidden.D,
            E=hidden.E,
            gamma=hidden.gamma,
            nitrogen=hidden.nitrogen,
            equivalent=hidden.equivalent,
            A_parallel=coupled["A_parallel"],
            A_perpendicular=coupled["A_perpendicular"],
            quadrupole=coupled["quadrupole"],
            T1=hidden.T1,
            Tphi=hidden.Tphi,
            noise_hz=hidden.sigma_detuning,
            tau_c=hidden.tau_c,
            drive_gain=hidden.drive_gain,
            polarisation=hidden.polarisation,
            fluorescence_contrast=hidden.fluorescence_contrast,
            saturated_rate=hidden.saturated_rate,
            saturation_power=hidden.saturation_power,
            background_rate=hidden.background_rate,
            dark_rate=hidden.dark_rate,
            signal_amplitude=hidden.signal_amplitude,
            signal_frequency=hidden.signal_frequency,
            coil_gain=hidden.coil_gain,
        )
        return with_carbon(centre, hidden.carbon_parallel, hidden.carbon_perpendicular)

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return the photon counts of each point by key; with `single` those of each shot too."""
        setpoints = dict(timeline.setpoints)
        points = len(timeline)
        power = setpoints.get("laser.power", np.zeros(points))
        shift = float(slow_drift(np.asarray(self.elapsed), self.seed, LASER)) * self.hidden.laser_drift
        setpoints["laser.power"] = power * max(0.0, 1 + shift) * (self.lines.get("laser.on", 1.0) > 0)
        if self.lines.get("microwave.on", 1.0) == 0:
            setpoints["microwave.power"] = np.full(points, -math.inf)
        timeline = replace(timeline, setpoints=setpoints)
        centres = self.centres(self.elapsed)
        if (len(centres) > 1 or self.hidden.equivalent > 1) and continuous(timeline):
            centres = [replace(centre, mixed_nucleus=True) for centre in centres]
        phases = over_phases(timeline, self.hidden.signal_amplitude * self.hidden.gamma / GAMMA_NV)
        if phases:
            return self._heterodyne(
                play(centres[0], phases.timeline, self.solver), timeline, phases.count, single
            )
        seen = [play(centre, timeline, self.solver) for centre in centres]
        return dict(self._count(seen, timeline.shots, single=single))

    def path(self, timeline: Timeline, point: int) -> Path:
        """Return the state of the spin along one point of a timeline."""
        return path_of(self.centre(0.0), timeline, point)

    def _count(
        self, seen: list[Readout], shots: int, *, single: bool = False
    ) -> dict[str, NDArray[np.int64]]:
        points, keys = len(seen[0].probability), list(seen[0].means)
        emitters = max(1, self.hidden.emitters // len(seen))
        counts = {key: np.empty(points, dtype=np.int64) for key in keys}
        if single:
            counts |= {f"{key}{SUFFIX}": np.empty((points, shots), dtype=np.int64) for key in keys}
        for point in range(points):
            rng = self.stream(DETECTOR, self.rows + point)
            found = [rng.multinomial(shots * emitters, normalised(r.probability[point])) for r in seen]
            for key in keys:
                mean = sum(f @ r.means[key][point] for f, r in zip(found, seen, strict=True))
                counts[key][point] = rng.poisson(mean)
            if single:
                self._spread(counts, point, seen[0], found[0] if len(seen) * emitters == 1 else None)
        return counts

    def _spread(
        self,
        counts: dict[str, NDArray[np.int64]],
        point: int,
        readout: Readout,
        found: NDArray[np.int64] | None,
    ) -> None:
        """Spread the counts of a point over its shots; those of many centres evenly, of one by what was found."""
        rng = self.stream(SINGLE, self.rows + point)
        for key in readout.means:
            shots = counts[f"{key}{SUFFIX}"].shape[1]
            share = np.ones(shots)
            if found is not None:
                # Given the sum, independent Poisson counts are spread over the shots by their means.
                share = readout.means[key][point][np.repeat(np.arange(len(found)), found)]
            if found is not None and key == next(iter(readout.means)):
                order = rng.permutation(shots)
            share = share[order] if found is not None else share
            counts[f"{key}{SUFFIX}"][point] = rng.multinomial(counts[key][point], normalised(share))

    def _heterodyne(
        self, readout: Readout, timeline: Timeline, phases: int, single: bool
    ) -> dict[str, NDArray[np.int64]]:
        """Return counts under a signal whose phase runs on: each shot finds it at another one."""
        points, shots, keys = len(timeline), timeline.shots, list(readout.means)
        transfer = readout.probability[:, -1].reshape(points, phases)
        counts = {key: np.empty(points, dtype=np.int64) for key in keys}
        if single:
            counts |= {f"{key}{SUFFIX}": np.empty((points, shots), dtype=np.int64) for key in keys}
        cycles = timeline.duration * 1e-12
        starts = self.elapsed + shots * (np.cumsum(cycles) - cycles)
        for point in range(points):
            walk = self.stream(WAVE, self.rows + point)
            theta = self.wave.phases(float(starts[point]), float(cycles[point]), shots, walk)
            rng = self.stream(DETECTOR, self.rows + point)
            dark = rng.random(shots) < at_phase(transfer[point], theta)
            found = np.array([shots - dark.sum(), dark.sum()])
            for key in keys:
                mean = readout.means[key][point * phases]
                counts[key][point] = rng.poisson(found @ mean[[0, -1]])
                if single:
                    spread = self.stream(SINGLE, self.rows + point)
                    share = normalised(mean[[0, -1]][dark.astype(int)])
                    counts[f"{key}{SUFFIX}"][point] = spread.multinomial(counts[key][point], share)
        return counts

    def rate(self, seconds: float) -> float:
        """Count for `seconds` with the lines as they stand, everything on continuously; counts per second."""
        on = self.lines.get("laser.on", 0.0) > 0
        amplitude = self.hidden.rabi_at_0dbm * 10 ** (self.lines.get("microwave.power", -200.0) / 20)
        amplitude *= self.lines.get("microwave.on", 0.0) > 0
        settle = 1.0
        body = Play("mw", settle + seconds, amplitude) + Gate("laser", settle + seconds)
        counted = body + Delay(settle, ("counter",)) + Acquire("counter", seconds, "counts")
        setpoints = {
            "laser.power": self.lines.get("laser.power", 0.0) * on,
            "microwave.frequency": self.lines.get("microwave.frequency", D_NV),
        }
        timeline = compile_program(Program(counted, setpoints=setpoints))
        each = max(1, self.hidden.emitters // self.hidden.orientations)
        centres = [replace(centre, mixed_nucleus=True) for centre in self.centres(self.elapsed)]
        shown = (play(centre, timeline, self.solver) for centre in centres)
        mean = each * sum(float(readout.expected("counts")[0]) for readout in shown)
        seen = self.stream(CONTINUOUS, self.reads).poisson(mean)
        self.reads += 1
        self.clock.elapsed += seconds
        return float(seen) / seconds


def continuous(timeline: Timeline) -> bool:
    """Return whether the drive is on while photons are counted, and nowhere else: no pulses before it."""
    played = [event for event in timeline.events if event.kind == "play"]
    counted = [event for event in timeline.events if event.kind == "acquire"]
    return len(played) == 1 and any(bool(np.all(event.stop <= played[0].stop)) for event in counted)
