"""A run with one axis: points with error bars, the fitted curve, and a strip of residuals."""

import html

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QWidget

from qlab.grid import Gridding, Rows
from qlab.record import Record
from qlab.units import format_measured, format_quantity
from qlab_ui import text, theme
from qlab_ui.plots.calm import Calm
from qlab_ui.plots.data import Curve, Floats, Label, Overlay, axis_label, curve, curve_of_grid, signal_label
from qlab_ui.plots.residuals import Residuals
from qlab_ui.plots.view import Tool, View, colour
from qlab_ui.work import Fitted

_MOST_SYMBOLS = 3000  # beyond this many points a line says more than markers
_NEAR = 40.0  # how far, in device-independent dots, the cursor reaches
_NAMED = 6  # lines of the legend


class CurveView(View):
    """One-dimensional view, live and reopened."""

    residuals: Residuals | None = None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.curve: Curve | None = None
        self._fitted: Fitted | None = None
        self._overlays: list[Overlay] = []
        self._behind: list[pg.PlotDataItem] = []
        self.legend: pg.LabelItem | None = None
        self._named: tuple[Label, Label] | None = None
        self._many: bool | None = None
        self._gridding: Gridding | None = None
        self.bars = pg.ErrorBarItem()
        self.points = pg.PlotDataItem(connect="finite")
        self.model = pg.PlotDataItem(antialias=True)
        self.ring = pg.ScatterPlotItem(size=13, symbol="o")
        # A wide, smooth line in one piece takes Qt twenty times as long as the same line in segments.
        self.model.curve.setSegmentedLineMode("on")
        for item in (self.bars, self.points, self.model, self.ring):
            self.plot.addItem(item)
        self.plot.getAxis("left").keep_width(self.fontMetrics().averageCharWidth() * 9)
        self._calm = Calm(self.plot)

    def complete(self) -> None:
        """Make the strip of residuals, which nobody sees before the first fit, where it is not there yet."""
        if self.residuals is None:
            self.residuals = Residuals(self)
            self.recolour()

    def show_record(self, record: Record) -> None:
        """Set the range of the planned sweep, so that the picture fills and does not jump."""
        first = self.record is None
        super().show_record(record)
        if first and record.axes and record.signals:
            # Named before it is shown: names that come with the first points lay out and paint everything twice.
            self._name_axes(axis_label(record.axes[0]), signal_label(record.signals[0]))
        if first:
            self.expect_fit(wanted=bool(record.fit) and len(record.axes) == 1)
        if first and record.axes and len(record.axes[0].values) > 1:
            values = np.asarray(record.axes[0].values, dtype=float)
            if _spaced_by_factor(values):
                self.toggle_log(0)
            shown = self.shown(values, 0)
            self.plot.setXRange(float(shown.min()), float(shown.max()), padding=0.02)

    def draw(self, rows: Rows, signal: str) -> None:
        """Draw the gridded view of a signal."""
        if self.record is None:
            return
        if not (self.record.signals and self.record.axes):
            self.curve = curve(self.record, rows, signal)
        else:
            if self._gridding is None or self._gridding.signal.name != (signal or self._gridding.signal.name):
                self._gridding = Gridding(self.record, signal)
            self.curve = curve_of_grid(self._gridding.take(rows))
        self.redraw()

    @property
    def overlays(self) -> list[Overlay]:
        """The runs that are drawn behind this one."""
        return list(self._overlays)

    def clear(self) -> None:
        """Be as just made: a view that is used again costs a fraction of a new one, and leaves no garbage."""
        super().clear()
        self.show_fit(None)
        for item in self._behind:
            self.plot.removeItem(item)
        if self.legend is not None:
            self.legend.scene().removeItem(self.legend)
        self.curve, self.legend, self._overlays, self._behind = None, None, [], []
        self._named = self._many = self._gridding = None
        self.points.setDownsampling(auto=False)
        self.points.setClipToView(False)
        self.points.setData([], [])
        self.bars.setData(x=None, y=None)
        self.point_out(None, None)
        self._calm.forget()
        self.fit_view()

    def show_curve(self, drawn: Curve) -> None:
        """Draw points that were made elsewhere."""
        self.curve = drawn
        self.redraw()
        self.fit_view()

    def overlay(self, overlays: list[Overlay]) -> None:
        """Draw other runs behind this one."""
        self._overlays = overlays
        if self.legend is None:
            self.legend = pg.LabelItem(parent=self.plot.getViewBox(), justify="right")
            self.legend.anchor(
                itemPos=(1, 0), parentPos=(1, 0), offset=(-8, 4 + 2 * self.fontMetrics().height())
            )
        for item in self._behind:
            self.plot.removeItem(item)
        self._behind = [pg.PlotDataItem(connect="finite") for _ in overlays]
        for item in self._behind:
            self.plot.addItem(item)
        self.recolour()
        self.redraw()

    def redraw(self) -> None:
        """Draw the same points again."""
        if self.curve is None:
            return
        drawn = self.curve
        self.drawn += 1
        self._name_axes(drawn.across, drawn.up)
        many = len(drawn.x) > _MOST_SYMBOLS
        if many != self._many:
            self._many = many
            self._thread()
            self.points.setDownsampling(auto=many, method="peak")
            self.points.setClipToView(many)
            self.points.setSymbol(None if many else "o")
        self.points.setData(drawn.x, drawn.y)
        self._bars(drawn, many)
        for item, other in zip(self._behind, self._overlays, strict=True):
            item.setData(other.curve.x, other.curve.y)
        self._follow()
        self.setAccessibleDescription(_summary(drawn))

    def show_fit(self, fitted: Fitted | None) -> None:
        """Draw the fitted curve and the residuals."""
        self._fitted = fitted
        if fitted is None:
            self.model.setData([], [])
        else:
            self.model.setData(fitted.x, fitted.y)
            self.complete()
        if self.residuals is not None:
            self.residuals.show_fit(fitted)
        self._thread()

    def expect_fit(self, *, wanted: bool) -> None:
        """Show the strip of residuals before there are any: one that comes later lays out everything anew."""
        if wanted:
            self.complete()
        if self.residuals is not None:
            self.residuals.reserve(wanted=wanted)

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Return the measured point nearest to the mouse."""
        drawn, box = self.curve, self.plot.getViewBox()
        if drawn is None or not len(drawn.x) or not box.sceneBoundingRect().contains(at):
            return None
        x, y = self.shown(drawn.x, 0), self.shown(drawn.y, 1)
        here, (wide, high) = box.mapSceneToView(at), box.viewPixelSize()
        distance = np.hypot((x - here.x()) / (wide or 1), (y - here.y()) / (high or 1))
        if not np.any(np.isfinite(distance)):
            return None
        index = int(np.nanargmin(distance))
        if distance[index] > _NEAR:
            return None
        across = format_quantity(float(drawn.x[index]), drawn.across.unit or "1", 6)
        up = format_measured(float(drawn.y[index]), float(drawn.error[index]), drawn.up.unit or "1")
        return float(x[index]), float(y[index]), f"{across},  {up}"

    def point_out(self, x: float | None, y: float | None) -> None:
        """Ring the point that the readout speaks of."""
        self.ring.setData([] if x is None else [x], [] if y is None else [y])

    def make_tool(self, name: str) -> Tool | None:
        """Return cursors or the histogram of the points."""
        from qlab_ui.plots.tools import Cursors, Histogram

        if name == "measure":
            return Cursors(self)
        return Histogram(self, 0, 1, sideways=True) if name == "histogram" else None

    def measured(self) -> Curve | None:
        """Return the points of the run in front."""
        return self.curve

    def values(self) -> tuple[Floats, Label] | None:
        """Return the measured values."""
        return (self.curve.y, self.curve.up) if self.curve is not None else None

    def table(self) -> list[tuple[str, list[float]]]:
        """Return the points and, where there is one, the fit at each of them."""
        if self.curve is None:
            return []
        drawn = self.curve
        columns = [
            (_heading(drawn.across), drawn.x.tolist()),
            (_heading(drawn.up), drawn.y.tolist()),
            (f"error of {_heading(drawn.up)}", drawn.error.tolist()),
        ]
        if self._fitted is not None and len(self._fitted.at_points) == len(drawn.x):
            columns.append((f"fit of {_heading(drawn.up)}", self._fitted.at_points.tolist()))
        return columns

    def plots(self) -> list[pg.PlotItem]:
        """Return the plot and the strip below it."""
        return [self.plot] if self.residuals is None else [self.plot, self.residuals.plot]

    def recolour(self) -> None:
        """Take the colours of the palette."""
        super().recolour()
        self._named = None  # the colour of a name is part of it
        if not hasattr(self, "ring"):
            return
        look = theme.theme_of(self.palette())
        data, fit = look.series[0], look.series[1]
        self._thread()
        self.points.setSymbolBrush(colour(data, 230))
        self.points.setSymbolPen(None)
        self.points.setSymbolSize(6)
        self.bars.setOpts(pen=pg.mkPen(colour(data, 120)))
        # The fitted curve is the one line that is allowed to be wider: it has few points.
        self.model.setPen(pg.mkPen(fit, width=2))
        self.ring.setPen(pg.mkPen(look.text, width=1.5))
        self.ring.setBrush(None)
        if self.residuals is not None:
            self.residuals.recolour(look)
        self._name_overlays(look)
        for place, item in enumerate(self._behind):
            shade = look.series[2 + place % 5]
            item.setPen(pg.mkPen(colour(shade, 120)))
            item.setSymbol(("s", "t", "d", "+", "x")[place % 5])
            item.setSymbolSize(6)
            item.setSymbolPen(None)
            item.setSymbolBrush(colour(shade, 200))

    def autoscale(self) -> None:
        """Let the vertical axis follow the data."""
        self._follow(again=True)

    def fit_view(self) -> None:
        """Show everything that is drawn and keep showing it while it grows."""
        self.plot.enableAutoRange(axis="x")
        self.autoscale()

    def toggle_log(self, axis: int) -> None:
        """Turn an axis (0: x, 1: y) to a logarithmic one or back."""
        super().toggle_log(axis)
        if self.residuals is not None:
            self.residuals.keep()
        if axis == 1:
            self.autoscale()

    def _follow(self, *, again: bool = False) -> None:
        drawn = self.curve
        if drawn is not None:
            error = np.nan_to_num(drawn.error)
            parts = [drawn.y + error, drawn.y - error, *(other.curve.y for other in self._overlays)]
            self._calm.follow(self.shown(np.concatenate(parts), 1), again=again)

    def _thread(self) -> None:
        """Lead the eye from point to point where no fit does."""
        data = theme.theme_of(self.palette()).series[0]
        self.points.setPen(
            pg.mkPen(data)
            if self._many
            else None
            if self._fitted is not None
            else pg.mkPen(colour(data, 110))
        )

    def _name_axes(self, across: Label, up: Label) -> None:
        """Name the axes where their names have changed: an axis that is named anew is laid out anew."""
        if self._named == (across, up):
            return
        self._named = (across, up)
        self.label(self.plot, "bottom", across)
        self.label(self.plot, "left", up)

    def _name_overlays(self, look: theme.Theme) -> None:
        if self.legend is None or self.record is None:
            return
        names = [self.record.title or self.record.experiment, *(other.name for other in self._overlays)]
        runs = [self.record.id, *(other.run for other in self._overlays)]
        shades = [look.series[0], *(look.series[2 + place % 5] for place in range(len(self._overlays)))]
        lines = [
            f'<span style="color:{shade};background-color:{look.base}">&nbsp;●</span>'
            f'<span style="background-color:{look.base}">&nbsp;{html.escape(name)} {text.short_id(run)}&nbsp;</span>'
            for shade, name, run in zip(shades, names, runs, strict=True)
        ]
        if len(lines) > _NAMED:  # the colours repeat, and a longer list would cover what it is about
            left = f'<span style="color:{look.muted};background-color:{look.base}">&nbsp;and {{}} more&nbsp;</span>'
            lines = [*lines[: _NAMED - 1], left.format(len(lines) - _NAMED + 1)]
        self._say(self.legend, "<br>".join(lines))

    def _bars(self, drawn: Curve, many: bool) -> None:
        known = np.isfinite(drawn.error) & np.isfinite(drawn.y)
        if many or not known.any():
            self.bars.setData(x=None, y=None)
            return
        x, y, error = drawn.x[known], drawn.y[known], drawn.error[known]
        top = self.shown(y + error, 1) - self.shown(y, 1)
        low = self.shown(y, 1) - self.shown(
            np.where(self._logs[1], np.maximum(y - error, y / 10), y - error), 1
        )
        self.bars.setData(x=self.shown(x, 0), y=self.shown(y, 1), top=top, bottom=low)


def _spaced_by_factor(values: Floats) -> bool:
    """Tell whether a sweep is logarithmic: it is then shown on a logarithmic axis."""
    if len(values) < 3 or values.min() <= 0 or values.max() < 10 * values.min():
        return False
    steps = np.diff(np.log(values))
    return bool(np.allclose(steps, steps[0], rtol=1e-6))


def _heading(label: Label) -> str:
    return f"{label.name} ({label.unit})" if label.unit else label.name


def _summary(drawn: Curve) -> str:
    if not len(drawn.y):
        return "No points yet."
    low, high = float(np.nanmin(drawn.y)), float(np.nanmax(drawn.y))
    unit = drawn.up.unit or "1"
    return (
        f"{len(drawn.y)} points of {drawn.up.name} over {drawn.across.name}, "
        f"from {format_quantity(low, unit, 4)} to {format_quantity(high, unit, 4)}."
    )
