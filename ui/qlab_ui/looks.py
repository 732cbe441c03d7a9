"""What the actions do to what is seen: plot, theme, panes, pages of help."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget

from qlab_ui import icons, layout
from qlab_ui.actions import ACTIONS
from qlab_ui.dialogs import error, pages

if TYPE_CHECKING:
    from qlab_ui.plots.view import View
    from qlab_ui.window import MainWindow


class Looks:
    """Commands that change what is shown, never what is measured."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def fit_view(self) -> None:
        """Show everything that is drawn."""
        if view := self._view():
            view.fit_view()

    def autoscale(self) -> None:
        """Let the vertical axis follow the data."""
        if view := self._view():
            view.autoscale()

    def log_x(self) -> None:
        """Turn the horizontal axis to a logarithmic one or back."""
        if view := self._view():
            view.toggle_log(0)

    def log_y(self) -> None:
        """Turn the vertical axis to a logarithmic one or back."""
        if view := self._view():
            view.toggle_log(1)

    def grid(self) -> None:
        """Show or hide the grid."""
        if view := self._view():
            view.toggle_grid()

    def cursor(self) -> None:
        """Show or hide the readout."""
        if view := self._view():
            view.toggle_cursor()

    def measure(self) -> None:
        """Show or hide what measures: two cursors on a curve, a region on a map."""
        self._tool("measure", "Nothing can be measured in this view.")

    def cuts(self) -> None:
        """Show or hide the cuts of a map."""
        self._tool("cuts", "Cuts are made of maps.")

    def histogram(self) -> None:
        """Show or hide how often each value occurs."""
        self._tool("histogram", "This view has no histogram.")

    def _tool(self, name: str, none: str) -> None:
        view = self._view()
        if view is not None and not view.toggle_tool(name):
            self._window.tell("info", none, toast=True)

    def reveal(self) -> None:
        """Show or hide the truth of simulated runs."""
        self._window.settings.reveal = not self._window.settings.reveal
        self._window.keep_settings()
        self._window.reveal()

    def expected_curve(self) -> None:
        """Draw the expected curve or leave it out."""
        self._window.settings.expected_curve = not self._window.settings.expected_curve
        self._window.keep_settings()
        self._window.expecting.again()

    def tour(self) -> None:
        """Show the window step by step."""
        self._window.tour.begin()

    def theme_system(self) -> None:
        """Follow the desktop."""
        self._theme("system")

    def theme_light(self) -> None:
        """Use the light theme."""
        self._theme("light")

    def theme_dark(self) -> None:
        """Use the dark theme."""
        self._theme("dark")

    def larger(self) -> None:
        """Make text larger."""
        self._size(10)

    def smaller(self) -> None:
        """Make text smaller."""
        self._size(-10)

    def full_screen(self) -> None:
        """Fill the screen or not."""
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def command_palette(self) -> None:
        """Offer every command by name."""
        from qlab_ui.dialogs.commands import CommandPalette, Entry

        window = self._window
        entries = []
        for action in ACTIONS:
            made = window.bars.actions[action.id]
            if action.id != "palette" and made.isEnabled():
                key = pages.shown(action.keys[0]) if action.keys else ""
                sign = icons.icon(action.icon) if action.icon else icons.blank()
                entries.append(Entry(action.text.rstrip("…"), key, sign, made.trigger))
        for entry in window.bench.catalogue:
            if "broken" not in entry:
                name = entry["name"]
                words = f"Experiment: {entry.get('title') or name} ({name})"
                entries.append(Entry(words, "", icons.icon("fit"), partial(window.experiments.choose, name)))
        window.show_dialog(CommandPalette(window, entries))

    def shortcuts(self) -> None:
        """Show the keys."""
        self._window.show_dialog(pages.shortcuts(self._window))

    def help_here(self) -> None:
        """Show what the chosen experiment is."""
        self._go("help", self._window.help)

    def about(self) -> None:
        """Show what qlab is and which versions run."""
        words = "qlab: quantum metrology and sensing, simulated and measured.\n\n" + "\n".join(
            error.versions()
        )
        self._window.show_dialog(pages.reading(self._window, "About qlab", words, "about"))

    def copy_report(self) -> None:
        """Copy versions and the last lines of the log."""
        QApplication.clipboard().setText("\n".join([*error.versions(), "", *self._window.log.lines()]))
        self._window.tell("info", "The report is on the clipboard.", toast=True)

    def preferences(self) -> None:
        """Show the preferences."""
        from qlab_ui.dialogs.preferences import Preferences

        self._window.show_dialog(
            Preferences(self._window, self._window.settings, self._window.apply_settings)
        )

    def find_run(self) -> None:
        """Go to the search of the runs."""
        self._go("runs", self._window.runs.search)
        self._window.runs.search.selectAll()

    def find_experiment(self) -> None:
        """Go to the search of the experiments."""
        self._go("experiments", self._window.experiments.search)
        self._window.experiments.search.selectAll()

    def pane_1(self) -> None:
        """Go to the experiments."""
        self._go("experiments", self._window.experiments.tree)

    def pane_2(self) -> None:
        """Go to the parameters."""
        self._go("parameters", self._window.form)

    def pane_3(self) -> None:
        """Go to the plot."""
        page = self._window.centre.current()
        (page or self._window.centre.welcome).setFocus(Qt.FocusReason.ShortcutFocusReason)

    def pane_4(self) -> None:
        """Go to the runs."""
        self._go("runs", self._window.runs.table)

    def pane_5(self) -> None:
        """Go to the result."""
        self._go("result", self._window.result.copy_button)

    def pane_6(self) -> None:
        """Go to the log."""
        self._go("log", self._window.log)
        self._window.log.seen()

    def pane_7(self) -> None:
        """Go to the queue."""
        self._go("queue", self._window.queue.table)

    def pane_8(self) -> None:
        """Go to the instruments."""
        self._go("instruments", self._window.instruments)

    def pane_9(self) -> None:
        """Go to the sequence."""
        self._go("sequence", self._window.sequence.canvas)

    def pane_10(self) -> None:
        """Go to the notes."""
        self._go("notes", self._window.notes.text)

    def layout_measure(self) -> None:
        """Everything for measuring."""
        layout.arrange(self._window, self._window.docks, "measure")

    def layout_analyse(self) -> None:
        """Runs and results, without the form."""
        layout.arrange(self._window, self._window.docks, "analyse")

    def layout_teach(self) -> None:
        """The sequence and the help beside the plot."""
        layout.arrange(self._window, self._window.docks, "teach")

    def reset_layout(self) -> None:
        """Put every pane where it stood at first."""
        layout.arrange(self._window, self._window.docks)

    def _view(self) -> View | None:
        page = self._window.centre.drawn()
        return page.view if page is not None else None

    def _theme(self, name: str) -> None:
        self._window.settings.theme = name
        self._window.apply_settings()

    def _size(self, step: int) -> None:
        settings = self._window.settings
        settings.text_size = min(max(settings.text_size + step, 80), 200)
        self._window.apply_settings()

    def _go(self, dock: str, widget: QWidget) -> None:
        self._window.docks[dock].show()
        self._window.docks[dock].raise_()
        widget.setFocus(Qt.FocusReason.ShortcutFocusReason)
