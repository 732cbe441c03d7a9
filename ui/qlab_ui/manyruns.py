"""What is done with the runs chosen in the list: deleted and put back, subtracted, plotted against, fitted again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QUndoCommand

from qlab.errors import QlabError
from qlab.record import FitResult
from qlab_ui import library, text
from qlab_ui.panels.runs_model import Line

if TYPE_CHECKING:
    from qlab_ui.library import Quantities
    from qlab_ui.window import MainWindow

_MOST_TREND = 2000


class Delete(QUndoCommand):
    """Runs went to the trash; undone they come back."""

    def __init__(self, trash: Callable[[list[str], Delete], None], restore: Callable[[list[str]], None],
                 paths: list[str]) -> None:  # fmt: skip
        super().__init__("deletion of a run" if len(paths) == 1 else f"deletion of {len(paths)} runs")
        self._trash, self._restore, self._paths = trash, restore, paths
        self.there: list[str] = []

    def redo(self) -> None:
        """Move the runs to the trash."""
        self._trash(self._paths, self)

    def undo(self) -> None:
        """Put the runs back."""
        self._restore(self.there)


class ManyRuns:
    """Commands on chosen runs; each public method is the slot of an `Action`."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def connect(self) -> None:
        """Follow the list and what is dragged from it, once there is a window."""
        window = self._window
        window.runs.commandWanted.connect(window.call)
        window.runs.show_as(window.settings.runs_shown)
        window.runs.gallery.picturesWanted.connect(self._pictures)
        window.centre.runsDropped.connect(self.overlay)
        window.form.runsDropped.connect(self.load_dropped)

    def delete_runs(self) -> None:
        """Move the chosen runs to the trash."""
        window = self._window
        going = [
            line
            for line in window.runs.chosen()
            if line.state in {"queued", "preparing", "running", "paused"}
        ]
        paths = [
            str(line.path) for line in window.runs.chosen() if line.path is not None and line not in going
        ]
        if going:
            window.tell("warning", "A run that goes cannot be deleted.", "Stop it first.", toast=True)
        if paths:
            window.form.undo_stack.push(Delete(self._to_trash, self._from_trash, paths))

    def show_trash(self) -> None:
        """Show what was deleted from the folder that is listed."""
        from qlab_ui.dialogs.trash import Trash

        window = self._window
        window.worker.ask(
            lambda runs: window.show_dialog(Trash(window, runs, self._from_trash)),
            self._failed, library.in_trash, str(window.files.folder()),
        )  # fmt: skip

    def subtract(self) -> None:
        """Show the first chosen run minus the second."""
        window, lines = self._window, self._window.runs.chosen()
        if len(lines) == 2:
            window.files.read_all(lines, lambda opened: window.files.show_difference(opened[0], opened[1]))

    def trend(self) -> None:
        """Plot a number of each chosen run against another."""
        lines = [line for line in self._window.runs.chosen() if line.path is not None][:_MOST_TREND]
        found: list[Quantities] = []

        def got(one: Quantities) -> None:
            found.append(one)
            if len(found) == len(lines):
                self._show_trend(found)

        for line in lines:
            self._window.worker.ask(got, self._failed, library.quantities, str(line.path))

    def refit(self) -> None:
        """Fit the chosen runs with one model."""
        from qlab.registry import plugins
        from qlab_ui.dialogs.refit import Refit

        window = self._window
        dialog = Refit(window, window.runs.chosen(), sorted(plugins("fits")), self._fit)
        dialog.plotWanted.connect(lambda: window.call("trend"))
        window.show_dialog(dialog)

    def open_examples(self) -> None:
        """List the example runs; those that are missing are simulated."""
        self._window.examples.open()

    def runs_as_table(self) -> None:
        """Show the runs as a table."""
        self._show_as("table")

    def runs_as_pictures(self) -> None:
        """Show the runs as pictures."""
        self._show_as("grid")

    def _show_as(self, kind: str) -> None:
        self._window.runs.show_as(kind)
        self._window.settings.runs_shown = kind

    def overlay(self, data: QMimeData) -> None:
        """Draw dragged runs over the one in front; where there is none, open them."""
        window = self._window
        lines = window.runs.model.of(data)
        page = window.centre.current()
        if page is None:
            for line in lines:
                window.files.open_line(line)
            return
        others = [line for line in lines if line.run != page.record.id]
        window.files.read_all(others, partial(window.files.overlay_on, page))

    def load_dropped(self, data: QMimeData) -> None:
        """Load the values of a dragged run into the form."""
        for line in self._window.runs.model.of(data)[:1]:
            self._window.files.with_record(line, self._window.bench.load_record)

    def _fit(
        self, line: Line, model: str, keep: bool, answer: Callable[[FitResult | QlabError], object]
    ) -> None:
        self._window.worker.ask(answer, answer, library.refit, str(line.path), model, keep)

    def _show_trend(self, found: list[Quantities]) -> None:
        from qlab_ui.trend import TrendPage

        window = self._window
        by_run = {line.run: line for line in window.runs.model.lines}

        def opened(run: Quantities) -> None:
            line = by_run.get(run.run) or Line(run.run, run.title, "", "finished")
            window.files.open_line(line)

        if not any(run.values for run in found):
            window.tell("warning", "The chosen runs hold no number to plot.", "Fit them first.", toast=True)
            return
        window.centre.show_derived(TrendPage(found, opened))

    def _to_trash(self, paths: list[str], deletion: Delete) -> None:
        window = self._window
        window.runs.model.take_out(set(paths))

        def moved(answer: tuple[list[tuple[str, str]], str]) -> None:
            pairs, failed = answer
            deletion.there = [there for _, there in pairs]
            if failed:
                window.tell("error", failed, toast=True)
            if pairs:
                many = len(pairs) > 1
                words = (
                    f"{text.count(len(pairs))} runs are in the trash" if many else "The run is in the trash"
                )
                window.tell("info", f"{words}; Undo brings {'them' if many else 'it'} back.", toast=True)
            window.files.refresh()

        window.worker.ask(moved, self._failed, library.to_trash, paths, str(window.files.folder()))

    def _from_trash(self, paths: list[str]) -> None:
        window = self._window

        def back(answer: tuple[list[str], str]) -> None:
            if answer[1]:
                window.tell("error", answer[1], toast=True)
            window.files.refresh()

        if paths:
            window.worker.ask(back, self._failed, library.from_trash, paths)

    def _pictures(self, paths: list[str]) -> None:
        take = partial(self._window.runs.gallery.take, paths)
        folder = str(self._window.files.folder())
        self._window.worker.ask(take, lambda _error: take({}), library.small_pictures, folder, paths)

    def _failed(self, error: QlabError) -> None:
        self._window.tell("error", error.message, error.hint, toast=True)
