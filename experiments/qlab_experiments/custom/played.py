"""What the protocols on a physics of one's own share: pulses on a channel, clicks, the overlay."""

from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray
from pydantic import Field

from qlab.experiment import Experiment
from qlab.expression import Number
from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.pulses import Acquire, Align, Delay, Play, Program, Sequence, Timeline, compile_program
from qlab.record import Column, Signal
from qlab.roles import PhotonCounter, PulsePlayer
from qlab.units import Unit


class ClickParameters(Parameters):
    """Settings of every protocol on a system of one's own."""

    channel: str = Field("mw", title="Channel", description="The drive that is pulsed")
    rabi_frequency: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        1e6, title="Rabi frequency", description="Asked strength of the pulses"
    )
    dead_time: Annotated[float, Unit("s"), Ge(0)] = Field(
        1e-6, title="Dead time", description="Preparation and readout of each shot"
    )
    shots: Annotated[int, Ge(1), Le(10**9)] = Field(
        10_000, title="Shots", description="Of each point, over all passes"
    )
    passes: Annotated[int, Ge(1), Le(10_000)] = Field(10, title="Passes")


P = TypeVar("P", bound=ClickParameters)


class Clicking(Protocol):
    """A system that says how likely a click is at each point of a timeline."""

    def probability(self, timeline: Timeline) -> NDArray[np.float64]:
        """Return the probabilities; (points,)."""
        ...


class OnOwnSystem(Experiment[P], Generic[P]):
    """A pulsed protocol: the system is prepared, `middle` is played, and it clicks or not."""

    group = "Own physics"
    on_own_systems = True
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology",
        "area": "sensing",
        "platform": "other: own physics",
        "protocol": "parameter scan",
        "measurand": "probability",
        "unit": "1",
    }

    player: PulsePlayer
    counter: PhotonCounter

    def middle(self) -> Sequence | Play | Delay:
        """Return what is played."""
        raise NotImplementedError

    def settings(self) -> dict[str, Number]:
        """Return the knobs that are set or swept beside it."""
        return {}

    def turn(self, angle: float, phase: Number = 0.0) -> Play:
        """A square pulse that turns a resonant two-level system by `angle` rad."""
        p = self.parameters
        return Play(p.channel, angle / (TWO_PI * p.rabi_frequency), p.rabi_frequency, phase)

    def program(self) -> Program:
        """Play, then look."""
        p = self.parameters
        readout = Align() + Acquire("counter", max(p.dead_time, 1e-12), "clicks")
        return Program(self.middle() + readout, shots=p.shots, setpoints=self.settings())

    def measured(self) -> tuple[Column, ...]:
        """Return clicks and shots."""
        return (
            Column(name="clicks", long_name="shots that clicked", dtype="i8"),
            Column(name="shots", long_name="shots", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the share of shots that clicked."""
        return (Signal(name="share", long_name="share of clicks", rule="fraction", of="clicks", per="shots"),)

    def model(self, system: Clicking) -> dict[str, Any]:
        """Return the probability of a click for a system, such as a `UserSystem`; (points,)."""
        return {"share": system.probability(compile_program(self.program()))}
