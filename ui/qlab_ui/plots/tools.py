"""What measures in a plot: two cursors with their distance, a region of a map, and the histogram of what is shown."""

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from qlab.units import format_measured, format_quantity
from qlab_ui import theme
from qlab_ui.plots.data import Curve, Floats, Label
from qlab_ui.plots.view import View, colour

_BINS = 60
_INVERSE = {"s": "Hz", "Hz": "s"}


def inverse_unit(unit: str) -> str:
    """Return the unit of 1 over a quantity."""
    return _INVERSE.get(unit, f"1/{unit}" if unit and "/" not in unit else "1")


class Cursors:
    """Two upright lines that are dragged; what lies between them is written beside them."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._seen: int | None = None
        low, high = view.plot.getViewBox().viewRange()[0]
        self.lines = [
            pg.InfiniteLine(low + (high - low) * share, angle=90, movable=True, label=name,
                            labelOpts={"position": 0.97, "movable": False})
            for share, name in ((1 / 3, "A"), (2 / 3, "B"))
        ]  # fmt: skip
        self.dots = pg.ScatterPlotItem(size=11, symbol="x")
        self.words = pg.LabelItem(parent=view.plot.getViewBox(), justify="left")
        self.words.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(10, 6))
        for line in self.lines:
            view.plot.addItem(line, ignoreBounds=True)
            line.sigPositionChanged.connect(self._moved)
        view.plot.addItem(self.dots, ignoreBounds=True)

    def follow(self) -> None:
        """Measure again where a line was moved or the curve has changed."""
        drawn = self._view.measured()
        if drawn is not None and self._seen != self._view.drawn:
            self._seen = self._view.drawn
            self._measure(drawn)

    def recolour(self, look: theme.Theme) -> None:
        """Take the colours of a theme."""
        for line, shade in zip(self.lines, (look.accent, look.warning), strict=True):
            line.setPen(pg.mkPen(shade, style=Qt.PenStyle.DashLine))
            line.setHoverPen(pg.mkPen(shade, width=2))
            line.label.setColor(shade)
        self.dots.setPen(pg.mkPen(look.text, width=1.5))
        self.dots.setBrush(None)
        self._seen = None

    def close(self) -> None:
        """Leave the plot."""
        for item in (*self.lines, self.dots):
            self._view.plot.removeItem(item)
        self.words.scene().removeItem(self.words)

    def _moved(self) -> None:
        self._seen = None

    def _measure(self, drawn: Curve) -> None:
        """Write both places, and the distance of the two: the nearest measured point of each line counts."""
        if not len(drawn.x):
            return
        at = [self._view.value(float(line.value()), 0) for line in self.lines]
        near = [int(np.argmin(np.abs(self._view.shown(drawn.x, 0) - line.value()))) for line in self.lines]
        x = np.array(at)
        y, error = np.array([drawn.y[i] for i in near]), np.array([drawn.error[i] for i in near])
        self.dots.setData(self._view.shown(drawn.x[near], 0), self._view.shown(y, 1))
        self._view.write(self.words, lines_of(x, y, error, drawn.across, drawn.up))


def lines_of(x: Floats, y: Floats, error: Floats, across: Label, up: Label) -> list[str]:
    """Return what two cursors say; x, y and errors have shape (2,)."""
    xu, yu = across.unit or "1", up.unit or "1"
    said = [
        f"{name}  {format_quantity(float(x[i]), xu, 5)}   {format_measured(float(y[i]), float(error[i]), yu)}"
        for i, name in enumerate("AB")
    ]
    dx, dy = float(x[1] - x[0]), float(y[1] - y[0])
    rate = f"   1/Δx {format_quantity(1 / abs(dx), inverse_unit(across.unit), 4)}" if dx else ""
    said.append(
        f"Δx {format_quantity(dx, xu, 5)}{rate}   Δy {format_measured(dy, float(np.hypot(*error)), yu)}"
    )
    return said


class Histogram:
    """How often each value occurs, on its side along the vertical axis of a curve, or below a map."""

    def __init__(self, view: View, row: int, column: int, *, sideways: bool) -> None:
        self._view, self._sideways = view, sideways
        self._seen: int | None = None
        self.plot = view.add_plot(row, column)
        self.bars = pg.BarGraphItem(x0=[0.0], y0=[0.0], width=[0.0], height=[0.0])
        if sideways:
            self.plot.setYLink(view.plot)
            self.plot.hideAxis("left")
            self.plot.setMaximumWidth(view.fontMetrics().averageCharWidth() * 26)
        else:
            self.plot.setMaximumHeight(view.fontMetrics().height() * 9)
        self.plot.addItem(self.bars)
        self.words = pg.LabelItem(parent=self.plot.getViewBox(), justify="right")
        self.words.anchor(itemPos=(1, 0), parentPos=(1, 0), offset=(-6, 4))

    def follow(self) -> None:
        """Count again where the values have changed."""
        found = self._view.values()
        if found is None or self._seen == self._view.drawn:
            return
        self._seen = self._view.drawn
        values, label = found[0][np.isfinite(found[0])].ravel(), found[1]
        if len(values) < 2:
            return
        counts, edges = np.histogram(self._view.shown(values, 1) if self._sideways else values, bins(values))
        low, wide, none = edges[:-1], np.diff(edges), np.zeros(len(counts))
        if self._sideways:
            self.bars.setOpts(x0=none, width=counts, y0=low, height=wide)
        else:
            self.bars.setOpts(x0=low, width=wide, y0=none, height=counts)
        self._view.label(self.plot, "bottom", Label("count") if self._sideways else label)
        if not self._sideways:
            self._view.label(self.plot, "left", Label("count"))
        unit = label.unit or "1"
        mean, spread = float(values.mean()), float(values.std(ddof=1))
        said = [
            f"mean {format_quantity(mean, unit, 4)}",
            f"σ {format_quantity(spread, unit, 3)}",
            f"N {len(values)}",
        ]
        self._view.write(self.words, said if self._sideways else ["   ".join(said)])

    def recolour(self, look: theme.Theme) -> None:
        """Take the colours of a theme."""
        self.bars.setOpts(pen=pg.mkPen(colour(look.series[0], 160)), brush=colour(look.series[0], 70))
        self._seen = None

    def close(self) -> None:
        """Leave the view."""
        self._view.remove_plot(self.plot)


def bins(values: Floats) -> int:
    """Return how many bins show a distribution: Freedman and Diaconis' rule, within what is seen."""
    low, high = np.percentile(values, [25, 75])
    width = 2 * (high - low) / len(values) ** (1 / 3)
    return int(np.clip(np.ptp(values) / width, 5, _BINS)) if width > 0 else 5
