"""atom.gravity_lock: a gravimeter held at mid-fringe, shot by shot."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field

from qlab.errors import InstrumentError
from qlab.experiment import Blocks, Experiment
from qlab.metrology.curves import Curve
from qlab.metrology.stability import at_one_second, deviations
from qlab.physics.constants import TWO_PI
from qlab.pulses import Program, compile_program
from qlab.record import Axis, Column, Figure, FitResult, Signal
from qlab.roles import Camera, PulsePlayer, RamanLasers
from qlab.runs import Run
from qlab_experiments.atom.fall import CHEINET, MODEL, PETERS, QUANTUM, FallParameters

BLOCK = 128  # cycles handed over together
MEMORY = 50  # cycles over which the level midway between both sides is remembered
PATIENCE = 10.0  # s that the camera may be silent beyond a cycle
SETTLED = 8  # time constants of the servo that are left out


class LockParameters(FallParameters):
    """Settings of a gravimeter that is held at mid-fringe."""

    cycles: Annotated[int, Ge(16), Le(1_000_000)] = Field(4000, title="Cycles")
    gain: Annotated[float, Gt(0), Le(1)] = Field(
        0.3, title="Gain", description="Share of an error that is corrected"
    )
    contrast: Annotated[float, Gt(0), Le(1)] = Field(
        0.58, title="Contrast", description="As a scan of the fringe found it"
    )
    atoms: Annotated[float, Gt(0)] = Field(
        2e5, title="Atoms", description="For the limit", json_schema_extra=MODEL
    )


class GravityLock(Experiment[LockParameters]):
    """Look at both flanks of the central fringe in turn, in both directions, and keep the chirp at its middle.

    Cycle: three pulses with the last one at +π/2 or −π/2, then the other side, then both with the momentum transfer
    turned round. The error (p − p̄)/(C/2) of each cycle is a phase over k(T+2τ)(T+4τ/π); p̄ is the running mean over both
    sides. g of a cycle is that of the chirp with the error of the same cycle added; four of them are one value, free of
    phases that do not turn with the momentum.
    σ_g(τ) = √(projection² + vibration²)·√(T_cycle/τ), those of one shot.
    Reference: Peters, Chung and Chu, Metrologia 38, 25 (2001); Cheinet et al., IEEE TIM 57, 1141 (2008).
    Try: a tide in the truth (tide=1e-6) and 200 000 cycles; a quiet mirror (vibration=1e-8).
    """

    title = "Gravimeter lock"
    group = "Interferometry"
    preset = "sim-atoms"
    quantum: ClassVar = QUANTUM

    player: PulsePlayer
    raman: RamanLasers
    camera: Camera

    def program(self) -> Program:
        """One cycle, on the one flank."""
        return Program(self.parameters.sequence(math.pi / 2))

    def preflight(self) -> None:
        """Nothing is set but through the servo."""

    def run(self) -> Blocks:
        """Probe both flanks in both directions, steer, hand over."""
        p, system = self.parameters, self.parameters.system
        if self.on_program is not None:
            self.on_program(self.program())
        timelines = {side: compile_program(Program(p.sequence(side * math.pi / 2))) for side in (1, -1)}
        middle, gravity = 0.5, p.nominal
        rows: list[tuple[float, ...]] = []
        for cycle in range(p.cycles):
            side, direction = (1, -1)[cycle % 2], (1.0, -1.0)[cycle // 2 % 2]
            self.raman.steer(system.k * gravity / TWO_PI, direction)
            upper, lower, moment = self._shot(timelines[side])
            share = upper / max(upper + lower, 1.0)
            # P = middle (1 - C cos(direction phase + side pi/2)) near phase 0.
            phase = side * direction * (share - middle) / (middle * p.contrast)
            error = phase / (system.k * system.scale)
            rows.append((cycle, gravity, share, gravity + error, moment, upper, lower))
            middle += (share - middle) / MEMORY
            gravity += p.gain * error
            if len(rows) == BLOCK or cycle == p.cycles - 1:
                yield _block(rows)
                rows = []

    def _shot(self, timeline: Any) -> tuple[float, float, float]:
        """Return excited atoms, ground-state atoms, and when they were seen."""
        self.player.load(timeline)
        self.camera.arm(["atoms"], 1)
        self.player.start()
        waited = 0.0
        while waited <= PATIENCE + self.parameters.cycle:
            seen = self.camera.read(0.05)
            if len(seen.get("atoms", ())):
                upper, lower = seen["atoms"][0, 0].tolist()
                return upper, lower, float(seen["time"][0]) if "time" in seen else math.nan
            waited += 0.05
        raise InstrumentError("The camera has taken no picture.", "Check its trigger from the player.")

    def estimate(self) -> tuple[int, float]:
        """Return the cycles and how long they last."""
        return self.parameters.cycles, self.parameters.cycles * self.parameters.cycle

    def axes(self) -> tuple[Axis, ...]:
        """Return the cycles."""
        count = self.parameters.cycles
        return (Axis(name="cycle", long_name="cycle", values=tuple(float(i) for i in range(count))),)

    def measured(self) -> tuple[Column, ...]:
        """Return what was counted, what the servo holds, and g of each cycle."""
        return (
            Column(name="held", unit="m/s2", long_name="g that the chirp is held at", role="reduced"),
            Column(name="excited", long_name="share of excited atoms", role="reduced"),
            Column(name="gravity", unit="m/s2", long_name="g of the cycle", role="reduced"),
            Column(name="excited_atoms", long_name="excited atoms counted"),
            Column(name="ground_atoms", long_name="ground-state atoms counted"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return g, what the chirp is held at, and the share of excited atoms."""
        return (
            Signal(name="g", unit="m/s2", long_name="g of each cycle", of="gravity"),
            Signal(name="centre", unit="m/s2", long_name="g that the chirp is held at", of="held"),
            Signal(name="excitation", long_name="share of excited atoms", of="excited"),
        )

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return g of the bench."""
        return {"gravity": truth["gravity"]} if "gravity" in truth else {}

    def model(self, noise: Mapping[str, float]) -> dict[str, float]:
        """Return sigma_g at 1 s (m/s²) of `atoms`, `contrast` and `vibration`: projection noise, the mirror, both."""
        p, system = self.parameters, self.parameters.system
        root = math.sqrt(p.cycle)
        projection = root * system.projection_limit(noise["atoms"], noise["contrast"])
        mirror = root * system.vibration_phase(noise["vibration"]) / (system.k * system.scale)
        return {"projection": projection, "vibration": mirror, "total": math.hypot(projection, mirror)}

    def _settled(self, run: Run) -> NDArray[np.float64]:
        """Return g of groups of four cycles, from where the servo has settled."""
        g = np.asarray(run["gravity"], dtype=float)[
            int(SETTLED * max(MEMORY / 8, 1 / self.parameters.gain)) :
        ]
        return np.asarray(g[: len(g) // 4 * 4].reshape(-1, 4).mean(axis=1))

    def _limits(self, run: Run) -> dict[str, float]:
        p = self.parameters
        atoms = float(np.mean(run["excited_atoms"]) + np.mean(run["ground_atoms"]))
        return self.model({"atoms": atoms, "contrast": p.contrast, "vibration": p.vibration})

    def curves(self, run: Run) -> tuple[Curve, ...]:
        """Return the overlapping Allan deviation of g so far, with its limits as lines."""
        g, four = self._settled(run), 4 * self.parameters.cycle
        if len(g) < 16:
            return ()
        curve = deviations(g - g.mean(), four, "oadev").curve()
        limits, tau = self._limits(run), np.array([four, max(float(curve.x[-1]), 2 * four)])
        for key, label, source in (
            ("projection", "projection noise", PETERS),
            ("total", "projection noise and vibration", CHEINET),
        ):
            curve = curve.with_limit(label, tau, limits[key] / np.sqrt(tau), source)
        return (curve,)

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return g and its stability, with projection noise and vibration beside it."""
        del fit
        g, four = self._settled(run), 4 * self.parameters.cycle
        if len(g) < 50:
            return ()
        lasted = len(g) * four
        sigma, error = at_one_second(g - g.mean(), four, four, lasted / 20)
        limits = self._limits(run)
        names = {
            "projection": ("standard quantum limit", PETERS),
            "vibration": ("limit of the mirror", CHEINET),
        }
        return (
            Figure(name="gravity", label="gravity", value=float(g.mean()), error=sigma / math.sqrt(lasted), unit="m/s2",
                   definition="mean over the locked time, both directions; error σ_g(1 s)/√T", source=PETERS),
            Figure(name="stability", label="σ_g at 1 s", value=sigma, error=error, unit="m/s2/√Hz", source=CHEINET,
                   definition="overlapping Allan deviation of groups of four cycles, times √τ"),
            *(Figure(name=f"{key}_limit", label=label, value=limits[key], unit="m/s2/√Hz", source=source,
                     definition="at 1 s, for the atoms counted and the vibration given", limit_of="stability")
              for key, (label, source) in names.items()),
        )  # fmt: skip


def _block(rows: list[tuple[float, ...]]) -> dict[str, NDArray[Any]]:
    cycle, held, share, gravity, moment, upper, lower = np.array(rows).T
    return {
        "cycle": cycle, "held": held, "excited": share, "gravity": gravity, "excited_atoms": upper,
        "ground_atoms": lower, "time": moment, "valid": np.ones(len(rows), dtype=np.int8),
    }  # fmt: skip
