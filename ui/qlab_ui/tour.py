"""The tour: eight callouts over the real widgets. Keys go on and leave; nothing is modal, nothing is held up."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from qlab_ui import theme

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow


@dataclass(frozen=True)
class Step:
    """One stop: a title, two sentences, and where it points."""

    title: str
    words: str
    target: str  # an attribute of the window
    dock: str = ""  # is brought to the front

    def widget(self, window: MainWindow) -> QWidget:
        """Return what it points at."""
        found: QWidget = attrgetter(self.target)(window)
        return found


STEPS = (
    Step("What to measure", "Experiments by platform and purpose. Type to find one; F1 explains the chosen one.",
         "experiments", "experiments"),
    Step("With what values", "Type values with their units: 4 µs, 2.87 GHz. Below stands how long the run will take.",
         "form", "parameters"),
    Step("On which bench", "Simulated benches say SIM everywhere: here, on each plot and in each file. Your own "
         "instruments are one menu away.", "bars.bench_box"),
    Step("Run", "Ctrl+Return runs, Ctrl+Space pauses, Ctrl+Backspace stops after the point. Ctrl+Alt+Escape makes "
         "everything safe, always.", "bars.toolbar"),
    Step("The picture", "Points with errors grow here, with the fit and its residuals. Point at one to read it; the "
         "wheel zooms.", "centre"),
    Step("What it means", "Values with their errors, figures of merit with their limits. On a simulated bench "
         "the truth can be revealed.", "result", "result"),
    Step("What happens inside", "The pulses that are played, at any point of the sweep. Move over them and see where "
         "the state is.", "sequence", "sequence"),
    Step("What was measured", "Every run is a file, found again by words, tags and values. Drag one onto a plot to "
         "compare.", "runs", "runs"),
)  # fmt: skip


class Callout(QWidget):
    """A plate with a nose that points at something."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("tour")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._nose = QPointF()
        self._side = Qt.Edge.LeftEdge
        self.title, self.words, self.count = QLabel(self), QLabel(self), QLabel(self)
        for label in (self.title, self.words, self.count):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.count.setForegroundRole(theme.MUTED)
        self.back = QPushButton("&Back", self)
        self.back.setToolTip("The step before (←)")
        self.leave = QPushButton("&Leave", self)
        self.leave.setToolTip("End the tour (Escape)")
        self.on = QPushButton("&Next", self)
        self.on.setToolTip("The next step (→ or Return)")
        self._lay_out()

    def _lay_out(self) -> None:
        unit, line = self.fontMetrics().averageCharWidth(), self.fontMetrics().height()
        font = self.title.font()
        font.setBold(True)
        font.setPointSizeF(self.font().pointSizeF() * 1.15)
        self.title.setFont(font)
        edge = self._edge() + unit
        column = QVBoxLayout(self)
        column.setContentsMargins(edge + unit, edge, edge + unit, edge)
        column.setSpacing(line // 2)
        column.addWidget(self.title)
        column.addWidget(self.words)
        row = QHBoxLayout()
        row.addWidget(self.count)
        row.addStretch(1)
        for button in (self.leave, self.back, self.on):
            row.addWidget(button)
        column.addLayout(row)
        self.setFixedWidth(unit * 58 + 2 * self._edge())

    def _edge(self) -> int:
        return self.fontMetrics().height() * 2 // 3

    def show_step(self, step: Step, number: int, total: int) -> None:
        """Say what a step says."""
        self.title.setText(step.title)
        self.words.setText(step.words)
        self.count.setText(f"{number + 1} of {total}")
        self.back.setEnabled(number > 0)
        self.on.setText("&Done" if number + 1 == total else "&Next")
        self.setAccessibleName(f"Tour, step {number + 1} of {total}: {step.title}")
        self.setAccessibleDescription(step.words)
        self.adjustSize()

    def point_at(self, target: QRect) -> None:
        """Stand beside a place of the window, on the side that has room, its nose at it."""
        room, size = self.window().rect(), self.sizeHint().expandedTo(QSize(self.width(), 0))
        self.resize(size)
        gap = self._edge() // 2
        places = {
            Qt.Edge.LeftEdge: QPoint(target.right() + gap, target.center().y() - size.height() // 2),
            Qt.Edge.RightEdge: QPoint(target.left() - size.width() - gap, target.center().y() - size.height() // 2),
            Qt.Edge.TopEdge: QPoint(target.center().x() - size.width() // 2, target.bottom() + gap),
            Qt.Edge.BottomEdge: QPoint(target.center().x() - size.width() // 2, target.top() - size.height() - gap),
        }  # fmt: skip
        fits = {
            Qt.Edge.LeftEdge: room.right() - target.right() - gap >= size.width(),
            Qt.Edge.RightEdge: target.left() - room.left() - gap >= size.width(),
            Qt.Edge.TopEdge: room.bottom() - target.bottom() - gap >= size.height(),
            Qt.Edge.BottomEdge: target.top() - room.top() - gap >= size.height(),
        }
        self._side = next((side for side, enough in fits.items() if enough), Qt.Edge.LeftEdge)
        where = places[self._side]
        if not any(fits.values()):
            where = target.center() - QPoint(size.width() // 2, size.height() // 2)
        where.setX(min(max(where.x(), room.left()), room.right() - size.width()))
        where.setY(min(max(where.y(), room.top()), room.bottom() - size.height()))
        self.move(where)
        self._nose = QPointF(target.center() - where) if any(fits.values()) else QPointF(-1, -1)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the plate and its nose."""
        del event
        look = theme.theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = self._edge()
        plate = QRectF(self.rect()).adjusted(edge, edge, -edge, -edge)
        path = QPainterPath()
        path.addRoundedRect(plate, edge * 0.7, edge * 0.7)
        if self._nose.x() >= 0 or self._nose.y() >= 0:
            path = path.united(self._nose_path(plate, edge * 0.75))
        painter.setBrush(QColor(look.base))
        painter.setPen(QPen(QColor(look.accent), 1.6))
        painter.drawPath(path)
        painter.end()

    def _nose_path(self, plate: QRectF, size: float) -> QPainterPath:
        y = min(max(self._nose.y(), plate.top() + 2 * size), plate.bottom() - 2 * size)
        x = min(max(self._nose.x(), plate.left() + 2 * size), plate.right() - 2 * size)
        corners = {
            Qt.Edge.LeftEdge: ((plate.left() - size, y), (plate.left() + 1, y - size), (plate.left() + 1, y + size)),
            Qt.Edge.RightEdge: ((plate.right() + size, y), (plate.right() - 1, y - size),
                                (plate.right() - 1, y + size)),
            Qt.Edge.TopEdge: ((x, plate.top() - size), (x - size, plate.top() + 1), (x + size, plate.top() + 1)),
            Qt.Edge.BottomEdge: ((x, plate.bottom() + size), (x - size, plate.bottom() - 1),
                                 (x + size, plate.bottom() - 1)),
        }[self._side]  # fmt: skip
        path = QPainterPath(QPointF(*corners[0]))
        for corner in corners[1:]:
            path.lineTo(QPointF(*corner))
        path.closeSubpath()
        return path


class Frame(QWidget):
    """A quiet frame around what is spoken of; the mouse goes through it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("What the tour speaks of")

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(theme.theme_of(self.palette()).accent), 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5), 4, 4)
        painter.end()


class Tour(QObject):
    """Goes through the steps; ends when it is left, at the last step, or with the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._at = 0
        self.callout: Callout | None = None
        self._frame: Frame | None = None
        self._before: QWidget | None = None

    def begin(self) -> None:
        """Begin at the first step."""
        if self.callout is None:
            self._before = self._window.focusWidget()
            self._frame, self.callout = Frame(self._window), Callout(self._window)
            self.callout.on.clicked.connect(self.go_on)
            self.callout.back.clicked.connect(self.go_back)
            self.callout.leave.clicked.connect(self.end)
            for watched in (
                self.callout,
                self.callout.on,
                self.callout.back,
                self.callout.leave,
                self._window,
            ):
                watched.installEventFilter(self)
        self._show(0)

    def go_on(self) -> None:
        """Go to the next step, or end."""
        if self._at + 1 < len(STEPS):
            self._show(self._at + 1)
        else:
            self.end()

    def go_back(self) -> None:
        """Go to the step before."""
        self._show(max(self._at - 1, 0))

    def end(self) -> None:
        """Leave the tour; the focus goes back to where it was."""
        if self.callout is None or self._frame is None:
            return
        self._window.removeEventFilter(self)
        for widget in (self.callout, self._frame):
            widget.hide()
            widget.deleteLater()
        self.callout = self._frame = None
        if self._before is not None and self._before.isVisible():
            self._before.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys of the tour; follow the window when it changes its size."""
        if watched is self._window:
            if event.type() in {QEvent.Type.Resize, QEvent.Type.FontChange}:
                QTimer.singleShot(0, self, self._place)
            return False
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        keys = {
            Qt.Key.Key_Escape: self.end, Qt.Key.Key_Right: self.go_on, Qt.Key.Key_PageDown: self.go_on,
            Qt.Key.Key_Left: self.go_back, Qt.Key.Key_PageUp: self.go_back,
        }  # fmt: skip
        if watched is self.callout or not isinstance(watched, QPushButton):
            keys |= {
                Qt.Key.Key_Return: self.go_on,
                Qt.Key.Key_Enter: self.go_on,
                Qt.Key.Key_Space: self.go_on,
            }
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            watched.click()
            return True
        do = keys.get(Qt.Key(event.key()))
        if do is None:
            return False
        do()
        return True

    def _show(self, number: int) -> None:
        if self.callout is None:
            return
        self._at = number
        step = STEPS[number]
        if step.dock:
            self._window.docks[step.dock].show()
            self._window.docks[step.dock].raise_()
        self.callout.show_step(step, number, len(STEPS))
        self._place()
        self.callout.on.setFocus(Qt.FocusReason.OtherFocusReason)
        # A dock that was just raised is laid out with the next turn of the event loop.
        QTimer.singleShot(0, self, self._place)

    def _place(self) -> None:
        if self.callout is None or self._frame is None:
            return
        widget = STEPS[self._at].widget(self._window)
        place = QRect(widget.mapTo(self._window, QPoint(0, 0)), widget.size())
        self._frame.setGeometry(place.adjusted(-3, -3, 3, 3).intersected(self._window.rect()))
        self._frame.show()
        self._frame.raise_()
        self.callout.point_at(place)
        self.callout.show()
        self.callout.raise_()
