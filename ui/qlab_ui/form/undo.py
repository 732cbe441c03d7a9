"""Undo for the form: one command for each field, typing merged."""

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtGui import QUndoCommand

_MERGE_SECONDS = 3.0
_ID = 7001


class SetValue(QUndoCommand):
    """A field went from one value to another."""

    def __init__(self, show: Callable[[str, Any], None], name: str, title: str, old: Any, new: Any) -> None:
        super().__init__(f"change of {title}")
        self.name, self.new = name, new
        self.at = time.monotonic()
        self._show, self._old = show, old
        self._done = True  # the person did it already

    def id(self) -> int:
        """Return the kind of command, for merging."""
        return _ID

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in a later change of the same field, where it came soon after."""
        if not isinstance(other, SetValue) or other.name != self.name or other.at - self.at > _MERGE_SECONDS:
            return False
        self.new, self.at = other.new, other.at
        return True

    def undo(self) -> None:
        """Show the old value."""
        self._show(self.name, self._old)

    def redo(self) -> None:
        """Show the new value again."""
        if self._done:
            self._done = False
            return
        self._show(self.name, self.new)


class SetMany(QUndoCommand):
    """Many fields at once: the settings of a run were loaded, or all were reset."""

    def __init__(
        self, show: Callable[[dict[str, Any]], None], text: str, old: dict[str, Any], new: dict[str, Any]
    ) -> None:
        super().__init__(text)
        self._show, self._old, self._new = show, old, new

    def undo(self) -> None:
        """Show the old values."""
        self._show(self._old)

    def redo(self) -> None:
        """Show the new values."""
        self._show(self._new)
