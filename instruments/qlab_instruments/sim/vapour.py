"""Simulated instruments around a vapour cell."""

from qlab.instrument import Knob
from qlab_instruments.sim.detector import SimulatedDetector
from qlab_instruments.sim.stepping import SteppingInstrument


class _SimulatedTunedLaser(SteppingInstrument):
    """A laser on an offset lock."""

    detuning = Knob("Hz", limits=(-2e9, 2e9), safe=0.0, doc="From where its line is thought to be")


class SimulatedProbeLaser(_SimulatedTunedLaser):
    """The probe laser, on an offset lock."""

    title = "Simulated probe laser"
    line = "probe"


class SimulatedCouplingLaser(_SimulatedTunedLaser):
    """The coupling laser, on an offset lock."""

    title = "Simulated coupling laser"
    line = "coupling"


class SimulatedPhotodiode(SimulatedDetector):
    """A photodiode behind the cell."""

    title = "Simulated photodiode"
    line = "photodiode"
