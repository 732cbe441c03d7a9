"""A study: one run for each value of a parameter or a knob, nested or stepped together."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from qlab.errors import QlabError, UsageError
from qlab.scan import parse_scan
from qlab.session import Loop
from qlab_ui import theme

ORDERS = {"given": "one after the other", "random": "in random order", "adaptive": "where it changes most"}


class LoopRow(QFrame):
    """One loop: over what, which values, in which order."""

    def __init__(self, names: Sequence[tuple[str, str]], parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._units = dict(names)
        self.over, self.order = QComboBox(self), QComboBox(self)
        for name, unit in names:
            self.over.addItem(f"{name} ({unit})" if unit not in {"", "1"} else name, name)
        for key, words in ORDERS.items():
            self.order.addItem(words, key)
        self.over.setToolTip("The parameter or the knob that is stepped from run to run")
        self.order.setToolTip("In which order the values are taken")
        self.values = QLineEdit(self)
        self.values.setToolTip("A sweep as from:to:count, or single values, each with its unit")
        self.values.setPlaceholderText("1 MHz:20 MHz:11, or 1 MHz, 2 MHz, 5 MHz")
        self.refine = QLineEdit(self)
        self.refine.setToolTip("Where this fit value changes most, the values lie closest")
        self.refine.setPlaceholderText("fit value to follow, e.g. frequency")
        self.together = QCheckBox("steps together with the next loop", self)
        self.message = QLabel(self)
        self.message.setForegroundRole(theme.ERROR)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.hide()
        for widget, words in (
            (self.over, "Over"),
            (self.values, "Values"),
            (self.order, "Order"),
            (self.refine, "Fit value"),
        ):
            widget.setAccessibleName(words)
        grid = QGridLayout(self)
        grid.addWidget(QLabel("Over", self), 0, 0)
        grid.addWidget(self.over, 0, 1)
        grid.addWidget(self.values, 0, 2)
        grid.addWidget(self.order, 1, 1)
        grid.addWidget(self.refine, 1, 2)
        grid.addWidget(self.together, 2, 1, 1, 2)
        grid.addWidget(self.message, 3, 0, 1, 3)
        grid.setColumnStretch(2, 1)
        self.order.currentIndexChanged.connect(lambda _index: self._show())
        self._show()

    def loop(self) -> Loop | None:
        """Return the loop, or None and say what is wrong with it."""
        name = str(self.over.currentData())
        words = self.values.text().strip()
        adaptive = self.order.currentData() == "adaptive"
        try:
            if not words:
                raise UsageError("Give the values.", "For example 1 MHz:20 MHz:11.")
            parse_scan(words, self._units.get(name) or "1")
        except QlabError as error:
            self._refuse(str(error))
            return None
        if adaptive and not self.refine.text().strip():
            self._refuse("Say which fit value decides where the next one is taken.")
            return None
        self.message.hide()
        return Loop(
            over=name,
            values=words,
            order=self.order.currentData(),
            refine=self.refine.text().strip() if adaptive else "",
            zip_with_next=self.together.isChecked(),
        )

    def _refuse(self, why: str) -> None:
        self.message.setText(why)
        self.message.show()

    def _show(self) -> None:
        self.refine.setVisible(self.order.currentData() == "adaptive")


class Study(QDialog):
    """Loops around the experiment of the form; the first one is the outermost."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        names: Sequence[tuple[str, str]],
        submit: Callable[[tuple[Loop, ...]], None],
    ) -> None:
        super().__init__(parent)
        self.setObjectName("study")
        self.setWindowTitle("Sweep of whole runs")
        self._names, self._submit = names, submit
        self.rows: list[LoopRow] = []
        words = QLabel(f"{title} once for each value, with everything else as in the form.", self)
        words.setWordWrap(True)
        words.setForegroundRole(theme.MUTED)
        self._column = QVBoxLayout()
        self.add_button = QPushButton("Another loop inside", self)
        self.add_button.clicked.connect(lambda _pressed: self.add())
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel, self)
        self.buttons.button(kinds.Ok).setText("Queue")
        self.buttons.accepted.connect(self.queue)
        self.buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.addWidget(words)
        outer.addLayout(self._column)
        outer.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        outer.addStretch(1)
        outer.addWidget(self.buttons)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * 84)
        self.add()

    def add(self) -> LoopRow:
        """Add a loop inside those there are."""
        row = LoopRow(self._names, self)
        self.rows.append(row)
        self._column.addWidget(row)
        row.values.setFocus()
        return row

    def queue(self) -> None:
        """Queue the study; a loop that is refused says why, and nothing is queued."""
        loops = [row.loop() for row in self.rows]
        good = [loop for loop in loops if loop is not None]
        if len(good) == len(loops):
            self._submit(tuple(good))
            self.accept()
            return
        # Room for why: a message that wraps asks for more height than the window gives it by itself.
        QApplication.sendPostedEvents(self, QEvent.Type.LayoutRequest)
        self.adjustSize()
