"""A simulated package in place of Swabian.TimeTagger: the calls that the driver makes."""

from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


class Package:
    """`counts` are what the next gates count; gates are 1 ms apart."""

    def __init__(self, counts: list[int] | None = None) -> None:
        self.counts = list(counts or [])
        self.freed = 0

    def createTimeTagger(self, serial: str = "") -> "Tagger":
        """Connect."""
        if serial not in {"", "2138000XYZ"}:
            raise RuntimeError(f"Could not find a Time Tagger with the serial {serial}")
        return Tagger()

    def freeTimeTagger(self, tagger: "Tagger") -> None:
        """Let go."""
        del tagger
        self.freed += 1

    def CountBetweenMarkers(
        self, tagger: "Tagger", click: int, begin: int, end: int, n_values: int
    ) -> "Counting":
        """Count."""
        if end != -begin or click == begin:
            raise ValueError("wrong channels")
        del tagger
        return Counting(self, n_values)

    def Countrate(self, tagger: "Tagger", channels: list[int]) -> "Rate":
        """Measure a rate."""
        del tagger
        return Rate(channels)


class Tagger:
    """A device."""

    def __init__(self) -> None:
        self.levels = {1: 0.5, 2: 0.5}

    def getModel(self) -> str:
        """Return the model."""
        return "Time Tagger Ultra"

    def getSerial(self) -> str:
        """Return the serial number."""
        return "2138000XYZ"

    def getTriggerLevel(self, channel: int) -> float:
        """Return a threshold."""
        return self.levels[channel]

    def setTriggerLevel(self, channel: int, voltage: float) -> None:
        """Set a threshold."""
        self.levels[channel] = voltage

    def sync(self, timeout: int = -1) -> bool:
        """Wait for the device."""
        del timeout
        return True


class Counting:
    """A measurement between markers."""

    def __init__(self, owner: Package, size: int) -> None:
        self._owner, self._size = owner, size

    def _begun(self) -> int:
        return min(len(self._owner.counts), self._size)

    def ready(self) -> bool:
        """Return whether all values are there."""
        return self._begun() == self._size

    def getData(self) -> NDArray[np.int32]:
        """Return the counts."""
        values = np.zeros(self._size, dtype=np.int32)
        values[: self._begun()] = self._owner.counts[: self._begun()]
        return values

    def getIndex(self) -> NDArray[np.int64]:
        """Return when each gate began, in ps after the first; 0 where it has not."""
        times = np.zeros(self._size, dtype=np.int64)
        times[: self._begun()] = np.arange(self._begun()) * 10**9
        return times


class Rate:
    """A rate measurement."""

    def __init__(self, channels: list[int]) -> None:
        self._channels = channels

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def startFor(self, duration: int) -> None:
        """Measure for so many ps."""
        if duration <= 0:
            raise ValueError("duration")

    def waitUntilFinished(self, timeout: int = -1) -> bool:
        """Wait."""
        del timeout
        return True

    def getData(self) -> Any:
        """Return the rates."""
        return np.full(len(self._channels), 1234.0)
