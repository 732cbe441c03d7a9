"""The example runs: made by a process of their own, one after the other, and listed as they come."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qlab.errors import QlabError
from qlab_ui import library
from qlab_ui.worker import ProcessWorker, Worker

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow


class Examples:
    """Lists the example runs; those that are missing are simulated first, beside whatever is measured."""

    def __init__(self, window: MainWindow, maker: Worker | None = None) -> None:
        self._window = window
        self.maker = maker
        self._folder = ""
        self._missing: list[int] = []
        self._done = 0

    def open(self) -> None:
        """List the examples, and make those that are missing."""
        from qlab.examples import default_folder

        folder = default_folder()
        self._folder = str(folder)
        self._window.files.look_at(folder)
        self._window.docks["runs"].show()
        self._window.docks["runs"].raise_()
        self._window.call("runs_as_pictures")
        if self._done >= len(self._missing):
            self._process().ask(self._make_all, self._failed, library.missing_examples, self._folder)

    def poll(self) -> None:
        """Hear of what has been made: called with the frames."""
        if self.maker is not None:
            self.maker.poll()

    def close(self) -> None:
        """Let go of the process."""
        if self.maker is not None:
            self.maker.close()
            self.maker = None

    def _process(self) -> Worker:
        self.maker = self.maker or ProcessWorker()
        return self.maker

    def _make_all(self, missing: list[int]) -> None:
        self._missing, self._done = missing, 0
        if missing:
            words = f"{len(missing)} example runs are being simulated; they appear in the list."
            self._window.tell("info", words, toast=True)
        self._next()

    def _next(self) -> None:
        self._window.welcome.begin.show_making(self._done, len(self._missing))
        if self._done < len(self._missing):
            place = self._missing[self._done]
            self._process().ask(self._made, self._failed, library.make_example, self._folder, place)
            return
        if self._missing:
            self._window.tell("info", "The example runs are ready: double-click one.", toast=True)
        self._missing, self._done = [], 0

    def _made(self, _path: str) -> None:
        self._done += 1
        if self._window.files.folder() == Path(self._folder):
            self._window.files.refresh()
        self._next()

    def _failed(self, error: QlabError) -> None:
        self._missing, self._done = [], 0
        self._window.welcome.begin.show_making(0, 0)
        self._window.tell("error", error.message, error.hint, toast=True)
