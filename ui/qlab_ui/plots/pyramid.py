"""A min/max pyramid over a growing trace: what is drawn costs by the pixel, not by the point."""

import numpy as np

from qlab_ui.plots.data import Floats

_STEP = 8  # points of one level that the next one sums up


class Pyramid:
    """Lowest and highest value of each 8, 64, 512 ... points, kept as the trace grows."""

    def __init__(self) -> None:
        self._levels: list[_Level] = []
        self._count = 0

    def take(self, values: Floats) -> None:
        """Take the whole trace as it stands; only what is new is looked at. The trace itself is not kept."""
        if len(values) < self._count:
            self._levels = []
        self._count = len(values)
        low = high = values
        level = 0
        while len(low) >= _STEP:
            if level == len(self._levels):
                self._levels.append(_Level())
            kept = self._levels[level]
            kept.take(low, high)
            low, high = kept.low[: kept.count], kept.high[: kept.count]
            level += 1

    def seen(self, values: Floats, first: int, last: int, most: int) -> tuple[Floats, Floats]:
        """Return positions and values that draw points `first` to `last` with at most about 2·`most` points."""
        first, last = max(first, 0), min(last, len(values))
        level, step = -1, 1
        while (last - first) / step > most and level + 1 < len(self._levels):
            level, step = level + 1, step * _STEP
        if level < 0 or last <= first:
            return np.arange(first, last, dtype=float), values[first:last]
        kept = self._levels[level]
        start, end = first // step, min(-(-last // step), kept.count)
        y = np.column_stack([kept.low[start:end], kept.high[start:end]]).ravel()
        x = np.repeat((np.arange(start, end) + 0.5) * step, 2)
        # The last points do not fill a step yet.
        tail = values[end * step : last]
        if not len(tail):
            return x, y
        return np.append(x, [last - 1.0, last - 1.0]), np.append(
            y, [np.fmin.reduce(tail), np.fmax.reduce(tail)]
        )


class _Level:
    """One level, in arrays with room to grow."""

    def __init__(self) -> None:
        self.count = 0
        self.low = self.high = np.zeros(0)

    def take(self, low: Floats, high: Floats) -> None:
        """Sum up what is new of the level below."""
        count = len(low) // _STEP
        if count > len(self.low):
            room = max(2 * count, 1024)
            self.low, self.high = (np.resize(old, room) for old in (self.low, self.high))
        new = slice(self.count * _STEP, count * _STEP)
        # What is not a number counts only where nothing else is there.
        self.low[self.count : count] = np.fmin.reduce(low[new].reshape(-1, _STEP), axis=1)
        self.high[self.count : count] = np.fmax.reduce(high[new].reshape(-1, _STEP), axis=1)
        self.count = count
