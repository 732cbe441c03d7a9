"""A simulated photon counter."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import InstrumentError
from qlab.instrument import Knob, Quantity
from qlab.shots import SUFFIX
from qlab_instruments.sim.instrument import SimulatedInstrument

GATE_TIME = 100e-3  # s, the integration of the rate meter


class SimulatedPhotonCounter(SimulatedInstrument):
    """Counts photons: in the windows of a timeline, or freely as a rate meter."""

    title = "Simulated photon counter"
    line = "counter"

    rate = Knob("1/s", settable=False, doc=f"Count rate, integrated for {GATE_TIME:g} s")

    def __init__(self, world: Any) -> None:
        super().__init__(world)
        self._keys: tuple[str, ...] = ()
        self._pending: dict[str, NDArray[Any]] = {}
        self._shots = False

    def keep_shots(self, on: bool) -> None:
        """Hand over the counts of each shot, or no longer."""
        self._shots = on

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
            rows = self.world.take(shots=True) if self._shots else self.world.take()
            missing = [key for key in self._keys if key not in rows]
            if missing:
                raise InstrumentError(
                    f"The counter saw no window {missing[0]!r}.",
                    "Check the sequence, and that the player runs.",
                )
            single = [f"{key}{SUFFIX}" for key in self._keys] if self._shots else []
            self._pending = {key: rows[key] for key in (*self._keys, *single, "time")}
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

    def ask(self, knob: Quantity[Any]) -> float | bool:
        """Measure the count rate."""
        if knob.name == "rate":
            return float(self.world.rate(GATE_TIME))
        return super().ask(knob)
