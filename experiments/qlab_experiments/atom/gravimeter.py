"""atom.gravimeter: g from the chirp at which the fringe of falling atoms stands still."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from pydantic import Field

from qlab.experiment import Blocks, Experiment
from qlab.fits import load_model
from qlab.metrology.propagation import propagated
from qlab.playing import grouped
from qlab.pulses import Program
from qlab.record import Block, Column, Figure, FitResult, Signal
from qlab.roles import Camera, PulsePlayer, RamanLasers
from qlab.runs import Run
from qlab.scan import Linear, Scan, Values
from qlab.units import Unit
from qlab_experiments.atom.fall import CHEINET, PETERS, QUANTUM, FallParameters


class GravimeterParameters(FallParameters):
    """Settings of a scan of the chirp."""

    chirp: Scan[Annotated[float, Unit("Hz/s")]] = Field(
        Linear(-150.0, 150.0, 41), title="Chirp", description="Beyond that of g about"
    )
    passes: Annotated[int, Ge(2), Le(10_000)] = Field(
        20, title="Passes", description="Shots of each chirp and direction; their scatter is the error"
    )


class Gravimeter(Experiment[GravimeterParameters]):
    """Split, reflect and join falling atoms; chirp the lasers until the fringe stands still: 2πα = k·g.

    Sequence: cool, π/2 – T – π – T – π/2, count both states; then the same with the momentum transfer turned round.
    Φ = (k·g − 2πα)(T + 2τ)(T + 4τ/π), P = ½(1 − C·cos(±Φ + φ₀)): phases φ₀ that do not turn with the momentum, such as
    light shifts, only take contrast from the mean of both directions.
    Limits of one shot: projection noise 1/(C√N·k·T²); vibration √(S_a T³/3)/T².
    Reference: Peters, Chung and Chu, Metrologia 38, 25 (2001); Cheinet et al., IEEE TIM 57, 1141 (2008).
    Try: T of 0.2 s (and half the scan); pulses of 40 µs, which warm atoms feel; a noisier mirror.
    """

    title = "Gravimeter"
    group = "Interferometry"
    fit = "gravity_fringe"
    preset = "sim-atoms"
    quantum: ClassVar = QUANTUM

    player: PulsePlayer
    raman: RamanLasers
    camera: Camera

    def program(self) -> Program:
        """Three pulses at each chirp, in both directions."""
        p = self.parameters
        chirp, direction = p.chirp.symbol("chirp"), Values((1.0, -1.0)).symbol("direction")
        setpoints = {"raman.chirp": p.resting + chirp, "raman.direction": direction}
        return Program(
            p.sequence(), p.passes, setpoints, {"chirp": p.chirp, "direction": direction.sweeps["direction"]}
        )

    def run(self) -> Blocks:
        """Join both directions into one row."""
        for block in grouped(self.play(self.program()), 2):
            yield _joined(block) if block else block

    def measured(self) -> tuple[Column, ...]:
        """Return the atoms of both directions, and the excited shares."""
        reduced = {
            "excited": "share of excited atoms, both directions", "downwards": "share of excited atoms, downwards",
            "upwards": "share of excited atoms, upwards", "difference": "share downwards less share upwards",
            "counted": "atoms in a shot",
        }  # fmt: skip
        return (
            Column(name="atoms", long_name="excited and ground-state atoms, downwards then upwards",
                   dims=("direction", "state"), shape=(2, 2)),
            *(Column(name=n, long_name=t, role="reduced") for n, t in reduced.items()),
        )  # fmt: skip

    def signals(self) -> tuple[Signal, ...]:
        """Return the fringe, and what turns with the direction."""
        return (
            Signal(name="fringe", long_name="share of excited atoms", of="excited"),
            Signal(name="odd", long_name="share downwards less share upwards", of="difference"),
        )

    def fit_context(self) -> dict[str, float]:
        """Return what turns a chirp into a phase."""
        p = self.parameters
        return {"k": p.system.k, "scale": p.system.scale, "nominal": p.nominal}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return g of the bench."""
        if "gravity" not in truth:
            return {}
        return {"gravity": truth["gravity"], "shift": truth["gravity"] - self.parameters.nominal}

    def believed(self, known: Mapping[str, float]) -> dict[str, float]:
        """Return gravity and what is left of the contrast: phases of the mirror and the lasers, or that do not turn."""
        p = self.parameters
        shaken = (
            p.system.vibration_phase(known.get("vibration", 0.0)) ** 2 + known.get("phase_noise", 0.0) ** 2
        )
        left = known.get("coherence", 1.0) * math.exp(-shaken / 2) * math.cos(known.get("phase_shift", 0.0))
        gravity, velocity = known.get("gravity", p.nominal), known.get("velocity", 0.0)
        return {"gravity": gravity, "velocity": velocity, "coherence": left}

    def model(self, theta: Mapping[str, float]) -> dict[str, Any]:
        """Return the mean fringe for `gravity`, `velocity`, `coherence`, and limits of a shot for `atoms`, `vibration`.

        Exact for pulses of this length. `phase`, `scale`, `k` are those of P25, `projection` and `vibration` in m/s²;
        `transfer`: |H|² of a phase that swings with `frequency` (Hz; by default the most it can be, 1/(2T)).
        """
        from dataclasses import replace

        p = self.parameters
        system = replace(p.system, velocity=theta.get("velocity", 0.0))
        gravity = theta.get("gravity", p.nominal)
        slope = system.k * gravity - 2 * np.pi * (p.resting + p.chirp.values())
        level, cosine, _ = system.fringe(slope)
        contrast = float(np.ptp(cosine)) * theta.get("coherence", 1.0)
        return {
            "fringe": level + theta.get("coherence", 1.0) * cosine, "scale": system.scale, "k": system.k,
            "phase": float(system.phase(gravity, np.zeros(1))[0]),
            "projection": system.projection_limit(theta.get("atoms", 1e5), theta.get("contrast", contrast)),
            "transfer": float(system.transfer(np.array([theta.get("frequency", 1 / (2 * p.T))]))[0]),
            "vibration": system.vibration_phase(theta.get("vibration", p.vibration)) / (system.k * system.scale),
        }  # fmt: skip

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return g, what a shot resolves on the flank of the fringe, and the limits of atoms and mirror."""
        if fit is None or not fit.success:
            return ()
        p, system = self.parameters, self.parameters.system
        atoms = float(np.mean(run["counted"]))
        contrast, wrong = fit.values["contrast"], fit.errors["contrast"]
        limits = self.model({"atoms": atoms, "contrast": max(contrast, 1e-6)})
        reached, spread = self._resolved(run, fit)
        root = p.cycle**0.5
        return (
            Figure(name="gravity", label="gravity", value=fit.values["gravity"], error=fit.errors["shift"], unit="m/s2",
                   definition="chirp at which the fringe stands still, 2πα/k; both directions", source=PETERS),
            Figure(name="contrast", label="contrast", value=contrast, error=wrong, definition="of the mean fringe"),
            Figure(name="shot_resolution", label="resolution of one shot", value=reached, error=spread, unit="m/s2",
                   definition="scatter of the shots on the flanks over the slope there", source=PETERS),
            Figure(name="sensitivity", label="sensitivity", value=reached * root, error=spread * root, unit="m/s2/√Hz",
                   definition="of one shot times the root of the cycle", source=PETERS),
            Figure(name="projection_limit", label="standard quantum limit", value=limits["projection"], unit="m/s2",
                   error=propagated(lambda t: limits["projection"] * contrast / t["contrast"], fit), source=PETERS,
                   definition="1/(C√N·k·scale) of a shot, atoms and contrast as measured", limit_of="shot_resolution"),
            Figure(name="vibration_limit", label="limit of the mirror", value=limits["vibration"], unit="m/s2",
                   definition="√(S_a T³/3)·k/(k·scale), white vibration as given", source=CHEINET,
                   limit_of="shot_resolution"),
            Figure(name="heisenberg_limit", label="Heisenberg limit", value=1 / (atoms * system.k * system.scale),
                   unit="m/s2", definition="1/(N·k·scale)", source=PETERS, limit_of="shot_resolution"),
        )  # fmt: skip

    def _resolved(self, run: Run, fit: FitResult) -> tuple[float, float]:
        """Return what one shot in one direction resolves on the flanks, and its error."""
        p, model = self.parameters, load_model(fit.model, fit.context)
        values, which, count = np.unique(run["chirp"], return_inverse=True, return_counts=True)
        slope = np.gradient(model.evaluate(values, fit.values), values) * p.system.k / (2 * np.pi)
        steep = (np.abs(slope) > 0.8 * np.abs(slope).max()) & (count > 1)
        if not steep.any():
            return float("nan"), float("nan")
        squares = np.zeros(len(values))
        for side in ("downwards", "upwards"):
            share = np.asarray(run[side], dtype=float)
            mean = np.bincount(which, weights=share) / count
            squares += np.bincount(which, weights=(share - mean[which]) ** 2)
        freedom = 2 * float((count[steep] - 1).sum())
        variance = float((squares[steep] / slope[steep] ** 2).sum()) / freedom
        return variance**0.5, variance**0.5 / (2 * freedom) ** 0.5


def _joined(block: Block) -> dict[str, NDArray[Any]]:
    """Return one row for each pair of directions."""
    atoms = np.stack([block["atoms"][::2, 0], block["atoms"][1::2, 0]], axis=1)
    share = atoms[..., 0] / np.maximum(atoms.sum(axis=-1), 1.0)
    last = {name: block[name][1::2] for name in ("chirp", "time", "valid")}
    down, up = share.T
    return {
        **last, "atoms": atoms, "excited": (down + up) / 2, "downwards": down, "upwards": up, "difference": down - up,
        "counted": atoms.sum(axis=(1, 2)) / 2,
    }  # fmt: skip
