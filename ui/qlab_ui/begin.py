"""The right half of the welcome: the last runs, examples, real instruments, who measures."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from qlab_ui import icons, theme

SHOWN = 3


def ordered(recent: Sequence[str], pinned: Sequence[str]) -> list[str]:
    """Return files in the order in which they are offered: pinned ones first, each once."""
    return list(dict.fromkeys([*pinned, *recent]))


class Begin(QWidget):
    """Ways to begin other than a run; each signal is one press."""

    openWanted = Signal(str)
    pinWanted = Signal(str)
    examplesWanted = Signal()
    connectWanted = Signal()
    profileWanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("begin")
        unit = self.fontMetrics().height()
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        self.examples = _link(self, "Open example runs", "Simulated once, in about half a minute")
        self.connect_button = _link(
            self, "Connect real instruments…", "Drivers, addresses and roles of a bench"
        )
        self.profile = _link(self, "Who are you?…", "Name and ORCID, written into each file; filled once")
        self._signs = ((self.examples, "tiles"), (self.connect_button, "connect"), (self.profile, "person"))
        self.examples.clicked.connect(self.examplesWanted)
        self.connect_button.clicked.connect(self.connectWanted)
        self.profile.clicked.connect(self.profileWanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(unit // 4)
        heading = QLabel("Recent", self)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        column.addWidget(heading)
        column.addLayout(self._recent)
        column.addSpacing(unit // 2)
        for button in (self.examples, self.connect_button, self.profile):
            column.addWidget(button)
        column.addStretch(1)
        self.show_recent([], [], {})

    def show_recent(self, recent: Sequence[str], pinned: Sequence[str], titles: dict[str, str]) -> None:
        """Offer the last files, the pinned ones first; one that is gone is greyed, not left out."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        files = ordered(recent, pinned)[: max(SHOWN, len(pinned[:SHOWN]))]
        for file in files:
            self._recent.addWidget(
                self._row(file, titles.get(file) or Path(file).stem, pinned=file in pinned)
            )
        if not files:
            none = QLabel("None yet", self)
            none.setForegroundRole(theme.MUTED)
            self._recent.addWidget(none)

    def show_making(self, done: int, of: int) -> None:
        """Say how far the example runs are; 0 of 0 when nothing is being made."""
        self.examples.setText(f"Simulating example {done + 1} of {of}…" if done < of else "Open example runs")
        self.examples.setEnabled(done >= of)

    def recolour(self) -> None:
        """Take the icons of the theme."""
        for button, sign in self._signs:
            button.setIcon(icons.icon(sign))
        for pin in self.findChildren(QToolButton):
            if (pinned := pin.property("pinned")) is not None:
                pin.setIcon(icons.icon("star" if pinned else "unstar"))

    def _row(self, file: str, title: str, *, pinned: bool) -> QWidget:
        row = QWidget(self)
        there = Path(file).exists()
        button = _link(row, title, file if there else f"{file}\nis not there any more")
        button.setObjectName("recent")
        button.setEnabled(there)
        button.clicked.connect(partial(self.openWanted.emit, file))
        pin = QToolButton(row)
        pin.setAutoRaise(True)
        pin.setProperty("pinned", pinned)
        pin.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        pin.setIcon(icons.icon("star" if pinned else "unstar"))
        pin.setAccessibleName(f"Keep {title} among the recent runs")
        pin.setToolTip("Keep it here" if not pinned else "No longer keep it here")
        pin.clicked.connect(partial(self.pinWanted.emit, file))
        inside = QHBoxLayout(row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(button, 1)
        inside.addWidget(pin)
        return row


def _link(parent: QWidget, words: str, tip: str) -> QToolButton:
    button = QToolButton(parent)
    button.setText(words)
    button.setAutoRaise(True)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setToolTip(tip)
    button.setAccessibleDescription(tip)
    button.setCursor(Qt.CursorShape.PointingHandCursor)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
