"""The runs as small pictures: the same lines as in the table, drawn as cards that flow."""

from collections.abc import Callable

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPalette, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from qlab_ui import icons, text, theme
from qlab_ui.panels.runs_model import STAR, Line, RunsModel

WIDTH, HEIGHT = 160, 100  # of the picture in the file
_KEPT = 3000
_ASK_MS = 60
Index = QModelIndex | QPersistentModelIndex


def tinted(grey: bytes, look: theme.Theme) -> QImage:
    """Return a thumbnail in the colours of a theme: paper becomes `base`, ink the first colour of curves."""
    image = QImage(grey, WIDTH, HEIGHT, WIDTH, QImage.Format.Format_Indexed8).copy()
    paper, ink = QColor(look.base), QColor(look.series[0])
    table = []
    for level in range(256):
        share = level / 255
        pairs = zip(_channels(paper), _channels(ink), strict=True)
        mixed = [round(a * share + b * (1 - share)) for a, b in pairs]
        table.append(QColor(*mixed).rgb())
    image.setColorTable(table)
    return image


def _channels(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()


class Pictures:
    """Thumbnails by path, as far as they have been asked for."""

    def __init__(self, wanted: Callable[[str], None]) -> None:
        self._wanted = wanted
        self._grey: dict[str, bytes] = {}
        self._tinted: dict[tuple[str, str], QImage] = {}

    def get(self, path: str, look: theme.Theme) -> QImage | None:
        """Return the picture of a run, or ask for it."""
        if path not in self._grey:
            self._wanted(path)
            return None
        if not self._grey[path]:
            return None
        key = (path, look.name)
        if key not in self._tinted:
            if len(self._tinted) > _KEPT:
                self._tinted.clear()
            self._tinted[key] = tinted(self._grey[path], look)
        return self._tinted[key]

    def put(self, asked: list[str], found: dict[str, bytes]) -> None:
        """Take pictures; a run without one is not asked for again."""
        for path in asked:
            self._grey[path] = found.get(path, b"")

    def forget(self, path: str) -> None:
        """Ask for a picture again: its run has grown."""
        self._grey.pop(path, None)
        for key in [key for key in self._tinted if key[0] == path]:
            del self._tinted[key]


class Card(QStyledItemDelegate):
    """Draws one run: its picture, below it name, time and main figure."""

    def __init__(self, view: QListView, lines: Callable[[int], Line], pictures: Pictures) -> None:
        super().__init__(view)
        self._lines, self._pictures = lines, pictures

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Return the size of a card in the size of the text."""
        del index
        line = option.fontMetrics.height()
        return QSize(int(line * 11.2) + line, int(line * 7) + int(line * 4.1) + line)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the card."""
        run = self._lines(index.row())
        look = theme.theme_of(option.palette)
        height = option.fontMetrics.height()
        rect = option.rect.adjusted(height // 4, height // 4, -height // 4, -height // 4)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), height * 0.35, height * 0.35)
        painter.fillPath(shape, QColor(look.base))
        picture = QRect(rect.left(), rect.top(), rect.width(), int(rect.width() * HEIGHT / WIDTH))
        painter.setClipPath(shape)
        self._picture(painter, picture, run, look)
        painter.setClipping(False)
        edge = QColor(look.accent if chosen else look.line)
        painter.setPen(QPen(edge, 2.2 if chosen else 1))
        painter.drawPath(shape)
        below = QRect(rect.left(), picture.bottom() + 1, rect.width(), rect.bottom() - picture.bottom())
        self._words(painter, below.adjusted(height // 2, height // 5, -height // 2, 0), run, look, option)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(look.text), 1, Qt.PenStyle.DotLine))
            painter.drawPath(shape)
        painter.restore()

    def _picture(self, painter: QPainter, where: QRect, run: Line, look: theme.Theme) -> None:
        image = self._pictures.get(str(run.path), look) if run.path is not None else None
        if image is not None:
            # Without the frame that the picture in the file has.
            painter.drawImage(where, image, QRect(1, 1, WIDTH - 2, HEIGHT - 2))
        else:
            side = where.height() // 3
            sign = icons.icon(text.STATE_ICONS.get(run.state, "info")).pixmap(side, side)
            painter.setOpacity(0.55)
            painter.drawPixmap(where.center() - sign.rect().center(), sign)
            painter.setOpacity(1)
        painter.setPen(QPen(QColor(look.line), 1))
        painter.drawLine(where.bottomLeft(), where.bottomRight())

    def _words(
        self, painter: QPainter, where: QRect, run: Line, look: theme.Theme, option: QStyleOptionViewItem
    ) -> None:
        height = option.fontMetrics.height()
        font = option.font
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        line = QRect(where.left(), where.top(), where.width(), int(height * 1.2))
        side = height
        if run.star:
            icons.icon("star").paint(painter, QRect(line.right() - side, line.top(), side, side))
        name = painter.fontMetrics().elidedText(
            run.title, Qt.TextElideMode.ElideRight, line.width() - (side + 4 if run.star else 0)
        )
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, name)
        font.setBold(False)
        painter.setFont(font)
        when = text.started(run.started)
        state = "" if run.state == "finished" else f" · {text.STATE_WORDS.get(run.state, run.state).lower()}"
        sim = " · SIM" if run.simulated else ""
        second = line.translated(0, int(height * 1.2))
        third = second.translated(0, int(height * 1.2))
        painter.setPen(QColor(look.muted))
        _write(painter, second, f"{when}{state}{sim}")
        painter.setPen(option.palette.color(QPalette.ColorRole.Text))
        _write(painter, third, run.figure or ", ".join(run.tags))


def _write(painter: QPainter, where: QRect, words: str) -> None:
    """Write a line, shortened to its room."""
    shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, where.width())
    painter.drawText(where, Qt.AlignmentFlag.AlignVCenter, shown)


class Gallery(QListView):
    """Cards of runs on the model of the table; pictures are asked for when their cards come into view."""

    picturesWanted = Signal(list)

    def __init__(self, model: RunsModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("run_gallery")
        self.setAccessibleName("Runs as pictures")
        self.pictures = Pictures(self._want)
        self._waiting: list[str] = []
        self._asked: set[str] = set()
        self._timer = QTimer(self, singleShot=True, interval=_ASK_MS)
        self._timer.timeout.connect(self._ask)
        self.setModel(model)
        self.setModelColumn(STAR + 3)
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setMovement(QListView.Movement.Static)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setUniformItemSizes(True)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setItemDelegate(Card(self, lambda row: model.lines[row], self.pictures))

    def take(self, asked: list[str], found: dict[str, bytes]) -> None:
        """Show pictures that were asked for."""
        self.pictures.put(asked, found)
        self._asked.difference_update(asked)
        self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        """Flow anew when the text changes its size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.scheduleDelayedItemsLayout()

    def _want(self, path: str) -> None:
        if path not in self._asked:
            self._asked.add(path)
            self._waiting.append(path)
            self._timer.start()

    def _ask(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.picturesWanted.emit(waiting)
