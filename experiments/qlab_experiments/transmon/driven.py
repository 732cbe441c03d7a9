"""What the transmon protocols share: their parameters, pulses, reset and readout."""

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field
from pydantic.config import JsonDict

from qlab.expression import Number
from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.pulses import Play
from qlab.units import Hertz, Radians, Seconds, Unit

Shots = Annotated[int, Ge(1), Le(10**6)]
READOUT: JsonDict = {"group": "Readout"}
QUANTUM = {
    "domain": "quantum sensing and metrology",
    "area": "sensing",
    "platform": "superconducting",
    "physical_system": "transmon qubit with a readout resonator",
}


class DrivenParameters(Parameters):
    """Settings of every protocol on a transmon."""

    microwave_frequency: Hertz = Field(5.0747e9, title="Drive frequency", description="Carrier of the pulses")
    rabi_frequency: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        10e6, title="Rabi frequency", description="Asked strength of the pulses"
    )
    reset_time: Seconds = Field(
        300e-6,
        title="Reset",
        description="Wait for the qubit to relax, several T1",
        json_schema_extra=READOUT,
    )
    readout_frequency: Hertz = Field(
        7.00281e9,
        title="Probe frequency",
        description="Between both pulled resonances",
        json_schema_extra=READOUT,
    )
    readout_amplitude: Annotated[float, Unit("V"), Ge(0)] = Field(
        0.1, title="Probe amplitude", json_schema_extra=READOUT
    )
    rotation: Radians = Field(
        0.0, title="Axis", description="Direction of the IQ plane that is judged", json_schema_extra=READOUT
    )
    threshold: float = Field(
        0.0, title="Threshold", description="Where along the axis a 1 begins", json_schema_extra=READOUT
    )

    def setpoints(self) -> dict[str, Number]:
        """Return the knobs that every protocol sets beside its sequence."""
        return {
            "microwave.frequency": self.microwave_frequency,
            "microwave.on": 1.0,
            "digitizer.frequency": self.readout_frequency,
            "digitizer.amplitude": self.readout_amplitude,
            "digitizer.rotation": self.rotation,
            "digitizer.threshold": self.threshold,
        }


def rotation(p: DrivenParameters, angle: float, phase: Number = 0.0, share: Number = 1.0) -> Play:
    """A square pulse that turns a resonant qubit by `angle` rad about an axis at `phase`; `share` scales it."""
    amplitude = p.rabi_frequency * share
    return Play("mw", angle / (TWO_PI * p.rabi_frequency), amplitude, phase)


def half_pi(p: DrivenParameters, phase: Number = 0.0) -> Play:
    """A π/2 pulse."""
    return rotation(p, np.pi / 2, phase)
