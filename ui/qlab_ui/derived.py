"""A tab for what was made of several runs: a heading, what it is of, a view, and room for choosers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from qlab_ui import theme
from qlab_ui.badge import SimBadge

if TYPE_CHECKING:
    from qlab_ui.plots.view import View


class DerivedPage(QWidget):
    """What was made of several runs, with its view; `stem` is what an exported file is called."""

    def __init__(self, title: str, about: str, view: View, *, simulated: bool, stem: str) -> None:
        super().__init__()
        self.view, self.stem = view, stem
        self.setWindowTitle(title)
        self._about = QLabel(about, self)
        self._about.setTextFormat(Qt.TextFormat.PlainText)
        self._about.setForegroundRole(theme.MUTED)
        heading = QLabel(title, self)
        heading.setTextFormat(Qt.TextFormat.PlainText)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        sim = SimBadge(self)
        sim.setVisible(simulated)
        unit = self.fontMetrics().averageCharWidth()
        self.head = QHBoxLayout()
        self.head.setContentsMargins(unit, unit // 2, unit, 0)
        self.head.setSpacing(unit)
        self.head.addWidget(heading)
        self.head.addWidget(self._about)
        self.head.addStretch(1)
        self.head.addWidget(sim)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self.head)
        column.addWidget(view, 1)
        self.setFocusProxy(view)

    def about(self) -> str:
        """Return what this was made of."""
        return self._about.text()

    def say(self, about: str) -> None:
        """Say what this was made of."""
        self._about.setText(about)

    def frame(self) -> None:
        """Follow the mouse."""
        self.view.tick()
