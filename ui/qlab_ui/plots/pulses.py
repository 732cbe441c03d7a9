"""A sequence drawn: one lane for each channel, as it is played at one point of the sweep, and the state below."""

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from qlab.units import format_quantity
from qlab_ui import theme
from qlab_ui.plots.shares import draw_shares
from qlab_ui.sequence import Played, Pulse, rotation_name
from qlab_ui.states import StatePath

_PULSE = 2.4  # width of a pulse beside that of the shortest stretch, where idle time is squeezed
_SHARES = 1.6  # height of the populations beside that of a lane
_STEPS = 200  # of the cursor across all of the sequence
_SHORTEST = 1e-3  # of what is seen: a narrower pulse is drawn as a line


class PulseCanvas(QWidget):
    """Lanes of pulses. To scale, the wheel zooms and dragging moves; else idle time is squeezed."""

    pointedAt = Signal(float)  # s from the start of the sequence

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pulse_canvas")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Sequence")
        self._played: Played | None = None
        self._point = 0
        self.to_scale = False
        self._window = (0.0, 1.0)  # the part of the time axis that is seen, in drawn units of 0 to 1
        self._edges = np.array([0.0, 1.0])  # s
        self._drawn = np.array([0.0, 1.0])  # where each edge is drawn, 0 to 1
        self._hit: list[tuple[QRectF, Pulse]] = []
        self._grab: tuple[float, tuple[float, float]] | None = None
        self.cursor_time: float | None = None
        self.path: StatePath | None = None
        self.setToolTip("Point at a pulse to read it. Wheel, + and - zoom; the arrow keys move the cursor.")

    def minimumSizeHint(self) -> QSize:
        """Ask for the height of the lanes."""
        lanes = len(self._played.channels) if self._played is not None else 2
        line = self.fontMetrics().height()
        shares = _SHARES if self.path is not None else 0.0
        return QSize(line * 20, int(line * (1.9 * (lanes + shares) + 1.6)))

    def show_played(self, played: Played | None, point: int = 0) -> None:
        """Show a sequence at one point of its sweep."""
        self._played = played
        self._window = (0.0, 1.0)
        self.path = None
        self.show_point(point)
        self.updateGeometry()

    def show_path(self, path: StatePath | None) -> None:
        """Show the populations below the pulses, or none."""
        self.path = path
        self.updateGeometry()
        self.update()

    def move_cursor(self, seconds: float) -> None:
        """Put the cursor at a moment of the sequence."""
        self.cursor_time = min(max(seconds, 0.0), self.total())
        self.pointedAt.emit(self.cursor_time)
        self.update()

    def show_point(self, point: int) -> None:
        """Show another point of the sweep."""
        self._point = point
        self._measure()
        self.say_moment("")
        self.update()

    def say_moment(self, state: str) -> None:
        """Say what is drawn, and the state at the cursor, to who cannot see it."""
        if self._played is None:
            return
        names = ", ".join(self._played.channels)
        words = (
            f"{len(self._played.pulses)} pulses on {names}, {format_quantity(self.total(), 's', 4)} in all"
        )
        if self.cursor_time is not None and state:
            words += f"; at {format_quantity(self.cursor_time, 's', 4)} {state}"
        self.setAccessibleDescription(words)

    def set_to_scale(self, to_scale: bool) -> None:
        """Draw time to scale, or squeeze what is long."""
        self.to_scale = to_scale
        self._window = (0.0, 1.0)
        self._measure()
        self.update()

    def total(self) -> float:
        """Return how long the sequence is, in s."""
        return 0.0 if self._played is None else float(self._played.duration[self._point])

    def _measure(self) -> None:
        """Place the edges of all pulses on the drawn axis."""
        total = self.total()
        if self._played is None or total <= 0:
            self._edges = self._drawn = np.array([0.0, 1.0])
            return
        stamps = [0.0, total]
        for pulse in self._played.pulses:
            stamps += [float(pulse.start[self._point]), float(pulse.stop[self._point])]
        self._edges = np.unique(stamps)
        steps = np.diff(self._edges)
        if not self.to_scale:
            # Every stretch stays visible: its width grows with the logarithm of its length.
            shortest = max(float(steps.min()), total * 1e-9) if len(steps) else 1.0
            steps = 1.0 + np.log2(np.maximum(steps, shortest) / shortest) * 0.35
            steps = np.where(self._driven(), np.maximum(steps, _PULSE), steps)
        self._drawn = np.concatenate([[0.0], np.cumsum(steps)]) / max(float(np.sum(steps)), 1e-300)

    def _driven(self) -> NDArray[np.bool_]:
        """Return for each stretch whether a pulse is played in it: its name needs room."""
        middle = (self._edges[:-1] + self._edges[1:]) / 2
        driven = np.zeros(len(middle), dtype=bool)
        for pulse in self._played.pulses if self._played is not None else ():
            if pulse.kind == "play":
                driven |= (pulse.start[self._point] <= middle) & (middle <= pulse.stop[self._point])
        return driven

    def _x(self, seconds: float, lane: QRectF) -> float:
        at = float(np.interp(seconds, self._edges, self._drawn))
        low, high = self._window
        return lane.left() + (at - low) / (high - low) * lane.width()

    def _across(self, seconds: NDArray[np.float64], lane: QRectF) -> NDArray[np.float64]:
        at = np.interp(seconds, self._edges, self._drawn)
        low, high = self._window
        return np.asarray(lane.left() + (at - low) / (high - low) * lane.width())

    def _seconds(self, x: float, lane: QRectF) -> float:
        low, high = self._window
        at = low + (x - lane.left()) / max(lane.width(), 1.0) * (high - low)
        return float(np.interp(at, self._drawn, self._edges))

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(self.font())
        names = self._played.channels if self._played is not None else ()
        left = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
        if self.path is not None:
            wide = max(metrics.horizontalAdvance(name) for name in self.path.names)
            left = max(left, wide + metrics.averageCharWidth() * 3.5)
        left += metrics.averageCharWidth() * 2
        edge = metrics.averageCharWidth()
        return QRectF(left, 0, max(self.width() - left - edge, 1), self.height() - metrics.height() * 1.5)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lanes."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        self._hit = []
        if self._played is None:
            return
        area = self._area()
        lanes = len(self._played.channels)
        height = area.height() / max(lanes + (_SHARES if self.path is not None else 0.0), 1)
        look = theme.theme_of(self.palette())
        for place, channel in enumerate(self._played.channels):
            lane = QRectF(area.left(), area.top() + place * height, area.width(), height)
            self._draw_lane(painter, lane, channel, QColor(look.series[place % len(look.series)]))
        self._draw_times(painter, area, look)
        if self.path is not None:
            room = QRectF(
                area.left(), area.top() + (lanes + 0.2) * height, area.width(), (_SHARES - 0.3) * height
            )
            levels = list(zip(self.path.names, self.path.populations, strict=True))
            draw_shares(
                painter,
                room,
                lambda t: self._across(t, area),
                self.path.times,
                levels,
                self.cursor_time,
                look,
            )
        if self.cursor_time is not None:
            painter.setPen(QPen(QColor(look.accent), 1))
            x = self._x(self.cursor_time, area)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _draw_lane(self, painter: QPainter, lane: QRectF, channel: str, colour: QColor) -> None:
        look = theme.theme_of(self.palette())
        foot = lane.bottom() - lane.height() * 0.14
        painter.setPen(QColor(look.muted))
        painter.drawText(
            QRectF(0, lane.top(), lane.left() - self.fontMetrics().averageCharWidth(), lane.height()),
            Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
            channel,
        )
        painter.setPen(QPen(QColor(look.line), 1))
        painter.drawLine(QPointF(lane.left(), foot), QPointF(lane.right(), foot))
        painter.save()
        painter.setClipRect(lane)
        for pulse in self._played.pulses if self._played is not None else ():
            if pulse.channel == channel:
                self._draw_pulse(painter, lane, foot, pulse, colour)
        painter.restore()

    def _draw_pulse(self, painter: QPainter, lane: QRectF, foot: float, pulse: Pulse, colour: QColor) -> None:
        point = self._point
        left, right = (self._x(float(edge[point]), lane) for edge in (pulse.start, pulse.stop))
        if right < lane.left() or left > lane.right():
            return
        top = lane.top() + lane.height() * 0.16
        box = QRectF(left, top, max(right - left, 1.0), foot - top)
        self._hit.append((box.adjusted(-2, -2, 2, 2), pulse))
        if right - left < 1.0 + _SHORTEST:
            painter.setPen(QPen(colour, 1))
            painter.drawLine(box.topLeft(), box.bottomLeft())
            return
        fill = QColor(colour)
        fill.setAlpha(70 if pulse.kind != "acquire" else 40)
        painter.setBrush(fill)
        style = Qt.PenStyle.DashLine if pulse.kind == "acquire" else Qt.PenStyle.SolidLine
        painter.setPen(QPen(colour, 1, style))
        painter.drawRect(box)
        words = self._words(pulse)
        if words and painter.fontMetrics().horizontalAdvance(words) < box.width() - 4:
            painter.setPen(self.palette().color(QPalette.ColorRole.Text))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    def _draw_times(self, painter: QPainter, area: QRectF, look: theme.Theme) -> None:
        """Write the length of each stretch where it has room; a squeezed axis has no ticks to trust."""
        painter.setPen(QColor(look.muted))
        metrics = painter.fontMetrics()
        y = area.bottom() + metrics.height() * 1.15
        last = -math.inf
        for start, stop in zip(self._edges[:-1], self._edges[1:], strict=True):
            left, right = self._x(float(start), area), self._x(float(stop), area)
            words = format_quantity(float(stop - start), "s", 3)
            width = metrics.horizontalAdvance(words)
            middle = (left + right) / 2
            if (
                right - left > width + 4
                and middle - width / 2 > last
                and left < area.right()
                and right > area.left()
            ):
                painter.drawText(QPointF(middle - width / 2, y), words)
                last = middle + width / 2

    def _words(self, pulse: Pulse) -> str:
        if pulse.kind == "play":
            return rotation_name(
                float(pulse.amplitude[self._point]),
                float(pulse.stop[self._point] - pulse.start[self._point]),
                float(pulse.phase[self._point]),
            )
        return pulse.key if pulse.kind == "acquire" else ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say what the pulse under the mouse is; drag the time axis."""
        at = event.position()
        area = self._area()
        if self._grab is not None:
            x, (low, high) = self._grab
            shift = (x - at.x()) / max(area.width(), 1) * (high - low)
            shift = min(max(shift, -low), 1 - high)
            self._window = (low + shift, high + shift)
            self.update()
            return
        if self._played is not None and area.left() <= at.x() <= area.right():
            self.move_cursor(self._seconds(at.x(), area))
        for box, pulse in reversed(self._hit):
            if box.contains(at):
                QToolTip.showText(event.globalPosition().toPoint(), pulse.describe(self._point), self)
                return
        QToolTip.hideText()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the time axis."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grab = (event.position().x(), self._window)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        del event
        self._grab = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all of it again."""
        del event
        self._window = (0.0, 1.0)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom about the mouse."""
        area = self._area()
        low, high = self._window
        at = low + (event.position().x() - area.left()) / max(area.width(), 1) * (high - low)
        self._zoom(at, 0.8 ** (event.angleDelta().y() / 120))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor, zoom about it."""
        now = float(np.interp(self.cursor_time or 0.0, self._edges, self._drawn))
        low, high = self._window
        step = (high - low) / _STEPS
        moves = {
            Qt.Key.Key_Left: now - step, Qt.Key.Key_Right: now + step, Qt.Key.Key_Home: 0.0,
            Qt.Key.Key_End: 1.0, Qt.Key.Key_PageUp: now - 10 * step, Qt.Key.Key_PageDown: now + 10 * step,
        }  # fmt: skip
        zooms = {Qt.Key.Key_Plus: 0.8, Qt.Key.Key_Equal: 0.8, Qt.Key.Key_Minus: 1.25, Qt.Key.Key_0: 1e9}
        key = Qt.Key(event.key())
        if key in moves:
            at = min(max(moves[key], 0.0), 1.0)
            self.move_cursor(float(np.interp(at, self._drawn, self._edges)))
        elif key in zooms:
            self._zoom(now, zooms[key])
        else:
            super().keyPressEvent(event)

    def _zoom(self, at: float, factor: float) -> None:
        """Show more or less about a place of the drawn axis."""
        low, high = self._window
        width = min(max((high - low) * factor, 1e-6), 1.0)
        low = min(max(at - (at - low) * width / (high - low), 0.0), 1.0 - width)
        self._window = (low, low + width)
        self.update()
