"""The pulse view: the sequence that was played, or that the form would play, with a slider over the sweep."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from qlab.units import format_quantity
from qlab_ui import theme
from qlab_ui.plots.pulses import PulseCanvas
from qlab_ui.sequence import Played

_SOON = "The sequence appears here in a moment."
NOTHING = "This experiment plays no sequence: it sets knobs and reads."


class SequencePanel(QWidget):
    """Lanes of pulses, a slider over the sweep, and whether time is to scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sequence")
        self._played: Played | None = None
        self.source = QLabel(self)
        self.source.setTextFormat(Qt.TextFormat.PlainText)
        self.source.setForegroundRole(theme.MUTED)
        self.where = QLabel(self)
        self.where.setTextFormat(Qt.TextFormat.PlainText)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Point of the sweep")
        self.slider.setToolTip("Which point of the sweep is drawn")
        self.scale_box = QCheckBox("To scale", self)
        self.scale_box.setToolTip(
            "Draw time to scale; else long stretches are squeezed so that each pulse is seen"
        )
        self.canvas = PulseCanvas(self)
        self.empty = QLabel(_SOON, self)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setForegroundRole(theme.MUTED)
        unit = self.fontMetrics().averageCharWidth()
        head = QHBoxLayout()
        head.addWidget(self.source)
        head.addSpacing(unit)
        head.addWidget(self.slider, 1)
        head.addWidget(self.where)
        head.addSpacing(unit)
        head.addWidget(self.scale_box)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, unit // 2, unit, unit)
        column.addLayout(head)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.empty, 1)
        self.slider.valueChanged.connect(self._moved)
        self.scale_box.toggled.connect(self.canvas.set_to_scale)
        self.show_played(None, "", _SOON)

    def show_played(self, played: Played | None, source: str, why: str = NOTHING) -> None:
        """Show a sequence and say where it comes from; the slider stays at its share of the sweep."""
        share = self.slider.value() / max(self.slider.maximum(), 1)
        self._played = played
        shown = played is not None and bool(played.pulses)
        for widget in (self.source, self.where, self.scale_box, self.canvas):
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
        self.canvas.show_played(played if shown else None, self.slider.value())
        self._say()

    def _moved(self, point: int) -> None:
        self.canvas.show_point(point)
        self._say()

    def _say(self) -> None:
        if self._played is None:
            return
        point = self.slider.value()
        total = format_quantity(float(self._played.duration[point]), "s", 5)
        words = [self._played.at(point), f"one shot {total}", f"{self._played.shots} shots"]
        self.where.setText(" · ".join(word for word in words if word))
