"""Runs in files: listed, opened and compared, read by the worker."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qlab.errors import QlabError
from qlab.grid import MemoryRows
from qlab.record import Record
from qlab.settings import Settings
from qlab_ui import theme, work
from qlab_ui.atwork import Voice
from qlab_ui.panels.runs import RunsPanel
from qlab_ui.panels.runs_model import Line, line_of_summary
from qlab_ui.tabs import Centre
from qlab_ui.worker import Worker

if TYPE_CHECKING:
    from qlab_ui.page import RunPage

_MOST_RECENT = 10
Opened = tuple[Record, MemoryRows, str]


class Files:
    """Reads what is on disk, never in the window's process."""

    def __init__(
        self, centre: Centre, runs: RunsPanel, worker: Worker, voice: Voice, settings: Settings
    ) -> None:
        self._centre, self._runs, self._worker = centre, runs, worker
        self._voice, self._settings = voice, settings
        self._other: Path | None = None  # a folder that is looked at, other than the one that data go to

    def refresh(self, query: str | None = None) -> None:
        """List the data folder again."""
        words = self._runs.search.text() if query is None else query
        self._worker.ask(
            self._listed, self._failed, work.list_folder, str(self._other or self._settings.folder()), words
        )

    def look_at(self, folder: Path | None) -> None:
        """List another folder; None goes back to the one that data go to."""
        self._other = folder
        self.refresh()

    def drop(self, paths: list[Path]) -> None:
        """Open the files and list the folder that were dropped on the window."""
        for path in paths:
            if path.is_dir():
                self.look_at(path)
            else:
                self.open(path)

    def open(self, path: Path) -> None:
        """Open a run file in a tab."""
        self._read(path, self._show)

    def open_line(self, line: Line) -> None:
        """Open a run of the list, or go to its tab."""
        page = self._centre.page(line.run)
        if page is not None:
            self._centre.setCurrentWidget(self._centre.tabs)
            self._centre.tabs.setCurrentWidget(page)
        elif line.path is not None:
            self.open(line.path)

    def with_record(self, line: Line, use: Callable[[Record], object]) -> None:
        """Give the record of a run of the list to a function."""
        page = self._centre.page(line.run)
        if page is not None:
            use(page.record)
        elif line.path is not None:
            self._read(line.path, lambda got: use(got[0]))

    def compare(self, lines: list[Line]) -> None:
        """Draw several runs over each other: the first in front, the others behind it."""
        paths = [line for line in lines if line.path is not None]
        got: dict[str, Opened] = {}

        def take(line: Line, opened: Opened) -> None:
            got[line.run] = opened
            if len(got) == len(paths):
                self._overlay([got[other.run] for other in paths])

        if len(paths) < 2:
            return
        for line in paths:
            if line.path is not None:
                self._read(line.path, partial(take, line))

    def show_clouds(self, page: RunPage, row: int) -> None:
        """Read the single shots of a row of a run that is shown."""
        if page.path is None:
            return
        run = page.record.id

        def got(clouds: work.Clouds) -> None:
            if (shown := self._centre.page(run)) is not None:
                shown.show_clouds(clouds)

        self._worker.ask(got, self._failed, work.read_clouds, str(page.path), row)

    def _overlay(self, opened: list[Opened]) -> None:
        from qlab_ui.plots.curve import CurveView
        from qlab_ui.plots.data import Overlay, curve

        record, rows, path = opened[0]
        page = self._centre.open(record, rows, Path(path))
        if not isinstance(page.view, CurveView):
            self._voice.tell("info", "Maps are shown one at a time.", toast=True)
            return
        page.frame()
        others = [other for other in opened[1:] if len(other[0].axes) < 2]
        page.view.overlay([Overlay(r.title or r.experiment, r.id, curve(r, t)) for r, t, _ in others])
        series = theme.current().series
        colours = {r.id: series[2 + place % 5] for place, (r, _, _) in enumerate(others)}
        self._runs.model.colour({**colours, record.id: series[0]})

    def _show(self, opened: Opened) -> None:
        record, rows, path = opened
        self._centre.open(record, rows, Path(path))
        recent = [path, *(old for old in self._settings.recent_files if old != path)]
        self._settings.recent_files = recent[:_MOST_RECENT]

    def _read(self, path: Path, use: Callable[[Opened], object]) -> None:
        self._worker.ask(use, self._failed, work.open_file, str(path))

    def _listed(self, summaries: list[work.Listed]) -> None:
        self._runs.show_stored([line_of_summary(summary) for summary in summaries])

    def _failed(self, error: QlabError) -> None:
        self._voice.tell("error", error.message, error.hint, toast=True)
