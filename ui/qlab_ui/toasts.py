"""Short messages in the lower right corner; each is kept in the log as well."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from qlab_ui import icons, theme

_SHOWN_MS = 6000
_MOST = 3


class Toast(QWidget):
    """One message; an error stays until it is closed."""

    def __init__(self, parent: QWidget, level: str, message: str, details: Callable[[], None] | None) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.setAccessibleName(message)
        unit = self.fontMetrics().averageCharWidth()
        side = int(self.fontMetrics().height() * 1.2)
        sign = QLabel(self)
        sign.setPixmap(icons.icon(level).pixmap(side, side))
        words = QLabel(message, self)
        words.setTextFormat(Qt.TextFormat.PlainText)
        words.setWordWrap(True)
        advance = self.fontMetrics().horizontalAdvance(message) + unit
        words.setFixedWidth(min(max(advance, unit * 24), unit * 60))
        close = QToolButton(self)
        close.setObjectName("toast_close")
        close.setAutoRaise(True)
        close.setIcon(icons.icon("close"))
        close.setToolTip("Close")
        close.setAccessibleName("Close the message")
        close.clicked.connect(self.go)
        row = QHBoxLayout(self)
        row.setContentsMargins(unit * 2, unit, unit, unit)
        row.setSpacing(unit)
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(words, 1)
        if details is not None:
            more = QPushButton("Details", self)
            more.clicked.connect(details)
            row.addWidget(more, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        if level != "error":
            QTimer.singleShot(_SHOWN_MS, self, self.go)

    def go(self) -> None:
        """Leave."""
        self.setParent(None)
        self.deleteLater()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the plate."""
        look = theme.theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(look.base))
        painter.setPen(QPen(QColor(look.muted), 1))
        radius = self.fontMetrics().height() * 0.4
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        painter.end()


class Toasts(QObject):
    """The pile of messages over a window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        window.installEventFilter(self)

    def show(self, level: str, message: str, details: Callable[[], None] | None = None) -> None:
        """Show a message; the oldest makes room."""
        pile = self.pile()
        for old in pile[: max(len(pile) - _MOST + 1, 0)]:
            old.go()
        toast = Toast(self._window, level, message, details)
        toast.destroyed.connect(self._place)
        toast.adjustSize()
        toast.show()
        self._place()

    def pile(self) -> list[Toast]:
        """Return the messages that are shown, oldest first."""
        return [child for child in self._window.children() if isinstance(child, Toast)]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the corner when the window changes its size."""
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        unit = self._window.fontMetrics().height()
        bottom = self._window.height() - 3 * unit
        for toast in reversed(self.pile()):
            bottom -= toast.height() + unit // 2
            toast.move(self._window.width() - toast.width() - unit, bottom)
            toast.raise_()
