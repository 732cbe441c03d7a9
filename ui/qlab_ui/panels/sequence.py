"""The pulse view: the sequence that was played, or that the form would play, a slider over the sweep, and the state."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QSlider, QVBoxLayout, QWidget

from qlab.units import format_quantity
from qlab_ui import theme
from qlab_ui.plots.bloch import BlochSphere
from qlab_ui.plots.pulses import PulseCanvas
from qlab_ui.sequence import Played
from qlab_ui.states import StatePath

_SOON = "The sequence appears here in a moment."
NOTHING = "This experiment plays no sequence: it sets knobs and reads."


class SequencePanel(QWidget):
    """Lanes of pulses, a slider over the sweep, whether time is to scale; on a simulated bench where the state is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sequence")
        self.played: Played | None = None
        self.path: StatePath | None = None
        self.source = self._label(muted=True)
        self.where = self._label()
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Point of the sweep")
        self.slider.setToolTip("Which point of the sweep is drawn")
        self.slider.setMinimumWidth(self.fontMetrics().averageCharWidth() * 12)
        self.scale_box = QCheckBox("To scale", self)
        self.scale_box.setToolTip(
            "Draw time to scale; else long stretches are squeezed so that each pulse is seen"
        )
        self.state_box = QCheckBox("State", self)
        self.state_box.setChecked(True)
        self.state_box.setToolTip("Where the state of a simulated bench is along the sequence (SIM)")
        self.canvas = PulseCanvas(self)
        self.sphere = BlochSphere(self)
        self.moment = self._label(muted=True)
        self.moment.setWordWrap(True)
        self.moment.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.why = self._label(muted=True)
        self.why.setWordWrap(True)
        self.empty = self._label(muted=True)
        self.empty.setText(_SOON)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self._lay_out()
        self.slider.valueChanged.connect(self._moved)
        self.scale_box.toggled.connect(self.canvas.set_to_scale)
        self.state_box.toggled.connect(self._state_toggled)
        self.canvas.pointedAt.connect(self._pointed)
        self.show_played(None, "", _SOON)

    def _label(self, *, muted: bool = False) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        if muted:
            label.setForegroundRole(theme.MUTED)
        return label

    def _lay_out(self) -> None:
        unit = self.fontMetrics().averageCharWidth()
        head = QHBoxLayout()
        head.addWidget(self.source)
        head.addSpacing(unit)
        head.addWidget(self.slider, 1)
        head.addWidget(self.where)
        head.addSpacing(unit)
        head.addWidget(self.scale_box)
        head.addWidget(self.state_box)
        self._side = QWidget(self)
        self._side.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self._side.setFixedWidth(unit * 36)
        beside = QVBoxLayout(self._side)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        beside.addWidget(self.sphere, 1)
        beside.addWidget(self.moment)
        body = QHBoxLayout()
        body.setSpacing(unit)
        body.addWidget(self.canvas, 1)
        body.addWidget(self._side)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, unit // 2, unit, unit)
        column.addLayout(head)
        column.addLayout(body, 1)
        column.addWidget(self.why)
        column.addWidget(self.empty, 1)

    def state_wanted(self) -> bool:
        """Return whether somebody looks at the state."""
        return self.state_box.isChecked() and self.isVisible() and self.canvas.isVisible()

    def show_played(self, played: Played | None, source: str, why: str = NOTHING) -> None:
        """Show a sequence and say where it comes from; the slider stays at its share of the sweep."""
        share = self.slider.value() / max(self.slider.maximum(), 1)
        shown = played is not None and bool(played.pulses)
        self.played = played if shown else None
        for widget in (self.source, self.where, self.scale_box, self.state_box, self.canvas):
            widget.setVisible(shown)
        self.empty.setText(why)
        self.empty.setVisible(not shown)
        self.source.setText(source)
        count = len(played.duration) if played is not None and shown else 1
        self.slider.setVisible(shown and count > 1)
        self.slider.blockSignals(True)
        self.slider.setRange(0, count - 1)
        self.slider.setPageStep(max(count // 10, 1))
        self.slider.setValue(round(share * (count - 1)))
        self.slider.blockSignals(False)
        self.canvas.show_played(self.played, self.slider.value())
        self.show_path(None, "")
        self._say()

    def show_path(self, path: StatePath | None, why: str) -> None:
        """Show where the state is, or say why it is not drawn."""
        shown = path is not None and self.state_box.isChecked() and self.played is not None
        self.path = path if shown else None
        self._side.setVisible(shown)
        self.why.setText(why)
        self.why.setVisible(bool(why) and self.played is not None and self.state_box.isChecked())
        self.canvas.show_path(self.path)
        if self.path is None:
            return
        self.sphere.show_path(self.path.bloch, self.path.pair)
        self.sphere.setVisible(bool(self.path.bloch.size))
        if self.canvas.cursor_time is None:
            self.canvas.cursor_time = self._first_look()
        self._pointed(self.canvas.cursor_time)

    def _first_look(self) -> float:
        """Return where the cursor begins: after the last pulse, where the phase has become a population."""
        played, point = self.played, self.slider.value()
        ends = [float(p.stop[point]) for p in played.pulses if p.kind == "play"] if played is not None else []
        return max(ends, default=0.0)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the size of the text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_side"):
            self._side.setFixedWidth(self.fontMetrics().averageCharWidth() * 36)

    def _pointed(self, seconds: float) -> None:
        """Show the state at a moment."""
        if self.path is None or self.played is None:
            return
        index = self.path.at(seconds)
        self.sphere.show_moment(index, self.played.drive_at(self.slider.value(), seconds))
        note = f"\n{self.path.note}" if self.path.note else ""
        self.moment.setText(f"{format_quantity(seconds, 's', 4)} · SIM\n{self.path.words(index)}{note}")
        self.canvas.say_moment(self.path.words(index))

    def _state_toggled(self, wanted: bool) -> None:
        if not wanted:
            self.show_path(None, "")

    def _moved(self, point: int) -> None:
        self.canvas.show_point(point)
        self._say()

    def _say(self) -> None:
        if self.played is None:
            return
        point = self.slider.value()
        total = format_quantity(float(self.played.duration[point]), "s", 5)
        words = [self.played.at(point), f"one shot {total}", f"{self.played.shots} shots"]
        self.where.setText(" · ".join(word for word in words if word))
