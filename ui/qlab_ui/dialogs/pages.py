"""Pages of text: the keys, what an experiment is, about qlab."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qlab_ui.actions import ACTIONS, MENUS
from qlab_ui.roomy import make_roomy


class Page(QDialog):
    """A dialog around one widget, with a heading and Close."""

    def __init__(self, parent: QWidget, title: str, inside: QWidget, name: str) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        heading = QLabel(title, self)
        font = heading.font()
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 1.2)
        heading.setFont(font)
        heading.setTextFormat(Qt.TextFormat.PlainText)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(heading)
        column.addWidget(inside, 1)
        column.addWidget(buttons)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 100, metrics.height() * 36)


def shortcuts(parent: QWidget) -> Page:
    """Return the page of keys, made of the table of actions."""
    tree = QTreeWidget()
    tree.setHeaderLabels(["Command", "Key"])
    tree.setAccessibleName("Keys")
    make_roomy(tree)
    tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    tree.header().setStretchLastSection(False)
    tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    for menu in MENUS:
        with_keys = [action for action in ACTIONS if action.menu == menu and action.keys]
        if not with_keys:
            continue
        heading = QTreeWidgetItem([menu])
        tree.addTopLevelItem(heading)
        for action in with_keys:
            keys = ", ".join(shown(key) for key in action.keys)
            heading.addChild(QTreeWidgetItem([action.text, f"{keys} (in a plot)" if action.plot else keys]))
    tree.expandAll()
    return Page(parent, "Keyboard", tree, "shortcuts")


def reading(parent: QWidget, title: str, text: str, name: str = "reading") -> Page:
    """Return a page of plain text."""
    edit = QPlainTextEdit(text)
    edit.setReadOnly(True)
    edit.setAccessibleName(title)
    return Page(parent, title, edit, name)


def shown(key: str) -> str:
    """Return a key as the system writes it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)
