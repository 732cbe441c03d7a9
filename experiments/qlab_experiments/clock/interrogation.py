"""What the clock protocols share: preparation, detection, and what is known of atoms and laser."""

from typing import Annotated

from annotated_types import Gt
from pydantic import Field
from pydantic.config import JsonDict

from qlab.parameters import Parameters
from qlab.pulses import Acquire, Align, Delay, Sequence
from qlab.units import Unit

Time = Annotated[float, Unit("s"), Gt(0)]
TIMING: JsonDict = {"group": "Cycle"}
QUANTUM = {
    "domain": "quantum sensing and metrology",
    "area": "metrology",
    "platform": "neutral atoms",
    "physical_system": "atoms in an optical lattice",
}
LUDLOW = "Ludlow et al., Rev. Mod. Phys. 87, 637 (2015)"
YTTERBIUM = 518.295836590863e12  # Hz, recommended value for 171Yb


class CycleParameters(Parameters):
    """The dead parts of a clock cycle."""

    load_time: Time = Field(
        0.6, title="Loading", description="Cooling, trapping, pumping", json_schema_extra=TIMING
    )
    detect_time: Time = Field(0.2, title="Detection", json_schema_extra=TIMING)
    nominal: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        YTTERBIUM, title="Nominal frequency", description="Of the clock transition", json_schema_extra=TIMING
    )


def preparation(p: CycleParameters) -> Delay:
    """Load, cool and pump the atoms."""
    return Delay(p.load_time)


def detection(p: CycleParameters) -> Sequence:
    """Two pictures: excited atoms, then ground-state atoms."""
    return Align() + Acquire("camera", p.detect_time, "atoms", "image")
