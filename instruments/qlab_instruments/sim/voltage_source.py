"""A simulated voltage source on a flux line."""

from qlab.instrument import Knob
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedFluxBias(SimulatedInstrument):
    """A quiet voltage source that biases the flux loop of a transmon."""

    title = "Simulated flux bias"
    line = "flux"

    voltage = Knob("V", limits=(-2.0, 2.0), safe=0.0, doc="Voltage on the flux line")
