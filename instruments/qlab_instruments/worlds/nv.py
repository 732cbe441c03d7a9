"""The world behind `sim-nv`: one NV centre with its field, noise, optics, drift, seed and clock."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from qlab.parameters import Parameters
from qlab.physics.constants import D_NV
from qlab.physics.engine import Readout, play
from qlab.physics.noise import slow_drift
from qlab.physics.systems.carbon import with_carbon
from qlab.physics.systems.nv import COUPLINGS, NVCentre
from qlab.pulses import Acquire, Delay, Gate, Play, Program, Timeline, compile_program
from qlab.shots import SUFFIX
from qlab.units import Hertz, Radians, Tesla, Unit
from qlab_instruments.worlds.seeded import SeededWorld, normalised

PerSecond = Annotated[float, Unit("Hz"), Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]
DETECTOR, CONTINUOUS, SINGLE = 1, 2, 3  # random streams
FIELD, LASER = 11, 12  # drifts


class NVTruth(Parameters):
    """What is hidden in the simulated NV bench. Typical of a single NV in natural diamond (Barry, RMP 2020)."""

    B: Annotated[float, Unit("T"), Ge(-10), Le(10)] = 2e-3
    theta: Radians = 0.0
    phi: Radians = 0.0
    D: Hertz = D_NV
    E: Hertz = 0.0
    nitrogen: Annotated[int, Ge(14), Le(15)] = 14
    carbon_parallel: Hertz = 0.0  # of one 13C; 0 and 0: none beside this centre
    carbon_perpendicular: Hertz = 0.0
    sigma_detuning: Annotated[float, Unit("Hz"), Ge(0)] = 112.5e3
    tau_c: Annotated[float, Unit("s"), Gt(0)] = 40e-3
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


class NVWorld(SeededWorld):
    """One NV centre shared by all instruments of a bench.

    Counts follow readout model R1: each shot finds the spin bright or dark, then emits a Poisson number of photons; a
    row's total is drawn from exactly that mixture.
    """

    hidden: NVTruth

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = NVTruth.read(truth)

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
        }

    def centre(self, seconds: float) -> NVCentre:
        """Return the NV centre as it is at a moment of virtual time, drift and coil included."""
        hidden = self.hidden
        drift = float(slow_drift(np.asarray(seconds), self.seed, FIELD)) * hidden.field_drift
        strength = hidden.B + drift
        along = (
            math.sin(hidden.theta) * math.cos(hidden.phi),
            math.sin(hidden.theta) * math.sin(hidden.phi),
            math.cos(hidden.theta),
        )
        coil = (self.lines.get(f"coil.b{axis}", 0.0) for axis in "xyz")
        field = tuple(strength * part + extra for part, extra in zip(along, coil, strict=True))
        centre = NVCentre(
            field=(field[0], field[1], field[2]),
            D=hidden.D,
            E=hidden.E,
            nitrogen=hidden.nitrogen,
            **COUPLINGS[hidden.nitrogen],
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
        readout = play(self.centre(self.elapsed), timeline, self.solver)
        return dict(self._count(readout, timeline.shots, single=single))

    def _count(self, readout: Readout, shots: int, *, single: bool = False) -> dict[str, NDArray[np.int64]]:
        points = len(readout.probability)
        keys = list(readout.means)
        counts = {key: np.empty(points, dtype=np.int64) for key in keys}
        if single:
            counts |= {f"{key}{SUFFIX}": np.empty((points, shots), dtype=np.int64) for key in keys}
        for point in range(points):
            rng = self.stream(DETECTOR, self.rows + point)
            found = rng.multinomial(shots, normalised(readout.probability[point]))
            for key in keys:
                counts[key][point] = rng.poisson(found @ readout.means[key][point])
            if single:
                # Given the sum, independent Poisson counts are spread over the shots by their means.
                rng = self.stream(SINGLE, self.rows + point)
                state = rng.permutation(np.repeat(np.arange(len(found)), found))
                for key in keys:
                    share = normalised(readout.means[key][point][state])
                    counts[f"{key}{SUFFIX}"][point] = rng.multinomial(counts[key][point], share)
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
        mean = float(play(self.centre(self.elapsed), timeline, self.solver).expected("counts")[0])
        seen = self.stream(CONTINUOUS, self.reads).poisson(mean)
        self.reads += 1
        self.clock.elapsed += seconds
        return float(seen) / seconds
