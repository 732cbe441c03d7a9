"""The main window: what it is made of, the timer that drains and draws, and its closing."""

import time
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDesktopServices, QDragEnterEvent, QDropEvent, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow

from qlab.record import ENDED
from qlab.session import Event, Session
from qlab.settings import Settings, save_settings
from qlab_ui import layout, theme
from qlab_ui.actions import Situation
from qlab_ui.atwork import AtWork
from qlab_ui.bars import Bars
from qlab_ui.bench import BenchSide
from qlab_ui.commands import Commands
from qlab_ui.dialogs.error import ErrorDialog
from qlab_ui.examples import Examples
from qlab_ui.expecting import Expecting
from qlab_ui.fair import Fair
from qlab_ui.feed import Feed
from qlab_ui.files import Files
from qlab_ui.fitting import Fitting
from qlab_ui.form.form import Form
from qlab_ui.form.presets import Presets
from qlab_ui.hands import Hands
from qlab_ui.looks import Looks
from qlab_ui.manyruns import ManyRuns
from qlab_ui.notices import Notices
from qlab_ui.noting import Noting
from qlab_ui.panels.experiments import ExperimentsPanel
from qlab_ui.panels.help import HelpPanel
from qlab_ui.panels.instruments import InstrumentsPanel
from qlab_ui.panels.log import LogPanel
from qlab_ui.panels.metadata import MetadataPanel
from qlab_ui.panels.notes import NotesPanel
from qlab_ui.panels.queue import QueuePanel
from qlab_ui.panels.result import ResultPanel
from qlab_ui.panels.runs import RunsPanel
from qlab_ui.panels.sequence import SequencePanel
from qlab_ui.pieces import Pieces
from qlab_ui.playing import Playing
from qlab_ui.states import States
from qlab_ui.statusline import StatusLine
from qlab_ui.tabs import Centre
from qlab_ui.toasts import Toasts
from qlab_ui.tour import Tour
from qlab_ui.warmup import WarmUp
from qlab_ui.welcome import Welcome
from qlab_ui.worker import ProcessWorker, Worker

TURN_MS = 16
_QUICK = 0.001  # s


