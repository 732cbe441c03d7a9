"""The one dialog for errors: what happened, what to do, details, copy of a report."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from qlab_ui import icons, theme

_SHOWN = ("qlab-metrology", "PySide6-Essentials", "pyqtgraph", "numpy", "qutip", "h5py")


class ErrorDialog(QDialog):
    """Not modal: a run that goes can still be stopped."""

    def __init__(self, parent: QWidget | None, happened: str, to_do: str = "", details: str = "") -> None:
        super().__init__(parent)
        self.setObjectName("error_dialog")
        self.setWindowTitle("Something went wrong")
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._report = report(happened, to_do, details)
        side = self.fontMetrics().height() * 2
        sign = QLabel(self)
        sign.setPixmap(icons.icon("error").pixmap(side, side))
        words = QVBoxLayout()
        words.addWidget(_label(self, happened, strong=True))
        if to_do:
            words.addWidget(_label(self, to_do))
        head = QHBoxLayout()
        head.setSpacing(side // 2)
        head.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        self.details = QPlainTextEdit(self._report, self)
        self.details.setReadOnly(True)
        self.details.setAccessibleName("Details")
        self.details.setMinimumHeight(self.fontMetrics().height() * 12)
        self.details.hide()
        self.more = QPushButton("Details", self)
        self.more.setCheckable(True)
        self.more.toggled.connect(self._open)
        copy = QPushButton("Copy report", self)
        copy.setIcon(icons.icon("copy"))
        copy.clicked.connect(lambda: QApplication.clipboard().setText(self._report))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.addButton(self.more, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(side // 2, side // 2, side // 2, side // 2)
        column.setSpacing(side // 2)
        column.addLayout(head)
        column.addWidget(self.details, 1)
        column.addWidget(buttons)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * 70)

    def _open(self, shown: bool) -> None:
        self.details.setVisible(shown)
        self.adjustSize()


def report(happened: str, to_do: str, details: str) -> str:
    """Return everything that a report of a fault needs."""
    lines = [f"What happened: {happened}", f"What to do: {to_do or 'nothing known'}", ""]
    lines += versions()
    if details:
        lines += ["", details.rstrip()]
    return "\n".join(lines)


def versions() -> list[str]:
    """Return a line for the system and for each library that matters."""
    lines = [f"Python {sys.version.split()[0]} on {platform.platform()}"]
    for name in _SHOWN:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} (not installed)")
    return lines


def _label(parent: QWidget, words: str, *, strong: bool = False) -> QLabel:
    label = QLabel(words, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    if strong:
        font = label.font()
        font.setBold(True)
        label.setFont(font)
    else:
        label.setForegroundRole(theme.MUTED)
    return label
