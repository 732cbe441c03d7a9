"""A simulated function generator on a test coil, with list mode."""

from typing import Any

from numpy.typing import NDArray

from qlab.instrument import Knob, Switch
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedSignalGenerator(SimulatedInstrument):
    """A function generator on a coil along the NV axis; each shot of the player starts its wave anew."""

    title = "Simulated signal generator"
    line = "generator"

    amplitude = Knob("T", limits=(0.0, 100e-6), safe=0.0, doc="Peak field at the sample, as calibrated")
    frequency = Knob("Hz", limits=(1.0, 30e6), safe=None, doc="Frequency of the wave")
    phase = Knob("rad", limits=(-7.0, 7.0), safe=None, doc="Phase at the start of each shot")
    on = Switch(safe=False, doc="Output")

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        world.lines["generator.frequency"] = 1e6

    def load_list(self, knob: str, values: NDArray[Any]) -> None:
        """Step a knob through values, one for each point played; each is checked against the limits."""
        for value in (float(values.min()), float(values.max())):
            self.check(knob, value)
        self.world.lists[f"generator.{knob}"] = values.astype(float)

    def tell(self, knob: Any, value: float | bool) -> None:
        """Set a knob; a list that it was to step through is forgotten."""
        self.world.lists.pop(f"generator.{knob.name}", None)
        super().tell(knob, value)
