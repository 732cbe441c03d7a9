"""clock.servo: the closed loop of an optical clock."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field
from pydantic.config import JsonDict

from qlab.errors import InstrumentError
from qlab.experiment import Blocks, Experiment
from qlab.metrology.curves import Curve
from qlab.metrology.stability import at_one_second, deviations
from qlab.physics.systems.clock import dick_limit, projection_noise
from qlab.pulses import Delay, Play, Program, compile_program
from qlab.record import Axis, Column, Figure, FitResult, Signal
from qlab.roles import Camera, FrequencyComparator, LocalOscillator, PulsePlayer
from qlab.runs import Run
from qlab.units import Hertz, Unit
from qlab_experiments.clock.interrogation import (
    LUDLOW,
    QUANTUM,
    CycleParameters,
    Time,
    detection,
    preparation,
)

SANTARELLI = "Santarelli et al., IEEE Trans. UFFC 45, 887 (1998)"
BLOCK = 128  # cycles handed over together
MEMORY = 50  # cycles over which the level midway between both sides is remembered
PATIENCE = 10.0  # s that the camera may be silent beyond a cycle
MODEL: JsonDict = {"group": "Model"}


class ServoParameters(CycleParameters):
    """Settings of a clock lock."""

    cycles: Annotated[int, Ge(10), Le(10_000_000)] = Field(20_000, title="Cycles")
    dark_time: Time = Field(0.29, title="Dark time", description="Between the π/2 pulses")
    half_pi: Time = Field(5e-3, title="π/2 pulse")
    gain: Annotated[float, Gt(0), Le(1)] = Field(
        1.0, title="Gain", description="Share of an error that is corrected"
    )
    drift_gain: Annotated[float, Ge(0), Le(1)] = Field(
        0.001, title="Drift gain", description="Of the second integrator, which follows a drift"
    )
    contrast: Annotated[float, Gt(0), Le(1)] = Field(
        0.85, title="Contrast", description="Of the fringe, as calibrated"
    )
    start: Hertz = Field(-0.26, title="First offset", description="From a scan of the line")
    white: Annotated[float, Unit("1/Hz"), Ge(0)] = Field(
        4e-33,
        title="Laser h0",
        description="White frequency noise, for the Dick limit",
        json_schema_extra=MODEL,
    )
    flicker: Annotated[float, Ge(0)] = Field(
        2.6e-33,
        title="Laser h−1",
        description="Flicker frequency noise, for the Dick limit",
        json_schema_extra=MODEL,
    )


class Servo(Experiment[ServoParameters]):
    """A laser locked to atoms: probe one side of the fringe, then the other, steer by the difference.

    Cycle: load, π/2, dark time, π/2, detect, with the laser at +1/(4T) and −1/(4T) in turn. The error of each cycle is
    ±(p − p̄)/(πTC), p̄ the running mean over both sides; an integrator takes the share `gain` of it at once, a second
    one follows the drift. A comparator measures the laser. What wanders within a cycle comes too late for the servo,
    so that the locked laser is noisier at a few cycles; the clock itself is the laser with the error of the same
    cycle taken off. σ_y(τ) = √(QPN² + Dick²)/√τ with QPN = √(Tc/N)/(2πν₀TC) and the Dick effect
    Σ_m sinc²(mT/Tc)·S_y(m/Tc). Reference: Ludlow et al., Rev. Mod. Phys. 87, 637 (2015).
    Try: a longer loading time; ten times the atoms; a gain of 0.3.
    """

    title = "Clock lock"
    group = "Clocks"
    preset = "sim-clock"
    quantum: ClassVar = {
        **QUANTUM,
        "protocol": "clock servo",
        "measurand": "fractional frequency",
        "unit": "1",
    }

    player: PulsePlayer
    oscillator: LocalOscillator
    camera: Camera
    comparator: FrequencyComparator

    def program(self) -> Program:
        """One cycle."""
        p = self.parameters
        pulse = Play("mw", p.half_pi, 1 / (4 * p.half_pi))
        return Program(preparation(p) + pulse + Delay(p.dark_time) + pulse + detection(p))

    @property
    def interrogation(self) -> float:
        """The time in which a detuning turns the spins: two π/2 pulses count 2/π each (Santarelli 1998)."""
        p = self.parameters
        return p.dark_time + 4 / math.pi * p.half_pi

    def preflight(self) -> None:
        """Nothing is set but through the servo."""

    def run(self) -> Blocks:
        """Probe both sides in turn, steer, compare."""
        p = self.parameters
        timeline = compile_program(self.program())
        if self.on_program is not None:
            self.on_program(self.program())
        step, slope = 1 / (4 * self.interrogation), math.pi * self.interrogation * p.contrast
        self.player.load(timeline)
        centre, drift, middle = p.start, 0.0, 0.5
        rows: list[tuple[float, ...]] = []
        for cycle in range(p.cycles):
            side = 1 if cycle % 2 == 0 else -1
            self.oscillator.steer(centre + side * step)
            upper, lower, moment = self._shot()
            excited = upper / max(upper + lower, 1.0)
            # Compared without the step, which is known and taken off.
            left = self.comparator.compare() - side * step / p.nominal
            # How far the laser has to go. Every cycle tells it by itself: no wait for a pair.
            error = side * (excited - middle) / slope
            rows.append((cycle, centre, excited, left, left + error / p.nominal, moment, upper, lower))
            middle += (excited - middle) / MEMORY
            drift += p.drift_gain * p.gain * error
            centre += p.gain * error + drift
            if len(rows) == BLOCK or cycle == p.cycles - 1:
                yield _block(rows)
                rows = []

    def _shot(self) -> tuple[float, float, float]:
        """Return excited atoms, ground-state atoms, and when they were seen."""
        self.camera.arm(["atoms"], 1)
        self.player.start()
        waited = 0.0
        while waited <= PATIENCE + self.cycle:
            seen = self.camera.read(0.05)
            if len(seen.get("atoms", ())):
                upper, lower = seen["atoms"][0, 0].tolist()
                return upper, lower, float(seen["time"][0]) if "time" in seen else math.nan
            waited += 0.05
        raise InstrumentError("The camera has taken no picture.", "Check its trigger from the player.")

    @property
    def cycle(self) -> float:
        """The length of a cycle, s."""
        p = self.parameters
        return p.load_time + 2 * p.half_pi + p.dark_time + p.detect_time

    def estimate(self) -> tuple[int, float]:
        """Return the cycles and how long they last."""
        return self.parameters.cycles, self.parameters.cycles * self.cycle

    def axes(self) -> tuple[Axis, ...]:
        """Return the cycles."""
        count = self.parameters.cycles
        return (Axis(name="cycle", long_name="cycle", values=tuple(float(i) for i in range(count))),)

    def measured(self) -> tuple[Column, ...]:
        """Return pictures, correction and the fractional frequency that is left."""
        return (
            Column(name="correction", unit="Hz", long_name="offset that the servo adds", role="reduced"),
            Column(name="excited", long_name="share of excited atoms", role="reduced"),
            Column(name="fractional", long_name="fractional frequency of the locked laser"),
            Column(name="clock", long_name="fractional frequency of the clock", role="reduced"),
            Column(name="excited_atoms", long_name="excited atoms counted"),
            Column(name="ground_atoms", long_name="ground-state atoms counted"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the fractional frequency, the correction, the excitation."""
        return (
            Signal(name="y", long_name="fractional frequency of the clock", of="clock"),
            Signal(name="laser", long_name="fractional frequency of the locked laser", of="fractional"),
            Signal(name="offset", unit="Hz", long_name="servo correction", of="correction"),
            Signal(name="excitation", long_name="share of excited atoms", of="excited"),
        )

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """The locked laser sits on the atoms."""
        return {"frequency": truth["fractional_shift"]} if "fractional_shift" in truth else {}

    def model(self, noise: Mapping[str, float]) -> dict[str, float]:
        """Return sigma_y at 1 s for `atoms`, `contrast`, `white` and `flicker`: projection noise and Dick effect."""
        p = self.parameters
        projection = projection_noise(
            p.nominal, self.interrogation, noise["contrast"], noise["atoms"], self.cycle
        )
        dick = dick_limit(noise["white"], noise["flicker"], self.interrogation / self.cycle, self.cycle)
        return {"projection": projection, "dick": dick, "total": math.hypot(projection, dick)}

    def curves(self, run: Run) -> tuple[Curve, ...]:
        """Return the overlapping Allan deviation so far, with projection noise and the Dick effect as lines."""
        y = self._locked(run)
        if len(y) < 32:
            return ()
        curve = deviations(y, self.cycle, "oadev").curve()
        laser = deviations(self._locked(run, "fractional"), self.cycle, "oadev").curve()
        limits, tau = self._limits(run), np.array([self.cycle, max(float(curve.x[-1]), 2 * self.cycle)])
        for key, label, source in (
            ("projection", "projection noise", LUDLOW),
            ("total", "projection noise and Dick effect", SANTARELLI),
        ):
            curve = curve.with_limit(label, tau, limits[key] / np.sqrt(tau), source)
        return curve, replace(
            laser, name="locked_laser", label="overlapping Allan deviation of the locked laser"
        )

    def _locked(self, run: Run, column: str = "clock") -> NDArray[np.float64]:
        """Return a fractional frequency from where the servo has settled."""
        return np.asarray(run[column], dtype=float)[int(30 / self.parameters.gain) :]

    def _limits(self, run: Run) -> dict[str, float]:
        p = self.parameters
        atoms = float(np.mean(run["excited_atoms"]) + np.mean(run["ground_atoms"]))
        return self.model({"contrast": p.contrast, "atoms": atoms, "white": p.white, "flicker": p.flicker})

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the mean frequency and the stability, with projection noise and the Dick effect beside it."""
        del fit
        y = self._locked(run)
        if len(y) < 200:
            return ()
        lasted = len(y) * self.cycle
        sigma, error = at_one_second(y, self.cycle, 10 * self.cycle, lasted / 20)
        limits = self._limits(run)
        found = [
            Figure(name="frequency", label="mean fractional frequency", value=float(y.mean()),
                   error=sigma / math.sqrt(lasted), definition="mean over the locked time; error σ_y(1 s)/√T",
                   source=LUDLOW),
            Figure(name="stability", label="σ_y at 1 s", value=sigma, error=error, unit="1/√Hz", source=LUDLOW,
                   definition="overlapping Allan deviation of the clock at ten cycles and more, times √τ"),
        ]  # fmt: skip
        names = {"projection": ("projection noise", LUDLOW), "dick": ("Dick effect", SANTARELLI)}
        found += [
            Figure(name=f"{key}_limit", label=f"limit of {label}", value=limits[key], unit="1/√Hz", source=source,
                   definition="at 1 s, for the atoms counted and the laser noise given", limit_of="stability")
            for key, (label, source) in names.items()
        ]  # fmt: skip
        return tuple(found)


def _block(rows: list[tuple[float, ...]]) -> dict[str, NDArray[Any]]:
    cycle, centre, excited, left, clock, moment, upper, lower = np.array(rows).T
    return {
        "cycle": cycle, "correction": centre, "excited": excited, "fractional": left, "clock": clock,
        "excited_atoms": upper, "ground_atoms": lower, "time": moment, "valid": np.ones(len(rows), dtype=np.int8),
    }  # fmt: skip
