"""What the actions do: runs, files, analysis. Each public method is the slot of an `Action`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QFileDialog

from qlab.errors import QlabError
from qlab.export.endings import format_of
from qlab.record import ENDED, Record
from qlab.session import Command, Loop, Order
from qlab_ui import library, text, work
from qlab_ui.derived import DerivedPage
from qlab_ui.page import RunPage

if TYPE_CHECKING:
    from qlab_ui.window import MainWindow


_SWEPT = {"quantity", "integer", "number"}  # kinds of field that a study can step through


# What a whole run can be written as: words of the dialog -> (exporter, ending).
_WHOLE = {
    "Whole run: Jupyter notebook (*.ipynb)": ("notebook", "ipynb"),
    "Whole run: report (*.html)": ("report", "html"),
    "Whole run: figure for paper (*.pdf)": ("figure", "pdf"),
    "Whole run: netCDF (*.nc)": ("netcdf", "nc"),
    "Whole run: Parquet (*.parquet)": ("parquet", "parquet"),
    "Whole run: table (*.csv)": ("csv", "csv"),
    "Whole run: RO-Crate (*.zip)": ("ro-crate", "zip"),
}


class Commands:
    """Commands that measure, open, save and analyse."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def run(self) -> None:
        """Measure next with the values of the form, also where the queue is held."""
        self._order(now=True)

    def queue(self) -> None:
        """Measure after the runs that wait."""
        self._order(now=False)

    def study(self) -> None:
        """Ask over which values whole runs are to be swept."""
        window = self._window
        entry = window.bench.entry(window.form.experiment)
        if entry is None:
            return
        fields = [
            (str(f["name"]), str(f.get("unit") or "1"))
            for f in entry.get("fields", ())
            if f["kind"] in _SWEPT
        ]
        names = fields + list(window.instruments.readouts().items())
        title = str(entry.get("title") or entry["name"])
        # Dialogs are loaded when they are asked for, not at the start.
        from qlab_ui.dialogs.study import Study

        window.show_dialog(Study(window, title, names, lambda loops: self._order(now=False, loops=loops)))

    def again(self) -> None:
        """Run the shown run again, its values in the form."""
        page = self._page()
        if page is not None and self._window.bench.load_record(page.record):
            self.run()

    def load_settings(self) -> None:
        """Fill the form with the values of the shown run."""
        page = self._page()
        if page is not None:
            self._window.bench.load_record(page.record)

    def pause(self) -> None:
        """Pause at the next point, or go on."""
        self._command("resume" if self._window.at_work.paused else "pause")

    def stop(self) -> None:
        """End the run at the next point."""
        self._command("stop")

    def halt(self) -> None:
        """End the run at once."""
        self._command("halt")

    def skip(self) -> None:
        """End the run at the next point and go on with the queue."""
        self._command("skip")

    def hold(self) -> None:
        """Start no other run, or go on with the queue."""
        self._command("release" if self._window.queue.held else "hold")

    def extend(self) -> None:
        """Ask how many passes more the run that goes is to have."""
        window, run = self._window, self._window.at_work.current
        page = window.centre.page(run)
        if page is None or window.at_work.states.get(run) in ENDED:
            return
        passes = page.record.parameters.get("passes")
        more = passes if isinstance(passes, int) and passes > 0 else 1
        from qlab_ui.dialogs.extend import Extend

        window.show_dialog(
            Extend(window, page.record.title, more, lambda count: window.hands.extend(run, count))
        )

    def watchdogs(self) -> None:
        """Edit the watchdogs of the bench."""
        window = self._window
        readouts = window.instruments.readouts()
        page = window.centre.page(window.at_work.current)
        for column in page.record.columns if page is not None else ():
            if not column.shape:
                readouts[column.name] = column.unit
        from qlab_ui.dialogs.watchdogs import Watchdogs

        window.show_dialog(
            Watchdogs(window, window.settings.bench, window.hands.rules, readouts, window.hands.set_rules)
        )

    def make_safe(self) -> None:
        """Bring every instrument to its safe state."""
        self._window.bench.safe_wanted = True
        self._command("make_safe")

    def open_runs(self) -> None:
        """Choose run files and open them."""
        dialog = QFileDialog(self._window, "Open runs", str(self._window.settings.folder()), "Runs (*.h5)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._open_all)
        self._window.show_dialog(dialog)

    def _open_all(self, files: list[str]) -> None:
        for file in files:
            self._window.files.open(Path(file))

    def open_folder(self) -> None:
        """List the runs of another folder, and keep data there from now on."""
        dialog = QFileDialog(self._window, "Where data are kept", str(self._window.settings.folder()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._window.set_folder)
        self._window.show_dialog(dialog)

    def save_notes(self) -> None:
        """Keep what is written about the shown run."""
        self._window.notes.keep()

    def open_bench(self) -> None:
        """Choose a bench file and measure with it."""
        from qlab.settings import benches_folder

        window = self._window
        start = benches_folder() if benches_folder().is_dir() else Path.home()
        dialog = QFileDialog(window, "Open a bench file", str(start), "Benches (*.toml)")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(window.bench.use)
        window.show_dialog(dialog)

    def edit_bench(self) -> None:
        """Edit the bench in use, or a copy of it where it is a preset."""
        from qlab.settings import benches_folder
        from qlab_ui.benches.editor import BenchEditor

        window = self._window
        bench = window.settings.bench
        folder = Path(bench).parent if bench.endswith(".toml") else benches_folder()
        window.show_dialog(BenchEditor(window, bench, folder, window.bench.use))

    def simulated_world(self) -> None:
        """Change what is hidden in the simulated bench, for the runs that follow."""
        from qlab_ui.dialogs.world import SimulatedWorld

        window, bench = self._window, self._window.settings.bench

        def show(fields: list[dict[str, object]]) -> None:
            if not fields:
                window.tell("info", "This bench is real: what is hidden in it is to be measured.", toast=True)
                return
            changed = window.bench.truths.get(bench, {})
            window.show_dialog(
                SimulatedWorld(window, fields, changed, lambda truth: window.bench.hide(bench, truth))
            )

        def failed(error: QlabError) -> None:
            window.tell("error", error.message, error.hint, toast=True)

        window.worker.ask(show, failed, work.world_fields, bench)

    def profile(self) -> None:
        """Fill in who measures, once."""
        self._window.fair.edit_profile("")

    def fair_report(self) -> None:
        """Show what the shown file meets of the FAIR metrics."""
        self._window.fair.show_report()

    def export(self) -> None:
        """Save the picture as PNG or the values as CSV."""
        page = self._window.centre.drawn()
        if page is None:
            return
        dialog = QFileDialog(self._window, "Export", str(Path.home()))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        seen = {"Values that are shown (*.csv)": "csv", "Picture as it is shown (*.png)": "png"}
        whole = _WHOLE if isinstance(page, RunPage) and page.path is not None and not page.live() else {}
        dialog.setNameFilters([*seen, *whole])
        dialog.setDefaultSuffix("csv")
        dialog.filterSelected.connect(
            lambda chosen: dialog.setDefaultSuffix(seen.get(chosen) or whole[chosen][1])
        )
        dialog.selectFile(_stem(page))

        def chosen(file: str) -> None:
            to, ending = whole.get(dialog.selectedNameFilter(), ("", ""))
            suffix = Path(file).suffix[1:].lower()
            # An ending that was typed says what is wanted, whatever kind the dialog was opened with.
            if whole and suffix not in {ending, *seen.values()}:
                to = format_of(file) or to
            if to and isinstance(page, RunPage):
                self._export_whole(page, Path(file), to)
            else:
                self.save_as(Path(file))

        dialog.fileSelected.connect(chosen)
        self._window.show_dialog(dialog)

    def _export_whole(self, page: RunPage, out: Path, to: str) -> None:
        """Let the worker write the whole run in another format."""
        window = self._window
        window.worker.ask(
            lambda made: window.tell("info", f"Saved {made}", toast=True),
            lambda error: window.tell("error", error.message, error.hint, toast=True),
            library.export_run, str(page.path), str(out), to,
        )  # fmt: skip

    def save_as(self, path: Path) -> None:
        """Save the shown run as a picture or as values, after the ending of the name."""
        page = self._window.centre.drawn()
        if page is None:
            return
        try:
            if path.suffix.lower() == ".png":
                _write_picture(path, page.view.image())
            else:
                work.write_csv(str(path), page.view.table(), _comment(page))
        except QlabError as error:
            self._window.tell("error", error.message, error.hint, toast=True)
            return
        self._window.tell("info", f"Saved {path}", toast=True)

    def copy_figure(self) -> None:
        """Put the picture on the clipboard."""
        if (page := self._window.centre.drawn()) is not None:
            QApplication.clipboard().setImage(page.view.image())
            self._window.tell("info", "The figure is on the clipboard.", toast=True)

    def copy_values(self) -> None:
        """Put the drawn values on the clipboard, separated by tabs."""
        page = self._window.centre.drawn()
        columns = page.view.table() if page is not None else []
        if page is None or not columns:
            return
        lines = ["\t".join(name for name, _ in columns)]
        lines += ["\t".join(map(repr, row)) for row in zip(*(values for _, values in columns), strict=True)]
        QApplication.clipboard().setText("\n".join(lines))
        self._window.tell("info", f"{len(lines) - 1} points are on the clipboard.", toast=True)

    def undo(self) -> None:
        """Take back the last change of the form."""
        self._window.form.undo_stack.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._window.form.undo_stack.redo()

    def reset_form(self) -> None:
        """Put every parameter back to its default."""
        self._window.form.reset()

    def fit(self) -> None:
        """Fit the shown run afresh."""
        if self._window.bars.fit_box.currentIndex() == self._window.bars.fit_box.count() - 1:
            self._window.bars.fit_box.setCurrentIndex(0)
        self._window.fitting.choose(str(self._window.bars.fit_box.currentData() or ""))

    def next_fit(self) -> None:
        """Take the next model of the chooser."""
        box = self._window.bars.fit_box
        box.setCurrentIndex((box.currentIndex() + 1) % max(box.count(), 1))
        self._window.fitting.choose(str(box.currentData() or ""))

    def compare(self) -> None:
        """Draw the runs chosen in the list over each other."""
        self._window.files.compare(self._window.runs.chosen())

    def difference(self) -> None:
        """Show in which settings the two chosen runs differ."""
        window, lines = self._window, self._window.runs.chosen()
        if len(lines) != 2:
            return
        from qlab_ui.dialogs.difference import Difference

        def first(one: Record) -> None:
            window.files.with_record(
                lines[1], lambda other: window.show_dialog(Difference(window, one, other))
            )

        window.files.with_record(lines[0], first)

    def copy_result(self) -> None:
        """Copy the values of the fit with full precision."""
        self._window.result.copy()
        self._window.tell("info", "The result is on the clipboard.", toast=True)

    def close_tab(self) -> None:
        """Close the tab in front."""
        self._window.centre.close_current()

    def leave(self) -> None:
        """Close the window; a run goes on."""
        self._window.close()

    def _page(self) -> RunPage | None:
        return self._window.centre.current()

    def _order(self, *, now: bool, loops: tuple[Loop, ...] = ()) -> None:
        """Order what the form says; a value that is refused is shown instead."""
        window = self._window
        if not window.form.experiment:
            return
        if window.form.focus_problem():
            window.tell("warning", "A value of the form is refused: see the line below it.", toast=True)
            return
        window.settings.last_values[window.form.experiment] = window.form.changes()
        self._submit(window.form.experiment, window.form.values(), now=now, loops=loops)

    def _submit(
        self, experiment: str, parameters: dict[str, object], *, now: bool, loops: tuple[Loop, ...]
    ) -> None:
        window = self._window
        order = Order(
            experiment=experiment,
            parameters=parameters,
            bench=window.settings.bench,
            out=str(window.settings.folder()),
            pace=window.settings.pace_seconds or None,
            now=now,
            truth=dict(window.bench.truths.get(window.settings.bench, {})),
            loops=loops,
        )
        try:
            window.feed.session.submit(order)
        except QlabError as error:
            window.tell("error", error.message, error.hint, toast=True)

    def _command(self, what: Command) -> None:
        try:
            self._window.feed.session.command(what)
        except QlabError as error:
            self._window.tell("error", error.message, error.hint, toast=True)


def _stem(page: RunPage | DerivedPage) -> str:
    if isinstance(page, DerivedPage):
        return page.stem
    return f"{page.record.experiment}-{text.short_id(page.record.id)}"


def _write_picture(path: Path, image: QImage) -> None:
    """Write a picture, whole or not at all."""
    from qlab.export.writing import whole

    with whole(path) as place:
        if not image.save(str(place)):
            raise OSError("no such folder, or no room in it")


def _comment(page: RunPage | DerivedPage) -> str:
    if isinstance(page, DerivedPage):
        return f"{page.windowTitle()}: {page.about()}"
    sim = "simulated, " if page.record.simulated else ""
    return f"{page.record.title} ({page.record.experiment}), {sim}run {page.record.id}"
