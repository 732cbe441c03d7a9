"""An axis whose logarithmic ticks can be read: decades named, and 2 and 5 where there is room; and that is quick."""

import math
from typing import Any

import pyqtgraph as pg
from PySide6.QtGui import QPainter, QPicture


class Axis(pg.AxisItem):  # type: ignore[misc]
    """pyqtgraph's axis, which on a logarithmic scale writes every digit over its neighbour.

    Two levels of ticks are calm enough, and the most that a frame should pay for.
    """

    def __init__(self, side: str) -> None:
        self.picture: QPicture | None = None  # what was written for the last paint
        self._column: list[Axis] = [self]  # axes above each other, whose plots keep their edges in line
        self.least = self.needed = 0.0
        self._wide: float | None = None
        super().__init__(side, maxTickLevel=1)

    def line_up(self, column: list["Axis"]) -> None:
        """Be as wide as the widest of a column of axes, and join it."""
        column.append(self)
        self._column = column
        self._updateWidth()

    def leave(self) -> None:
        """Stand alone again: the others no longer wait for it."""
        self._column.remove(self)
        for axis in self._column[:1]:
            axis.keep_width(axis.least)
        self._column = [self]

    def keep_width(self, least: float) -> None:
        """Leave room for numbers of other lengths: an axis that grows with them makes the picture jump."""
        self.least = least
        self._updateWidth()

    def _updateWidth(self) -> None:
        """Take the width of the numbers, where it has changed: whoever sets it lays out the whole picture anew."""
        if self.orientation not in {"left", "right"} or self.fixedWidth is not None:
            super()._updateWidth()
            return
        self.needed = 0.0
        if self.isVisible():
            numbers = self.textWidth + self.style["tickTextOffset"][0] if self.style["showValues"] else 0.0
            name = 0.8 * self.label.boundingRect().height() if self.label.isVisible() else 0.0
            self.needed = max(numbers + max(0.0, self.style["tickLength"]) + name, self.least)
        widest = max(axis.needed for axis in self._column)
        for axis in self._column:
            axis.be_wide(widest if axis.isVisible() else 0.0)

    def be_wide(self, width: float) -> None:
        """Take a width, if it is another one."""
        if width != self._wide:
            self._wide = width
            self.setMaximumWidth(width)
            self.setMinimumWidth(width)
            self.picture = None

    def measure(self) -> None:
        """Write the numbers that the next paint shows: the axis is as wide as they are before it is painted."""
        if self.picture is not None:
            return
        picture = QPicture()
        painter = QPainter(picture)
        if self.style["tickFont"]:
            painter.setFont(self.style["tickFont"])
        specs = self.generateDrawSpecs(painter)
        if specs is not None:
            self.drawPicture(painter, *specs)
        painter.end()
        self.picture = picture

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float | None, list[float]]]:
        """Return spacing and values of each level of ticks, those of coarser levels left out of finer ones."""
        if self.logMode or not high > low:
            levels: list[tuple[float | None, list[float]]] = super().tickValues(low, high, size)
            return levels
        made: list[tuple[float | None, list[float]]] = []
        coarser: list[float] = []
        for scaled, _ in self.tickSpacing(low * self.scale, high * self.scale, size):
            step = scaled / self.scale
            counts = range(math.ceil(low / step), math.floor(high / step) + 1)
            values = [count * step for count in counts]
            made.append((step, [v for v in values if not any(_on(v, big, step) for big in coarser)]))
            coarser.append(step)
        return made

    def logTickValues(
        self, low: float, high: float, _size: float, _linear: Any
    ) -> list[tuple[float | None, list[float]]]:
        """Return the decades, and the digits between them, in powers of ten."""
        decades = [float(power) for power in range(math.ceil(low), math.floor(high) + 1)]
        between = [
            power + math.log10(digit)
            for power in range(math.floor(low), math.ceil(high))
            for digit in range(2, 10)
        ]
        inside = [value for value in between if low <= value <= high]
        named = [value for value in inside if round(10 ** (value % 1)) in {2, 5}] if high - low < 2.5 else []
        rest = [value for value in inside if value not in named]
        return [(1.0, decades), (None, named), (None, rest)]

    def tickStrings(self, values: list[float], scale: float, spacing: float | None) -> list[str]:
        """Return plain numbers; the digits that there is no room for are not named."""
        if not self.logMode:
            strings: list[str] = super().tickStrings(values, scale, spacing)
            return strings
        few = [value for value in values if round(10 ** (value % 1)) in {1, 2, 5, 10}]
        if len(few) != len(values):
            return ["" for _ in values]
        return [f"{10**value * scale:.6g}" for value in values]


def _on(value: float, step: float, finer: float) -> bool:
    """Tell whether a value is a multiple of a step, to a hundredth of a finer one."""
    return abs(value - round(value / step) * step) < 0.01 * finer
