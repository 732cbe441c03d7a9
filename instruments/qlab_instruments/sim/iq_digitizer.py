"""A simulated IQ digitizer."""

from typing import Any

from qlab.instrument import Knob
from qlab_instruments.sim.detector import SimulatedDetector


class SimulatedIQDigitizer(SimulatedDetector):
    """Probes a readout resonator and integrates I and Q; can count shots above a threshold."""

    title = "Simulated IQ digitizer"
    line = "digitizer"

    frequency = Knob("Hz", limits=(1e9, 12e9), safe=None, doc="Probe frequency")
    amplitude = Knob("V", limits=(0.0, 1.0), safe=0.0, doc="Probe amplitude")
    rotation = Knob("rad", limits=(-7.0, 7.0), safe=None, doc="Axis of the IQ plane that is judged")
    threshold = Knob("1", limits=(-1e3, 1e3), safe=None, doc="Where along that axis a 1 begins")

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        world.lines["digitizer.frequency"] = 7.0e9
