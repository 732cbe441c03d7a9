"""clock.rabi: the clock line under one π pulse."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le
from pydantic import Field

from qlab.experiment import Blocks, Experiment
from qlab.physics.constants import TWO_PI
from qlab.physics.engine import play as play_on
from qlab.physics.levels import LevelSystem
from qlab.physics.systems.clock import ClockAtoms
from qlab.pulses import Play, Program, compile_program
from qlab.record import Column, Figure, FitResult, Signal
from qlab.roles import Camera, LocalOscillator, PulsePlayer
from qlab.runs import Run
from qlab.scan import Centre, Scan
from qlab.units import Hertz, Unit
from qlab_experiments.clock.interrogation import (
    LUDLOW,
    QUANTUM,
    CycleParameters,
    Time,
    detection,
    preparation,
)


class RabiParameters(CycleParameters):
    """Settings of a scan over the clock line."""

    offset: Scan[Hertz] = Field(
        Centre(0.0, 12.0, 49, order="random"), title="Laser offset",
        description="In random order, so that a laser that drifts through a pass does not bend the line",
    )  # fmt: skip
    pulse: Time = Field(0.3, title="Pulse", description="A π pulse of this length")
    lifetime: Annotated[float, Unit("s"), Ge(0)] = Field(
        20.0,
        title="Lifetime",
        description="Of the excited state, held in the fit",
        json_schema_extra={"group": "Model"},
    )
    laser_noise: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        0.087, title="Laser noise", description="Rms from shot to shot, held in the fit",
        json_schema_extra={"group": "Model"},
    )  # fmt: skip
    passes: Annotated[int, Ge(1), Le(10_000)] = Field(20, title="Passes", description="Shots of each point")


class Rabi(Experiment[RabiParameters]):
    """One π pulse, the laser stepped over the line: where the atoms are, and how narrow the line is.

    Sequence: load, π pulse of T, count excited and ground-state atoms. H = (Ω/2)σx − (Δ/2)σz;
    P = Ω²/(Ω²+Δ²)·sin²(√(Ω²+Δ²)T/2), Fourier width 0.7987/T. Atoms project (√(p(1−p)/N)), and the laser wanders between
    shots. Reference: Ludlow et al., Rev. Mod. Phys. 87, 637 (2015).
    Try: a longer pulse, until the laser is what limits the line.
    """

    title = "Clock line"
    group = "Spectroscopy"
    fit = "clock_line"
    preset = "sim-clock"
    quantum: ClassVar = {**QUANTUM, "protocol": "Rabi spectroscopy", "measurand": "frequency", "unit": "Hz"}

    player: PulsePlayer
    oscillator: LocalOscillator
    camera: Camera

    def program(self) -> Program:
        """Load, one π pulse, detect."""
        p = self.parameters
        body = preparation(p) + Play("mw", p.pulse, 1 / (2 * p.pulse)) + detection(p)
        return Program(body, shots=p.passes, setpoints={"oscillator.offset": p.offset.symbol("offset")})

    def run(self) -> Blocks:
        """Play; the share of excited atoms is taken shot by shot, so that their number cancels."""
        for block in self.play(self.program()):
            yield {**block, "excited": share(block["atoms"])} if block else block

    def measured(self) -> tuple[Column, ...]:
        """Return the atoms of each picture and the share of excited ones."""
        return (
            Column(
                name="atoms",
                long_name="atoms excited and in the ground state",
                dims=("shot", "state"),
                shape=(1, 2),
            ),
            Column(name="excited", long_name="share of excited atoms", role="reduced"),
            Column(name="shots", long_name="shots of this row", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the share of excited atoms; its error is the scatter of the shots, laser noise included."""
        return (Signal(name="excitation", long_name="share of excited atoms", of="excited"),)

    def fit_context(self) -> dict[str, float]:
        """Return what is known of pulse, atoms and laser."""
        p = self.parameters
        return {"duration": p.pulse, "lifetime": p.lifetime, "laser_noise": p.laser_noise}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """The line lies where the free laser must be shifted to."""
        if "laser_offset" not in truth:
            return {}
        return {
            "rabi_frequency": truth["drive_gain"] / (2 * self.parameters.pulse),
        }

    def believed(self, known: Mapping[str, float]) -> ClockAtoms:
        """Return atoms on resonance where the free laser is moved to, which wanders as much as is held in the fit."""
        p = self.parameters
        told = {name: known[name] for name in ("T1", "Tphi", "drive_gain", "contrast") if name in known}
        away = known.get("shift", 0.0) - known.get("laser_offset", 0.0)
        values = {"T1": p.lifetime or math.inf, **told}
        return ClockAtoms(shift=away, sigma_detuning=TWO_PI * p.laser_noise, **values)

    def model(self, system: LevelSystem) -> dict[str, Any]:
        """Return the excitation of a system, `contrast` of clock atoms included; (points,)."""
        timeline = compile_program(
            Program(
                self.program().body,
                setpoints={"microwave.frequency": self.parameters.offset.symbol("offset")},
            )
        )
        contrast = getattr(system, "contrast", 1.0)
        return {"excitation": 0.5 + contrast * (play_on(system, timeline).transfer() - 0.5)}

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the width of the line and the quality of the transition."""
        if fit is None or not fit.success:
            return ()
        from scipy.optimize import brentq

        rabi, pulse = fit.values["rabi_frequency"], self.parameters.pulse

        def shape(delta: float) -> float:
            rate = math.hypot(rabi, delta)
            return (rabi / rate * math.sin(math.pi * rate * pulse)) ** 2 - math.sin(
                math.pi * rabi * pulse
            ) ** 2 / 2

        width = 2 * brentq(shape, 1e-9, 1 / pulse)
        found = run["excited"]
        return (
            Figure(name="linewidth", label="line width", value=width, unit="Hz", source=LUDLOW,
                   error=fit.errors["rabi_frequency"] * width / rabi, definition="full width at half maximum"),
            Figure(name="fourier_limit", label="Fourier limit", value=0.798685 / pulse, unit="Hz", source=LUDLOW,
                   definition="0.7987/T of a π pulse", limit_of="linewidth"),
            Figure(name="quality", label="line quality", value=self.parameters.nominal / width, source=LUDLOW,
                   definition="clock frequency over line width"),
            Figure(name="peak", label="largest share seen", value=float(np.max(found)), definition="of one shot"),
        )  # fmt: skip


def share(atoms: Any) -> Any:
    """Return the mean share of excited atoms over the shots of each row; pictures (rows, shots, 2)."""
    pictures = np.asarray(atoms, dtype=float)
    return (pictures[..., 0] / np.maximum(pictures.sum(axis=-1), 1.0)).mean(axis=-1)
