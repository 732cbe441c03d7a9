"""Simulated instruments of an ion trap."""

from qlab.instrument import Knob
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedIonTrap(SimulatedInstrument):
    """A linear trap that is loaded with ions and cools them."""

    title = "Simulated ion trap"
    line = "trap"

    ions = Knob("1", limits=(1.0, 20.0), safe=None, doc="Ions loaded")


class SimulatedBichromaticDrive(SimulatedInstrument):
    """A laser with two tones near both sidebands of a motional mode, gated by the player."""

    title = "Simulated bichromatic drive"
    line = "gate"

    detuning = Knob("Hz", limits=(-1e6, 1e6), safe=None, doc="Of both tones from their sidebands")
    strength = Knob("Hz", limits=(0.0, 1e6), safe=0.0, doc="Coupling g/2π of the spin to the mode")
