"""A hand at the window: it presses keys, clicks on what is seen and waits; it calls nothing."""

import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QDialog,
    QMainWindow,
    QMenu,
    QTreeWidget,
    QTreeWidgetItemIterator,
    QWidget,
)

_NONE, _LEFT = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
_STEP_MS = 20


class Hand:
    """Works on one window, as a person would; what cannot be seen cannot be clicked."""

    def __init__(self, window: QMainWindow) -> None:
        self.window = window

    def wait(self, what: str, condition: Callable[[], object], seconds: float = 40.0) -> None:
        """Wait until something is so; the window goes on meanwhile."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited in vain until {what}"
            QTest.qWait(_STEP_MS)

    def pause(self, milliseconds: int = 150) -> None:
        """Let what was done show."""
        QTest.qWait(milliseconds)

    def key(self, keys: str) -> None:
        """Press keys such as `Ctrl+Return` where the focus is."""
        QTest.keySequence(self._focus(), QKeySequence(keys))
        self.pause(60)

    def type(self, words: str) -> None:
        """Type where the focus is, in place of what stands there."""
        where = self._focus()
        QTest.keySequence(where, QKeySequence("Ctrl+A"))
        QTest.keyClicks(where, words)
        self.pause(60)

    def type_ahead(self, words: str) -> None:
        """Type the beginning of a line of an open list, which goes there."""
        QTest.keyClicks(QApplication.activePopupWidget() or self._focus(), words)
        self.pause(60)

    def click(self, widget: QWidget, modifier: Qt.KeyboardModifier = _NONE, at: QPoint | None = None) -> None:
        """Click on a widget that is seen."""
        assert widget.isVisible(), f"{widget.objectName() or widget} is not seen"
        assert widget.isEnabled(), f"{widget.objectName() or widget} cannot be pressed now"
        QTest.mouseClick(widget, _LEFT, modifier, at or widget.rect().center())
        self.pause(60)

    def click_item(
        self, view: QAbstractItemView, index: QModelIndex, modifier: Qt.KeyboardModifier = _NONE
    ) -> None:
        """Click on a line of a list, scrolled to where it is seen."""
        view.scrollTo(index)
        self.pause(30)
        place = view.visualRect(index)
        assert place.isValid(), "the line is not seen"
        at = QPoint(place.left() + min(place.width() // 2, 40), place.center().y())
        self.click(view.viewport(), modifier, at)

    def click_leaf(self, tree: QTreeWidget, words: str) -> None:
        """Click on the line of a tree that says something."""
        lines = QTreeWidgetItemIterator(tree)
        while (item := lines.value()) is not None:
            if item.text(0) == words and not item.isHidden():
                self.click_item(tree, tree.indexFromItem(item))
                return
            lines += 1
        raise AssertionError(f"no line says {words!r}")

    def menu(self, *path: str) -> None:
        """Open a menu of the bar and choose: `menu("Run", "Queue")`."""
        bar = self.window.menuBar()
        action = _named(bar.actions(), path[0])
        QTest.mouseClick(bar, _LEFT, _NONE, bar.actionGeometry(action).center())
        self.pause(60)
        for words in path[1:]:
            shown = QApplication.activePopupWidget()
            assert isinstance(shown, QMenu), f"no menu {path[0]} is open"
            self.choose(shown, words)

    def choose(self, menu: QMenu, words: str) -> None:
        """Choose a line of a menu that is open."""
        action = _named(menu.actions(), words)
        assert action.isEnabled(), f"{words} cannot be chosen now"
        QTest.mouseClick(menu, _LEFT, _NONE, menu.actionGeometry(action).center())
        self.pause(60)

    def drop(self, path: Path) -> None:
        """Drop a file or folder on the middle of the window."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        at = self.window.rect().center()
        copy = Qt.DropAction.CopyAction
        enter = QDragEnterEvent(at, copy, data, _LEFT, _NONE)
        QApplication.sendEvent(self.window, enter)
        assert enter.isAccepted(), "the window takes no files"
        QApplication.sendEvent(self.window, QDropEvent(QPointF(at), copy, data, _LEFT, _NONE))

    def dialog(self, name: str) -> QDialog:
        """Return the dialog that has come up."""
        found: list[QDialog] = []

        def there() -> bool:
            found[:] = [d for d in self.window.findChildren(QDialog) if d.isVisible() and name in _names(d)]
            return bool(found)

        self.wait(f"the dialog {name} is there", there)
        found[-1].activateWindow()  # what a window manager does with a new window
        self.wait(f"the dialog {name} has the keyboard", found[-1].isActiveWindow)
        self.pause()
        return found[-1]

    def _focus(self) -> QWidget:
        focused = QApplication.focusWidget()
        if focused is None:  # a dialog went: the window manager gives the keyboard back
            self.window.activateWindow()
            self.pause(50)
            focused = QApplication.focusWidget() or self.window.focusWidget()
        assert focused is not None, "nothing has the focus"
        return focused


def _names(dialog: QDialog) -> str:
    return f"{dialog.objectName()} {dialog.windowTitle()} {type(dialog).__name__}"


def _named(actions: list[QAction], words: str) -> QAction:
    for action in actions:
        if action.text().replace("&", "").rstrip("…") == words.rstrip("…"):
            return action
    raise AssertionError(f"{words!r} is not among {[a.text() for a in actions]}")
