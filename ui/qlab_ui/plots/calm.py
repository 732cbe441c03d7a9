"""A vertical axis that follows growing data without trembling."""

from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from qlab_ui.plots.data import Floats

_ROOM = 0.08  # of what is shown, left free above and below
_LEAST = 0.5  # of the axis that the data fill, or it draws nearer


class Calm(QObject):
    """Moves the vertical range of a plot where the data leave it or fill too little of it.

    An axis that follows every point is laid out and painted anew with each frame, and nobody can read it meanwhile.
    Once somebody has moved it by hand it stays, until `follow` is called with `again`.
    """

    def __init__(self, plot: Any) -> None:
        super().__init__(plot)
        self._plot = plot
        self._seen: tuple[float, float] | None = None
        self._held = False
        plot.getViewBox().sigRangeChangedManually.connect(self._moved)

    def follow(self, shown: Floats, *, again: bool = False) -> None:
        """Follow values as they are shown (logarithms on a logarithmic axis)."""
        if again:
            self.forget()
        values = shown[np.isfinite(shown)]
        if self._held or not len(values):
            return
        low, high = float(values.min()), float(values.max())
        if self._seen is not None:
            bottom, top = self._seen
            if bottom <= low and high <= top and high - low >= _LEAST * (top - bottom):
                return
        room = _ROOM * (high - low) or 0.05 * abs(high) or 1.0
        self._seen = (low - room, high + room)
        self._plot.setYRange(*self._seen, padding=0)

    def forget(self) -> None:
        """Follow from the start, as if nothing had been drawn yet."""
        self._held, self._seen = False, None

    def _moved(self, *_: object) -> None:
        now = self._plot.getViewBox().viewRange()[1]
        self._held = self._held or self._seen is None or not np.allclose(now, self._seen, rtol=1e-9)
