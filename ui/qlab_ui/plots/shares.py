"""Populations over a sequence: a line for each level, on the time axis of the pulses above it."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from qlab_ui import theme

Floats = NDArray[np.float64]
DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


def shade(look: theme.Theme, place: int) -> QColor:
    """Return the colour of a level; the first ones are those of the channels, whose names stand elsewhere."""
    return QColor(look.series[place % len(look.series)])


def draw_shares(
    painter: QPainter, room: QRectF, x_of: Callable[[Floats], Floats],
    times: Floats, levels: Sequence[tuple[str, Floats]], at: float | None, look: theme.Theme,
) -> None:  # fmt: skip
    """Draw populations (0 to 1) over `times` (s) into a room; with `at` (s) a dot on each line."""
    painter.save()
    painter.setPen(QPen(QColor(look.line), 1))
    for height in (0.0, 0.5, 1.0):
        level = room.bottom() - height * room.height()
        painter.drawLine(QPointF(room.left(), level), QPointF(room.right(), level))
    _names(painter, room, levels, look)
    x = x_of(times)
    painter.setClipRect(room.adjusted(0, -3, 0, 3))
    for place, (_, values) in enumerate(levels):
        pen = QPen(shade(look, place), 1.6, DASHES[place % len(DASHES)])
        painter.setPen(pen)
        y = room.bottom() - np.asarray(values) * room.height()
        painter.drawPolyline(QPolygonF([QPointF(float(a), float(b)) for a, b in zip(x, y, strict=True)]))
        if at is not None:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade(look, place))
            here = float(x_of(np.array([at]))[0])
            now = room.bottom() - float(np.interp(at, times, values)) * room.height()
            painter.drawEllipse(QPointF(here, now), 3.5, 3.5)
            painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.restore()


def _names(painter: QPainter, room: QRectF, levels: Sequence[tuple[str, Floats]], look: theme.Theme) -> None:
    """Write the names to the left, each with a piece of its line: colour alone would not do."""
    metrics = QFontMetricsF(painter.font())
    step = min(metrics.height(), room.height() / max(len(levels), 1))
    top = room.center().y() - step * len(levels) / 2
    dash = metrics.averageCharWidth() * 2.5
    gap = metrics.averageCharWidth()
    for place, (name, _) in enumerate(levels):
        y = top + step * (place + 0.5)
        painter.setPen(QPen(shade(look, place), 1.8, DASHES[place % len(DASHES)]))
        painter.drawLine(QPointF(room.left() - gap - dash, y), QPointF(room.left() - gap, y))
        painter.setPen(QColor(look.muted))
        words = QRectF(0, y - step / 2, room.left() - 2 * gap - dash, step)
        painter.drawText(words, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
