"""What the gravimeters share: the three pulses, the cycle, and what is known of the atoms."""

import math
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import Field
from pydantic.config import JsonDict

from qlab.expression import Number
from qlab.parameters import Parameters
from qlab.physics.constants import TWO_PI
from qlab.physics.systems.atom_interferometer import RUBIDIUM_D2, ThreePulse, two_photon
from qlab.pulses import Acquire, Align, Delay, Play, Sequence
from qlab.units import Unit

PETERS = "Peters, Chung and Chu, Metrologia 38, 25 (2001)"
CHEINET = "Cheinet et al., IEEE Trans. Instrum. Meas. 57, 1141 (2008)"
CYCLE: JsonDict = {"group": "Cycle"}
MODEL: JsonDict = {"group": "Model"}
Time = Annotated[float, Unit("s"), Gt(0)]
QUANTUM = {
    "domain": "quantum sensing and metrology", "area": "sensing", "platform": "cold-atom interferometer",
    "physical_system": "laser-cooled atoms in free fall", "protocol": "gravimetry",
    "measurand": "gravitational acceleration", "unit": "m/s2",
}  # fmt: skip


class FallParameters(Parameters):
    """Settings of every gravimeter."""

    T: Time = Field(0.1, title="Free time T", description="Between pulses")
    pulse: Time = Field(10e-6, title="π/2 pulse", description="The π pulse is twice as long")
    nominal: Annotated[float, Unit("m/s2")] = Field(
        9.8126, title="g about", description="From a scan with shorter T; the fringe next to it is meant"
    )
    wavelength: Annotated[float, Unit("m"), Gt(0)] = Field(RUBIDIUM_D2, title="Wavelength")
    load_time: Time = Field(0.35, title="Cooling", description="And selection", json_schema_extra=CYCLE)
    detect_time: Time = Field(0.05, title="Detection", json_schema_extra=CYCLE)
    vibration: Annotated[float, Ge(0), Le(1)] = Field(
        2e-7, title="Vibration", description="Of the mirror, m/s²/√Hz, for the limit", json_schema_extra=MODEL
    )

    @property
    def system(self) -> ThreePulse:
        """The interferometer as asked for."""
        return ThreePulse(self.T, self.pulse, math.pi / 2 / self.pulse, two_photon(self.wavelength))

    @property
    def resting(self) -> float:
        """The chirp in Hz/s at which atoms that fall with g about see lasers that stand still."""
        return two_photon(self.wavelength) * self.nominal / TWO_PI

    @property
    def cycle(self) -> float:
        """The length of a cycle, s."""
        return self.load_time + 2 * self.T + 4 * self.pulse + self.detect_time

    def sequence(self, phase: Number = 0.0) -> Sequence:
        """Cool, π/2 – T – π – T – π/2 with the last pulse at `phase`, count."""
        rabi = 1 / (4 * self.pulse)
        return (
            Delay(self.load_time)
            + Play("mw", self.pulse, rabi)
            + Delay(self.T)
            + Play("mw", 2 * self.pulse, rabi)
            + Delay(self.T)
            + Play("mw", self.pulse, rabi, phase)
            + Align()
            + Acquire("camera", self.detect_time, "atoms", "image")
        )
