"""The trash: deleted runs, to be put back."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qlab_ui import text, theme
from qlab_ui.dialogs.pages import Page
from qlab_ui.roomy import make_roomy


class Trash(Page):
    """Runs that were deleted from a folder; what is chosen is put back with its notes."""

    def __init__(
        self, parent: QWidget, runs: Sequence[tuple[str, str, str]], restore: Callable[[list[str]], None]
    ) -> None:
        body = QWidget()
        super().__init__(parent, "Trash", body, "trash")
        self._restore = restore
        words = "Deleted runs are kept here with their notes." if runs else "The trash is empty."
        line = QLabel(words, body)
        line.setForegroundRole(theme.MUTED)
        self.tree = QTreeWidget(body)
        self.tree.setAccessibleName("Deleted runs")
        self.tree.setHeaderLabels(["Run", "Started", "File"])
        self.tree.setRootIsDecorated(False)
        self.tree.setAlternatingRowColors(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        make_roomy(self.tree)
        for path, title, started in runs:
            item = QTreeWidgetItem([title, text.started(started), path.replace("\\", "/").rsplit("/", 1)[-1]])
            item.setData(0, Qt.ItemDataRole.UserRole, path)
            self.tree.addTopLevelItem(item)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.button = QPushButton("Put back", body)
        self.button.setToolTip("Put the chosen runs back to where they were")
        self.button.setEnabled(False)
        self.button.clicked.connect(self.restore)
        self.tree.itemSelectionChanged.connect(
            lambda: self.button.setEnabled(bool(self.tree.selectedItems()))
        )
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(line)
        box.addWidget(self.tree, 1)
        box.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        if (first := self.tree.topLevelItem(0)) is not None:
            self.tree.setCurrentItem(first)

    def restore(self) -> None:
        """Put the chosen runs back."""
        items = self.tree.selectedItems()
        self._restore([str(item.data(0, Qt.ItemDataRole.UserRole)) for item in items])
        for item in items:
            self.tree.takeTopLevelItem(self.tree.indexOfTopLevelItem(item))
