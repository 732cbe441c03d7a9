"""The middle of the window: the runs in tabs, or the welcome while there is none."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QStackedWidget, QTabBar, QTabWidget, QToolButton, QWidget

from qlab.grid import Rows
from qlab.record import Record
from qlab_ui import icons, text
from qlab_ui.derived import DerivedPage
from qlab_ui.page import RunPage
from qlab_ui.panels.runs_model import RUNS_MIME
from qlab_ui.pieces import Pieces

if TYPE_CHECKING:
    from qlab_ui.plots.curve import CurveView

_MOST_TABS = 12
_PART_MS = 100
_QUIET_MS = 10_000
_SPARE_MS = 900  # after the start of a run its first points are drawn: not then


class Centre(QStackedWidget):
    """Welcome or tabs."""

    shownChanged = Signal()
    menuWanted = Signal(QPoint)
    signalChosen = Signal()
    cloudsWanted = Signal(object, int)
    runsDropped = Signal(object)  # the mime data of runs that were dragged here

    def __init__(self, welcome: QWidget, pieces: Pieces, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("centre")
        self._pieces = pieces
        self.welcome = welcome
        self.tabs = QTabWidget(self)
        self.tabs.setObjectName("tabs")
        self.tabs.setMovable(True)
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Runs")
        self._spare: CurveView | None = None
        self.setAcceptDrops(True)
        self.addWidget(welcome)
        self.addWidget(self.tabs)
        self.tabs.currentChanged.connect(lambda _index: self._changed())
        self._quiet = QTimer(self, singleShot=True, interval=_QUIET_MS)
        self._quiet.timeout.connect(gc.collect)

    def pages(self) -> Iterator[RunPage]:
        """Return the open pages."""
        for index in range(self.tabs.count()):
            page = self.tabs.widget(index)
            if isinstance(page, RunPage):
                yield page

    def page(self, run: str) -> RunPage | None:
        """Return the page of a run, where it is open."""
        return next((page for page in self.pages() if page.record.id == run), None)

    def current(self) -> RunPage | None:
        """Return the page that is looked at."""
        page = self.tabs.currentWidget() if self.currentWidget() is self.tabs else None
        return page if isinstance(page, RunPage) else None

    def open(self, record: Record, rows: Rows, path: Path | None, *, soon: bool = False) -> RunPage:
        """Show a run in a tab of its own, in front; `soon` makes, fills, draws and shows it a piece at a time."""
        page = self.page(record.id)
        if page is None:
            spare, self._spare = self._spare, None
            page = RunPage(record, rows, path, spare)
            if not soon:
                page.take(record)
            if spare is not None and page.view is not spare:
                self._spare = spare
            self._pieces.add(self, self.prepare, after=_SPARE_MS, key="prepare")
            page.menuWanted.connect(self.menuWanted)
            page.signalChosen.connect(self.signalChosen)
            page.cloudsWanted.connect(lambda row, page=page: self.cloudsWanted.emit(page, row))
            page.resize(0, 0)  # or the page in front would be painted anew below it
            index = self.tabs.addTab(page, record.title or record.experiment)
            self.tabs.tabBar().setTabButton(index, QTabBar.ButtonPosition.RightSide, self._closer(page))
            self._pieces.add(self, self._trim, after=_PART_MS, key="trim")
        else:
            page.take(record, rows, path)
        self.mark(page)
        if soon:
            self._pieces.add(page, lambda: page.take(page.record))
            self._pieces.add(page, page.frame)
            self._pieces.add(page, lambda: self._front(page))
        else:
            self._front(page)
        return page

    def _front(self, page: RunPage) -> None:
        page.frame()  # what is there already is in the first picture, not in a second one
        if self.tabs.indexOf(page) < 0:
            return  # closed before it was shown
        page.setUpdatesEnabled(False)  # until everything has its place: each change of it is a whole paint
        self.setCurrentWidget(self.tabs)
        self.tabs.setCurrentWidget(page)
        self._pieces.add(page, page.settle)
        self._changed()

    def _changed(self) -> None:
        """Whatever changed what is shown, it is looked at once, when the picture stands."""
        self._pieces.add(self, self.shownChanged.emit, key="shown")

    def show_derived(self, page: DerivedPage) -> None:
        """Show what was made of several runs in a tab of its own, in front."""
        page.view.menuWanted.connect(self.menuWanted)
        index = self.tabs.addTab(page, page.windowTitle().replace("&", "&&"))
        self.tabs.setTabToolTip(index, page.about())
        self.tabs.tabBar().setTabButton(index, QTabBar.ButtonPosition.RightSide, self._closer(page))
        self.setCurrentWidget(self.tabs)
        self.tabs.setCurrentWidget(page)
        self._pieces.add(self, self._trim, after=_PART_MS, key="trim")
        self.shownChanged.emit()

    def drawn(self) -> RunPage | DerivedPage | None:
        """Return what is looked at: a run, or what was made of several."""
        page = self.tabs.currentWidget() if self.currentWidget() is self.tabs else None
        return page if isinstance(page, RunPage | DerivedPage) else None

    def prepare(self) -> None:
        """Make the view of the next run ahead of need, a part at a time: it must not hold up the frames."""
        if self._spare is None:
            from qlab_ui.plots.curve import CurveView

            self._spare = CurveView(self)
            self._spare.hide()
            self._pieces.add(self, self.prepare, key="prepare")
        else:
            self._spare.complete()

    def mark(self, page: RunPage) -> None:
        """Bring the tab's words and icon up to date."""
        record, index = page.record, self.tabs.indexOf(page)
        title = record.title or record.experiment
        alike = [other for other in self.pages() if (other.record.title or other.record.experiment) == title]
        for other in alike:  # two runs of one name are told apart by their ids
            of_which = f" {text.short_id(other.record.id)}" if len(alike) > 1 else ""
            short = title if len(title) <= 28 else f"{title[:27]}…"
            self.tabs.setTabText(self.tabs.indexOf(other), (short + of_which).replace("&", "&&"))
        self.tabs.setTabIcon(index, icons.icon(text.STATE_ICONS[record.state]))
        sim = ", simulated" if record.simulated else ""
        self.tabs.setTabToolTip(index, f"{title}, run {text.short_id(record.id)}{sim}")

    def close_current(self) -> None:
        """Close the tab in front; a run that goes on is not stopped by it."""
        self._close(self.tabs.currentIndex())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take runs of the list; files from elsewhere are the window's."""
        if event.mimeData().hasFormat(RUNS_MIME):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Overlay the dropped runs on the one in front."""
        self.runsDropped.emit(event.mimeData())
        event.acceptProposedAction()

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icons again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "tabs"):
            for page in self.pages():
                self.mark(page)
            for index in range(self.tabs.count()):
                button = self.tabs.tabBar().tabButton(index, QTabBar.ButtonPosition.RightSide)
                if isinstance(button, QToolButton):
                    button.setIcon(icons.icon("close"))

    def _closer(self, page: QWidget) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setIcon(icons.icon("close"))
        button.setToolTip("Close the tab (a run goes on)")
        button.setAccessibleName("Close the tab")
        button.clicked.connect(lambda: self._close(self.tabs.indexOf(page)))
        return button

    def _trim(self) -> None:
        for page in list(self.pages()):
            if self.tabs.count() <= _MOST_TABS:
                return
            if not page.live() and page is not self.tabs.currentWidget():
                self._close(self.tabs.indexOf(page))

    def _let_go(self, page: QWidget) -> None:
        """Let go of a closed tab, but keep its picture for the next run: making one takes longer than a frame."""
        view = page.give_back() if self._spare is None and isinstance(page, RunPage) else None
        if view is not None:
            view.hide()
            view.setParent(self)
            self._spare = view
        page.deleteLater()

    def _close(self, index: int) -> None:
        page = self.tabs.widget(index)
        if page is None:
            return
        self.tabs.removeTab(index)
        self._pieces.add(self, lambda: self._let_go(page))
        # What is left of a page refers to itself in many ways: it is let go of when all of them are looked at, which
        # takes half a frame; while tabs come and go the collector does it by itself.
        self._quiet.start()
        if not self.tabs.count():
            self.setCurrentWidget(self.welcome)
        self._changed()
