"""A simulated microwave source with list mode."""

from typing import Any

from numpy.typing import NDArray

from qlab.instrument import Knob, Switch
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedMicrowave(SimulatedInstrument):
    """A microwave source: carrier frequency, power, output switch."""

    title = "Simulated microwave source"
    line = "microwave"

    frequency = Knob("Hz", limits=(9e3, 20e9), safe=None, doc="Carrier frequency")
    power = Knob(
        "dBm", limits=(-60.0, 30.0), safe=None, doc="Output power; 0 dBm is what pulses were calibrated at"
    )
    on = Switch(safe=False, doc="Output")

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        world.lines["microwave.frequency"] = 2.87e9

    def load_list(self, knob: str, values: NDArray[Any]) -> None:
        """Step a knob through values, one for each point played; each is checked against the limits."""
        for value in (float(values.min()), float(values.max())):
            self.check(knob, value)
        self.world.lists[f"microwave.{knob}"] = values.astype(float)

    def tell(self, knob: Any, value: float | bool) -> None:
        """Set a knob; a list that it was to step through is forgotten."""
        self.world.lists.pop(f"microwave.{knob.name}", None)
        super().tell(knob, value)
