"""Work done a piece at a time: what lays out and paints a lot has a turn of the window to itself.

Several such pieces between two frames make the second frame late, however short each of them is.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from shiboken6 import isValid

Work = Callable[[], object]


class Pieces(QObject):
    """A queue of things to do; the window's timer does one of them in a turn."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waiting: dict[object, tuple[QObject, Work]] = {}

    def add(self, of: QObject, work: Work, *, after: int = 0, key: object = None) -> None:
        """Do something for `of` in a turn of its own, unless it is gone by then.

        `after` (ms) is how long it must wait at least; what has a `key` takes the place of what waits with the same.
        """
        if after:
            QTimer.singleShot(after, of, lambda: self.add(of, work, key=key))
            return
        self._waiting.pop(key, None)
        self._waiting[object() if key is None else key] = of, work

    def next(self) -> bool:
        """Do what waits longest; return whether there was anything."""
        while self._waiting:
            of, work = self._waiting.pop(next(iter(self._waiting)))
            if isValid(of):
                work()
                return True
        return False
