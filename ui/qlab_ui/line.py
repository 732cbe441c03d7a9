"""A line of text: undo and the keys of a run are left to the window, Up and Down step a digit."""

import re
from decimal import Decimal

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit

_NUMBER = re.compile(r"\s*([-+]?\d+(?:\.\d*)?)")
_STANDARD = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


class Line(QLineEdit):
    """A line edit: Up and Down change the digit left of the cursor; Ctrl+Z is the window's."""

    steps_digits = False

    def event(self, event: QEvent) -> bool:
        """Let the window have its keys even while somebody types here."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            stops = event.key() == Qt.Key.Key_Backspace and bool(
                event.modifiers() & Qt.KeyboardModifier.ControlModifier
            )
            if stops or any(event.matches(key) for key in _STANDARD):
                event.ignore()
                return False
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step the digit under the cursor with Up and Down."""
        way = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        stepped = step_digit(self.text(), self.cursorPosition(), way) if way and self.steps_digits else None
        if stepped is None:
            super().keyPressEvent(event)
            return
        text, cursor = stepped
        self.setText(text)
        self.setCursorPosition(cursor)
        self.textEdited.emit(text)


def step_digit(text: str, cursor: int, way: int) -> tuple[str, int] | None:
    """Return the text with the digit left of the cursor one up or down, and the cursor; else None."""
    match = _NUMBER.match(text)
    if match is None:
        return None
    start, number = match.start(1), match[1]
    point = number.find(".") if "." in number else len(number)
    first = 1 if number[0] in "+-" else 0
    index = min(max(cursor - start, first + 1), len(number)) - 1
    if index == point:
        index -= 1
    place = point - index - 1 if index < point else point - index
    decimals = max(len(number) - point - 1, 0)
    changed = f"{Decimal(number) + way * Decimal(10) ** place:.{decimals}f}"
    offset = len(changed) - len(number)
    return text[:start] + changed + text[match.end(1) :], max(start + index + 1 + offset, start)
