"""A simulated three-axis coil."""

from qlab.instrument import Knob
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedFieldCoil(SimulatedInstrument):
    """Three pairs of coils around the sample; z is along the NV axis."""

    title = "Simulated three-axis coil"
    line = "coil"

    bx = Knob("T", limits=(-20e-3, 20e-3), safe=0.0, doc="Field along x")
    by = Knob("T", limits=(-20e-3, 20e-3), safe=0.0, doc="Field along y")
    bz = Knob("T", limits=(-20e-3, 20e-3), safe=0.0, doc="Field along z, the NV axis")
