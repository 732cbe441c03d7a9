"""What the first run needs is looked up and loaded in the background, while the window answers already."""

import importlib
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

_LOOK_MS = 20


class WarmUp(QObject):
    """Imports what draws and finds what fits in a thread, and says when it is there."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thread = threading.Thread(target=_load, daemon=True, name="qlab warm up")
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._done: Callable[[], None] | None = None
        self.over = False

    def start(self, done: Callable[[], None]) -> None:
        """Load, then call `done` in this thread."""
        self._done = done
        self._thread.start()
        self._timer.start()

    def end(self) -> None:
        """Wait for what is being loaded: a process must not end in the middle of it."""
        self._timer.stop()
        if self._thread.is_alive():
            self._thread.join()

    def _look(self) -> None:
        # Where something is broken the thread ends early, and `done`, which uses it, says so in the window.
        if not self._thread.is_alive() and self._done is not None:
            self._timer.stop()
            self.over = True
            self._done()


def _load() -> None:
    importlib.import_module("qlab.registry").plugins("fits")
    importlib.import_module("qlab_ui.plots.choose")
