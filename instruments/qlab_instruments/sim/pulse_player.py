"""A simulated pulse player."""

from typing import Any

from qlab.errors import InstrumentError
from qlab.pulses import Timeline
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedPulsePlayer(SimulatedInstrument):
    """Plays a timeline to the world."""

    title = "Simulated pulse player"
    line = "player"

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._loaded: Timeline | None = None

    def load(self, timeline: Timeline) -> None:
        """Take a timeline."""
        self._loaded = timeline

    def start(self) -> None:
        """Play what was loaded."""
        if self._loaded is None:
            raise InstrumentError(
                "The pulse player was started with nothing loaded.", "Load a timeline first."
            )
        self.world.timeline = self._loaded

    def stop(self) -> None:
        """Stop playing."""
        self.world.timeline = None

    def make_safe(self) -> None:
        """Stop playing."""
        self.stop()
