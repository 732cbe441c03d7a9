"""A simulated clock laser with its frequency shifter, and a comb that compares it."""

import math
from typing import Any

from qlab.instrument import Knob
from qlab_instruments.sim.instrument import SimulatedInstrument
from qlab_instruments.sim.stepping import SteppingInstrument


class SimulatedLocalOscillator(SteppingInstrument):
    """A clock laser behind an acousto-optic shifter."""

    title = "Simulated clock laser"
    line = "oscillator"

    offset = Knob("Hz", limits=(-10e6, 10e6), safe=0.0, doc="What the frequency shifter adds")

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._allowed = (math.inf, -math.inf)

    def steer(self, offset: float) -> None:
        """Set the offset through the servo port."""
        low, high = self._allowed
        if not low <= offset <= high:
            self.check("offset", offset)
            # Limits are ranges: what lies between two allowed offsets is allowed.
            self._allowed = min(low, offset), max(high, offset)
        self.world.lines["oscillator.offset"] = offset


class SimulatedFrequencyComb(SimulatedInstrument):
    """A comb locked to a reference clock."""

    title = "Simulated frequency comb"
    line = "comparator"

    def compare(self) -> float:
        """Return the mean fractional frequency of the steered laser since it was last asked."""
        return float(self.world.compare())
