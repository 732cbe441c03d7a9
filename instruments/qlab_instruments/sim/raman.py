"""Simulated Raman lasers of an atom interferometer."""

import math
from typing import Any

from qlab.instrument import Knob
from qlab_instruments.sim.stepping import SteppingInstrument


class SimulatedRamanLasers(SteppingInstrument):
    """Two phase-locked lasers whose difference frequency is chirped by a synthesiser."""

    title = "Simulated Raman lasers"
    line = "raman"

    chirp = Knob(
        "Hz/s", limits=(-50e6, 50e6), safe=0.0, doc="Of the difference frequency, along the momentum transfer"
    )
    direction = Knob("1", limits=(-1.0, 1.0), safe=None, doc="+1: momentum downwards, -1: upwards")

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self.world.lines["raman.direction"] = 1.0
        self._allowed = (math.inf, -math.inf)

    def steer(self, chirp: float, direction: float) -> None:
        """Set both through the port of a servo."""
        low, high = self._allowed
        if not low <= chirp <= high:
            self.check("chirp", chirp)
            # Limits are ranges: what lies between two allowed chirps is allowed.
            self._allowed = min(low, chirp), max(high, chirp)
        self.world.lines["raman.chirp"], self.world.lines["raman.direction"] = chirp, direction
