"""Waveforms as an AWG plays them: a lane for each output and one for the markers, at any magnification."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QTimer, Signal
from PySide6.QtWidgets import QWidget

from qlab.grid import Rows
from qlab.pulses.wavefile import Waves
from qlab.units import format_quantity
from qlab_ui import theme
from qlab_ui.plots.data import Floats, Label
from qlab_ui.plots.view import View, colour

_SETTLED_MS = 60  # after the range was moved
_HEIGHT = 0.7  # of a lane of markers
_OVER = 3  # how much more than what is seen is asked for, so that a small move shows nothing empty


class WaveView(View):
    """Draws a stretch of waveforms, and asks for another one where somebody looks elsewhere."""

    rangeWanted = Signal(float, float)  # s

    def __init__(self, outputs: int, parent: QWidget | None = None) -> None:
        self._lanes: list[pg.PlotItem] = []
        super().__init__(parent)
        self.waves: Waves | None = None
        self._lanes = [self.plot, *(self.add_plot(row) for row in range(1, outputs + 1))]
        self._outputs = [(pg.PlotCurveItem(), pg.PlotCurveItem()) for _ in range(outputs)]
        self._fills = [pg.FillBetweenItem(*pair) for pair in self._outputs]
        self._marks: list[pg.PlotCurveItem] = []
        for lane, pair, fill in zip(self._lanes, self._outputs, self._fills, strict=False):
            for item in (*pair, fill):
                lane.addItem(item)
            lane.enableAutoRange(axis="y")
        for lane in self._lanes[1:]:
            lane.setXLink(self.plot)
        for lane in self._lanes[:-1]:
            lane.getAxis("bottom").setStyle(showValues=False)
        for lane in self._lanes:
            lane.setMouseEnabled(y=False)
        self._pause = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._pause.timeout.connect(self._ask)
        self.plot.sigXRangeChanged.connect(lambda *_: self._pause.start())
        self.recolour()

    def show_waves(self, waves: Waves) -> None:
        """Draw a stretch; the range stays where it is while the same shot is looked at."""
        fresh = self.waves is None or self.waves.seconds != waves.seconds
        self.waves = waves
        x = np.append(waves.time, waves.time[-1] + _step(waves))
        for number, (low, high) in enumerate(self._outputs):
            for curve, y in ((low, waves.low[number]), (high, waves.high[number])):
                curve.setData(x, y, stepMode="center")
        self._draw_lines(x, waves)
        for lane, name in zip(self._lanes, waves.outputs, strict=False):
            self.label(lane, "left", Label(name, "V"))
        self.label(self._lanes[-1], "bottom", Label("time in the shot", "s"))
        if fresh:
            self.fit_view()
        self.setAccessibleDescription(f"{len(waves.outputs)} outputs and {len(waves.lines)} markers.")

    def draw(self, rows: Rows, signal: str) -> None:
        """Waveforms are read elsewhere; rows are nothing to draw."""

    def fit_view(self) -> None:
        """Show the whole shot."""
        if self.waves is not None:
            self.plot.setXRange(0, self.waves.seconds, padding=0.01)
            self.autoscale()

    def autoscale(self) -> None:
        """Let the outputs fill their lanes."""
        for lane in self._lanes[:-1]:
            lane.enableAutoRange(axis="y")
        self._lanes[-1].setYRange(-0.2, max(len(self.waves.lines) if self.waves else 1, 1), padding=0)

    def plots(self) -> list[pg.PlotItem]:
        """Return all lanes."""
        return self._lanes or [self.plot]

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Return the time under the mouse, and what the outputs and the markers do then."""
        waves, box = self.waves, self.plot.getViewBox()
        if waves is None or not any(
            lane.getViewBox().sceneBoundingRect().contains(at) for lane in self._lanes
        ):
            return None
        when = float(box.mapSceneToView(at).x())
        column = int(np.searchsorted(waves.time, when, side="right")) - 1
        if not 0 <= column < len(waves.time):
            return None
        volts = [
            f"{name} {_volts(float(low), float(high))}"
            for name, low, high in zip(
                waves.outputs, waves.low[:, column], waves.high[:, column], strict=True
            )
            if low or high
        ]
        lit = [name for name, on in zip(waves.lines, waves.lit[:, column], strict=True) if on]
        return when, 0.0, ",  ".join([format_quantity(when, "s", 6), *volts, *lit])

    def table(self) -> list[tuple[str, list[float]]]:
        """Return what is seen: time, the outputs (least and largest where samples are drawn together), the markers."""
        waves = self.waves
        if waves is None:
            return []
        columns = [("time (s)", waves.time.tolist())]
        for number, name in enumerate(waves.outputs):
            if waves.whole:
                columns.append((f"{name} (V)", waves.high[number].tolist()))
            else:
                columns.append((f"{name}, least (V)", waves.low[number].tolist()))
                columns.append((f"{name}, largest (V)", waves.high[number].tolist()))
        columns += [(name, waves.lit[i].astype(float).tolist()) for i, name in enumerate(waves.lines)]
        return columns

    def recolour(self) -> None:
        """Take the colours of the palette."""
        super().recolour()
        if not self._lanes:
            return
        look = theme.theme_of(self.palette())
        for number, (pair, fill) in enumerate(zip(self._outputs, self._fills, strict=True)):
            shade = look.series[number % len(look.series)]
            for curve in pair:
                curve.setPen(pg.mkPen(shade))
            fill.setBrush(colour(shade, 90))
        for number, line in enumerate(self._marks):
            line.setPen(pg.mkPen(look.series[(2 + number) % len(look.series)]))
            line.setBrush(colour(look.series[(2 + number) % len(look.series)], 70))

    def _draw_lines(self, x: Floats, waves: Waves) -> None:
        lane = self._lanes[-1]
        while len(self._marks) < len(waves.lines):
            line = pg.PlotCurveItem()
            self._marks.append(line)
            lane.addItem(line)
            self.recolour()
        for number, line in enumerate(self._marks):
            # The first line stands on top.
            floor = len(waves.lines) - 1 - number
            line.setData(x, floor + _HEIGHT * waves.lit[number], stepMode="center", fillLevel=floor)
        ticks = [(len(waves.lines) - 1 - i + _HEIGHT / 2, name) for i, name in enumerate(waves.lines)]
        lane.getAxis("left").setTicks([ticks])

    def _ask(self) -> None:
        """Ask for what is seen, where the stretch that is drawn is too coarse or ends too early."""
        waves = self.waves
        if waves is None:
            return
        start, stop = (min(max(float(t), 0.0), waves.seconds) for t in self.plot.viewRange()[0])
        drawn = waves.time[0], waves.time[-1] + _step(waves)
        inside = drawn[0] <= start and stop <= drawn[1]
        fine = waves.whole or (drawn[1] - drawn[0]) <= 2 * _OVER * (stop - start)
        if stop > start and not (inside and fine):
            room = (stop - start) * (_OVER - 1) / 2
            self.rangeWanted.emit(max(start - room, 0.0), stop + room)


def _step(waves: Waves) -> float:
    return float(waves.time[1] - waves.time[0]) if len(waves.time) > 1 else waves.seconds


def _volts(low: float, high: float) -> str:
    if low == high:
        return format_quantity(low, "V", 4)
    return f"{format_quantity(low, 'V', 3)} to {format_quantity(high, 'V', 3)}"
