"""One run in a tab: a heading, and the view that fits it; the same live and reopened."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from qlab.grid import Rows
from qlab.record import ENDED, Record
from qlab_ui import icons, text, theme
from qlab_ui.badge import SimBadge
from qlab_ui.plots.data import signals
from qlab_ui.work import Fitted

if TYPE_CHECKING:
    from qlab_ui.plots.view import View

_SHARE = 3.0  # a drawing that took t is followed by at least this many t without one


class RunPage(QWidget):
    """A run and its picture."""

    menuWanted = Signal(QPoint)
    signalChosen = Signal()

    def __init__(self, record: Record, rows: Rows, path: Path | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.record, self.rows, self.path = record, rows, path
        self.fitted: Fitted | None = None
        self._count = -1
        self._next = 0.0
        from qlab_ui.plots.choose import view_for  # pyqtgraph comes with it, after the first paint

        self.view: View = view_for(record)
        self.view.menuWanted.connect(self.menuWanted)
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
        self.signal_box.setToolTip("Which signal is drawn and fitted")
        for name, words in signals(record):
            self.signal_box.addItem(words, name)
        self.signal_box.setVisible(self.signal_box.count() > 1)
        self.signal_box.activated.connect(self._signal)
        self._sim = SimBadge(self)
        self._lay_out()
        self.take(record, rows, path)

    def take(self, record: Record, rows: Rows | None = None, path: Path | None = None) -> None:
        """Show what has become of the run."""
        self.record = record
        if rows is not None:
            self.rows, self._count = rows, -1
        self.path = path or self.path
        self._title.setText(record.title or record.experiment)
        self._sim.setVisible(record.simulated)
        self.view.show_record(record)
        self._head()

    def signal(self) -> str:
        """Return the name of the signal that is shown."""
        return str(self.signal_box.currentData() or "")

    def live(self) -> bool:
        """Return whether the run is still going."""
        return self.record.state not in ENDED

    def frame(self) -> None:
        """Draw what is new; a picture that is slow to draw is drawn less often."""
        self.view.tick()
        count, now = len(self.rows), time.perf_counter()
        if count == self._count or now < self._next:
            return
        self._count = count
        self.view.draw(self.rows, self.signal())
        taken = time.perf_counter() - now
        self._next = now + taken * (1 + _SHARE)

    def show_fit(self, fitted: Fitted | None) -> None:
        """Draw a fit, or none."""
        self.fitted = fitted
        self.view.show_fit(fitted)

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
        column.addWidget(self.view, 1)
        self.setFocusProxy(self.view)

    def _head(self) -> None:
        record = self.record
        side = self.fontMetrics().height()
        self._icon.setPixmap(icons.icon(text.STATE_ICONS[record.state]).pixmap(side, side))
        self._icon.setToolTip(text.STATE_WORDS[record.state])
        parts = [text.STATE_WORDS[record.state].lower(), f"run {text.short_id(record.id)}"]
        if record.started:
            parts.append(text.started(record.started))
        self._about.setText(" · ".join(parts))

    def _signal(self) -> None:
        self._count = -1
        self.show_fit(None)
        self.signalChosen.emit()
