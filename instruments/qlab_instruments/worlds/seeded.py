"""What all worlds have in common: lines, a loaded timeline, a virtual clock, and random streams keyed by row."""

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qlab.errors import InstrumentError, UsageError
from qlab.parameters import Parameters
from qlab.physics.path import Path
from qlab.pulses import Timeline
from qlab_instruments.worlds.clock import VirtualClock


class SeededWorld:
    """A sample shared by all instruments of a bench.

    Instruments write `lines` ("microwave.frequency", "coil.bx"), the player loads a timeline, a detector calls
    `take`. Random streams are keyed by seed, detector and row, so that pauses, pacing and the grouping of rows change
    nothing; drift is a function of seed and virtual time.
    """

    hidden: Parameters
    undrawn: ClassVar[str] = "its world does not follow it."  # why there is no path

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.lines: dict[str, float] = {}
        self.lists: dict[str, NDArray[np.float64]] = {}
        self.seed = 0
        self.rows = 0
        self.reads = 0
        self.timeline: Timeline | None = None
        self.solver = "batched"
        self._streams: dict[tuple[int, int], tuple[np.random.Philox, np.random.Generator, Any]] = {}

    @property
    def elapsed(self) -> float:
        """The virtual time of the run, s."""
        return self.clock.elapsed

    @elapsed.setter
    def elapsed(self, seconds: float) -> None:
        self.clock.elapsed = seconds

    def begin(self, seed: int, speed: float | None) -> None:
        """Start a run."""
        self.seed, self.rows, self.reads = seed, 0, 0
        self.timeline = None
        self.lists.clear()
        self.clock.begin(speed)

    def held(self, seconds: float) -> None:
        """Leave out real seconds that passed in a pause."""
        self.clock.held(seconds)

    def settings(self) -> dict[str, float]:
        """Return the process parameters."""
        return {name: float(value) for name, value in self.hidden.to_dict().items()}

    def truth(self) -> dict[str, float]:
        """Return the process parameters and what follows from them, in SI units."""
        return self.settings()

    def stream(self, detector: int, row: int) -> np.random.Generator:
        """Return the random numbers of one row of one detector, until the next row of it is asked for."""
        key = (self.seed, detector)
        if key not in self._streams:
            bits = np.random.Philox(key=[self.seed, detector])
            self._streams[key] = bits, np.random.Generator(bits), bits.state
        bits, generator, start = self._streams[key]
        # Winding one stream to its place takes a tenth of the time that making a new one does.
        start["state"]["counter"][:] = (0, row, 0, 0)
        bits.state = start
        return generator

    def take(self, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Play the loaded timeline once; return a row for each point: what was detected by key, and time.

        With `single` also `<key>_shots` (points, shots), the counts of each shot; the sums are the same either way.
        """
        timeline = self.timeline
        if timeline is None:
            return {}
        whole = replace(timeline, setpoints=self._setpoints(len(timeline)))
        seen = self.detect(whole, single=True) if single else self.detect(whole)
        spent = timeline.duration * 1e-12 * timeline.shots
        moments = self.elapsed + np.cumsum(spent)
        self.clock.elapsed = float(moments[-1])
        self.rows += len(timeline)
        return {**seen, "time": moments}

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return what the detectors see at each point, by key; the setpoints are the lines as they stand.

        `single` asks for the counts of each shot too; a world without a counter knows none.
        """
        raise NotImplementedError

    def path(self, timeline: Timeline, point: int) -> Path:
        """Return the state along one point of a timeline, for whoever wants to understand it; nothing is measured."""
        del timeline, point
        raise UsageError(
            f"How the state of this bench moves cannot be drawn: {self.undrawn}",
            "The counts can be measured.",
        )

    def only_batched(self, why: str) -> None:
        """Refuse to be solved by QuTiP, for a world whose closed forms have no such counterpart here."""
        if self.solver == "qutip":
            raise UsageError(
                f"QuTiP does not solve this bench: {why}", "Leave --solver away; tests compare both."
            )

    def _setpoints(self, points: int) -> dict[str, NDArray[np.float64]]:
        setpoints = {name: np.full(points, value) for name, value in self.lines.items()}
        for name, values in self.lists.items():
            if len(values) != points:
                raise InstrumentError(
                    f"The list of {name} has {len(values)} values, and {points} points were played.",
                    "Load a list for each timeline, or set the knob to one value.",
                )
            setpoints[name] = values
        return setpoints


def normalised(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities that sum to 1, rounding errors taken off."""
    clean = np.clip(np.asarray(shares, dtype=float), 0.0, None)
    return np.asarray(clean / clean.sum())
