"""A simulated photon counter."""

from typing import Any

from qlab.instrument import Knob, Quantity
from qlab_instruments.sim.detector import SimulatedDetector

GATE_TIME = 100e-3  # s, the integration of the rate meter


class SimulatedPhotonCounter(SimulatedDetector):
    """Counts photons: in the windows of a timeline, or freely as a rate meter."""

    title = "Simulated photon counter"
    line = "counter"

    rate = Knob("1/s", settable=False, doc=f"Count rate, integrated for {GATE_TIME:g} s")

    def keep_shots(self, on: bool) -> None:
        """Hand over the counts of each shot, or no longer."""
        self.single = on

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Measure the count rate."""
        if knob.name == "rate":
            return float(self.world.rate(GATE_TIME))
        return super().ask(knob)
