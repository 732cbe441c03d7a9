"""What measures in a map: cuts along both axes at the cursor, and a region with its mean."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from qlab.units import format_measured, format_quantity
from qlab_ui import theme
from qlab_ui.plots.data import Floats, axis_label, signal_label
from qlab_ui.plots.map import MapView
from qlab_ui.plots.view import colour


class Cuts:
    """The row and the column through the pixel under the mouse; they stay where the mouse left the map."""

    def __init__(self, view: MapView) -> None:
        self._view = view
        self._seen: Any = None
        self.place: tuple[int, int] | None = None
        self.row, self.column = view.add_plot(1, 0), view.add_plot(0, 2)
        self.row.setXLink(view.plot)
        self.column.setYLink(view.plot)
        line, unit = view.fontMetrics().height(), view.fontMetrics().averageCharWidth()
        self.row.setMaximumHeight(line * 10)
        self.column.setMaximumWidth(unit * 30)
        self.column.getAxis("left").setStyle(showValues=False)
        self.column.getAxis("left").setWidth(unit)
        self.row.getAxis("left").keep_width(unit * 9)
        self.curves = [
            pg.PlotDataItem(symbol="o", symbolSize=4, symbolPen=None, connect="finite") for _ in "xy"
        ]
        self.bars = [pg.ErrorBarItem() for _ in "xy"]
        for plot, curve, bars in zip((self.row, self.column), self.curves, self.bars, strict=True):
            plot.addItem(bars)
            plot.addItem(curve)
        self.lines = [pg.InfiniteLine(angle=angle) for angle in (0, 90)]
        for item in self.lines:
            view.plot.addItem(item, ignoreBounds=True)

    def follow(self) -> None:
        """Cut where the mouse is."""
        view = self._view
        if view.grid is None or len(view.grid.axes) < 2:
            return
        shape = (len(view.grid.axes[0][1]), len(view.grid.axes[1][1]))
        place = view.pixel() or self.place or (shape[0] // 2, shape[1] // 2)
        if (place, view.drawn) == self._seen:
            return
        self.place, self._seen = place, (place, view.drawn)
        self._cut(*place)

    def recolour(self, look: theme.Theme) -> None:
        """Take the colours of a theme."""
        for curve, bars in zip(self.curves, self.bars, strict=True):
            curve.setPen(pg.mkPen(colour(look.series[0], 140)))
            curve.setSymbolBrush(colour(look.series[0], 220))
            bars.setOpts(pen=pg.mkPen(colour(look.series[0], 110)))
        for line in self.lines:
            line.setPen(pg.mkPen(look.series[1], style=Qt.PenStyle.DashLine))

    def close(self) -> None:
        """Leave the view."""
        for plot in (self.row, self.column):
            self._view.remove_plot(plot)
        for line in self.lines:
            self._view.plot.removeItem(line)

    def _cut(self, row: int, column: int) -> None:
        view = self._view
        if view.grid is None:
            return
        (up, ys), (across, xs) = view.grid.axes[0], view.grid.axes[1]
        value = view.grid.value.reshape(len(ys), len(xs), -1)[:, :, 0]
        error = view.grid.error.reshape(len(ys), len(xs), -1)[:, :, 0]
        self._draw(0, xs, value[row], error[row])
        self._draw(1, ys, value[:, column], error[:, column])
        signal = signal_label(view.grid.signal)
        view.label(self.row, "left", signal)
        view.label(self.row, "bottom", axis_label(across))
        view.label(self.column, "bottom", signal)
        for line, at in zip(self.lines, (ys[row], xs[column]), strict=True):
            line.setValue(float(at))
        self.row.setTitle(None)
        view.setAccessibleDescription(
            f"Cuts at {format_quantity(float(ys[row]), up.unit)} and {format_quantity(float(xs[column]), across.unit)}."
        )

    def _draw(self, which: int, along: Floats, value: Floats, error: Floats) -> None:
        seen = np.isfinite(value)
        spread = np.nan_to_num(np.where(seen, error, 0.0))
        x, y = (along, value) if which == 0 else (value, along)
        self.curves[which].setData(x, y)
        if not seen.any():
            self.bars[which].setData(x=None, y=None)
        elif which == 0:
            self.bars[which].setData(x=x[seen], y=y[seen], height=2 * spread[seen])
        else:
            self.bars[which].setData(x=x[seen], y=y[seen], width=2 * spread[seen])


class Region:
    """A rectangle that is dragged over a map: mean with its error, least, greatest, and how many pixels."""

    def __init__(self, view: MapView) -> None:
        self._view = view
        self._seen: Any = None
        rect = view.picture.boundingRect()
        size = (rect.width() / 3, rect.height() / 3)
        self.roi = pg.RectROI(
            (rect.left() + size[0], rect.top() + size[1]), size, maxBounds=rect, rotatable=False
        )
        view.plot.addItem(self.roi)
        self.words = pg.LabelItem(parent=view.plot.getViewBox(), justify="left")
        self.words.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(10, 6))

    def follow(self) -> None:
        """Measure again where the rectangle was moved or the map has grown."""
        grid, rect = self._view.grid, self.roi.parentBounds()
        now = (self._view.drawn, rect.getRect())
        if grid is None or len(grid.axes) < 2 or now == self._seen:
            return
        self._seen = now
        ys, xs = grid.axes[0][1], grid.axes[1][1]
        inside = np.outer(
            (ys >= rect.top()) & (ys <= rect.bottom()), (xs >= rect.left()) & (xs <= rect.right())
        )
        value = grid.value.reshape(len(ys), len(xs), -1)[:, :, 0]
        self._view.write(self.words, region_lines(value[inside], signal_label(grid.signal).unit or "1"))

    def recolour(self, look: theme.Theme) -> None:
        """Take the colours of a theme."""
        self.roi.setPen(pg.mkPen(look.series[1], width=2))
        self.roi.hoverPen = pg.mkPen(look.series[1], width=3)
        self._seen = None

    def close(self) -> None:
        """Leave the map."""
        self._view.plot.removeItem(self.roi)
        self.words.scene().removeItem(self.words)


def region_lines(inside: Floats, unit: str) -> list[str]:
    """Return what a region says; the error of its mean is the scatter of its pixels over the root of their number."""
    known = inside[np.isfinite(inside)]
    if not len(known):
        return ["nothing measured here"]
    spread = float(known.std(ddof=1)) if len(known) > 1 else float("nan")
    mean = format_measured(float(known.mean()), spread / np.sqrt(len(known)), unit)
    least, most = (format_quantity(float(edge), unit, 4) for edge in (known.min(), known.max()))
    return [f"mean {mean}   σ {format_quantity(spread, unit, 3)}", f"{least} to {most}   {len(known)} pixels"]
