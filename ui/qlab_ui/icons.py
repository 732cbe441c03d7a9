"""Icons: strokes and shapes on a 24 by 24 grid, drawn in the colours of the palette."""

from collections.abc import Callable
from functools import lru_cache
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QIcon,
    QIconEngine,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QPixmapCache,
    QPolygonF,
)

from qlab_ui import theme

Draw = Callable[[QPainterPath], None]


def _poly(*points: tuple[float, float], closed: bool = True) -> Draw:
    def draw(path: QPainterPath) -> None:
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points]))
        if closed:
            path.closeSubpath()

    return draw


def _box(x: float, y: float, width: float, height: float, radius: float = 1.0) -> Draw:
    return lambda path: path.addRoundedRect(QRectF(x, y, width, height), radius, radius)


def _circle(x: float, y: float, radius: float) -> Draw:
    return lambda path: path.addEllipse(QPointF(x, y), radius, radius)


def _arc(x: float, y: float, radius: float, start: float, sweep: float) -> Draw:
    def draw(path: QPainterPath) -> None:
        square = QRectF(x - radius, y - radius, 2 * radius, 2 * radius)
        path.arcMoveTo(square, start)
        path.arcTo(square, start, sweep)

    return draw


def _curve(points: list[tuple[float, float]]) -> Draw:
    def draw(path: QPainterPath) -> None:
        path.moveTo(*points[0])
        for x, y in points[1:]:
            path.lineTo(x, y)

    return draw


_STAR = [(12 + r * sin(i * pi / 5), 12.6 - r * cos(i * pi / 5)) for i, r in enumerate((9.4, 4.0) * 5)]
_WAVE = [(3 + 0.25 * i, 12 - 8 * cos(i * 0.2) * (1 - i / 85)) for i in range(73)]
_LINE, _FILL = "line", "fill"

# name -> (way of drawing, colour, strokes)
_SHAPES: dict[str, tuple[str, str, tuple[Draw, ...]]] = {
    "run": (_FILL, "good", (_poly((7, 4.5), (19.5, 12), (7, 19.5)),)),
    "pause": (_FILL, "text", (_box(6, 5, 4.2, 14), _box(13.8, 5, 4.2, 14))),
    "stop": (_FILL, "error", (_box(5.5, 5.5, 13, 13, 1.5),)),
    "halt": (
        _LINE,
        "error",
        (
            _poly(
                (8.3, 3.5),
                (15.7, 3.5),
                (20.5, 8.3),
                (20.5, 15.7),
                (15.7, 20.5),
                (8.3, 20.5),
                (3.5, 15.7),
                (3.5, 8.3),
            ),
            _poly((9, 9), (15, 15), closed=False),
            _poly((15, 9), (9, 15), closed=False),
        ),
    ),
    "safe": (
        _LINE,
        "text",
        (
            _poly((12, 3), (19.5, 6), (18.5, 14), (12, 21), (5.5, 14), (4.5, 6)),
            _poly((8.5, 11.5), (11, 14), (15.5, 9), closed=False),
        ),
    ),
    "queue": (
        _LINE,
        "text",
        (
            _poly((4, 6), (20, 6), closed=False),
            _poly((4, 12), (12, 12), closed=False),
            _poly((4, 18), (12, 18), closed=False),
            _poly((17.5, 11), (17.5, 19), closed=False),
            _poly((13.5, 15), (21.5, 15), closed=False),
        ),
    ),
    "star": (_FILL, "warning", (_poly(*_STAR),)),
    "unstar": (_LINE, "line", (_poly(*_STAR),)),
    "fit": (_LINE, "text", (_curve(_WAVE),)),
    "reset": (
        _LINE,
        "muted",
        (_arc(12, 12, 7.2, 120, -285), _poly((4.6, 4.6), (8.2, 5.6), (7.2, 9.2), closed=False)),
    ),
    "search": (_LINE, "muted", (_circle(10.5, 10.5, 6), _poly((15, 15), (20, 20), closed=False))),
    "folder": (
        _LINE,
        "text",
        (_poly((3.5, 18.5), (3.5, 5.5), (9.5, 5.5), (11.5, 8), (20.5, 8), (20.5, 18.5)),),
    ),
    "export": (
        _LINE,
        "text",
        (
            _poly((12, 3.5), (12, 14.5), closed=False),
            _poly((7.5, 10), (12, 14.5), (16.5, 10), closed=False),
            _poly((4, 15.5), (4, 20), (20, 20), (20, 15.5), closed=False),
        ),
    ),
    "copy": (
        _LINE,
        "text",
        (_box(8.5, 8.5, 11.5, 11.5, 1.5), _poly((15.5, 5), (4, 5), (4, 16), closed=False)),
    ),
    "warning": (
        _LINE,
        "warning",
        (
            _poly((12, 4), (21, 19.5), (3, 19.5)),
            _poly((12, 9.5), (12, 14), closed=False),
            _circle(12, 16.6, 0.4),
        ),
    ),
    "error": (
        _LINE,
        "error",
        (_circle(12, 12, 8.5), _poly((12, 7.5), (12, 13), closed=False), _circle(12, 16, 0.4)),
    ),
    "info": (
        _LINE,
        "muted",
        (_circle(12, 12, 8.5), _poly((12, 11), (12, 16.5), closed=False), _circle(12, 7.8, 0.4)),
    ),
    "done": (_LINE, "good", (_poly((4.5, 12.5), (10, 18), (19.5, 6.5), closed=False),)),
    "live": (_FILL, "good", (_circle(12, 12, 5.5),)),
    "wait": (_LINE, "muted", (_circle(12, 12, 8.5), _poly((12, 7), (12, 12), (15.5, 14), closed=False))),
    "broken": (
        _LINE,
        "warning",
        (_poly((4, 12), (9, 12), (11, 7), (13, 17), (15, 12), (20, 12), closed=False),),
    ),
    "table": (
        _LINE,
        "text",
        tuple(_poly((4, y), (20, y), closed=False) for y in (6, 10, 14, 18)),
    ),
    "tiles": (
        _LINE,
        "text",
        tuple(_box(x, y, 6.6, 6.6) for x in (4, 13.4) for y in (4, 13.4)),
    ),
    "connect": (
        _LINE,
        "text",
        (
            _poly((8, 3), (8, 8), closed=False),
            _poly((16, 3), (16, 8), closed=False),
            _poly((5, 8), (19, 8), closed=False),
            _poly((6.5, 8), (6.5, 12), (9.5, 16), (14.5, 16), (17.5, 12), (17.5, 8), closed=False),
            _poly((12, 16), (12, 21), closed=False),
        ),
    ),
    "person": (_LINE, "text", (_circle(12, 8, 4), _arc(12, 21, 7.5, 8, 164))),
    "trash": (
        _LINE,
        "text",
        (
            _poly((5, 7), (19, 7), closed=False),
            _poly((7, 7), (8, 20.5), (16, 20.5), (17, 7), closed=False),
            _poly((9.5, 6.5), (9.5, 3.8), (14.5, 3.8), (14.5, 6.5), closed=False),
        ),
    ),
    "close": (
        _LINE,
        "muted",
        (_poly((6.5, 6.5), (17.5, 17.5), closed=False), _poly((17.5, 6.5), (6.5, 17.5), closed=False)),
    ),
    "again": (
        _LINE,
        "text",
        (_arc(12, 12, 7.2, 60, 285), _poly((19.4, 4.6), (15.8, 5.6), (16.8, 9.2), closed=False)),
    ),
}
NAMES = tuple(_SHAPES)


