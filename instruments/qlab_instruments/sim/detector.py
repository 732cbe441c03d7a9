"""What simulated detectors have in common: they read what their world saw of a played timeline."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import InstrumentError
from qlab.shots import SUFFIX
from qlab_instruments.sim.instrument import SimulatedInstrument


class SimulatedDetector(SimulatedInstrument):
    """A detector armed for a timeline; its rows come at once, or, where the world is paced, as they fall due."""

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._keys: tuple[str, ...] = ()
        self._pending: dict[str, NDArray[Any]] = {}
        self.single = False  # hand over the counts of each shot too

    def arm(self, keys: Sequence[str], points: int) -> None:
        """Get ready for a timeline with these windows."""
        del points
        self._keys = tuple(keys)
        self._pending = {}

    def read(self, timeout: float) -> Mapping[str, NDArray[Any]]:
        """Return the rows that are due: all of them at once, or, paced, those that real time has reached."""
        clock = self.world.clock
        if not self._pending:
            clock.hold()
            rows = self.world.take(single=True) if self.single else self.world.take()
            missing = [key for key in self._keys if key not in rows]
            if missing:
                raise InstrumentError(
                    f"The {self.line} saw no window {missing[0]!r}.",
                    "Check the sequence, and that the player runs.",
                )
            shots = [f"{key}{SUFFIX}" for key in self._keys] if self.single else []
            self._pending = {key: rows[key] for key in (*self._keys, *shots, "time")}
        if clock.speed is not None:
            first = float(self._pending["time"][0])
            time.sleep(min(max(0.0, (first - clock.due()) / clock.speed), timeout))
            ready = int(np.searchsorted(self._pending["time"], clock.due(), side="right"))
        else:
            ready = len(self._pending["time"])
        done = {key: values[:ready] for key, values in self._pending.items()}
        rest = {key: values[ready:] for key, values in self._pending.items()}
        self._pending = rest if len(rest["time"]) else {}
        return done
