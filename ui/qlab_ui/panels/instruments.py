"""The manual panel: every instrument of the bench with its lamp and knobs, read-only while a run owns it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from qlab_ui import icons, text, theme
from qlab_ui.panels.knob import KnobRow

if TYPE_CHECKING:
    from qlab_ui.panels.readouts import Readouts

_LAMPS = {"open": ("live", "connected"), "closed": ("wait", "not connected"), "lost": ("error", "lost")}


class InstrumentBox(QFrame):
    """One instrument: lamp, name, identity, knobs."""

    setWanted = Signal(str, str, object)
    traceWanted = Signal(str, str, str, bool)  # instrument, knob, unit

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.setObjectName(f"instrument_{name}")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._state = "closed"
        self.rows: dict[str, KnobRow] = {}
        self._lamp, self._title, self._about = QLabel(self), QLabel(text.words(name), self), QLabel(self)
        bold = self._title.font()
        bold.setBold(True)
        self._title.setFont(bold)
        for label in (self._title, self._about):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._about.setForegroundRole(theme.MUTED)
        self._about.setWordWrap(True)
        unit = self.fontMetrics().averageCharWidth()
        head = QHBoxLayout()
        head.addWidget(self._lamp)
        head.addWidget(self._title, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(unit, unit, unit, unit)
        self._column.addLayout(head)
        self._column.addWidget(self._about)

    def show_instrument(self, told: Mapping[str, Any], *, owned: bool) -> None:
        """Show what the bench tells of it."""
        self._state = str(told.get("state", "closed"))
        self._show_lamp()
        words = [str(told.get("kind") or ""), _who(told.get("identity")), str(told.get("message") or "")]
        about = " · ".join(dict.fromkeys(word for word in words if word))
        self._about.setText(about)
        self._about.setVisible(bool(about))
        self._about.setForegroundRole(theme.ERROR if self._state == "lost" else theme.MUTED)
        for knob, state in (told.get("knobs") or {}).items():
            if knob not in self.rows:
                row = self.rows[knob] = KnobRow(knob, state, self)
                row.setWanted.connect(lambda knob, value: self.setWanted.emit(self.name, knob, value))
                row.traceWanted.connect(
                    lambda knob, on, row=row: self.traceWanted.emit(self.name, knob, row.unit, on)
                )
                self._column.addWidget(row)
            self.rows[knob].show_value(state, owned=owned)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the lamp again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_lamp"):
            self._show_lamp()

    def _show_lamp(self) -> None:
        icon, words = _LAMPS.get(self._state, _LAMPS["closed"])
        side = self.fontMetrics().height()
        self._lamp.setPixmap(icons.icon(icon).pixmap(side, side))
        self._lamp.setToolTip(words)
        self._lamp.setAccessibleName(f"{self.name} is {words}")


class InstrumentsPanel(QWidget):
    """All instruments of a bench."""

    setWanted = Signal(str, str, object, bool)
    rulesWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("instruments")
        self.boxes: dict[str, InstrumentBox] = {}
        self.bench = ""
        self.told: Mapping[str, Any] = {}
        self._owner = ""
        self.line = QLabel(self)
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.line.setForegroundRole(theme.MUTED)
        self.take_over = QCheckBox("Take over", self)
        self.take_over.setToolTip(
            "Let knobs be changed while a run owns them; each change is written into the run"
        )
        self.take_over.toggled.connect(lambda _on: self._refresh())
        self.rules_button = QPushButton("Watchdogs…", self)
        self.rules_button.setToolTip("Conditions that pause, stop or make safe")
        self.rules_button.clicked.connect(self.rulesWanted)
        self._body = QWidget()
        self._grid = QGridLayout(self._body)
        unit = self.fontMetrics().averageCharWidth()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(unit)
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(self._body)
        head = QHBoxLayout()
        head.addWidget(self.line, 1)
        head.addWidget(self.take_over)
        head.addWidget(self.rules_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, unit // 2, unit, unit)
        column.addLayout(head)
        self.traces: Readouts | None = None  # made when somebody wants one: plots are slow to import
        self._halves = QSplitter(self)  # beside each other: the pane is wide and low
        self._halves.setChildrenCollapsible(False)
        self._halves.addWidget(area)
        column.addWidget(self._halves, 1)
        self._say()

    def show_panel(self, bench: str, owner: str, instruments: Mapping[str, Any]) -> None:
        """Show a bench as it tells of itself."""
        if bench != self.bench or set(instruments) != set(self.boxes):
            self._clear()
            self.bench = bench
        self.told, self._owner = instruments, owner
        for place, name in enumerate(instruments):
            if name not in self.boxes:
                box = self.boxes[name] = InstrumentBox(name, self._body)
                box.setWanted.connect(self._set)
                box.traceWanted.connect(self._trace)
                self._grid.addWidget(box, place // 3, place % 3, Qt.AlignmentFlag.AlignTop)
                self._grid.setColumnStretch(place % 3, 1)
        self._grid.setRowStretch(len(instruments) // 3 + 1, 1)
        if not owner:
            self.take_over.setChecked(False)
        self.take_over.setVisible(bool(owner))
        self._refresh()
        if self.traces is not None:
            self.traces.take(instruments)

    def readouts(self) -> dict[str, str]:
        """Return what a watchdog can look at, with its unit: `instrument.knob`."""
        return {
            f"{name}.{knob}": str(state.get("unit") or "1")
            for name, told in self.told.items()
            for knob, state in (told.get("knobs") or {}).items()
        }

    def _refresh(self) -> None:
        owned = bool(self._owner) and not self.take_over.isChecked()
        for name, told in self.told.items():
            self.boxes[name].show_instrument(told, owned=owned)
        self._say()

    def _say(self) -> None:
        if not self.told:
            self.line.setText("The instruments appear here when the bench is ready.")
        elif self._owner:
            run = text.short_id(self._owner)
            how = "changes are written into it" if self.take_over.isChecked() else "they are read-only"
            self.line.setText(f"Run {run} owns these instruments: {how}.")
        else:
            self.line.setText("Type a value and press Return to set it.")

    def _set(self, instrument: str, knob: str, value: object) -> None:
        self.setWanted.emit(instrument, knob, value, bool(self._owner) and self.take_over.isChecked())

    def _trace(self, instrument: str, knob: str, unit: str, on: bool) -> None:
        if self.traces is None:
            from qlab_ui.panels.readouts import Readouts

            self.traces = Readouts(self)
            self._halves.addWidget(self.traces)
        first = not self.traces.strips
        self.traces.want(instrument, knob, unit, on=on)
        if first:  # a plot asks for more room than the knobs can spare
            self._halves.setSizes([3 * self.width() // 5, 2 * self.width() // 5])
        self.traces.take(self.told)

    def _clear(self) -> None:
        if self.traces is not None:
            self.traces.clear()
        for box in self.boxes.values():
            self._grid.removeWidget(box)
            box.deleteLater()
        self.boxes = {}


def _who(identity: Any) -> str:
    """Return who an instrument says it is, in a few words."""
    if not isinstance(identity, Mapping):
        return str(identity or "")
    parts = (str(identity.get(key) or "") for key in ("vendor", "model", "serial", "firmware"))
    return " ".join(part for part in parts if part)
