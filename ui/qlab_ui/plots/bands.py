"""A figure over an axis with its confidence band and the limits beside it: Allan deviations, spectra, sensitivities."""

import html
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QWidget

from qlab.grid import Rows
from qlab.units import format_quantity
from qlab_ui import theme
from qlab_ui.plots.data import Curve, Label, plain_unit
from qlab_ui.plots.view import Tool, View, colour

_NEAR = 40.0
_DASHES = (Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine, Qt.PenStyle.DashDotDotLine)


class BandsView(View):
    """Draws a `qlab.metrology.curves.Curve`: points, a band as error bars and fill, limits as named lines."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bands")
        self.curve: Any = None
        self.low, self.high = pg.PlotDataItem(), pg.PlotDataItem()
        self.fill = pg.FillBetweenItem(self.low, self.high)
        self.points = pg.PlotDataItem(connect="finite", symbol="o", symbolSize=6)
        self.bars = pg.ErrorBarItem()
        self.ring = pg.ScatterPlotItem(size=13, symbol="o")
        for item in (self.low, self.high, self.fill, self.bars, self.points, self.ring):
            self.plot.addItem(item)
        self._lines_of: list[pg.PlotDataItem] = []
        self.legend = pg.LabelItem(parent=self.plot.getViewBox(), justify="right")
        self.legend.anchor(itemPos=(1, 0), parentPos=(1, 0), offset=(-8, 4 + 2 * self.fontMetrics().height()))

    def show_curve(self, curve: Any) -> None:
        """Draw a curve; the range stays where it was chosen when the same one grows."""
        fresh = self.curve is None or self.curve.name != curve.name
        self.curve = curve
        if fresh and [bool(curve.logarithmic)] * 2 != self._logs:
            self._logs = [bool(curve.logarithmic)] * 2
            self.plot.setLogMode(x=self._logs[0], y=self._logs[1])
        self.redraw()
        if fresh:
            self.fit_view()

    def draw(self, rows: Rows, signal: str) -> None:
        """A curve is made elsewhere; rows are nothing to draw."""

    def redraw(self) -> None:
        """Draw the same curve again."""
        curve = self.curve
        if curve is None:
            return
        self.label(
            self.plot, "bottom", Label(curve.x_label, plain_unit(curve.x_unit)), prefixed=not self._logs[0]
        )
        self.label(self.plot, "left", Label(curve.label, plain_unit(curve.unit)), prefixed=not self._logs[1])
        x, y = np.asarray(curve.x, float), np.asarray(curve.y, float)
        low = np.where(
            np.isfinite(curve.low) & (np.asarray(curve.low) > 0), curve.low, y if self._logs[1] else curve.low
        )
        self.points.setData(x, y)
        self.low.setData(x, low)
        self.high.setData(x, np.asarray(curve.high, float))
        self.fill.setCurves(self.low, self.high)
        sx, sy = self.shown(x, 0), self.shown(y, 1)
        known = np.isfinite(sx) & np.isfinite(sy) & np.isfinite(self.shown(np.asarray(curve.high, float), 1))
        self.bars.setData(
            x=sx[known], y=sy[known],
            top=(self.shown(np.asarray(curve.high, float), 1) - sy)[known],
            bottom=(sy - self.shown(low, 1))[known],
        )  # fmt: skip
        self._draw_limits()
        self.setAccessibleDescription(_summary(curve))
        self.drawn += 1
        self.recolour()

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Return the point nearest to the mouse, with its band."""
        curve, box = self.curve, self.plot.getViewBox()
        if curve is None or not len(curve.x) or not box.sceneBoundingRect().contains(at):
            return None
        x, y = self.shown(np.asarray(curve.x, float), 0), self.shown(np.asarray(curve.y, float), 1)
        here, (wide, high) = box.mapSceneToView(at), box.viewPixelSize()
        distance = np.hypot((x - here.x()) / (wide or 1), (y - here.y()) / (high or 1))
        if not np.any(np.isfinite(distance)):
            return None
        i = int(np.nanargmin(distance))
        if distance[i] > _NEAR:
            return None
        unit = curve.unit or "1"
        band = f"{format_quantity(float(curve.low[i]), unit, 3)} to {format_quantity(float(curve.high[i]), unit, 3)}"
        words = (
            f"{format_quantity(float(curve.x[i]), curve.x_unit or '1', 4)},  "
            f"{format_quantity(float(curve.y[i]), unit, 4)} ({band}, {curve.confidence:.0%})"
        )
        for limit in curve.limits:
            ratio = float(curve.ratio_to(limit.label)[i])
            if np.isfinite(ratio):
                words += f"; {ratio:.3g} × {limit.label}"
        return float(x[i]), float(y[i]), words

    def make_tool(self, name: str) -> Tool | None:
        """Return cursors."""
        from qlab_ui.plots.tools import Cursors

        return Cursors(self) if name == "measure" else None

    def measured(self) -> Curve | None:
        """Return the curve; half of the band's width is its error."""
        if (made := self.curve) is None:
            return None
        error = (np.asarray(made.high, float) - np.asarray(made.low, float)) / 2
        across, up = Label(made.x_label, plain_unit(made.x_unit)), Label(made.label, plain_unit(made.unit))
        return Curve(np.asarray(made.x, float), np.asarray(made.y, float), error, across, up)

    def point_out(self, x: float | None, y: float | None) -> None:
        """Ring the point that the readout speaks of."""
        self.ring.setData([] if x is None else [x], [] if y is None else [y])

    def table(self) -> list[tuple[str, list[float]]]:
        """Return the curve and its band as columns."""
        curve = self.curve
        if curve is None:
            return []
        names = (f"{curve.x_label} ({curve.x_unit})", f"{curve.label} ({curve.unit})", "low", "high")
        values = (curve.x, curve.y, curve.low, curve.high)
        return [(name, np.asarray(v, float).tolist()) for name, v in zip(names, values, strict=True)]

    def recolour(self) -> None:
        """Take the colours of the palette."""
        super().recolour()
        if not hasattr(self, "legend"):
            return
        look = theme.theme_of(self.palette())
        data = look.series[0]
        self.points.setPen(pg.mkPen(colour(data, 160)))
        self.points.setSymbolBrush(colour(data, 230))
        self.points.setSymbolPen(None)
        self.bars.setOpts(pen=pg.mkPen(colour(data, 140)))
        self.fill.setBrush(colour(data, 40))
        for item in (self.low, self.high):
            item.setPen(None)
        self.ring.setPen(pg.mkPen(look.text, width=1.5))
        self.ring.setBrush(None)
        names = []
        limits = self.curve.limits if self.curve is not None else ()
        for place, (item, limit) in enumerate(zip(self._lines_of, limits, strict=True)):
            shade = look.series[1 + place % (len(look.series) - 1)]
            item.setPen(pg.mkPen(shade, style=_DASHES[place % len(_DASHES)]))
            names.append(
                f'<span style="color:{shade};background-color:{look.base}">&nbsp;– –</span>'
                f'<span style="background-color:{look.base}">&nbsp;{html.escape(limit.label)}&nbsp;</span>'
            )
        self._say(self.legend, "<br>".join(names))

    def _draw_limits(self) -> None:
        for item in self._lines_of:
            self.plot.removeItem(item)
        self._lines_of = [
            pg.PlotDataItem(np.asarray(limit.x, float), np.asarray(limit.y, float))
            for limit in self.curve.limits
        ]
        for item in self._lines_of:
            self.plot.addItem(item)


def _summary(curve: Any) -> str:
    if not len(curve.x):
        return "No points yet."
    y = np.asarray(curve.y, float)
    limits = ", ".join(limit.label for limit in curve.limits)
    beside = f", beside {limits}" if limits else ""
    unit = curve.unit or "1"
    return (
        f"{len(y)} points of {curve.label} over {curve.x_label}, from {format_quantity(float(np.nanmin(y)), unit, 3)} "
        f"to {format_quantity(float(np.nanmax(y)), unit, 3)}{beside}."
    )
