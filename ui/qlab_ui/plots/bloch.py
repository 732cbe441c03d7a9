"""A Bloch sphere: where the state of the driven pair of levels is, drawn with a few strokes; dragging turns it."""

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
    QPolygonF,
    QRadialGradient,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from qlab_ui import theme

Floats = NDArray[np.float64]
_STEP = math.radians(10)
_RING = np.linspace(0, 2 * np.pi, 97)
_FAINT = 1e-3  # a shorter vector has no direction to speak of


class BlochSphere(QWidget):
    """The state of a two-level system, its path, and the axis about which a pulse turns it."""

    turned = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bloch")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Bloch sphere")
        self.setToolTip(
            "The state in the frame of the drive. Drag it, or press the arrow keys, to turn the view."
        )
        self._azimuth, self._height = math.radians(32), math.radians(18)
        self._poles = ("1", "0")
        self._path: Floats = np.zeros((3, 0))
        self._at = 0
        self._drive: tuple[float, float, float] | None = None
        self._grab: tuple[QPointF, float, float] | None = None

    def sizeHint(self) -> QSize:
        """Ask for a square of some lines of text."""
        side = self.fontMetrics().height() * 14
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        """Ask for what can still be read."""
        side = self.fontMetrics().height() * 8
        return QSize(side, side)

    def show_path(self, path: Floats, poles: tuple[str, str]) -> None:
        """Show a path (3, n) between two levels, the upper one on top."""
        self._path, self._poles, self._at = np.asarray(path, dtype=float), poles, 0
        self._describe()

    def show_moment(self, index: int, drive: tuple[float, float, float] | None = None) -> None:
        """Show one moment of the path, and the axis of the pulse that is on then (None: no pulse)."""
        self._at, self._drive = min(max(index, 0), max(self._path.shape[1] - 1, 0)), drive
        self._describe()

    def vector(self) -> Floats:
        """Return the Bloch vector that is shown."""
        if not self._path.shape[1]:
            return np.zeros(3)
        return np.asarray(self._path[:, self._at])

    def _describe(self) -> None:
        x, y, z = self.vector()
        length = math.sqrt(x * x + y * y + z * z)
        words = f"Bloch vector x {x:.2f}, y {y:.2f}, z {z:.2f}; length {length:.2f}; up is {self._poles[0]}"
        if self._drive is not None:
            words += f"; a pulse turns it about x {self._drive[0]:.2f}, y {self._drive[1]:.2f}"
        self.setAccessibleDescription(words)
        self.update()

    # Drawing.

    def _frame(self) -> tuple[Floats, Floats, Floats]:
        """Return what points right, up and to the viewer."""
        a, e = self._azimuth, self._height
        right = np.array([-math.sin(a), math.cos(a), 0.0])
        towards = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
        return right, np.cross(towards, right), towards

    def _place(self, points: Floats) -> list[QPointF]:
        """Return where points (3, n) are drawn."""
        right, up, _ = self._frame()
        box, radius = self._circle()
        return [
            QPointF(box.x() + radius * float(a), box.y() - radius * float(b))
            for a, b in zip(right @ points, up @ points, strict=True)
        ]

    def _circle(self) -> tuple[QPointF, float]:
        metrics = QFontMetricsF(self.font())
        room = QRectF(self.rect()).adjusted(
            metrics.averageCharWidth() * 3, metrics.height() * 1.5,
            -metrics.averageCharWidth() * 3, -metrics.height() * 1.5,
        )  # fmt: skip
        return room.center(), max(min(room.width(), room.height()) / 2, 8.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the sphere."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        look = theme.theme_of(self.palette())
        self._ball(painter, look)
        self._rings(painter, look)
        self._axes(painter, look)
        if self._path.shape[1]:
            self._trail(painter, look)
            if self._drive is not None:
                self._arrow(painter, np.array(self._drive) * 0.9, QColor(look.series[1]), 1.5, "drive")
            self._state(painter, look)

    def _ball(self, painter: QPainter, look: theme.Theme) -> None:
        middle, radius = self._circle()
        shade = QRadialGradient(middle + QPointF(-radius * 0.35, -radius * 0.4), radius * 1.5)
        inner, outer = QColor(look.series[0]), QColor(look.series[0])
        inner.setAlpha(10)
        outer.setAlpha(46)
        shade.setColorAt(0.0, inner)
        shade.setColorAt(1.0, outer)
        painter.setBrush(shade)
        painter.setPen(QPen(QColor(look.muted), 1))
        painter.drawEllipse(middle, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _rings(self, painter: QPainter, look: theme.Theme) -> None:
        cosine, sine, none = np.cos(_RING), np.sin(_RING), np.zeros_like(_RING)
        for ring in ([cosine, sine, none], [cosine, none, sine], [none, cosine, sine]):
            points = np.array(ring)
            front = self._frame()[2] @ points >= 0
            drawn = self._place(points)
            for i in range(len(drawn) - 1):
                colour = QColor(look.muted)
                colour.setAlpha(130 if front[i] else 45)
                painter.setPen(QPen(colour, 1))
                painter.drawLine(drawn[i], drawn[i + 1])

    def _axes(self, painter: QPainter, look: theme.Theme) -> None:
        ends = {"x": (1.0, 0, 0), "y": (0, 1.0, 0)}
        painter.setPen(QPen(QColor(look.line), 1))
        middle = self._place(np.zeros((3, 1)))[0]
        for name, end in ends.items():
            tip, label = self._place(np.array([end, [v * 1.16 for v in end]], dtype=float).T)
            painter.setPen(QPen(QColor(look.muted), 1))
            painter.drawLine(middle, tip)
            self._write(painter, label, name, QColor(look.muted))
        top, bottom = self._place(np.array([[0, 0, 1.0], [0, 0, -1.0]]).T)
        painter.setPen(QPen(QColor(look.muted), 1))
        painter.drawLine(top, bottom)
        gap = QFontMetricsF(self.font()).height() * 0.75
        centre, radius = self._circle()
        for sign, name in ((-1, self._poles[0]), (1, self._poles[1])):
            self._write(
                painter, QPointF(centre.x(), centre.y() + sign * (radius + gap)), name, QColor(look.text)
            )

    def _trail(self, painter: QPainter, look: theme.Theme) -> None:
        points = self._place(self._path)
        faint, strong = QColor(look.series[0]), QColor(look.series[0])
        faint.setAlpha(70)
        strong.setAlpha(230)
        for part, pen in ((points, QPen(faint, 1)), (points[: self._at + 1], QPen(strong, 1.6))):
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF(part))

    def _state(self, painter: QPainter, look: theme.Theme) -> None:
        vector = self.vector()
        if float(np.hypot(vector[0], vector[1])) > 0.05:
            shadow = self._place(np.array([vector, [vector[0], vector[1], 0]]).T)
            colour = QColor(look.muted)
            colour.setAlpha(150)
            painter.setPen(QPen(colour, 1, Qt.PenStyle.DotLine))
            painter.drawLine(shadow[0], shadow[1])
            painter.drawLine(shadow[1], self._place(np.zeros((3, 1)))[0])
        self._arrow(painter, vector, QColor(look.text), 2.2)

    def _arrow(self, painter: QPainter, vector: Floats, colour: QColor, width: float, name: str = "") -> None:
        middle, tip = self._place(np.array([np.zeros(3), vector]).T)
        painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawLine(middle, tip)
        along = tip - middle
        length = math.hypot(along.x(), along.y())
        painter.setBrush(colour)
        painter.setPen(Qt.PenStyle.NoPen)
        side = QFontMetricsF(self.font()).height() * 0.22
        if length < 2 * side or float(np.linalg.norm(vector)) < _FAINT:
            painter.drawEllipse(tip, side * 0.8, side * 0.8)
        else:
            one = along / length
            across = QPointF(-one.y(), one.x())
            foot = tip - one * side * 2.4
            painter.drawPolygon(QPolygonF([tip, foot + across * side, foot - across * side]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if name:
            above = QPointF(0, -QFontMetricsF(self.font()).height() * 0.8)
            self._write(painter, tip + above, name, colour)

    def _write(self, painter: QPainter, where: QPointF, words: str, colour: QColor) -> None:
        metrics = QFontMetricsF(self.font())
        wide, high = metrics.horizontalAdvance(words) + 4, metrics.height()
        room = QRectF(self.rect())
        x = min(max(where.x() - wide / 2, room.left()), room.right() - wide)
        y = min(max(where.y() - high / 2, room.top()), room.bottom() - high)
        painter.setPen(colour)
        painter.drawText(QRectF(x, y, wide, high), Qt.AlignmentFlag.AlignCenter, words)

    # Turning the view.

    def turn(self, azimuth: float, height: float) -> None:
        """Look from another side (rad)."""
        self._azimuth = azimuth
        self._height = min(max(height, -math.pi / 2), math.pi / 2)
        self.update()
        self.turned.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the view."""
        self._grab = (event.position(), self._azimuth, self._height)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Turn the view."""
        if self._grab is None:
            return
        start, azimuth, height = self._grab
        moved = (event.position() - start) / self._circle()[1]
        self.turn(azimuth - moved.x(), height + moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        del event
        self._grab = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn the view with the arrow keys."""
        steps = {
            Qt.Key.Key_Left: (_STEP, 0.0), Qt.Key.Key_Right: (-_STEP, 0.0),
            Qt.Key.Key_Up: (0.0, _STEP), Qt.Key.Key_Down: (0.0, -_STEP),
        }  # fmt: skip
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        self.turn(self._azimuth + step[0], self._height + step[1])
