"""The command palette: every command by name."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QDialog, QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from qlab_ui.line import Line
from qlab_ui.roomy import make_roomy


@dataclass(frozen=True)
class Entry:
    """One thing that can be chosen."""

    words: str
    key: str
    icon: QIcon
    call: Callable[[], object]


def score(typed: str, words: str) -> float:
    """Return how well typed letters fit some words: 0 not at all; whole words in order are best."""
    typed, words = typed.casefold().strip(), words.casefold()
    if not typed:
        return 1.0
    if typed in words:
        return 3.0 - words.index(typed) / 1000 + (1.0 if words.startswith(typed) else 0.0)
    if all(part in words for part in typed.split()):
        return 2.0
    at, gaps = -1, 0
    for letter in typed.replace(" ", ""):
        found = words.find(letter, at + 1)
        if found < 0:
            return 0.0
        gaps += found - at - 1
        at = found
    return 1.0 / (1 + gaps)


class CommandPalette(QDialog):
    """A line to type in and the commands that fit."""

    def __init__(self, parent: QWidget, entries: list[Entry]) -> None:
        super().__init__(parent)
        self.setObjectName("command_palette")
        self.setWindowTitle("Commands")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._entries = entries
        self.line = Line(self)
        self.line.setPlaceholderText("Type the name of a command")
        self.line.setAccessibleName("Command")
        self.line.setToolTip("Up and Down choose, Return does it")
        self.list = QTreeWidget(self)
        self.list.setAccessibleName("Commands")
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setColumnCount(2)
        self.list.setUniformRowHeights(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        make_roomy(self.list)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.addWidget(self.line)
        column.addWidget(self.list, 1)
        self.line.textChanged.connect(self._show)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(lambda _item, _column: self._take())
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 90, metrics.height() * 26)
        self._show("")

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Move in the list while the line keeps the focus."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        key = event.key()
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._take()
            return True
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
        if key not in steps or not self.list.topLevelItemCount():
            return False
        at = self.list.currentIndex().row() + steps[Qt.Key(key)]
        self._go(min(max(at, 0), self.list.topLevelItemCount() - 1))
        return True

    def _show(self, typed: str) -> None:
        self.list.clear()
        ranked = sorted(((score(typed, e.words), -i, e) for i, e in enumerate(self._entries)), reverse=True)
        for value, place, entry in ranked:
            if value > 0:
                item = QTreeWidgetItem([entry.words, entry.key])
                item.setIcon(0, entry.icon)
                item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                item.setData(0, Qt.ItemDataRole.UserRole, -place)
                self.list.addTopLevelItem(item)
        self._go(0)

    def _go(self, place: int) -> None:
        item = self.list.topLevelItem(place)
        if item is not None:
            self.list.setCurrentItem(item)

    def _take(self) -> None:
        item = self.list.currentItem()
        self.close()
        if item is not None:
            self._entries[item.data(0, Qt.ItemDataRole.UserRole)].call()
