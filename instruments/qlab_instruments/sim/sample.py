"""The instruments of a world of one's own: its parameters as knobs, and a counter of clicks."""

from typing import Any

from qlab.instrument import Knob
from qlab_instruments.sim.detector import SimulatedDetector
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedClickCounter(SimulatedDetector):
    """Counts the shots that clicked."""

    title = "Simulated click counter"
    line = "counter"


class SimulatedSample(SimulatedInstrument):
    """A sample whose parameters can be moved from their hidden values."""

    title = "Simulated sample"
    line = "sample"


def simulated_sample(world: Any) -> SimulatedSample:
    """Return a sample with a knob for each parameter of the world's system: what is added to its hidden value."""
    knobs = {
        name: Knob(world.units.get(name, "1"), safe=0.0, doc=f"Added to {name}")
        for name in world.system.terms
    }
    kind: type[SimulatedSample] = type("OwnSample", (SimulatedSample,), knobs)
    return kind(world)
