"""The card over the empty plot: what to do first. Return runs."""

import math

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPainterPath, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from qlab_ui import icons, text, theme
from qlab_ui.begin import Begin

_KEYS = (
    ("Ctrl+Return", "run, from anywhere"),
    ("Ctrl+Space", "pause and go on"),
    ("Ctrl+Shift+P", "every command by name"),
    ("Ctrl+/", "all keys"),
)


class Card(QWidget):
    """A plate with round corners in the colour of paper."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the plate."""
        look = theme.theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(QColor(look.base))
        painter.setPen(QPen(QColor(look.line), 1))
        radius = self.fontMetrics().height() * 0.6
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
        painter.end()


class Welcome(QWidget):
    """The first thing that is seen."""

    runWanted = Signal()
    openWanted = Signal()
    folderWanted = Signal()
    tourWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.card = Card(self)
        self.run_button = QPushButton("Run", self.card)
        self.run_button.setObjectName("welcome_run")
        self.run_button.setDefault(True)
        self.run_button.setToolTip("Measure with the values of the form (Return)")
        self.run_button.clicked.connect(self.runWanted)
        self.open_button = QPushButton("Open runs…", self.card)
        self.open_button.setToolTip("Open run files")
        self.open_button.clicked.connect(self.openWanted)
        self.tour_button = QPushButton("Take the tour", self.card)
        self.tour_button.setToolTip("Eight steps through the window; leave it at any time")
        self.tour_button.clicked.connect(self.tourWanted)
        self.hint = self._muted("")
        self.where = self._muted("")
        self.begin = Begin(self.card)
        self.change = QPushButton("Change…", self.card)
        self.change.setToolTip("Choose another folder for the data")
        self.change.clicked.connect(self.folderWanted)
        self._lay_out()
        self.recolour()
        self.setFocusProxy(self.run_button)

    def tell(
        self, *, experiment: str, simulated: bool, ready: bool, seconds: float | None, folder: str
    ) -> None:
        """Say what a press of Return would do, and where the data go."""
        self.run_button.setText(f"Run {experiment}" if experiment else "Run")
        came = bool(experiment) and not self.run_button.isEnabled()
        self.run_button.setEnabled(bool(experiment))
        if came:
            self._take_return()
        if not ready:
            self.hint.setText("The bench is starting; a run may be ordered already.")
        elif seconds is not None:
            kind = "Simulated; it" if simulated else "It"
            self.hint.setText(f"Press Return. {kind} takes about {text.duration(max(seconds, 1))}.")
        else:
            self.hint.setText("Press Return.")
        self.where.setText(f"Data are kept in {folder}")

    def _take_return(self) -> None:
        """Let Return run, now that it can, unless somebody has gone to work elsewhere meanwhile."""
        focused = self.window().focusWidget()
        # Qt gave the focus of the button that could not be pressed yet to another one of the card.
        if focused is None or self.isAncestorOf(focused):
            self.run_button.setFocus()

    def recolour(self) -> None:
        """Take the icons of the theme."""
        self.run_button.setIcon(icons.icon("run"))
        self.open_button.setIcon(icons.icon("folder"))
        self.begin.recolour()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a faint fringe behind the card: what a run will look like."""
        look = theme.theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(look.base))
        shade = QColor(look.series[0])
        shade.setAlpha(56)
        path = QPainterPath(_fringe(0.0, self.width(), self.height()))
        for step in range(1, 301):
            path.lineTo(_fringe(step / 300, self.width(), self.height()))
        painter.setPen(QPen(shade, 2))
        painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        for step in range(61):
            wobble = 0.02 * self.height() * math.sin(step * 12.9898)
            painter.drawEllipse(_fringe(step / 60, self.width(), self.height()) + QPointF(0, wobble), 3, 3)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        """Let the title follow the size of the text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_title"):
            self._letter()

    def _letter(self) -> None:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.6)
        font.setBold(True)
        self._title.setFont(font)

    def _muted(self, words: str) -> QLabel:
        label = QLabel(words, self.card)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setForegroundRole(theme.MUTED)
        label.setWordWrap(True)
        return label

    def _lay_out(self) -> None:
        unit = self.fontMetrics().height()
        self._title = QLabel("Welcome to qlab", self.card)
        self._letter()
        halves = QHBoxLayout(self.card)
        halves.setContentsMargins(2 * unit, int(1.7 * unit), 2 * unit, int(1.7 * unit))
        halves.setSpacing(2 * unit)
        column = QVBoxLayout()
        halves.addLayout(column, 3)
        line = QFrame(self.card)
        line.setFrameShape(QFrame.Shape.VLine)
        line.setForegroundRole(QPalette.ColorRole.Mid)
        halves.addWidget(line)
        halves.addWidget(self.begin, 2)
        column.setSpacing(unit // 2)
        column.addWidget(self._title)
        column.addWidget(
            self._muted("A bench for quantum sensing, simulated or real. The first curve is one key away.")
        )
        column.addSpacing(unit // 2)
        # The names of experiments are long: the first press has a line of its own.
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.run_button)
        second.addWidget(self.open_button)
        second.addWidget(self.tour_button)
        for buttons in (first, second):
            buttons.addStretch(1)
        column.addLayout(first)
        column.addWidget(self.hint)
        column.addLayout(second)
        column.addSpacing(unit // 2)
        keys = QGridLayout()
        keys.setHorizontalSpacing(unit)
        keys.setColumnStretch(1, 1)
        for row, (key, words) in enumerate(_KEYS):
            name = QLabel(key, self.card)
            keys.addWidget(name, row, 0)
            keys.addWidget(self._muted(words), row, 1)
        column.addLayout(keys)
        column.addSpacing(unit // 2)
        where = QHBoxLayout()
        where.addWidget(self.where, 1)
        where.addWidget(self.change)
        column.addLayout(where)
        self.card.setMinimumWidth(self.fontMetrics().averageCharWidth() * 96)
        outer = QGridLayout(self)
        outer.addWidget(self.card, 1, 1)
        for edge in (0, 2):
            outer.setRowStretch(edge, 1)
            outer.setColumnStretch(edge, 1)


def _fringe(at: float, width: int, height: int) -> QPointF:
    value = 0.5 + 0.38 * math.cos(at * 42) * math.exp(-((at * 1.9) ** 2))
    return QPointF(at * width, (1 - value) * height)
