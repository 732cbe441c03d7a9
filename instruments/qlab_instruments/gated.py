"""Gated counting: sums over shots of what a counter counted in one gate after the other."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.shots import SUFFIX

LOOK = 5e-3  # s between two looks at a counter


class Gates:
    """The gates of a played timeline, in the order in which they come: points, then shots, then windows."""

    def __init__(self, keys: Sequence[str] = (), points: int = 0, shots: int = 1) -> None:
        self.keys, self.points, self.shots = tuple(keys), points, shots
        self._held = np.empty(0, dtype=np.int64)
        self._done = 0

    @property
    def total(self) -> int:
        """How many gates there will be."""
        return len(self.keys) * self.points * self.shots

    @property
    def left(self) -> int:
        """How many gates have not been counted yet."""
        return self.total - self._done * len(self.keys) * self.shots - len(self._held)

    def feed(self, counts: NDArray[Any], *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Take counts of further gates; return the rows that are complete: a sum for each key, shape (new points,)."""
        self._held = np.concatenate([self._held, np.asarray(counts).astype(np.int64)])
        size = max(1, len(self.keys) * self.shots)
        ready = min(len(self._held) // size, self.points - self._done)
        rows = self._held[: ready * size].reshape(ready, self.shots, max(1, len(self.keys)))
        self._held = self._held[ready * size :]
        self._done += ready
        seen: dict[str, NDArray[Any]] = {key: rows[:, :, i].sum(axis=1) for i, key in enumerate(self.keys)}
        if single:
            seen |= {f"{key}{SUFFIX}": rows[:, :, i] for i, key in enumerate(self.keys)}
        return seen


def wait_rows(
    take: Callable[[], NDArray[Any]], gates: Gates, timeout: float, *, single: bool = False
) -> Mapping[str, NDArray[Any]]:
    """Return the rows that come within `timeout` s, at once where there are any; `take` returns new counts."""
    until = time.monotonic() + timeout
    while True:
        seen = gates.feed(take(), single=single)
        fresh = len(next(iter(seen.values()))) if seen else 0
        if fresh or time.monotonic() >= until:
            return seen if fresh else {}
        time.sleep(LOOK)
