"""Keeps the pulse view with what is looked at: the form before a run, the shown run once it has played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qlab.errors import QlabError
from qlab.record import Record
from qlab.session import Event
from qlab_ui import sequence, text
from qlab_ui.panels.sequence import NOTHING
from qlab_ui.sequence import Played

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow

_WAIT = "The sequence appears here when the bench has read the form."


class Playing:
    """Asks the worker to lay out a program when the pulse view is seen and the program is another."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._form: dict[str, Any] | None = None  # the program that the form would play
        self._drawn: tuple[str, dict[str, Any] | None] | None = None
        self._underway = False
        self._seen = False
        self._read = False  # whether the bench has read a form yet
        window.docks["sequence"].visibilityChanged.connect(self._looked_at)
        self._edited = True  # the form was changed after the run was shown
        window.feed.on("checked", self._checked)

    def consider(self) -> None:
        """Draw what is due: called with each frame."""
        panel = self._window.sequence
        if self._underway or not self._seen:
            return
        source, program = self._wanted()
        if self._drawn is not None and self._drawn[0] == source and self._drawn[1] is program:
            return
        self._drawn = (source, program)
        if program is None:
            panel.show_played(None, "", _WAIT if not self._window.bench.ready or not self._read else NOTHING)
            return
        self._underway = True
        self._window.worker.ask(
            lambda played: self._got(source, played), self._failed, sequence.lay_out, program
        )

    def _looked_at(self, seen: bool) -> None:
        self._seen = seen

    def shown(self) -> None:
        """Another run is looked at: what it played is wanted now."""
        self._edited = False

    def record(self) -> Record | None:
        """Return the run whose sequence is drawn; None for that of the form."""
        page = self._window.centre.current()
        return page.record if page is not None and page.record.programs and not self._edited else None

    def _wanted(self) -> tuple[str, dict[str, Any] | None]:
        record = self.record()
        if record is not None:
            return f"played in run {text.short_id(record.id)}", record.programs[-1]
        return "as the form says", self._form

    def _checked(self, event: Event) -> None:
        self._read = self._read or not event.get("problems")
        program = event.get("program")
        if isinstance(program, dict) and program != self._form:
            self._edited = self._form is not None or self._edited
            self._form = program
        elif program is None and not event.get("problems"):
            self._form = None

    def _got(self, source: str, played: Played) -> None:
        self._underway = False
        self._window.sequence.show_played(played, source)

    def _failed(self, error: QlabError) -> None:
        self._underway = False
        self._window.sequence.show_played(None, "", str(error))
