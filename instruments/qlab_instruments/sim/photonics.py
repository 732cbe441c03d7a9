"""Simulated instruments of an optical table: light sources, a phase shifter, a delay line, detectors."""

from qlab.instrument import Knob, Switch
from qlab_instruments.sim.detector import SimulatedDetector
from qlab_instruments.sim.instrument import SimulatedInstrument
from qlab_instruments.sim.stepping import SteppingInstrument


class SimulatedAttenuatedLaser(SimulatedInstrument):
    """A laser attenuated to single photons."""

    title = "Simulated attenuated laser"
    line = "laser"

    on = Switch(safe=False, doc="Shutter")
    power = Knob("W", limits=(0.0, 1e-6), safe=0.0, doc="Power into the interferometer")


class SimulatedSqueezer(SimulatedInstrument):
    """An optical parametric oscillator below threshold."""

    title = "Simulated squeezer"
    line = "squeezer"

    on = Switch(safe=False, doc="Shutter")
    squeezing = Knob("dB", limits=(0.0, 15.0), safe=0.0, doc="Noise of the squeezed quadrature below vacuum")


class SimulatedStateSource(SimulatedInstrument):
    """A heralded source of path-entangled N-photon states."""

    title = "Simulated source of NOON states"
    line = "source"

    on = Switch(safe=False, doc="Shutter")
    photons = Knob("1", limits=(1.0, 8.0), safe=None, doc="N of (|N,0> + |0,N>)/sqrt(2)")


class SimulatedPairSource(SimulatedInstrument):
    """A pulsed pump on a nonlinear crystal that makes photon pairs."""

    title = "Simulated source of photon pairs"
    line = "pairs"

    on = Switch(safe=False, doc="Shutter")
    pump = Knob("W", limits=(0.0, 0.2), safe=0.0, doc="Pump power")


class SimulatedPhaseShifter(SteppingInstrument):
    """A mirror on a piezo in one arm; its scale is as calibrated."""

    title = "Simulated phase shifter"
    line = "shifter"

    phase = Knob("rad", limits=(-40.0, 40.0), safe=0.0, doc="Phase between the arms")


class SimulatedDelayLine(SteppingInstrument):
    """A retroreflector on a motor stage."""

    title = "Simulated delay line"
    line = "delay"

    delay = Knob("s", limits=(-1e-10, 1e-10), safe=None, doc="Delay of one photon")


class SimulatedNumberCounter(SimulatedDetector):
    """Two transition-edge sensors that count photons in every shot."""

    title = "Simulated photon-number counter"
    line = "numbers"


class SimulatedCoincidenceCounter(SimulatedDetector):
    """Two click detectors on a time tagger."""

    title = "Simulated coincidence counter"
    line = "coincidences"


class SimulatedHomodyne(SimulatedDetector):
    """A balanced homodyne detector at one port, its local oscillator from the same laser."""

    title = "Simulated homodyne detector"
    line = "homodyne"

    angle = Knob(
        "rad", limits=(-7.0, 7.0), safe=None, doc="Quadrature that is measured: 0 amplitude, π/2 phase"
    )
