"""atom.squeezing: one-axis twisting, and what it is worth."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field
from pydantic.config import JsonDict

from qlab.experiment import Blocks, Experiment
from qlab.fits import load_model
from qlab.metrology.propagation import propagated
from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.systems.collective import CollectiveSpin
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, Sequence
from qlab.record import Column, Figure, FitResult, Signal
from qlab.roles import Camera, PulsePlayer
from qlab.runs import Run
from qlab.scan import Linear, Scan
from qlab.units import Hertz, Seconds, Unit

PEZZE = "Pezzè et al., Rev. Mod. Phys. 90, 035005 (2018)"
WINELAND = "Wineland et al., Phys. Rev. A 50, 67 (1994)"
KITAGAWA = "Kitagawa and Ueda, Phys. Rev. A 47, 5138 (1993)"
DECIBEL = 10 / math.log(10)
MODEL: JsonDict = {"group": "Model"}


class TwistingParameters(Parameters):
    """Settings of a scan over the time of twisting."""

    twist_time: Scan[Seconds] = Field(Linear(0, 6e-3, 21), title="Twisting time")
    shots: Annotated[int, Ge(10), Le(100_000)] = Field(
        250, title="Shots in a row", description="Of each quadrature"
    )
    passes: Annotated[int, Ge(1), Le(10_000)] = Field(
        30, title="Passes", description="Rows of each time; their scatter is the error"
    )
    asked_chi: Annotated[Hertz, Gt(0)] = Field(
        1.0, title="Twisting rate", description="χ/2π as calibrated; says which quadrature is quiet"
    )
    atoms: Annotated[int, Ge(2), Le(2000)] = Field(200, title="Atoms", description="As calibrated")
    dephasing: Annotated[float, Unit("1/s"), Ge(0)] = Field(
        0.02, title="Collective dephasing", description="Held in the fit", json_schema_extra=MODEL
    )
    rabi_frequency: Annotated[float, Unit("Hz"), Gt(0)] = Field(5e3, title="Rabi frequency")
    load_time: Seconds = Field(0.2, title="Loading", description="And cooling, in every shot")
    picture_time: Seconds = Field(5e-3, title="Pictures")


class Squeezing(Experiment[TwistingParameters]):
    """Twist a coherent spin state by χJz², turn its quiet quadrature onto the populations, and count.

    Sequence: π/2 (all spins along x), light that twists for t, a turn about x by the angle that makes Jz quiet, two
    pictures; and again with a π/2 turn about y instead, which shows the length of the spin. Wineland's parameter
    ξ_R² = N·Var(J⊥)/⟨Jx⟩² is the gain over the standard quantum limit (0 dB) in phase variance; Kitagawa and Ueda's
    ξ_S² = 4Var(J⊥)/N leaves the length out. Detection noise is not subtracted. Heisenberg limit: 1/N.
    Reference: Kitagawa and Ueda, Phys. Rev. A 47, 5138 (1993); Pezzè et al., Rev. Mod. Phys. 90, 035005 (2018).
    Try: 1000 atoms; a twisting rate that is 10 % off; a noisier camera.
    """

    title = "Spin squeezing"
    group = "Entanglement"
    fit = "one_axis_twisting"
    preset = "sim-squeezing"
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology", "area": "metrology", "platform": "neutral atoms",
        "physical_system": "atoms in a cavity", "protocol": "spin squeezing", "measurand": "phase", "unit": "rad",
    }  # fmt: skip

    player: PulsePlayer
    camera: Camera

    def sequence(self, time: float, angle: float, phase: float) -> Sequence:
        """Prepare along x, twist, turn about the axis at `phase`, take the pictures."""
        p = self.parameters
        return (
            Delay(p.load_time)
            + self._turn(math.pi / 2, -math.pi / 2)
            + Align()
            + Gate("twist", time)
            + Align()
            + self._turn(angle, phase)
            + Align()
            + Acquire("camera", p.picture_time, "atoms", "image")
        )

    def _turn(self, angle: float, phase: float) -> Play:
        rabi = self.parameters.rabi_frequency
        turned = phase if angle >= 0 else phase + math.pi
        return Play("mw", abs(angle) / (TWO_PI * rabi), rabi, turned)

    def programs(self, time: float) -> tuple[Program, Program]:
        """Return the programs that show the quiet quadrature and the length of the spin after a twist of `time`."""
        p = self.parameters
        angle = float(CollectiveSpin(p.atoms).best_angle(np.asarray(TWO_PI * p.asked_chi * time)))
        quiet = Program(self.sequence(time, angle, 0.0), shots=p.shots)
        return quiet, Program(self.sequence(time, math.pi / 2, math.pi / 2), shots=p.shots)

    def run(self) -> Blocks:
        """Take each twisting time in turn, pass by pass."""
        p = self.parameters
        times = p.twist_time.values()
        for _ in range(p.passes):
            for time in times[p.twist_time.played()]:
                seen = []
                for program in self.programs(float(time)):
                    for block in self.play(program.with_shots(p.shots)):
                        if block:
                            seen.append(block)
                        else:
                            yield block
                yield _row(float(time), np.asarray(seen[0]["atoms"]), np.asarray(seen[1]["atoms"]), seen[1])

    def play(self, program: Program, passes: int = 1) -> Blocks:
        """Play a program once: passes are those of the whole scan."""
        from qlab.playing import play

        if self.bench is None:
            raise RuntimeError("the experiment is not bound")
        if self.on_program is not None:
            self.on_program(program)
        yield from play(self.bench, program, passes=passes)

    def estimate(self) -> tuple[int, float]:
        """Return the rows and how long they take."""
        p = self.parameters
        rows = len(p.twist_time) * p.passes
        shot = p.load_time + p.picture_time + float(p.twist_time.values().mean()) + 0.75 / p.rabi_frequency
        return rows, 2 * rows * p.shots * shot

    def measured(self) -> tuple[Column, ...]:
        """Return every shot of both quadratures, and the moments that follow."""
        shape = (self.parameters.shots, 2)
        raw = {"quiet": "turned onto the quiet quadrature", "length": "turned onto the length of the spin"}
        reduced = {
            "wineland": ("dB", "Wineland parameter"), "kitagawa": ("dB", "Kitagawa-Ueda parameter"),
            "contrast": ("1", "length of the spin over N/2"), "variance": ("1", "variance of Jz"),
        }  # fmt: skip
        return (
            *(Column(name=f"atoms_{n}", long_name=f"upper and lower, {t}", dims=("shot", "state"), shape=shape)
              for n, t in raw.items()),
            *(Column(name=n, unit=u, long_name=t, role="reduced") for n, (u, t) in reduced.items()),
        )  # fmt: skip

    def signals(self) -> tuple[Signal, ...]:
        """Return both squeezing parameters and the contrast."""
        return (
            Signal(name="squeezing", unit="dB", long_name="Wineland parameter", of="wineland"),
            Signal(name="quiet", unit="dB", long_name="Kitagawa-Ueda parameter", of="kitagawa"),
            Signal(name="length", long_name="contrast", of="contrast"),
        )

    def fit_context(self) -> dict[str, float]:
        """Return the number of atoms, and what the analysis angle was chosen for."""
        p = self.parameters
        return {"atoms": float(p.atoms), "asked_chi": p.asked_chi, "dephasing": p.dephasing}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return the twisting rate and the detection noise of the bench."""
        return {name: truth[name] for name in ("chi", "detection_noise") if name in truth}

    def believed(self, known: Mapping[str, float]) -> dict[str, float]:
        """Return the rates of the design."""
        p = self.parameters
        dephasing = known.get("collective_dephasing", p.dephasing)
        return {"chi": p.asked_chi, "detection_noise": 0.0, **known, "dephasing": dephasing}

    def model(self, theta: Mapping[str, float]) -> dict[str, Any]:
        """Return the squeezing in dB at each twisting time for `chi`, `detection_noise`, `dephasing`."""
        made = load_model(self.fit_model, self.fit_context())
        return {"squeezing": made.evaluate(self.parameters.twist_time.values(), theta)}

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the best squeezing with the limits beside it."""
        del run
        if fit is None or not fit.success:
            return ()
        p = self.parameters
        model = load_model(fit.model, fit.context)
        fine = np.linspace(p.twist_time.values().min(), p.twist_time.values().max(), 401)

        def best(theta: Mapping[str, float]) -> float:
            return float(model.evaluate(fine, theta).min())

        at = float(fine[int(np.argmin(model.evaluate(fine, fit.values)))])
        ideal = CollectiveSpin(p.atoms).wineland(TWO_PI * fit.values["chi"] * fine[1:]).min()
        return (
            Figure(name="best_squeezing", label="best squeezing ξ_R²", value=best(fit.values), unit="dB",
                   error=propagated(best, fit), source=WINELAND,
                   definition="lowest point of the fitted curve, detection noise included"),
            Figure(name="best_time", label="best twisting time", value=at, unit="s", definition="of the fitted curve"),
            Figure(name="standard_quantum_limit", label="standard quantum limit", value=0.0, unit="dB", source=WINELAND,
                   definition="N independent spins", limit_of="best_squeezing"),
            Figure(name="twisting_limit", label="limit of one-axis twisting", value=10 * math.log10(float(ideal)),
                   unit="dB", source=KITAGAWA, definition="no noise, best angle, the times scanned",
                   limit_of="best_squeezing"),
            Figure(name="heisenberg_limit", label="Heisenberg limit", value=-10 * math.log10(p.atoms), unit="dB",
                   source=PEZZE, definition="1/N", limit_of="best_squeezing"),
        )  # fmt: skip


def _row(
    time: float, quiet: NDArray[np.float64], length: NDArray[np.float64], last: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return one row from the pictures of both quadratures, (1, shots, 2) each."""
    from scipy.special import digamma

    jz = (quiet[0, :, 0] - quiet[0, :, 1]) / 2
    jx = (length[0, :, 0] - length[0, :, 1]) / 2
    atoms = float(quiet[0].sum(axis=-1).mean())
    half = (len(jz) - 1) / 2
    variance, mean = float(jz.var(ddof=1)), abs(float(jx.mean()))
    # The logarithm of a variance from n shots is low on average; more so where the shots have long tails.
    tails = float(np.mean((jz - jz.mean()) ** 4)) / variance**2 - 3
    low = float(digamma(half)) - math.log(half) - max(tails, 0.0) / (2 * len(jz))
    quietness = DECIBEL * (math.log(4 * variance / atoms) - low)
    contrast = 2 * mean / atoms
    row = {
        "twist_time": time, "wineland": quietness - 2 * DECIBEL * math.log(contrast), "kitagawa": quietness,
        "contrast": contrast, "variance": variance,
        "time": float(last["time"][-1]), "valid": 1,
    }  # fmt: skip
    return {**{k: np.array([v]) for k, v in row.items()}, "atoms_quiet": quiet, "atoms_length": length}
