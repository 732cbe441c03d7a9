"""A tab of waveforms: which point of the sweep, what was rounded, and the view that asks for what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSlider

from qlab.units import format_quantity
from qlab_ui import work
from qlab_ui.derived import DerivedPage

if TYPE_CHECKING:
    from pathlib import Path

    from qlab.errors import QlabError
    from qlab.pulses.wavefile import Waves
    from qlab_ui.atwork import Voice
    from qlab_ui.plots.waves import WaveView
    from qlab_ui.worker import Worker

COLUMNS = 4000  # stretches that are read together


class WavesPage(DerivedPage):
    """Waveforms of a file, a point of the sweep at a time."""

    view: WaveView

    def __init__(self, waves: Waves, path: Path, worker: Worker, voice: Voice) -> None:
        from qlab_ui.plots.waves import WaveView

        super().__init__(
            path.name, waves.report, WaveView(len(waves.outputs)), simulated=False, stem=path.stem
        )
        self._path, self._worker, self._voice = path, worker, voice
        self._asked = 0  # questions; only the answer to the last one is drawn
        self.where = QLabel(self)
        self.where.setTextFormat(Qt.TextFormat.PlainText)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Point of the sweep")
        self.slider.setToolTip("Which point of the sweep is drawn")
        self.slider.setMinimumWidth(self.fontMetrics().averageCharWidth() * 20)
        self.slider.setRange(0, waves.points - 1)
        self.slider.setVisible(waves.points > 1)
        self.head.addWidget(self.slider)
        self.head.addWidget(self.where)
        self.view.mark_as(path.name, simulated=False)
        self.view.show_waves(waves)
        self._say(waves)
        self.slider.valueChanged.connect(lambda _value: self._ask(0.0, float("inf")))
        self.view.rangeWanted.connect(self._ask)

    def _ask(self, start: float, stop: float) -> None:
        self._asked += 1
        number = self._asked

        def got(waves: Waves) -> None:
            if number == self._asked:
                self.view.show_waves(waves)
                self._say(waves)

        self._worker.ask(
            got, self._failed, work.read_waves, str(self._path), self.slider.value(), start, stop, COLUMNS
        )

    def _say(self, waves: Waves) -> None:
        one = f"point {waves.point + 1} of {waves.points}"
        self.where.setText(
            f"{one} · one shot {format_quantity(waves.seconds, 's', 5)} · {waves.repeats} shots"
        )

    def _failed(self, error: QlabError) -> None:
        self._voice.tell("warning", error.message, error.hint, toast=True)
