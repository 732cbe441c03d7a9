"""nv.xy8: AC magnetometry with trains of pulses."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field
from pydantic.config import JsonDict

from qlab.errors import UsageError
from qlab.experiment import Blocks
from qlab.expression import Number
from qlab.physics.constants import TWO_PI
from qlab.physics.engine import play as play_on
from qlab.physics.levels import LevelSystem
from qlab.physics.phases import over_phases
from qlab.playing import split_shots
from qlab.pulses import Sequence, compile_program
from qlab.record import Axis, Column, Signal
from qlab.roles import SignalGenerator
from qlab.scan import Linear, Scan, Values
from qlab.units import Hertz, Radians, Tesla, Unit
from qlab_experiments.nv.ac_figures import ac_signal
from qlab_experiments.nv.decoupling import (
    TrainParameters,
    inverted,
    paired,
    start_of_train,
    train_context,
    wrapped,
    xy8,
)
from qlab_experiments.nv.pulsed import PulsedNV, Shots

FITS = {"tau": "ac_spectrum", "repeats": "ac_buildup", "amplitude": "ac_fringe"}
SIGNAL: JsonDict = {"group": "Test signal"}


class XY8Parameters(TrainParameters):
    """Settings of XY8 magnetometry: sweep the spacing, the number of blocks, or the amplitude of the test signal."""

    tau: Scan[Annotated[float, Unit("s"), Gt(0)]] = Field(
        Linear(430e-9, 570e-9, 71), title="Pulse spacing", description="Between the middles of two π pulses"
    )
    repeats: Scan[Annotated[float, Ge(1), Le(2000)]] = Field(
        Values((4,)), title="XY8 blocks", description="Each of eight π pulses"
    )
    amplitude: Scan[Tesla] = Field(
        Values((0.0,)), title="Test amplitude", description="Of the test signal; 0 leaves it off",
        json_schema_extra=SIGNAL,
    )  # fmt: skip
    frequency: Hertz = Field(
        1e6,
        title="Frequency",
        description="Of the test signal, or expected of the sample's",
        json_schema_extra=SIGNAL,
    )
    phase: Radians = Field(
        0.0, title="Phase", description="Of the test signal where the train begins", json_schema_extra=SIGNAL
    )
    quadrature: Literal["cosine", "sine"] = Field(
        "cosine", title="Quadrature", description="Sine is linear in a locked signal"
    )
    shots: Shots = Field(100_000, title="Shots", description="Repetitions of each point, over all passes")
    passes: Annotated[int, Ge(1), Le(10_000)] = Field(
        4, title="Passes", description="The shots are split over so many sweeps",
        json_schema_extra={"group": "Readout"},
    )  # fmt: skip


class XY8(PulsedNV[XY8Parameters]):
    """Many π pulses in step with a signal: the AC magnetometer, deaf to slow noise.

    Sequence: laser, π/2, N times XYXYYXYX, π/2 turned back or on, laser. A signal B cos(2πft + α) turns the spin by
    φ = γB|Y(2πf)|cos(arg Y + α), on resonance (2/π)γBT. Locked, P = ½(1 − e^{−T/T2} cos φ); a signal that runs freely
    gives ½(1 − e^{−T/T2} J0(φ)). The test generator is locked; with its amplitude at 0 the sample's own signal is seen.
    Reference: Degen et al., Rev. Mod. Phys. 89, 035002 (2017), sec. VI.
    Try: repeats = 1, 2 ... 12; amplitude 0 to 10 µT with one spacing; an amplitude error of 5 %.
    """

    title = "XY8 AC magnetometry"
    group = "Sensing"
    preset = "sim-nv-ac"
    figures = (ac_signal,)
    quantum: ClassVar = {
        **PulsedNV.quantum,
        "protocol": "XY8",
        "measurand": "magnetic flux density",
        "unit": "T",
    }

    generator: SignalGenerator

    def __init__(self, parameters: XY8Parameters) -> None:
        super().__init__(parameters)
        self.swept = [name for name, scan in parameters.scans().items() if len(scan) > 1] or ["tau"]
        self.fit_model = FITS[self.swept[0]] if len(self.swept) == 1 else ""
        self.repeats = int(parameters.repeats.values()[0])

    @property
    def locked(self) -> bool:
        """Whether the test signal is on, which starts anew with each shot."""
        return bool(np.any(self.parameters.amplitude.values() > 0))

    def _value(self, name: str) -> Number:
        scan = self.parameters.scans()[name]
        return scan.symbol(name) if name in self.swept else float(scan.values()[0])

    @property
    def last(self) -> float:
        """The phase of the last π/2 pulse: it turns the spin back (cosine) or looks along the other axis (sine)."""
        return math.pi if self.parameters.quadrature == "cosine" else -math.pi / 2

    def middle(self) -> Sequence:
        """The train, its last π/2 pulse one way and then the other."""
        turn = Values((self.last, self.last + math.pi), unit="rad").symbol("turn")
        return xy8(self.parameters, self._value("tau"), self.repeats, turn)

    def setpoints(self) -> dict[str, Number]:
        """Add the test signal."""
        p = self.parameters
        early = TWO_PI * p.frequency * start_of_train(p)
        return {
            **super().setpoints(),
            "generator.frequency": p.frequency,
            "generator.phase": wrapped(p.phase - early),
            "generator.amplitude": self._value("amplitude"),
            "generator.on": 1.0 if self.locked else 0.0,
        }

    def preflight(self) -> None:
        """Blocks are counted, and pulses fit between each other."""
        p = self.parameters
        if np.any(p.repeats.values() % 1):
            raise UsageError("XY8 blocks are counted.", "Give whole numbers.")
        if float(p.tau.values().min()) < 1 / (2 * p.rabi_frequency):
            raise UsageError(
                "The π pulses are longer than their spacing.", "Raise tau or the Rabi frequency."
            )
        super().preflight()

    def run(self) -> Blocks:
        """Play the sweep; where the blocks are swept, one program for each number of them."""
        scan, shots = self.parameters.repeats, split_shots(self.parameters.shots, self.passes)
        for number in self.each_pass():
            for blocks in scan.values()[scan.played()]:
                self.repeats = int(blocks)
                program = self.program().with_shots(shots[min(number, len(shots) - 1)])
                for row in paired(self.play(program, passes=1)):
                    swept = row and "repeats" in self.swept
                    yield {**row, "repeats": np.full(len(row["shots"]), blocks)} if swept else row

    def estimate(self) -> tuple[int, float]:
        """Return rows and seconds, for all numbers of blocks."""
        rows, seconds = 0, 0.0
        for blocks in self.parameters.repeats.values():
            self.repeats = int(blocks)
            more, longer = super().estimate()
            rows, seconds = rows + more // 2, seconds + longer
        return rows, seconds

    def measured(self) -> tuple[Column, ...]:
        """Return what was counted after either turn of the last pulse."""
        shots = super().measured()[-1]
        return (*super().measured()[:-1], *map(inverted, super().measured()[:-1]), shots)

    def shot_columns(self) -> tuple[Column, ...]:
        """Return the columns of single shots, for either turn."""
        return (*super().shot_columns(), *map(inverted, super().shot_columns()))

    def signals(self) -> tuple[Signal, ...]:
        """Return the ratio of both readouts, in which drifts of the light cancel, and the photons in each shot."""
        return (
            Signal(name="ratio", long_name="fluorescence, turned back over turned on", rule="ratio", of="counts",
                   per="counts_inverted"),
            Signal(name="photons", long_name="photons per shot, turned back", rule="rate", of="counts", per="shots"),
        )  # fmt: skip

    def axes(self) -> tuple[Axis, ...]:
        """Return what is swept."""
        return tuple(axis for axis in super().axes() if axis.name in self.swept)

    def fit_context(self) -> dict[str, float]:
        """Return the train, the test signal and the readout."""
        p = self.parameters
        first = {name: float(scan.values()[0]) for name, scan in p.scans().items()}
        return {
            **train_context(p),
            "spacing": first["tau"],
            "blocks": first["repeats"],
            "frequency": p.frequency,
            "phase": p.phase,
            "last": self.last,
            "random": 0.0 if self.locked else 1.0,
        }

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return amplitude and frequency of the signal that is seen, or the gain of the test coil."""
        if self.swept == ["amplitude"]:
            return {"gain": truth["coil_gain"]}
        asked = float(self.parameters.amplitude.values()[0])
        seen = {
            "amplitude": truth["coil_gain"] * asked if self.locked else truth["signal_amplitude"],
            "frequency": self.parameters.frequency if self.locked else truth["signal_frequency"],
            # Of slow noise nothing is left between pulses so close.
            "decay_rate": 1 / truth["Tphi"] + 2 / (3 * truth["T1"]),
        }
        return seen if seen["amplitude"] > 0 else {}

    def model(self, system: LevelSystem) -> dict[str, Any]:
        """Return what a system would show, without noise; each (points,).

        `transfer` out of m_S = 0 with the last pulse turned back, `photons` then, and the `ratio` of both readouts.
        """
        shown = [self._shown(system, int(blocks)) for blocks in self._blocks()]
        transfer, counts = (np.concatenate(parts) for parts in zip(*shown, strict=True))
        return {"transfer": transfer[::2], "photons": counts[::2], "ratio": counts[::2] / counts[1::2]}

    def _blocks(self) -> NDArray[np.float64]:
        """Return the numbers of blocks that are played, each in a program of its own."""
        scan = self.parameters.repeats.values()
        return scan if "repeats" in self.swept else scan[:1]

    def _shown(self, system: LevelSystem, blocks: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return transfer and counts of both turns; a signal of the sample finds each shot at another phase."""
        self.repeats = blocks
        timeline = compile_program(self.program())
        phases = over_phases(timeline, getattr(system, "signal_amplitude", 0.0))
        readout = play_on(system, phases.timeline if phases else timeline)
        transfer, counts = readout.transfer(), readout.expected("counts")
        return (phases.mean(transfer), phases.mean(counts)) if phases else (transfer, counts)
