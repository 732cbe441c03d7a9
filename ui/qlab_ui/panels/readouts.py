"""Live traces of readings: one strip below the other over the last minutes, as long as somebody wants them."""

import math
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from qlab.units import format_quantity, si_prefix
from qlab_ui import text, theme
from qlab_ui.plots.axis import Axis
from qlab_ui.plots.calm import Calm

SPANS = {"1 min": 60.0, "10 min": 600.0, "1 h": 3600.0, "6 h": 21600.0}
_KEPT = 50_000  # readings of each trace
_FRESH = 1e-3  # s by which a reading is newer than the last
_WIDE = 36  # characters


class Strip:
    """One reading: what was seen of it, and its plot."""

    def __init__(self, name: str, unit: str, plot: Any) -> None:
        self.name, self.unit, self.plot = name, unit, plot
        self.seen: deque[tuple[float, float]] = deque(maxlen=_KEPT)
        self.line = pg.PlotCurveItem()
        plot.addItem(self.line)
        self._calm = Calm(plot)
        self._scale: tuple[float, str] = (1.0, "")

    def take(self, state: Mapping[str, Any], now: float) -> None:
        """Keep a reading, if it is a number and a new one."""
        value, age = state.get("value"), state.get("age")
        if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(age, int | float):
            return
        moment = now - float(age)
        if math.isfinite(value) and (not self.seen or moment > self.seen[-1][0] + _FRESH):
            self.seen.append((moment, float(value)))

    def draw(self, now: float, span: float) -> None:
        """Draw the last `span` s up to now."""
        if not self.seen:
            return
        moments, values = np.array(self.seen).T
        scale = si_prefix(float(np.abs(values).max()), self.unit)
        if scale != self._scale:
            self._scale = scale
            self._calm.forget()
        self.plot.setLabel("left", f"{self.name} ({scale[1]})" if scale[1] else self.name)
        ago, shown = moments - now, values / scale[0]
        self.line.setData(ago, shown)
        self._calm.follow(shown[ago >= -span] if np.any(ago >= -span) else shown[-1:])
        self.plot.setXRange(-span, 0, padding=0.01)

    def words(self) -> str:
        """Return the last reading in words."""
        return f"{self.name} {format_quantity(self.seen[-1][1], self.unit, 7)}" if self.seen else self.name


class Readouts(QWidget):
    """The strips of the panel; hidden while there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readouts")
        self.strips: dict[tuple[str, str], Strip] = {}
        self.graphics = pg.GraphicsLayoutWidget(self)
        self.graphics.setAccessibleName("Traces of readings")
        self.graphics.setMinimumWidth(self.fontMetrics().averageCharWidth() * _WIDE)
        self._axes: list[Axis] = []  # the vertical ones, above each other
        self._rows = 0
        self.span = QComboBox(self)
        self.span.setAccessibleName("How far back")
        for words, seconds in SPANS.items():
            self.span.addItem(f"Last {words}", seconds)
        self.span.currentIndexChanged.connect(lambda _index: self._draw())
        self.line = QLabel(self)
        self.line.setForegroundRole(theme.MUTED)
        head = QHBoxLayout()
        head.addWidget(self.line, 1)
        head.addWidget(self.span)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self.graphics, 1)
        self.hide()

    def want(self, instrument: str, knob: str, unit: str, *, on: bool) -> None:
        """Draw a reading from now on, or no longer."""
        key = instrument, knob
        if on and key not in self.strips:
            axes = {side: Axis(side) for side in ("bottom", "left")}
            self._rows += 1
            plot = self.graphics.addPlot(row=self._rows, col=0, axisItems=axes, enableMenu=False)
            axes["left"].line_up(self._axes)
            plot.hideButtons()
            plot.setMouseEnabled(x=False, y=True)
            plot.showGrid(y=True, alpha=0.15)
            name = f"{text.words(instrument)} {text.words(knob).lower()}"
            self.strips[key] = Strip(name, unit, plot)
        elif not on and key in self.strips:
            gone = self.strips.pop(key)
            gone.plot.getAxis("left").leave()
            self.graphics.removeItem(gone.plot)
        # The time is written once, below all of them.
        for place, strip in enumerate(self.strips.values()):
            last = place == len(self.strips) - 1
            strip.plot.getAxis("bottom").setStyle(showValues=last)
            strip.plot.setLabel("bottom", "Seconds from now" if last else "")
        self.setVisible(bool(self.strips))
        self._recolour()

    def take(self, instruments: Mapping[str, Any]) -> None:
        """Keep what the bench tells, and draw it."""
        now = time.monotonic()
        for (instrument, knob), strip in self.strips.items():
            strip.take((instruments.get(instrument, {}).get("knobs") or {}).get(knob) or {}, now)
        self._draw()

    def clear(self) -> None:
        """Forget all of them: another bench is shown."""
        for instrument, knob in list(self.strips):
            self.want(instrument, knob, "", on=False)

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "graphics"):
            self._recolour()

    def _draw(self) -> None:
        now, span = time.monotonic(), float(self.span.currentData())
        for strip in self.strips.values():
            strip.draw(now, span)
        self.line.setText(" · ".join(strip.words() for strip in self.strips.values()))

    def _recolour(self) -> None:
        look = theme.theme_of(self.palette())
        self.graphics.setBackground(self.palette().color(QPalette.ColorRole.Base))
        for place, strip in enumerate(self.strips.values()):
            strip.line.setPen(pg.mkPen(look.series[place % len(look.series)]))
            for side in ("left", "bottom"):
                axis = strip.plot.getAxis(side)
                axis.setPen(pg.mkPen(look.line))
                axis.setTextPen(pg.mkPen(look.text))
                axis.setTickFont(self.font())
