"""Lines of trees and lists with room to breathe."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem


class Roomy(QStyledItemDelegate):
    """Gives each line one and a half times the height of its text."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the size with more height."""
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(size.height(), int(option.fontMetrics.height() * 1.5)))


def make_roomy(view: QAbstractItemView) -> None:
    """Give a view roomy lines."""
    view.setItemDelegate(Roomy(view))
