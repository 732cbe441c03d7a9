"""The lines of the grid: at the major ticks only, one cosmetic dot wide.

pyqtgraph's own grid replays a picture with every minor tick: 30 ms a frame where these lines take less than one.
"""

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter, QPen


class GridLines(pg.GraphicsObject):  # type: ignore[misc]
    """Lines behind the data of one plot, at the ticks of its axes."""

    def __init__(self, plot: Any) -> None:
        super().__init__()
        self._axes = (plot.getAxis("bottom"), plot.getAxis("left"))
        self._ticks: dict[Any, tuple[tuple[float, float, float, bool], list[float]]] = {}
        self._pen = QPen()
        self.setZValue(-100)
        plot.addItem(self, ignoreBounds=True)

    def setPen(self, pen: QPen) -> None:
        """Draw with another pen."""
        self._pen = pen
        self.update()

    def viewRangeChanged(self) -> None:
        """Cover the new range."""
        self.prepareGeometryChange()
        self.update()

    def boundingRect(self) -> QRectF:
        """Return what is seen."""
        return QRectF(self.viewRect())

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Draw a line for each major tick that is seen."""
        seen = self.boundingRect()
        across, up = self._axes
        columns, rows = self._at(across, seen.left(), seen.right()), self._at(up, seen.top(), seen.bottom())
        lines = [QLineF(x, seen.top(), x, seen.bottom()) for x in columns]
        lines += [QLineF(seen.left(), y, seen.right(), y) for y in rows]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(self._pen)
        painter.drawLines(lines)

    def _at(self, axis: Any, low: float, high: float) -> list[float]:
        """Return the major ticks of an axis; they are looked up again where what is seen has changed."""
        size = axis.width() if axis.orientation in {"bottom", "top"} else axis.height()
        seen = (low, high, size, axis.logMode)
        if axis not in self._ticks or self._ticks[axis][0] != seen:
            levels = axis.tickValues(low, high, max(size, 1))
            self._ticks[axis] = (seen, [float(value) for value in levels[0][1]] if levels else [])
        return self._ticks[axis][1]
