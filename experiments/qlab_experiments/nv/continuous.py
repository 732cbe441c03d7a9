"""What the continuous-wave protocols share: their parameters, light and microwave together, the count rate."""

from typing import Annotated, ClassVar, Generic, TypeVar

from annotated_types import Ge, Gt
from pydantic import Field

from qlab.experiment import Experiment
from qlab.parameters import Parameters
from qlab.pulses import Acquire, Delay, Gate, Play, Program
from qlab.record import Column, Signal
from qlab.roles import Laser, MicrowaveSource, PhotonCounter, PulsePlayer
from qlab.scan import Centre, Scan
from qlab.units import Hertz, Unit, Watts
from qlab_experiments.nv.pulsed import PulsedNV, Shots

PositiveSeconds = Annotated[float, Unit("s"), Gt(0)]


class ContinuousParameters(Parameters):
    """Settings of a spectrum with laser and microwave on together."""

    frequency: Scan[Hertz] = Field(Centre(2.814e9, 12e6, 161), title="Frequency")
    rabi_frequency: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        0.2e6, title="Rabi frequency", description="Strength of the microwave"
    )
    laser_power: Watts = Field(20e-6, title="Laser power", description="Weak light keeps the lines narrow")
    dwell: PositiveSeconds = Field(1e-3, title="Counting time", description="In each shot")
    settle_time: PositiveSeconds = Field(0.5e-3, title="Settling time", description="Before counting starts")
    shots: Shots = Field(1000, title="Shots", description="Repetitions of each point, over all passes")
    passes: Annotated[int, Ge(1)] = Field(10, title="Passes", json_schema_extra={"group": "Readout"})
    expected_noise: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        112.5e3,
        title="Expected detuning noise",
        description="Gaussian part of the line shape, held fixed in the fit",
        json_schema_extra={"group": "Model"},
    )


P = TypeVar("P", bound=ContinuousParameters)


class ContinuousNV(Experiment[P], Generic[P]):
    """Light and microwave over the whole shot, the carrier swept."""

    group = "Spectroscopy"
    preset = "sim-nv"
    quantum: ClassVar = {**PulsedNV.quantum, "measurand": "magnetic flux density", "unit": "T"}

    player: PulsePlayer
    microwave: MicrowaveSource
    laser: Laser
    counter: PhotonCounter

    def program(self) -> Program:
        """Light and microwave over the whole shot; counting after the settling time."""
        p = self.parameters
        whole = p.settle_time + p.dwell
        return Program(
            Gate("laser", whole)
            + Play("mw", whole, p.rabi_frequency)
            + Delay(p.settle_time, ("counter",))
            + Acquire("counter", p.dwell, "counts"),
            shots=p.shots,
            setpoints={
                "microwave.frequency": p.frequency.symbol("frequency"),
                "microwave.on": 1.0,
                "laser.power": p.laser_power,
                "laser.on": 1.0,
            },
        )

    def measured(self) -> tuple[Column, ...]:
        """Return the counts and the shots they are summed over."""
        return (
            Column(name="counts", long_name="photons", dtype="i8"),
            Column(name="shots", long_name="shots summed over", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the count rate."""
        scale = 1 / self.parameters.dwell
        return (
            Signal(
                name="rate",
                unit="1/s",
                long_name="count rate",
                rule="rate",
                of="counts",
                per="shots",
                scale=scale,
            ),
        )
