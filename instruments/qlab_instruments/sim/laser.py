"""A simulated laser."""

from qlab.instrument import Knob, Switch
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedLaser(SimulatedInstrument):
    """A green laser, gated by the player."""

    title = "Simulated laser"
    line = "laser"

    on = Switch(safe=False, doc="Shutter")
    power = Knob("W", limits=(0.0, 10e-3), safe=0.0, doc="Power at the sample")