def icon(name: str) -> QIcon:
    """Return an icon in the colours of the current theme."""
    return _made(name, theme.current().name)


def blank() -> QIcon:
    """Return an icon that shows nothing, so that words with and without one line up."""
    return _blank()


def swatch(colour: str) -> QIcon:
    """Return a small square of one colour."""
    return _swatch(colour)


class _Engine(QIconEngine):
    """Draws an icon in the size that is asked for: most of the sizes and modes of most icons are never seen."""

    def __init__(self, name: str, look: str) -> None:
        super().__init__()
        self._name, self._look = name, look
        _KEPT.append(self)  # Qt holds it without counting as somebody who does

    def clone(self) -> QIconEngine:
        """Return another one."""
        return _Engine(self._name, self._look)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon into a rectangle; lists draw the same few again and again."""
        ratio = painter.device().devicePixelRatio()
        pixmap = self.pixmap(rect.size() * ratio, mode, state)
        painter.drawPixmap(rect, pixmap)

    def _draw(self, painter: QPainter, rect: QRect, mode: QIcon.Mode) -> None:
        way, shade, strokes = _SHAPES[self._name]
        colours = theme.DARK if self._look == "dark" else theme.LIGHT
        colour = QColor(getattr(colours, shade))
        if mode == QIcon.Mode.Disabled:
            colour = QColor(colours.muted)
            colour.setAlpha(110)
        elif mode == QIcon.Mode.Selected:
            colour = QColor(colours.on_accent)
        side = min(rect.width(), rect.height())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(rect.x() + (rect.width() - side) / 2, rect.y() + (rect.height() - side) / 2)
        painter.scale(side / 24, side / 24)
        path = QPainterPath()
        for stroke in strokes:
            stroke(path)
        if way == _FILL:
            painter.fillPath(path, colour)
        else:
            pen = QPen(colour, 1.9)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPath(path)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, _state: QIcon.State) -> QPixmap:
        """Return the icon in so many dots; the same size is asked for again and again."""
        key = f"qlab {self._name} {self._look} {size.width()}x{size.height()} {mode.value}"
        kept = QPixmap()
        if QPixmapCache.find(key, kept):
            return kept
        made = QPixmap(size)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self._draw(painter, QRect(0, 0, size.width(), size.height()), mode)
        painter.end()
        QPixmapCache.insert(key, made)
        return made


_KEPT: list[_Engine] = []


@lru_cache(maxsize=256)
def _made(name: str, look: str) -> QIcon:
    return QIcon(_Engine(name, look))


@lru_cache(maxsize=1)
def _blank() -> QIcon:
    pixmap = QPixmap(24, 24)
    pixmap.fill(Qt.GlobalColor.transparent)
    return QIcon(pixmap)


@lru_cache(maxsize=64)
def _swatch(colour: str) -> QIcon:
    pixmap = QPixmap(24, 24)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(colour))
    painter.setPen(QPen(QColor("#ffffff"), 2))  # stands out from a chosen line too
    painter.drawRoundedRect(QRectF(4, 4, 16, 16), 3, 3)
    painter.end()
    return QIcon(pixmap)
