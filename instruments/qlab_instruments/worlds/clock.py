"""The virtual clock of a world, and its pacing in real time."""

import time
from dataclasses import dataclass, field


@dataclass
class VirtualClock:
    """Seconds of virtual time. With a `speed` (virtual s per real s) it can be waited for; else it jumps."""

    elapsed: float = 0.0
    speed: float | None = None
    _began: float = field(default_factory=time.monotonic)

    def begin(self, speed: float | None) -> None:
        """Set the clock to 0."""
        self.elapsed, self.speed, self._began = 0.0, speed, time.monotonic()

    def due(self) -> float:
        """Return the virtual time that real time allows; infinite where there is no pacing."""
        if self.speed is None:
            return float("inf")
        return (time.monotonic() - self._began) * self.speed

    def held(self, seconds: float) -> None:
        """Leave out real seconds that passed in a pause."""
        self._began += seconds

    def hold(self) -> None:
        """Let pacing resume from now: time spent paused is not caught up."""
        if self.speed is not None:
            self._began = time.monotonic() - self.elapsed / self.speed
