"""The expected curve of the run in front: asked of the worker once for each signal, drawn where it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qlab.errors import QlabError
from qlab_ui import work
from qlab_ui.fitting import _lean

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow

_DESIGN, _TRUTH = "expected from the design", "expected from the truth (SIM)"


class Expecting:
    """Keeps the expected curve with what is looked at."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._asked: tuple[str, str, bool, bool] | None = None

    def again(self) -> None:
        """Look again at what is wanted."""
        self._asked = None

    def consider(self) -> None:
        """Ask for the curve of the page in front: called with each frame."""
        page, wanted = self._window.centre.current(), self._window.settings.expected_curve
        if page is None:
            return
        revealed = self._window.settings.reveal and page.record.simulated and bool(page.record.truth)
        asked = (page.record.id, page.signal(), revealed, wanted)
        if asked == self._asked:
            return
        self._asked = asked
        if not wanted or not page.record.axes:
            page.show_expected(None, "")
            return

        def got(found: Any) -> None:
            shown = self._window.centre.page(asked[0])
            if shown is not None and self._asked == asked:
                shown.show_expected(found, _TRUTH if revealed else _DESIGN)

        self._window.worker.ask(got, self._failed, work.expected, _lean(page.record), page.signal(), revealed)

    def _failed(self, error: QlabError) -> None:
        self._window.tell("warning", error.message, error.hint)
