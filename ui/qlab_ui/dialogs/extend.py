"""How many passes more a run is to have."""

from collections.abc import Callable

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QSpinBox, QVBoxLayout, QWidget


class Extend(QDialog):
    """Asks for a number of passes."""

    def __init__(self, parent: QWidget, title: str, passes: int, extend: Callable[[int], None]) -> None:
        super().__init__(parent)
        self.setObjectName("extend")
        self.setWindowTitle("Measure longer")
        words = QLabel(
            f"{title}: repeat the whole sweep this many times more. Every point gets as many shots again as it "
            "has in one pass now.",
            self,
        )
        words.setWordWrap(True)
        self.passes = QSpinBox(self)
        self.passes.setRange(1, 100_000)
        self.passes.setValue(passes)
        self.passes.setSuffix(" passes more")
        self.passes.setAccessibleName("Passes more")
        self.passes.setToolTip("How many passes over the sweep are added to the run, 1 to 100 000")
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Measure longer")
        self.buttons.accepted.connect(lambda: extend(self.passes.value()))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(words)
        column.addWidget(self.passes)
        column.addWidget(self.buttons)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * 56)
        self.passes.selectAll()
        self.passes.setFocus()
