"""transmon.readout: IQ clouds of |0> and |1>, and how well one shot tells them apart."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from qlab.experiment import Blocks, Experiment
from qlab.fits import load_model
from qlab.metrology.propagation import propagated
from qlab.physics.engine import play as play_on
from qlab.physics.systems.transmon import Transmon, perturbative_shift, purcell_time
from qlab.playing import grouped
from qlab.pulses import Acquire, Align, Delay, Program, compile_program
from qlab.record import Block, Column, Figure, FitResult, Signal
from qlab.roles import IQDigitizer, MicrowaveSource, PulsePlayer
from qlab.runs import Run
from qlab.scan import Linear, Scan, Values
from qlab.units import Hertz, Unit
from qlab_experiments.transmon.believed import believed_transmon, judged
from qlab_experiments.transmon.driven import QUANTUM, DrivenParameters, rotation

GAMBETTA = "Gambetta et al., Phys. Rev. A 76, 012325 (2007)"


class ReadoutParameters(DrivenParameters):
    """Settings of a readout calibration."""

    window: Scan[Annotated[float, Unit("s"), Gt(0)]] = Field(Linear(100e-9, 4e-6, 27), title="Readout window")
    shots: Annotated[int, Ge(2), Le(100_000)] = Field(
        500, title="Shots in a row", description="Of each prepared state; every shot is kept"
    )
    repeats: Annotated[int, Ge(1), Le(10_000)] = Field(10, title="Repeats", description="Rows of each window")
    linewidth: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        2e6,
        title="Resonator linewidth",
        description="κ/2π, held in the fit",
        json_schema_extra={"group": "Model"},
    )
    shift: Hertz = Field(
        -0.727e6,
        title="Dispersive shift",
        description="χ/2π, held in the fit",
        json_schema_extra={"group": "Model"},
    )


class Readout(Experiment[ReadoutParameters]):
    """Prepare |0> or |1>, probe the resonator: two clouds in the IQ plane, and the best time to look at them.

    Sequence: wait for relaxation, π pulse or none, probe for T. dα/dt = −(κ/2 ± iχ)α − iε; the mean field of the window
    has noise σ = 1/(2√(ηκT)), so that short windows are noisy, and in long ones |1> decays with T1. A shot above the
    threshold along the axis is a 1. Error of assignment [P(1|0) + P(0|1)]/2; with clouds d apart and no decay it is
    erfc(d/(2√2 σ))/2 (Gambetta et al., Phys. Rev. A 76, 012325 (2007)).
    Try: more probe amplitude; a probe off the middle, and then another axis; a shorter T1 in the truth.
    """

    title = "Single-shot readout"
    group = "Calibration"
    fit = "readout_error"
    preset = "sim-transmon"
    quantum: ClassVar = {
        **QUANTUM,
        "protocol": "dispersive readout",
        "measurand": "fidelity",
        "unit": "1",
    }

    player: PulsePlayer
    microwave: MicrowaveSource
    digitizer: IQDigitizer

    @property
    def passes(self) -> int:
        """Each repeat is a sweep of its own."""
        return self.parameters.repeats

    def program(self) -> Program:
        """Relax, prepare, probe; the prepared state alternates fastest."""
        p = self.parameters
        window, prepared = p.window.symbol("window"), Values((0.0, 1.0)).symbol("prepared")
        body = Delay(p.reset_time) + rotation(p, math.pi, share=prepared) + Align()
        program = Program(
            body + Acquire("digitizer", window, "iq", "iq"),
            shots=p.shots * p.repeats,
            setpoints=p.setpoints(),
        )
        return Program(
            program.body,
            program.shots,
            program.setpoints,
            {k: program.sweeps[k] for k in ("window", "prepared")},
        )

    def run(self) -> Blocks:
        """Join the two rows of each window into one, and judge its shots."""
        for block in grouped(self.play(self.program()), 2):
            yield self._judged(block) if block else block

    def _judged(self, block: Block) -> Block:
        p = self.parameters
        iq = block["iq"]
        along = iq[..., 0] * math.cos(p.rotation) + iq[..., 1] * math.sin(p.rotation)
        ones = (along > p.threshold).sum(axis=1)
        centre = iq.mean(axis=1)
        return {
            "window": block["window"][::2], "iq_ground": iq[::2], "iq_excited": iq[1::2],
            "false_ones": ones[::2], "false_zeros": p.shots - ones[1::2],
            "wrong": ones[::2] + p.shots - ones[1::2],
            "judged": 2 * block["shots"][::2], "shots": block["shots"][::2],
            "i_ground": centre[::2, 0], "q_ground": centre[::2, 1],
            "i_excited": centre[1::2, 0], "q_excited": centre[1::2, 1],
            "time": block["time"][1::2], "valid": block["valid"][::2],
        }  # fmt: skip

    def estimate(self) -> tuple[int, float]:
        """Return half the rows that are played: two make one."""
        rows, seconds = super().estimate()
        return rows // 2, seconds

    def measured(self) -> tuple[Column, ...]:
        """Return every shot, how many were judged wrongly, and the centres of the clouds."""
        shots = self.parameters.shots
        clouds = tuple(
            Column(name=f"iq_{s}", long_name=f"I and Q of each shot, {s} prepared", dims=("shot", "quadrature"),
                   shape=(shots, 2))
            for s in ("ground", "excited")
        )  # fmt: skip
        counts = {
            "false_ones": "judged 1 when ground was prepared", "false_zeros": "judged 0 when excited was prepared",
            "wrong": "judged wrongly", "judged": "shots judged", "shots": "shots of each state",
        }  # fmt: skip
        centres = (f"{a}_{s}" for s in ("ground", "excited") for a in "iq")
        return (
            *clouds,
            *(Column(name=name, long_name=text, dtype="i8") for name, text in counts.items()),
            *(
                Column(name=name, long_name=f"mean {name.replace('_', ', ')}", role="reduced")
                for name in centres
            ),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the errors of assignment, and the centres of the clouds."""
        return (
            Signal(name="error", long_name="assignment error", rule="fraction", of="wrong", per="judged"),
            Signal(
                name="error_ground",
                long_name="ground taken for excited",
                rule="fraction",
                of="false_ones",
                per="shots",
            ),
            Signal(
                name="error_excited",
                long_name="excited taken for ground",
                rule="fraction",
                of="false_zeros",
                per="shots",
            ),
            Signal(name="i_ground", long_name="I of ground", of="i_ground"),
            Signal(name="i_excited", long_name="I of excited", of="i_excited"),
        )

    def fit_context(self) -> dict[str, float]:
        """Return what is known of the resonator and of the threshold."""
        p = self.parameters
        return {"linewidth": p.linewidth, "shift": p.shift}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return T1 and the separation of the clouds that the bench's truth gives at this probe."""
        return {"T1": truth["T1"]} if "T1" in truth else {}

    def believed(self, known: Mapping[str, float]) -> Transmon | None:
        """Return the transmon of the design; None where nobody knows how strongly its resonator is probed."""
        return believed_transmon(known, self.parameters) if "photons_per_volt2" in known else None

    def _shown(self, system: Transmon) -> dict[str, Any]:
        """Return what a transmon shows at each window: the errors, and the centres of the clouds."""
        p = self.parameters
        levels = play_on(system, compile_program(self.program())).probability
        found = [judged(system, p, float(window), levels.shape[1]) for window in p.window.values()]
        fields, ones = np.array([f for f, _ in found]), np.array([o for _, o in found])
        ground, excited = levels[::2], levels[1::2]
        false_ones, false_zeros = (ground * ones).sum(axis=1), 1 - (excited * ones).sum(axis=1)
        return {
            "error": (false_ones + false_zeros) / 2, "error_ground": false_ones, "error_excited": false_zeros,
            "i_ground": (ground * fields).sum(axis=1).real, "i_excited": (excited * fields).sum(axis=1).real,
        }  # fmt: skip

    def model(self, theta: Transmon | Mapping[str, float]) -> dict[str, Any]:
        """Return the signals at each window for a transmon, or the assignment error for `separation`, `T1` and
        `preparation`; (windows,).

        For `coupling`, `detuning` and `anharmonicity` (Hz) also what they set: χ/2π (Hz), the critical number of
        photons, and the T1 that the resonator leaves (s); perturbative, Koch et al., PRA 76, 042319 (2007).
        """
        if isinstance(theta, Transmon):
            return self._shown(theta)
        made = load_model(self.fit_model, self.fit_context())
        shown: dict[str, Any] = {}
        if {"separation", "T1", "preparation"} <= set(theta):
            shown["error"] = made.evaluate(self.parameters.window.values(), theta)
        if {"coupling", "detuning", "anharmonicity"} <= set(theta):
            coupling, detuning = theta["coupling"], theta["detuning"]
            shown["shift"], shown["critical_photons"] = perturbative_shift(
                coupling, detuning, theta["anharmonicity"]
            )
            shown["purcell_time"] = purcell_time(coupling, detuning, self.parameters.linewidth)
        return shown

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the best window, its fidelity, and what decay and overlap each take; limits beside it."""
        if fit is None or not fit.success:
            return ()
        model = load_model(fit.model, fit.context)
        windows = self.parameters.window.values()
        fine = np.geomspace(float(windows.min()), float(windows.max()), 400)
        best = int(np.argmin(model.evaluate(fine, fit.values)))
        at = fine[best : best + 1]

        def fidelity(theta: Mapping[str, float]) -> float:
            return 1 - 2 * float(model.evaluate(at, theta)[0])

        def undecayed(theta: Mapping[str, float]) -> float:
            return fidelity({**theta, "T1": 1e9, "preparation": 0.0})

        return (
            Figure(name="best_window", label="best window", value=float(at[0]), unit="s",
                   definition="least assignment error of the fitted curve"),
            Figure(name="assignment_fidelity", label="assignment fidelity", value=fidelity(fit.values),
                   error=propagated(fidelity, fit), definition="1 − P(1|0) − P(0|1) at its best", source=GAMBETTA),
            Figure(name="overlap_limit", label="limit of the overlap of the clouds", value=undecayed(fit.values),
                   error=propagated(undecayed, fit), limit_of="assignment_fidelity", source=GAMBETTA,
                   definition="1 − erfc(d/(2√2 σ)): no decay, perfect preparation"),
            *_axis(run),
        )  # fmt: skip


def _axis(run: Run) -> tuple[Figure, ...]:
    """Return the axis through both clouds and the threshold midway, as the longest windows show them."""
    late = run["window"] >= np.quantile(run["window"], 0.8)
    centre = {name: run[name][late] for name in ("i_ground", "q_ground", "i_excited", "q_excited")}
    mean = {name: float(values.mean()) for name, values in centre.items()}
    angle = math.atan2(mean["q_excited"] - mean["q_ground"], mean["i_excited"] - mean["i_ground"])
    middle = [(mean[f"{a}_ground"] + mean[f"{a}_excited"]) / 2 for a in "iq"]
    threshold = middle[0] * math.cos(angle) + middle[1] * math.sin(angle)
    return (
        Figure(
            name="rotation",
            label="best axis",
            value=angle,
            unit="rad",
            definition="direction from |0> to |1>",
        ),
        Figure(
            name="threshold", label="best threshold", value=threshold, definition="midway between the clouds"
        ),
    )
