"""What simulated instruments with a list mode have in common."""

from typing import Any

from numpy.typing import NDArray

from qlab.instrument import Quantity
from qlab_instruments.sim.instrument import SimulatedInstrument


class SteppingInstrument(SimulatedInstrument):
    """An instrument that steps a knob through a list, one value for each point played."""

    def load_list(self, knob: str, values: NDArray[Any]) -> None:
        """Take a list; each value is checked against the limits."""
        for value in (float(values.min()), float(values.max())):
            self.check(knob, value)
        self.world.lists[f"{self.line}.{knob}"] = values.astype(float)

    def tell(self, knob: Quantity[Any], value: float | bool) -> None:
        """Set a knob; a list that it was to step through is forgotten."""
        self.world.lists.pop(f"{self.line}.{knob.name}", None)
        super().tell(knob, value)
