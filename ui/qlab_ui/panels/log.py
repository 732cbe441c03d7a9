"""The log: what happened, newest last, kept for the copy of a report."""

import datetime as dt

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from qlab_ui import icons
from qlab_ui.roomy import make_roomy

_MOST = 2000
_MARGIN = 8  # dots left and right of a time


class LogPanel(QTreeWidget):
    """Lines with a time, a level and a message."""

    counted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("log")
        self.setAccessibleName("Log")
        self.setHeaderLabels(["Time", "What happened"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        make_roomy(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        # Times are of one width: a column that asks each line for its own costs more with every line.
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self._fit_times()
        self.warnings = 0

    def add(self, level: str, message: str) -> None:
        """Add a line; `level` is info, warning or error."""
        item = QTreeWidgetItem([dt.datetime.now().strftime("%H:%M:%S"), message])
        item.setIcon(1, icons.icon(level if level in {"info", "warning", "error"} else "info"))
        item.setData(0, Qt.ItemDataRole.UserRole, level)
        item.setToolTip(1, message)
        end = self.verticalScrollBar()
        follow = end.value() >= end.maximum() - 1
        self.addTopLevelItem(item)
        if self.topLevelItemCount() > _MOST:
            self.takeTopLevelItem(0)
        if follow:
            self.scrollToBottom()
        if level in {"warning", "error"}:
            self.warnings += 1
            self.counted.emit(self.warnings)

    def changeEvent(self, event: QEvent) -> None:
        """Give the times room in a larger text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_times()

    def _fit_times(self) -> None:
        self.setColumnWidth(0, self.fontMetrics().horizontalAdvance("00:00:00 ") + 2 * _MARGIN)

    def seen(self) -> None:
        """Start to count the warnings from here."""
        self.warnings = 0
        self.counted.emit(0)

    def lines(self, most: int = 200) -> list[str]:
        """Return the last lines as text."""
        first = max(self.topLevelItemCount() - most, 0)
        items = [self.topLevelItem(i) for i in range(first, self.topLevelItemCount())]
        return [
            f"{i.text(0)} {i.data(0, Qt.ItemDataRole.UserRole)}: {i.text(1)}" for i in items if i is not None
        ]
