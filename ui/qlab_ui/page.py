"""One run in a tab: a heading, and the view that fits it; the same live and reopened."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QStackedWidget, QVBoxLayout, QWidget

from qlab.grid import First, Rows
from qlab.record import ENDED, Record
from qlab_ui import icons, text, theme
from qlab_ui.badge import SimBadge
from qlab_ui.plots.data import signals
from qlab_ui.work import Clouds, Fitted

if TYPE_CHECKING:
    from qlab_ui.plots.bands import BandsView
    from qlab_ui.plots.clouds import CloudsView
    from qlab_ui.plots.curve import CurveView
    from qlab_ui.plots.expectation import Expectation
    from qlab_ui.plots.view import View

_MOST_NEW = 50_000  # rows that a frame of a live run takes in
_CURVE = "curve:"  # what stands before the name of a curve among the signals
_CLOUDS = "clouds:"
_EVERY = 0.030  # s: what changes faster nobody reads
_SHARE = 1.5  # a drawing that took t is followed by at least this many t without one


class RunPage(QWidget):
    """A run and its picture; it is filled by the first `take`."""

    menuWanted = Signal(QPoint)
    signalChosen = Signal()
    cloudsWanted = Signal(int)  # the row whose single shots are looked at

    def __init__(self, record: Record, rows: Rows, path: Path | None, spare: CurveView | None = None) -> None:
        super().__init__()
        self.record, self.rows, self.path = record, rows, path
        self.fitted: Fitted | None = None
        self._count = -1
        self._next = 0.0
        from qlab_ui.plots.choose import view_for  # pyqtgraph comes with it, after the first paint

        self._main: View = view_for(record, spare)
        self._main.menuWanted.connect(self.menuWanted)
        self._bands: BandsView | None = None  # made when a curve is first looked at
        self._clouds: CloudsView | None = None
        self._curves: dict[str, Any] = {}
        self._picked = False  # somebody has chosen what is drawn
        self._expectation: Expectation | None = None
        self._stack = QStackedWidget(self)
        self._stack.addWidget(self._main)
        self._icon = QLabel(self)
        self._title = QLabel(self)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        heading = self._title.font()
        heading.setBold(True)
        self._title.setFont(heading)
        self._about = QLabel(self)
        self._about.setTextFormat(Qt.TextFormat.PlainText)
        self._about.setForegroundRole(theme.MUTED)
        self.signal_box = QComboBox(self)
        self.signal_box.setObjectName("signal")
        self.signal_box.setAccessibleName("Signal")
        self.signal_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.signal_box.setToolTip("Which signal is drawn and fitted")
        for name, words in signals(record):
            self.signal_box.addItem(words, name)
        if any(c.dims and c.dims[-1] == "quadrature" for c in record.columns):
            self.signal_box.addItem("single shots (IQ)", _CLOUDS)
        self._first_signal = str(self.signal_box.itemData(0) or "")
        self.signal_box.setVisible(self.signal_box.count() > 1)
        self.signal_box.activated.connect(self._pick)
        self._sim = SimBadge(self)
        self._lay_out()

    def take(self, record: Record, rows: Rows | None = None, path: Path | None = None) -> None:
        """Show what has become of the run."""
        self.record = record
        if rows is not None:
            self.rows, self._count = rows, -1
        self.path = path or self.path
        self._title.setText(record.title or record.experiment)
        self._sim.setVisible(record.simulated)
        for view in self._views():
            view.show_record(record)
        self._head()

    @property
    def view(self) -> View:
        """The view that is looked at."""
        shown = self._stack.currentWidget()
        return next((view for view in self._views() if view is shown), self._main)

    def signal(self) -> str:
        """Return the name of the signal that is drawn; a curve is made of the first one."""
        name = str(self.signal_box.currentData() or "")
        return self._first_signal if name.startswith((_CURVE, _CLOUDS)) else name

    def show_curves(self, curves: Sequence[Any]) -> None:
        """Offer curves (`qlab.metrology.curves.Curve`) beside the signals, and draw the one that is chosen anew."""
        for curve in curves:
            key = _CURVE + curve.name
            if self.signal_box.findData(key) < 0:
                self.signal_box.addItem(curve.label, key)
            self._curves[key] = curve
        self.signal_box.setVisible(self.signal_box.count() > 1)
        if curves and not self._picked and not self.live():
            # Rows that were counted, not swept, say little by themselves: the spectrum, the Allan deviation does.
            self._picked = True
            self.signal_box.setCurrentIndex(self.signal_box.findData(_CURVE + curves[0].name))
            self._look_at(curves[0])
            return
        chosen = self._curves.get(str(self.signal_box.currentData() or ""))
        if chosen is not None and self._bands is not None:
            self._bands.show_curve(chosen)

    def give_back(self) -> CurveView | None:
        """Return the view, cleared, for another run; None where it is not of the kind that is used again."""
        from qlab_ui.plots.curve import CurveView

        view = self._main
        if type(view) is not CurveView:
            return None
        if self._expectation is not None:
            self._expectation.close()
        view.menuWanted.disconnect(self.menuWanted)
        self._stack.removeWidget(view)
        view.setParent(None)
        view.clear()
        return view

    def live(self) -> bool:
        """Return whether the run is still going."""
        return self.record.state not in ENDED

    def frame(self) -> None:
        """Draw what is new; a picture that is slow to draw is drawn less often."""
        self.view.tick()
        if self.view is not self._main:
            return
        count, now = len(self.rows), time.perf_counter()
        if count == self._count or now < self._next:
            return
        rows: Rows = self.rows
        if self.live() and count - max(self._count, 0) > _MOST_NEW:
            # A frame that took in all that came during a slow one would be slower still.
            count = max(self._count, 0) + _MOST_NEW
            rows = First(rows, count)
        self._count = count
        self._main.draw(rows, self.signal())
        taken = time.perf_counter() - now
        # By a schedule, not after the last one: a frame that comes late is followed by one that is in time.
        self._next = max(max(self._next, now - _EVERY) + _EVERY, now + taken * (1 + _SHARE))

    def settle(self) -> None:
        """Be painted, once everything has its place."""
        self.view.settle()
        self.setUpdatesEnabled(True)

    def show_fit(self, fitted: Fitted | None) -> None:
        """Draw a fit, or none."""
        self.fitted = fitted
        self._main.show_fit(fitted)

    def expect_fit(self, *, wanted: bool) -> None:
        """Keep room for what a fit brings along, or give it back."""
        self._main.expect_fit(wanted=wanted)

    def show_expected(self, expected: Any, words: str) -> None:
        """Draw the curve that the experiment's model expects (`qlab.design.Expected`), or none."""
        from qlab_ui.plots.curve import CurveView
        from qlab_ui.plots.expectation import Expectation

        if not isinstance(self._main, CurveView):
            return
        if self._expectation is None:
            if expected is None:
                return
            self._expectation = Expectation(self._main)
        self._expectation.show(expected, words)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._head()

    def _lay_out(self) -> None:
        unit = self.fontMetrics().averageCharWidth()
        head = QHBoxLayout()
        head.setContentsMargins(unit, unit // 2, unit, 0)
        head.setSpacing(unit)
        for widget in (self._icon, self._title, self._about):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.signal_box)
        head.addWidget(self._sim)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self.setFocusProxy(self._main)

    def _head(self) -> None:
        record = self.record
        side = self.fontMetrics().height()
        self._icon.setPixmap(icons.icon(text.STATE_ICONS[record.state]).pixmap(side, side))
        self._icon.setToolTip(text.STATE_WORDS[record.state])
        parts = [text.STATE_WORDS[record.state].lower(), f"run {text.short_id(record.id)}"]
        if record.started:
            parts.append(text.started(record.started))
        self._about.setText(" · ".join(parts))

    def _views(self) -> list[View]:
        return [view for view in (self._main, self._bands, self._clouds) if view is not None]

    def show_clouds(self, clouds: Clouds) -> None:
        """Draw the single shots of a row, which were asked for by `cloudsWanted`."""
        if self._clouds is not None:
            self._clouds.show_clouds(clouds)

    def _pick(self) -> None:
        """Draw what somebody has chosen, and keep to it."""
        self._picked = True
        self._signal()

    def _signal(self) -> None:
        if self.signal_box.currentData() == _CLOUDS:
            self._look_at_clouds()
            return
        chosen = self._curves.get(str(self.signal_box.currentData()))
        if chosen is not None:
            self._look_at(chosen)
            return
        self._stack.setCurrentWidget(self._main)
        self._count = -1
        self.show_fit(None)
        self.signalChosen.emit()

    def _look_at(self, curve: Any) -> None:
        from qlab_ui.plots.bands import BandsView

        if self._bands is None:
            self._bands = BandsView(self)
            self._bands.menuWanted.connect(self.menuWanted)
            self._bands.show_record(self.record)
            self._stack.addWidget(self._bands)
        self._bands.show_curve(curve)
        self._stack.setCurrentWidget(self._bands)

    def _look_at_clouds(self) -> None:
        from qlab_ui.plots.clouds import CloudsView

        if self._clouds is None:
            self._clouds = CloudsView(self)
            self._clouds.menuWanted.connect(self.menuWanted)
            self._clouds.rowWanted.connect(self.cloudsWanted)
            self._clouds.show_record(self.record)
            self._stack.addWidget(self._clouds)
        self._stack.setCurrentWidget(self._clouds)
        self.cloudsWanted.emit(self._clouds.slider.value())
