"""Fits of the shown run: asked of the worker at most twice a second, drawn when they come."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from qlab.errors import QlabError
from qlab.grid import Grid, Rows, grid
from qlab.live import LiveTable
from qlab.record import Figure, FitResult, Record
from qlab_ui import work
from qlab_ui.atwork import Voice
from qlab_ui.bars import NO_FIT
from qlab_ui.page import RunPage
from qlab_ui.panels.result import ResultPanel
from qlab_ui.pieces import Pieces
from qlab_ui.tabs import Centre
from qlab_ui.worker import Worker

_EVERY = 0.5  # seconds
_FIRST = 0.3  # of the planned points must be there before a growing run is fitted
_FEWEST = 8
_SHARE = 2.0  # a fit that took t is followed by at least this many t without one


@dataclass(frozen=True)
class Question:
    """What was fitted: asked again only when it changes."""

    run: str
    signal: str
    model: str
    rows: int
    ended: bool


class Fitting:
    """Keeps the fit of the page in front up to date."""

    def __init__(
        self, centre: Centre, worker: Worker, panel: ResultPanel, pieces: Pieces, voice: Voice
    ) -> None:
        self._centre, self._worker, self._panel, self._voice = centre, worker, panel, voice
        self._pieces = pieces
        self._asked: dict[str, Question] = {}
        self._underway = False
        self._due = self._began = self._last_curves = 0.0
        self._asked_curves: tuple[str, int] = ("", 0)
        self.curved: set[str] = set()  # experiments that make curves
        self.model = ""  # what the chooser says: "" is the experiment's own, NO_FIT none

    def choose(self, model: str) -> None:
        """Fit with another model from now on."""
        self.model = model
        self.again()

    def again(self) -> None:
        """Fit the page in front afresh."""
        page = self._centre.current()
        if page is not None:
            self._asked.pop(page.record.id, None)
            page.show_fit(None)
            self._due = 0.0
        self.show()

    def show(self) -> None:
        """Show the result of the page in front."""
        page = self._centre.current()
        if page is None:
            self._panel.clear()
            return
        chosen = self.model or page.record.fit
        page.expect_fit(wanted=len(page.record.axes) == 1 and chosen not in {"", NO_FIT})
        self._panel.show_result(page.record, self.result(page), self._figures(page))

    def result(self, page: RunPage) -> FitResult | None:
        """Return the fit that belongs to what is chosen."""
        if self.model == NO_FIT:
            return None
        if page.fitted is not None:
            return page.fitted.result
        return self._stored(page)

    def _figures(self, page: RunPage) -> tuple[Figure, ...]:
        """Return the figures of merit of what is shown: those of the file, else those of the fit just made."""
        if page.record.figures and (self.model or page.record.fit) == page.record.fit:
            return page.record.figures
        return page.fitted.figures if page.fitted is not None and self.model != NO_FIT else ()

    def consider(self) -> None:
        """Ask for a fit where one is due: called with each frame."""
        self._consider_curves()
        page, now = self._centre.current(), time.monotonic()
        if page is None or self._underway or len(page.record.axes) != 1:
            return
        if now < self._due and page.live():  # the last fit of a run that has ended does not wait its turn
            return
        question = self._question(page)
        if question is None or self._asked.get(page.record.id) == question:
            return
        self._due = now + _EVERY
        view = grid(page.record, page.rows, page.signal())
        if not question.ended and not _enough(view):
            return
        self._asked[page.record.id] = question
        self._underway, self._began = True, now
        record, stored = _lean(page.record), self._stored(page)
        if stored is not None:
            self._worker.ask(
                lambda got: self._got(question, got), self._failed, work.drawn, record, view, stored
            )
        else:
            self._worker.ask(
                lambda got: self._got(question, got),
                self._failed,
                work.fit,
                record,
                view,
                question.model,
                _source(page),
                _before(page, question),
            )

    def _consider_curves(self) -> None:
        """Ask for the curves of the page in front, where its experiment has any and rows have come."""
        page, now = self._centre.current(), time.monotonic()
        if page is None or now - self._last_curves < _EVERY or page.record.experiment not in self.curved:
            return
        asked = (page.record.id, len(page.rows) + page.live())
        if asked == self._asked_curves or not len(page.rows):
            return
        self._asked_curves, self._last_curves = asked, now
        run = page.record.id

        def got(found: tuple[Any, ...]) -> None:
            if (shown := self._centre.page(run)) is not None:
                shown.show_curves(found)

        self._worker.ask(got, self._failed, work.curves, _lean(page.record), _source(page))

    def _question(self, page: RunPage) -> Question | None:
        model = self.model or page.record.fit
        if not model or model == NO_FIT or not page.record.signals or not len(page.rows):
            return None
        return Question(page.record.id, page.signal(), model, len(page.rows), not page.live())

    def _stored(self, page: RunPage) -> FitResult | None:
        model, signal = self.model or page.record.fit, page.signal()
        for fit in page.record.fits:
            if fit.model == model and (not signal or not fit.signal or fit.signal == signal):
                return fit
        return None

    def _got(self, question: Question, fitted: work.Fitted) -> None:
        self._rest()
        self._pieces.add(self._centre, lambda: self._take(question, fitted))

    def _take(self, question: Question, fitted: work.Fitted) -> None:
        page = self._centre.page(question.run)
        if page is None or page.signal() != question.signal:
            return
        if (self.model or page.record.fit) != question.model:
            return
        page.show_fit(fitted)
        if page is self._centre.current():
            self._pieces.add(self._panel, self.show, key="result")

    def _rest(self) -> None:
        """A fit that took long is followed by a longer rest: the worker has other things to do, too."""
        now = time.monotonic()
        self._underway = False
        self._due = max(self._due, now + _SHARE * (now - self._began))

    def _failed(self, error: QlabError) -> None:
        self._rest()
        self._voice.tell("warning", error.message, error.hint)


def _enough(view: Grid) -> bool:
    seen = int(np.isfinite(view.value).sum())
    return seen >= max(_FEWEST, _FIRST * view.value.size)


def _before(page: RunPage, question: Question) -> FitResult | None:
    """Return the last fit of the same question, where it is believed: the next one starts there."""
    last = page.fitted.result if page.fitted is not None else None
    return last if last is not None and last.success and last.model == question.model else None


def _source(page: RunPage) -> Rows | str:
    """Return the rows, or where the worker finds them: a live table is looked at, not sent.

    Single shots are in the file alone, once the run has ended.
    """
    if isinstance(page.rows, LiveTable):
        return str(page.rows.path)
    shots = any(column.shape for column in page.record.columns)
    return str(page.path) if shots and page.path is not None and not page.live() else page.rows


def _lean(record: Record) -> Record:
    """Leave out what a fit does not need, so that little is sent."""
    return record.model_copy(update={"programs": (), "log": (), "changes": (), "bench": {}, "fits": ()})
