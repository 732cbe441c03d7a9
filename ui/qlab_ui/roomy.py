"""Lines of trees and lists with room to breathe, and with all of their words where they wrap."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QTreeView

_MARGIN = 8  # pixels that a style leaves on both sides of a cell's words


class Roomy(QStyledItemDelegate):
    """Gives each line one and a half times the height of its text."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size with more height."""
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(size.height(), int(option.fontMetrics.height() * 1.5)))


class Wrapping(Roomy):
    """Gives each cell of a tree the height that its words take in the width of their column."""

    def __init__(self, view: QTreeView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size with all lines of the words."""
        size = super().sizeHint(option, index)
        room = QRect(0, 0, max(self._view.columnWidth(index.column()) - _MARGIN, 1), 10_000)
        words = str(index.data() or "")
        lines = option.fontMetrics.boundingRect(room, Qt.TextFlag.TextWordWrap, words)
        return QSize(size.width(), max(size.height(), lines.height() + option.fontMetrics.height() // 2))


def make_roomy(view: QAbstractItemView) -> None:
    """Give a view roomy lines."""
    view.setItemDelegate(Roomy(view))


def make_wrapping(tree: QTreeView) -> None:
    """Let the lines of a tree grow with their words, also when its columns change."""
    tree.setWordWrap(True)
    tree.setUniformRowHeights(False)
    tree.setItemDelegate(Wrapping(tree))
    tree.header().sectionResized.connect(lambda *_: tree.scheduleDelayedItemsLayout())