class MainWindow(QMainWindow):
    """The window of one session."""

    seen = Signal()  # it has been painted for the first time

    def __init__(self, session: Session, settings: Settings, worker: Worker | None = None) -> None:
        super().__init__()
        self.setObjectName("main")
        self.settings = settings
        self.feed = Feed(session)
        self.worker: Worker = worker or ProcessWorker()
        self._look = ""
        self._frames = 0
        self._painted = False
        self._warm_up = WarmUp(self)
        self._heard = False  # whether the last turn was one of hearing
        self.pieces = Pieces(self)
        self._apart = False  # whether the last turn was one of a piece
        self._build()
        self._connect()
        self.reveal()
        self.bench.recall()
        for line in layout.restore(self, settings):
            self.tell("warning", line)
        self.bench.show_name()
        self.timer = QTimer(self, interval=TURN_MS)
        self.timer.timeout.connect(self._turn)

    def _build(self) -> None:
        self.welcome = Welcome()
        self.centre = Centre(self.welcome, self.pieces, self)
        self.setCentralWidget(self.centre)
        self.experiments, self.form, self.runs = ExperimentsPanel(), Form(), RunsPanel()
        self.presets = Presets(self.form, self.settings, self.keep_settings, self.form)
        self.form.put_beside_title(self.presets)
        self.queue, self.instruments, self.sequence = QueuePanel(), InstrumentsPanel(), SequencePanel()
        self.log, self.result = LogPanel(), ResultPanel()
        self.record, self.notes, self.help = MetadataPanel(), NotesPanel(), HelpPanel()
        self.status = StatusLine(self)
        self.setStatusBar(self.status)
        self.status.rest()
        self.status.show_folder(self.settings.folder())
        self.toasts = Toasts(self)
        self.bars = Bars(self, self.centre, self.runs.views, self.call)
        self.many = ManyRuns(self)
        self._commands = (Commands(self), Looks(self), self.many)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 200, metrics.height() * 56)
        panes = {
            "experiments": self.experiments, "parameters": self.form, "runs": self.runs,
            "queue": self.queue, "instruments": self.instruments, "sequence": self.sequence,
            "log": self.log, "result": self.result, "metadata": self.record, "notes": self.notes,
            "help": self.help,
        }  # fmt: skip
        self.docks = layout.make_docks(self, dict(panes))
        window_menu = self.bars.menus["Window"]
        window_menu.addSeparator()
        for dock in self.docks.values():
            window_menu.addAction(dock.toggleViewAction())
        self.expecting = Expecting(self)
        self.tour = Tour(self)
        self.at_work = AtWork(self.feed, self.centre, self.runs, self.status, self)
        self.at_work.title_of = self._title_of
        self.fitting = Fitting(self.centre, self.worker, self.result, self.pieces, self)
        self.bench = BenchSide(self)
        self.hands = Hands(self)
        self.notices = Notices(self)
        self.playing = Playing(self)
        self.states = States(self)
        self.noting = Noting(self)
        self.fair = Fair(self)
        self.examples = Examples(self)
        self.files = Files(self.centre, self.runs, self.worker, self.pieces, self, self.settings)

    def _connect(self) -> None:
        self.feed.on(
            "log", lambda event: self.tell(str(event.get("level", "info")), str(event.get("message", "")))
        )
        self.feed.on("state", self._state)
        self.docks["help"].visibilityChanged.connect(self.help.looked_at)
        self.help.experimentWanted.connect(self.experiments.choose)
        self.help.linkWanted.connect(QDesktopServices.openUrl)
        self.experiments.runWanted.connect(lambda: self.call("run"))
        self.centre.shownChanged.connect(self._shown)
        self.centre.menuWanted.connect(self.bars.plot_menu)
        self.centre.signalChosen.connect(self.fitting.again)
        self.centre.cloudsWanted.connect(self.files.show_clouds)
        self.runs.openWanted.connect(self.files.open_line)
        self.runs.loadWanted.connect(lambda line: self.files.with_record(line, self.bench.load_record))
        self.runs.starWanted.connect(self.noting.star)
        self.many.connect()
        self.runs.backWanted.connect(lambda: self.files.look_at(None))
        self.runs.searched.connect(self.files.refresh)
        self.runs.model.moreWanted.connect(self.files.more)
        self.bars.fit_box.activated.connect(
            lambda: self.fitting.choose(str(self.bars.fit_box.currentData() or ""))
        )
        begin = self.welcome.begin
        begin.openWanted.connect(lambda file: self.files.open(Path(file)))
        begin.pinWanted.connect(self.files.pin)
        begin.examplesWanted.connect(lambda: self.call("open_examples"))
        begin.connectWanted.connect(lambda: self.call("edit_bench"))
        begin.profileWanted.connect(lambda: self.call("profile"))
        self.files.show_recent()
        self.log.counted.connect(self.status.show_warnings)
        self.status.warnings.clicked.connect(lambda: self.call("pane_6"))
        self.welcome.runWanted.connect(lambda: self.call("run"))
        self.result.revealWanted.connect(lambda: self.call("reveal"))
        self.welcome.tourWanted.connect(lambda: self.call("tour"))
        self.welcome.openWanted.connect(lambda: self.call("open_runs"))
        self.welcome.folderWanted.connect(lambda: self.call("open_folder"))
        self.bars.show_models([])
        self.bars.offer_recent(lambda: self.settings.recent_files, lambda file: self.files.open(Path(file)))
        self.setAcceptDrops(True)

    def reveal(self) -> None:
        """Show or hide the truth of simulated runs, as the settings say."""
        revealed = self.settings.reveal
        self.result.reveal(revealed)
        self.record.record.revealed = revealed
        self.expecting.again()
        if hasattr(self, "fair"):
            self._shown()

    def call(self, slot: str) -> None:
        """Run a command by the name of its slot."""
        for commands in self._commands:
            method = getattr(commands, slot, None)
            if method is not None:
                method()
                return
        raise LookupError(slot)

    def tick(self) -> None:
        """Hear, do what waits, and draw, all at once."""
        self.hear()
        while self.pieces.next():
            pass
        self.draw()

    def hear(self) -> None:
        """Take what has happened."""
        self.feed.poll()
        self.worker.poll()
        self.examples.poll()
        self.bars.follow(self._situation())

    def draw(self) -> None:
        """Draw what is new, and ask for what follows from it."""
        drawn = self.centre.drawn()
        if drawn is not None and self.isVisible():
            drawn.frame()
        self.fitting.consider()
        self.expecting.consider()
        self.playing.consider()
        self.states.consider()
        self._frames += 1
        if self._frames % 300 == 0:
            self.status.show_folder(self.settings.folder())

    def _turn(self) -> None:
        """Hear and draw by turns: both at once, with their paints, are late for a frame; to hear nothing is quick.

        Between them goes a piece of what waits for a turn of its own.
        """
        self._apart = not self._apart and self.pieces.next()
        if self._apart:
            self.bars.follow(self._situation())  # what has come to the front can be used at once
            return
        self._heard = not self._heard
        if self._heard:
            began = time.perf_counter()
            self.hear()
            if time.perf_counter() - began > _QUICK:
                return
        self.draw()

    def tell(self, level: str, message: str, hint: str = "", *, toast: bool = False) -> None:
        """Log a line; as a toast too where it matters now."""
        self.log.add(level, f"{message} {hint}".strip())
        if toast:
            details = (lambda: self.show_error(message, hint)) if level == "error" else None
            self.toasts.show(level, message, details)

    def show_error(self, happened: str, to_do: str = "", details: str = "") -> None:
        """Open the dialog for errors; it is not modal."""
        self.show_dialog(ErrorDialog(self, happened, to_do, details or "\n".join(self.log.lines(50))))

    def show_dialog(self, dialog: QDialog) -> None:
        """Show a dialog beside the window: a run that goes can still be stopped."""
        dialog.setModal(False)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()

    def set_folder(self, folder: str) -> None:
        """Keep data in another folder from now on."""
        self.settings.data_folder = folder
        self.files.look_at(None)
        self.apply_settings()

    def apply_settings(self) -> None:
        """Show what the settings say, and keep them."""
        app = QApplication.instance()
        if isinstance(app, QApplication):
            theme.apply(app, self.settings.theme, self.settings.text_size)
        self.status.show_folder(self.settings.folder())
        self.bench.invite()
        self.files.refresh()
        self.keep_settings()

    def keep_settings(self) -> None:
        """Write the settings."""
        try:
            save_settings(self.settings)
        except OSError as error:
            self.tell("warning", f"The settings cannot be kept: {error}.")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        self.files.drop([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def showEvent(self, event: QShowEvent) -> None:
        """Start the timer with the window."""
        super().showEvent(event)
        if not self.timer.isActive():
            self.timer.start()
            self.welcome.run_button.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Go on with what can wait until the window is seen."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self._after_first_paint)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Let go: the run, if any, goes on in the bench process."""
        self.timer.stop()
        self._warm_up.end()
        self.noting.close()
        layout.save(self, self.settings)
        if self.form.experiment:
            self.settings.last_values[self.form.experiment] = self.form.changes()
        self.keep_settings()
        self.at_work.close()
        self.worker.close()
        self.examples.close()
        self.notices.close()
        self.feed.session.close()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "bars"):
            self.bars.resize_icons()
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "bars"):
            look = theme.theme_of(self.palette()).name
            if look != self._look:
                self._look = look
                self.bars.recolour()
                self.form.recolour()
                self.welcome.recolour()

    def _after_first_paint(self) -> None:
        self.seen.emit()
        self.files.refresh()
        self._warm_up.start(self._warm)

    def _warm(self) -> None:
        from qlab.registry import plugins

        self.bars.show_models(sorted(plugins("fits")))
        self.centre.prepare()

    def _state(self, event: Event) -> None:
        self.pieces.add(self, self._shown, key="shown")
        if event.get("state") in ENDED:
            self.files.refresh()

    def _shown(self) -> None:
        self.fitting.show()
        self.playing.shown()
        self.noting.show()
        self.fair.show()
        self.name_window()
        self.pieces.add(self, self._show_record, key="record")

    def _show_record(self) -> None:
        page = self.centre.current()
        record = page.record if page is not None else None
        entry = self.bench.entry(record.experiment) if record is not None else None
        self.record.show_record(record, (entry or {}).get("fields", ()))

    def name_window(self) -> None:
        """Put the run, the bench and SIM into the title of the window."""
        page = self.centre.current()
        simulated = self.bench.simulated or (page is not None and page.record.simulated)
        parts = ["qlab", page.record.title if page is not None else "", self.settings.bench]
        self.setWindowTitle(" – ".join(part for part in parts if part) + (" (SIM)" if simulated else ""))

    def _title_of(self, experiment: str) -> str:
        return str((self.bench.entry(experiment) or {}).get("title", experiment))

    def _situation(self) -> Situation:
        page = self.centre.current()
        return Situation(
            ready=self.bench.ready,
            form=bool(self.form.experiment),
            busy=self.at_work.busy,
            paused=self.at_work.paused,
            shown=page is not None,
            drawn=self.centre.drawn() is not None,
            fit=page is not None and self.fitting.result(page) is not None,
            chosen=len(self.runs.chosen()),
            undo=self.form.undo_stack.canUndo(),
            redo=self.form.undo_stack.canRedo(),
            revealed=self.settings.reveal,
            simulated=self.bench.simulated,
            expected=self.settings.expected_curve,
        )
