"""nv.qdyne: quantum heterodyne detection, a record of single readouts in step with nothing but the clock."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from pydantic import Field

from qlab.experiment import Blocks
from qlab.metrology.curves import Curve
from qlab.metrology.tone import Tone, aliased, find_tone, spectrum_curve
from qlab.physics.engine import play as play_on
from qlab.physics.levels import LevelSystem
from qlab.pulses import Acquire, Align, Gate, Program, compile_program
from qlab.record import Axis, Column, Figure, FitResult, Signal
from qlab.runs import Run
from qlab.scan import Linear, Values
from qlab.units import Unit
from qlab_experiments.nv.decoupling import TrainParameters, xy8
from qlab_experiments.nv.heterodyne import BACK, ON, SIDE, heterodyne_figures
from qlab_experiments.nv.pulsed import PulsedNV, Shots, optical_init


class QdyneParameters(TrainParameters):
    """Settings of a heterodyne record."""

    frequency: Annotated[float, Unit("Hz"), Ge(1)] = Field(
        1e6, title="Expected frequency", description="The pulses are spaced by half its period"
    )
    repeats: Annotated[int, Ge(1), Le(1000)] = Field(4, title="XY8 blocks", description="In each readout")
    shots: Shots = Field(1_000_000, title="Readouts", description="Of the record, one after the other")
    segment: Annotated[int, Ge(100), Le(1_000_000)] = Field(
        10_000,
        title="Readouts in a row",
        description="What is handed over together; no time passes between rows",
    )
    calibration: Annotated[int, Ge(1), Le(10_000)] = Field(
        20, title="Calibration rows", description="With the last pulse turned back, and as many turned on"
    )
    passes: Literal[1] = Field(
        1, title="Passes", description="One record", json_schema_extra={"group": "Readout"}
    )
    keep_shots: Literal["all"] = Field(
        "all", title="Keep single shots", description="The record", json_schema_extra={"group": "Readout"}
    )


class Qdyne(PulsedNV[QdyneParameters]):
    """Readouts in step with the clock alone: a signal beats with them, and its line is as narrow as the record is long.

    Sequence, again and again: laser, π/2, N times XYXYYXYX, π/2 a quarter turn on, laser with counting. Readout i
    finds the signal at the phase θ_i = 2πf·iT + α and gives n̄(1 + c·sin(φ cos θ_i)) photons: a line at
    |f − round(fT)/T|, of the amplitude 2n̄c·J1(φ). Cramér–Rao: σ_f = √6/(πT)·(σ/a)·M^{−3/2}.
    Reference: Schmitt et al., Science 356, 832 (2017); Boss et al., Science 356, 837 (2017).
    Try: 10⁵ and 10⁷ readouts; a signal_linewidth of 1 Hz in the truth; an expected frequency 20 kHz off.
    """

    title = "Quantum heterodyne (Qdyne)"
    group = "Sensing"
    preset = "sim-nv-ac"
    fit = ""
    quantum: ClassVar = {
        **PulsedNV.quantum, "protocol": "quantum heterodyne", "measurand": "frequency", "unit": "Hz"
    }  # fmt: skip

    def __init__(self, parameters: QdyneParameters) -> None:
        super().__init__(parameters)
        self.taken: list[NDArray[np.int64]] = []

    @property
    def spacing(self) -> float:
        """The spacing of the π pulses, s."""
        return 1 / (2 * self.parameters.frequency)

    @property
    def cycle(self) -> float:
        """The time from one readout to the next, s, as it is played."""
        return float(compile_program(self.program()).duration[0]) * 1e-12

    def record(self, turns: tuple[float, ...], rows: int) -> Program:
        """Return `rows` rows of readouts for each phase of the last pulse, played without a gap."""
        p = self.parameters
        turn = Values(turns, unit="rad")
        light = Align() + Gate("laser", p.laser_time) + Acquire("counter", p.signal_window, "counts")
        return Program(
            optical_init(p) + xy8(p, self.spacing, p.repeats, turn.symbol("turn")) + light,
            shots=p.segment,
            setpoints=self.setpoints(),
            sweeps={"turn": turn, "segment": Linear(0, rows - 1, rows)},
        )

    @property
    def rows(self) -> int:
        """The rows of the record itself."""
        return max(1, math.ceil(self.parameters.shots / self.parameters.segment))

    def program(self) -> Program:
        """Return the program of the record."""
        return self.record((SIDE,), self.rows)

    def run(self) -> Blocks:
        """Calibrate with the last pulse turned back and on, then take the record."""
        done = 0
        self.taken.clear()
        for program in (self.record((BACK, ON), self.parameters.calibration), self.program()):
            for block in self.play(program, passes=1):
                fresh = len(block["shots"]) if block else 0
                if block and np.isclose(block["turn"][0], SIDE):
                    self.taken.append(np.asarray(block["counts_shots"]).ravel())
                yield {**block, "segment": done + np.arange(fresh, dtype=float)} if block else block
                done += fresh

    def estimate(self) -> tuple[int, float]:
        """Return the rows and how long they last."""
        count = 2 * self.parameters.calibration + self.rows
        return count, count * self.parameters.segment * self.cycle

    @property
    def can_extend(self) -> bool:
        """A record has no gaps: nothing can be added to it."""
        return False

    def axes(self) -> tuple[Axis, ...]:
        """Return the rows in their order."""
        count = 2 * self.parameters.calibration + self.rows
        return (
            Axis(name="segment", long_name="row of the record", values=tuple(float(i) for i in range(count))),
        )

    def measured(self) -> tuple[Column, ...]:
        """Return the phase of the last pulse, and the counts of a row."""
        return (
            Column(name="turn", unit="rad", long_name="phase of the last pulse", role="setpoint"),
            Column(name="counts", long_name="photons in the signal window", dtype="i8"),
            Column(name="shots", long_name="readouts summed over", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the photons per readout of each row."""
        return (
            Signal(name="photons", long_name="photons per readout", rule="rate", of="counts", per="shots"),
        )

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return frequency and amplitude of the sample's signal."""
        if truth["signal_amplitude"] == 0:
            return {}
        return {"frequency": truth["signal_frequency"], "amplitude": truth["signal_amplitude"]}

    def readouts(self, run: Run) -> NDArray[np.float64]:
        """Return the counts of each readout of the record so far, in the order played; (readouts,).

        From the file; while the run goes on its table has no single readouts, and those that `run` has seen are meant.
        """
        taken = np.isclose(run["turn"], SIDE)
        try:
            counts = np.asarray(run["counts_shots"])[taken]
        except KeyError:
            counts = np.concatenate(self.taken) if self.taken else np.zeros(0)
        return np.asarray(counts, dtype=float).ravel()

    def tone(self, run: Run) -> Tone | None:
        """Return the strongest line of the record; None where it is too short."""
        counts = self.readouts(run)
        return find_tone(counts, self.cycle) if len(counts) >= 1000 and np.ptp(counts) > 0 else None

    def curves(self, run: Run) -> tuple[Curve, ...]:
        """Return the spectrum so far, with the noise floor and the least line that shows."""
        tone = self.tone(run)
        return () if tone is None else (spectrum_curve(self.readouts(run), self.cycle, tone),)

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return frequency and field of the signal, with the Cramér–Rao bound and the standard quantum limit."""
        del fit
        tone = self.tone(run)
        return () if tone is None else heterodyne_figures(self, run, tone)

    def model(self, system: LevelSystem) -> dict[str, Any]:
        """Return what one readout shows without noise over 64 even phases of the signal; each (64,).

        `transfer` out of m_S = 0 and `photons`; and where a signal of the expected frequency shows, `alias` (Hz).
        """
        phases = Linear(0, 2 * math.pi * 63 / 64, 64)
        program = self.record((SIDE,), 1)
        shown = Program(program.body, setpoints={**program.setpoints, "sample.phase": phases.symbol("phase")})
        readout = play_on(system, compile_program(shown))
        alias = aliased(self.parameters.frequency, self.cycle)
        return {"transfer": readout.transfer(), "photons": readout.expected("counts"), "alias": alias}
