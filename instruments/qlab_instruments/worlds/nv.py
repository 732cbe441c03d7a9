"""The world behind `sim-nv`: one NV centre with its field, noise, optics, drift, seed and clock."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from qlab.errors import InstrumentError
from qlab.parameters import Parameters
from qlab.physics.constants import D_NV
from qlab.physics.engine import Readout, play
from qlab.physics.noise import slow_drift
from qlab.physics.systems.nv import NVCentre
from qlab.pulses import Acquire, Delay, Gate, Play, Program, Timeline, compile_program
from qlab.shots import SUFFIX
from qlab.units import Hertz, Radians, Tesla, Unit
from qlab_instruments.worlds.clock import VirtualClock

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


class NVWorld:
    """One NV centre shared by all instruments of a bench.

    Instruments write `lines` ("microwave.frequency", "laser.power", "coil.bx" ...), the player loads a timeline,
    the counter reads what the detector saw. Counts follow readout model R1: each shot finds the spin bright or
    dark, then emits a Poisson number of photons; a row's total is drawn from exactly that mixture. Random
    streams are keyed by seed, detector and row, so that pauses and pacing change nothing.
    """

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        self.hidden = NVTruth.read(truth)
        self.clock = VirtualClock()
        self.lines: dict[str, float] = {}
        self.lists: dict[str, NDArray[np.float64]] = {}
        self.seed = 0
        self.rows = 0
        self.reads = 0
        self.timeline: Timeline | None = None

    @property
    def elapsed(self) -> float:
        """The virtual time of the run, s."""
        return self.clock.elapsed

    @elapsed.setter
    def elapsed(self, seconds: float) -> None:
        self.clock.elapsed = seconds

    def begin(self, seed: int, speed: float | None) -> None:
        """Start a run."""
        self.seed, self.rows, self.reads = seed, 0, 0
        self.timeline = None
        self.lists.clear()
        self.clock.begin(speed)

    def held(self, seconds: float) -> None:
        """Leave out real seconds that passed in a pause."""
        self.clock.held(seconds)

    def settings(self) -> dict[str, float]:
        """Return the process parameters."""
        return {name: float(value) for name, value in self.hidden.to_dict().items()}

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
        return NVCentre(
            field=(field[0], field[1], field[2]),
            D=hidden.D,
            E=hidden.E,
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

    def take(self, *, shots: bool = False) -> dict[str, NDArray[Any]]:
        """Play the loaded timeline once; return a row for each point: counts by key, and time.

        With `shots` also `<key>_shots` (points, shots), the counts of each shot; the sums are the same either way.
        """
        timeline = self.timeline
        if timeline is None:
            return {}
        points = len(timeline)
        setpoints = {name: np.full(points, value) for name, value in self.lines.items()}
        for name, values in self.lists.items():
            if len(values) != points:
                raise InstrumentError(
                    f"The list of {name} has {len(values)} values, and {points} points were played.",
                    "Load a list for each timeline, or set the knob to one value.",
                )
            setpoints[name] = values
        power = setpoints.get("laser.power", np.zeros(points))
        shift = float(slow_drift(np.asarray(self.elapsed), self.seed, LASER)) * self.hidden.laser_drift
        setpoints["laser.power"] = power * max(0.0, 1 + shift) * (self.lines.get("laser.on", 1.0) > 0)
        if self.lines.get("microwave.on", 1.0) == 0:
            setpoints["microwave.power"] = np.full(points, -math.inf)
        readout = play(self.centre(self.elapsed), replace(timeline, setpoints=setpoints))
        counts = self._count(readout, timeline.shots, single=shots)
        spent = timeline.duration * 1e-12 * timeline.shots
        moments = self.elapsed + np.cumsum(spent)
        self.clock.elapsed = float(moments[-1])
        self.rows += points
        return {**counts, "time": moments}

    def _count(self, readout: Readout, shots: int, *, single: bool = False) -> dict[str, NDArray[np.int64]]:
        points = len(readout.probability)
        keys = list(readout.means)
        counts = {key: np.empty(points, dtype=np.int64) for key in keys}
        if single:
            counts |= {f"{key}{SUFFIX}": np.empty((points, shots), dtype=np.int64) for key in keys}
        for point in range(points):
            rng = self._stream(DETECTOR, self.rows + point)
            found = rng.multinomial(shots, _normalised(readout.probability[point]))
            for key in keys:
                counts[key][point] = rng.poisson(found @ readout.means[key][point])
            if single:
                # Given the sum, independent Poisson counts are spread over the shots by their means.
                rng = self._stream(SINGLE, self.rows + point)
                state = rng.permutation(np.repeat(np.arange(len(found)), found))
                for key in keys:
                    share = _normalised(readout.means[key][point][state])
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
        mean = float(play(self.centre(self.elapsed), timeline).expected("counts")[0])
        seen = self._stream(CONTINUOUS, self.reads).poisson(mean)
        self.reads += 1
        self.clock.elapsed += seconds
        return float(seen) / seconds

    def _stream(self, detector: int, row: int) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self.seed, detector], counter=[0, row, 0, 0]))


def _normalised(shares: NDArray[np.float64] | Sequence[float]) -> NDArray[np.float64]:
    clean = np.clip(np.asarray(shares, dtype=float), 0.0, None)
    return np.asarray(clean / clean.sum())
