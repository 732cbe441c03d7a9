"""A simulated microwave source with list mode."""

from typing import Any

from qlab.instrument import Knob, Switch
from qlab_instruments.sim.stepping import SteppingInstrument


class SimulatedMicrowave(SteppingInstrument):
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
