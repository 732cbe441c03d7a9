"""A simulated clock laser with its frequency shifter, and a comb that compares it."""

import math
from typing import Any

from numpy.typing import NDArray

from qlab.instrument import Knob, Quantity
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedLocalOscillator(SimulatedInstrument):
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

    def load_list(self, knob: str, values: NDArray[Any]) -> None:
        """Step the offset through values, one for each point played."""
        for value in (float(values.min()), float(values.max())):
            self.check(knob, value)
        self.world.lists[f"oscillator.{knob}"] = values.astype(float)

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Set the offset; a list that it was to step through is forgotten."""
        self.world.lists.pop(f"oscillator.{knob.name}", None)
        super().tell(knob, value)


class SimulatedFrequencyComb(SimulatedInstrument):
    """A comb locked to a reference clock."""

    title = "Simulated frequency comb"
    line = "comparator"

    def compare(self) -> float:
        """Return the mean fractional frequency of the steered laser since it was last asked."""
        return float(self.world.compare())
