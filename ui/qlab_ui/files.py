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
from qlab_ui import library, text, theme, work
from qlab_ui.atwork import Voice
from qlab_ui.begin import Begin
from qlab_ui.panels.runs import RunsPanel
from qlab_ui.panels.runs_model import Line, line_of_summary
from qlab_ui.pieces import Pieces
from qlab_ui.tabs import Centre
from qlab_ui.worker import Worker

if TYPE_CHECKING:
    from qlab.pulses.wavefile import Waves
    from qlab_ui.page import RunPage

_MOST_RECENT = 10
Opened = tuple[Record, MemoryRows, str]


class Files:
    """Reads what is on disk, never in the window's process."""

    def __init__(
        self,
        centre: Centre,
        runs: RunsPanel,
        worker: Worker,
        pieces: Pieces,
        voice: Voice,
        settings: Settings,
    ) -> None:
        self._pieces = pieces
        self._centre, self._runs, self._worker = centre, runs, worker
        self._voice, self._settings = voice, settings
        self._words = ""  # what is searched for
        self._words_due = False  # there may be other words to search by
        self._other: Path | None = None  # a folder that is looked at, other than the one that data go to

    def refresh(self, query: str | None = None) -> None:
        """List the data folder again."""
        words = self._runs.search.text() if query is None else query
        # Who has scrolled far down the list stays there when a run is added.
        most = max(library.PAGE, self._runs.model.stored()) if words == self._words else library.PAGE
        self._words = words
        self._ask_for(0, most)
        self._words_due = self._words_due or query is None  # the disk may have changed

    def folder(self) -> Path:
        """Return the folder that is listed."""
        return self._other or self._settings.folder()

    def look_at(self, folder: Path | None) -> None:
        """List another folder; None goes back to the one that data go to."""
        self._other = folder
        self._runs.show_folder(folder.name if folder is not None else "")
        self.refresh()

    def drop(self, paths: list[Path]) -> None:
        """Open the files and list the folder that were dropped on the window."""
        for path in paths:
            if path.is_dir():
                self.look_at(path)
            else:
                self.open(path)

    def open(self, path: Path) -> None:
        """Open a file in a tab: a run, any HDF5 file, or waveforms."""
        self._worker.ask(self._show, self._failed, work.open_path, str(path))

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
        if sum(line.path is not None for line in lines) > 1:
            self.read_all(lines, self._overlay)

    def read_all(self, lines: list[Line], use: Callable[[list[Opened]], object]) -> None:
        """Give several runs of the list to a function, in their order."""
        paths = [line for line in lines if line.path is not None]
        got: dict[str, Opened] = {}

        def take(line: Line, opened: Opened) -> None:
            got[line.run] = opened
            if len(got) == len(paths):
                use([got[other.run] for other in paths])

        for line in paths:
            if line.path is not None:
                self._read(line.path, partial(take, line))

    def show_difference(self, one: Opened, other: Opened) -> None:
        """Show one run minus another in a tab of its own."""
        from qlab_ui.derived import DerivedPage
        from qlab_ui.plots.curve import CurveView
        from qlab_ui.plots.data import curve
        from qlab_ui.plots.subtract import subtract

        (record, rows, _), (other_record, other_rows, _) = one, other
        if len(record.axes) > 1 or len(other_record.axes) > 1:
            self._voice.tell("info", "Only curves are subtracted, not maps.", toast=True)
            return
        try:
            drawn = subtract(curve(record, rows), curve(other_record, other_rows))
        except QlabError as error:
            self._failed(error)
            return
        names = [f"{r.title or r.experiment} {text.short_id(r.id)}" for r in (record, other_record)]
        view, simulated = CurveView(), record.simulated or other_record.simulated
        words = " − ".join(names)
        page = DerivedPage("Difference", words, view, simulated=simulated, stem="difference")
        view.mark_as(words, simulated=simulated)
        view.show_curve(drawn)
        self._centre.show_derived(page)

    def overlay_on(self, page: RunPage, opened: list[Opened]) -> None:
        """Draw runs behind the one that is shown, beside those that are there already."""
        from qlab_ui.plots.curve import CurveView
        from qlab_ui.plots.data import Overlay, curve

        # Closed while the others were read: its picture may be another run's now.
        if page not in self._centre.pages():
            return
        view = page.view
        if not isinstance(view, CurveView):
            self._voice.tell("info", "Maps are shown one at a time.", toast=True)
            return
        page.frame()
        new = {r.id for r, _, _ in opened}
        kept = [other for other in view.overlays if other.run not in new]
        fresh = [Overlay(r.title or r.experiment, r.id, curve(r, t)) for r, t, _ in opened if len(r.axes) < 2]
        view.overlay([*kept, *fresh])
        self._colour(page.record.id, [other.run for other in view.overlays])

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
        self._colour(record.id, [r.id for r, _, _ in others])

    def _colour(self, front: str, behind: list[str]) -> None:
        """Give the lines of the list the colours of their curves."""
        series = theme.current().series
        colours = {run: series[2 + place % 5] for place, run in enumerate(behind)}
        self._runs.model.colour({**colours, front: series[0]})

    def _show(self, opened: Opened | Waves) -> None:
        if not isinstance(opened, tuple):
            self._show_waves(opened)
            return
        record, rows, path = opened
        self._centre.open(record, rows, Path(path), soon=True)
        recent = [path, *(old for old in self._settings.recent_files if old != path)]
        self._settings.recent_files = recent[:_MOST_RECENT]
        kept = {*self._settings.recent_files, *self._settings.pinned_files}
        titles = {**self._settings.recent_titles, path: record.title or record.experiment}
        self._settings.recent_titles = {file: title for file, title in titles.items() if file in kept}
        self._pieces.add(self._centre, self.show_recent, key="recent")

    def _show_waves(self, waves: Waves) -> None:
        from qlab_ui.waves import WavesPage

        page = WavesPage(waves, Path(waves.path), self._worker, self._voice)
        self._centre.show_derived(page)
        page.view.fit_view()

    def show_recent(self) -> None:
        """Offer the last files on the welcome."""
        settings = self._settings
        begin = self._centre.welcome.findChild(Begin)
        if begin is not None:
            begin.show_recent(settings.recent_files, settings.pinned_files, settings.recent_titles)

    def pin(self, file: str) -> None:
        """Keep a file among the recent ones, or no longer."""
        pinned = self._settings.pinned_files
        self._settings.pinned_files = [f for f in pinned if f != file] if file in pinned else [*pinned, file]
        self.show_recent()

    def _read(self, path: Path, use: Callable[[Opened], object]) -> None:
        self._worker.ask(use, self._failed, work.open_file, str(path))

    def more(self, offset: int) -> None:
        """List the runs that come after so many."""
        self._ask_for(offset, library.PAGE)

    def _ask_for(self, offset: int, most: int) -> None:
        done, folder = partial(self._listed, self._words), str(self.folder())
        self._worker.ask(done, self._not_listed, library.list_folder, folder, self._words, offset, most)

    def _listed(self, words: str, page: library.Page) -> None:
        """Show a page of the list, unless something else has been searched for meanwhile."""
        if words != self._words:
            return
        lines = [line_of_summary(run) for run in page.runs]
        self._runs.show_stored(lines, offset=page.offset, count=page.count, left=page.left)
        if page.left:
            self.refresh(words)
        elif self._words_due:
            self._words_due = False
            self._worker.ask(
                self._runs.show_words, self._not_listed, library.search_words, str(self.folder())
            )

    def _not_listed(self, error: QlabError) -> None:
        """Say what is wrong with a search below its line; the list stays as it was."""
        self._runs.finder.show_problem(str(error))

    def _failed(self, error: QlabError) -> None:
        self._voice.tell("error", error.message, error.hint, toast=True)
