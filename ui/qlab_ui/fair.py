"""How complete the metadata of the shown run is: asked of the worker, completed by the profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qlab.errors import QlabError
from qlab.record import ENDED
from qlab_ui import work

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow


class Fair:
    """Keeps the metadata pane's completion up to date, and opens profile and report."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._asked: tuple[str, str] = ("", "")
        window.record.profileWanted.connect(self.edit_profile)
        window.record.reportWanted.connect(self.show_report)

    def show(self) -> None:
        """Ask about the run in front, where it is another or has come to its end."""
        page = self._window.centre.current()
        key = (page.record.id, page.record.state) if page is not None else ("", "")
        if key == self._asked:
            return
        self._asked = key
        if page is None:
            self._window.record.show_completion(())
            return
        lean = page.record.model_copy(update={"programs": (), "log": (), "changes": (), "fits": ()})
        self._window.worker.ask(lambda items: self._got(key, items), self._failed, work.completion, lean)

    def edit_profile(self, field: str) -> None:
        """Open the profile, at a field."""
        from qlab_ui.dialogs.profile import ProfileDialog

        self._window.show_dialog(ProfileDialog(self._window, field))

    def show_report(self) -> None:
        """Make the FAIR report of the shown run; a run that goes has none yet."""
        page = self._window.centre.current()
        if page is None:
            return
        if page.path is None or page.record.state not in ENDED:
            self._window.tell("info", "The report is made of the file once the run has ended.", toast=True)
            return
        title = page.record.title or page.record.experiment
        self._window.worker.ask(
            lambda report: self._open(title, report), self._failed, work.fair_report, str(page.path)
        )

    def _open(self, title: str, report: Any) -> None:
        from qlab_ui.dialogs.fair import FairPage

        self._window.show_dialog(FairPage(self._window, title, report))

    def _got(self, key: tuple[str, str], items: tuple[Any, ...]) -> None:
        if key == self._asked:
            self._window.record.show_completion(items)

    def _failed(self, error: QlabError) -> None:
        self._window.tell("warning", error.message, error.hint)
