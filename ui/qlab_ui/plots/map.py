"""A run with two axes: an image that grows row by row, in viridis, with its scale."""

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from qlab.grid import Grid, Gridding, Rows
from qlab.record import Record
from qlab.units import format_measured, format_quantity
from qlab_ui import theme
from qlab_ui.plots.data import Label, axis_label, signal_label
from qlab_ui.plots.raster import Raster
from qlab_ui.plots.view import Tool, View

_PART = 100_000  # points that are coloured in one go
_SLACK = 0.05  # of the range of the values, left free on both sides of the colours


class MapView(View):
    """Two-dimensional view: the first axis runs up, the second across."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid: Grid | None = None
        self._gridding: Gridding | None = None
        self._measured = 0
        self._known: tuple[float, float] | None = None  # the outermost values so far
        self._levels = (0.0, 1.0)
        self._behind: int | None = None  # the first point that has not been coloured for the levels of now
        self._ticked = 0  # what was drawn at the last tick
        self.colours = pg.colormap.get("viridis")
        self.picture = Raster(self.colours.getLookupTable(nPts=256, mode="byte"))
        self.plot.addItem(self.picture)
        self.ring = pg.ScatterPlotItem(size=13, symbol="o")
        self.plot.addItem(self.ring)
        self.scale = pg.ColorBarItem(values=(0, 1), colorMap=self.colours, interactive=False, width=14)
        self.graphics.addItem(self.scale, row=0, col=1)

    def show_record(self, record: Record) -> None:
        """Set the ranges of the planned axes."""
        first = self.record is None
        super().show_record(record)
        if first and len(record.axes) > 1:
            up, across = record.axes[0], record.axes[1]
            self.label(self.plot, "left", axis_label(up))
            self.label(self.plot, "bottom", axis_label(across))

    def draw(self, rows: Rows, signal: str) -> None:
        """Draw the gridded view of a signal, touching only the points that have changed."""
        if self.record is None:
            return
        other = self._gridding is None or self._gridding.signal.name != (signal or self._gridding.signal.name)
        if self._gridding is None or other:
            self._gridding = Gridding(self.record, signal)
        new = self.grid = self._gridding.take(rows)
        value, changed = new.value.reshape(new.value.shape[0], -1), self._gridding.changed
        label = signal_label(new.signal)
        if other or self.picture.shape != value.shape:
            self._measured, self._known = 0, None
            self.picture.resize((value.shape[0], value.shape[1]))
            self.picture.setRect(_extent(new))
            self.scale.getAxis("right").setLabel(label.name, units=label.unit or None)
        every = value.reshape(-1)
        part = every[changed]
        # Points that are measured again are rarely the outermost ones: all are looked at where half are done anew.
        whole = 2 * len(part) >= value.size
        if self._level(every if whole else part, whole=whole):
            self.scale.setLevels(self._levels)
            self._behind = 0
        if whole:
            self.picture.show_points(slice(None), every, self._levels)
            self._behind = None
        elif len(part):
            self.picture.show_points(changed, part, self._levels)
        self._catch_up()
        self.drawn += 1
        self._measured += int((new.rows.reshape(-1)[changed] == 1).sum())
        self.setAccessibleDescription(f"Map of {self._measured} of {value.size} points of {label.name}.")

    def tick(self) -> None:
        """Follow the mouse, and go on with what is coloured anew where nothing was drawn meanwhile."""
        if self._ticked == self.drawn:
            self._catch_up()
        self._ticked = self.drawn
        super().tick()

    def _catch_up(self) -> None:
        """Colour a part of the points for levels that have changed: millions at once would hold up the frames."""
        if self._behind is None or self.grid is None:
            return
        part = slice(self._behind, self._behind + _PART)
        self.picture.show_points(part, self.grid.value.reshape(-1)[part], self._levels)
        self._behind = part.stop if part.stop < self.grid.value.size else None

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Return the pixel under the mouse."""
        box = self.plot.getViewBox()
        if self.grid is None or len(self.grid.axes) < 2 or not box.sceneBoundingRect().contains(at):
            return None
        self.at = at
        if (place := self.pixel()) is None:
            return None
        row, column = place
        (up, ys), (across, xs) = self.grid.axes[0], self.grid.axes[1]
        rect = _extent(self.grid)
        value = float(self.grid.value.reshape(len(ys), -1)[row, column])
        error = float(self.grid.error.reshape(len(ys), -1)[row, column])
        shown = "not measured" if np.isnan(value) else format_measured(value, error, self.grid.signal.unit)
        words = f"{format_quantity(xs[column], across.unit)},  {format_quantity(ys[row], up.unit)}:  {shown}"
        x = rect.left() + (column + 0.5) * rect.width() / len(xs)
        y = rect.top() + (row + 0.5) * rect.height() / len(ys)
        return x, y, words

    def point_out(self, x: float | None, y: float | None) -> None:
        """Ring the pixel that the readout speaks of."""
        self.ring.setData([] if x is None else [x], [] if y is None else [y])

    def make_tool(self, name: str) -> Tool | None:
        """Return a region, cuts, or the histogram of the pixels."""
        from qlab_ui.plots.maptools import Cuts, Region
        from qlab_ui.plots.tools import Histogram

        if self.grid is None or len(self.grid.axes) < 2:
            return None
        if name == "histogram":
            return Histogram(self, 2, 0, sideways=False)
        return Region(self) if name == "measure" else Cuts(self)

    def values(self) -> tuple[NDArray[np.float64], Label] | None:
        """Return the values of the pixels."""
        return (self.grid.value, signal_label(self.grid.signal)) if self.grid is not None else None

    def pixel(self) -> tuple[int, int] | None:
        """Return row and column of the pixel where the mouse was last, None where that is beside the map."""
        box = self.plot.getViewBox()
        if self.grid is None or self.at is None or not box.sceneBoundingRect().contains(self.at):
            return None
        here, rect = box.mapSceneToView(self.at), _extent(self.grid)
        if not rect.contains(here):
            return None
        rows, columns = len(self.grid.axes[0][1]), len(self.grid.axes[1][1])
        row = min(int((here.y() - rect.top()) / rect.height() * rows), rows - 1)
        return row, min(int((here.x() - rect.left()) / rect.width() * columns), columns - 1)

    def table(self) -> list[tuple[str, list[float]]]:
        """Return the measured points, one line each."""
        if self.grid is None or len(self.grid.axes) < 2:
            return []
        (up, ys), (across, xs) = self.grid.axes[0], self.grid.axes[1]
        value, error = self.grid.value.ravel(), self.grid.error.ravel()
        seen = np.isfinite(value)
        names = [
            _heading(axis_label(up)),
            _heading(axis_label(across)),
            _heading(signal_label(self.grid.signal)),
        ]
        columns = (np.repeat(ys, len(xs)), np.tile(xs, len(ys)), value)
        listed = [(name, column[seen].tolist()) for name, column in zip(names, columns, strict=True)]
        return [*listed, (f"error of {names[2]}", error[seen].tolist())]

    def recolour(self) -> None:
        """Take the colours of the palette."""
        super().recolour()
        if not hasattr(self, "scale"):
            return
        look = theme.theme_of(self.palette())
        self.ring.setPen(pg.mkPen(look.text, width=1.5))
        self.ring.setBrush(None)
        axis = self.scale.getAxis("right")
        axis.setPen(pg.mkPen(look.line))
        axis.setTextPen(pg.mkPen(look.text))
        axis.setTickFont(self.font())

    def _level(self, value: NDArray[np.float64], *, whole: bool) -> bool:
        """Widen the levels where the values need it, narrow them where all are known; return whether they changed."""
        finite = np.isfinite(value)
        seen = value if finite.all() else value[finite]
        if not len(seen):
            return False
        low, high = float(seen.min()), float(seen.max())
        if self._known and not whole:
            low, high = min(low, self._known[0]), max(high, self._known[1])
        self._known = (low, high)
        if high <= low:
            high = low + (abs(low) or 1.0) * 1e-3
        held = self._levels
        if held[0] <= low and high <= held[1] and (high - low) > 0.7 * (held[1] - held[0]):
            return False
        slack = _SLACK * (high - low)
        self._levels = (low - slack, high + slack)
        return True


def _extent(view: Grid) -> QRectF:
    """Return the rectangle that the pixels cover, half a step beyond the outermost values."""
    edges = []
    for _, values in (view.axes[1], view.axes[0]):
        low, high = float(values.min()), float(values.max())
        step = (high - low) / (len(values) - 1) if len(values) > 1 else 1.0
        edges.append((low - step / 2, high - low + step))
    (left, width), (top, height) = edges
    return QRectF(left, top, width, height)


def _heading(label: Label) -> str:
    return f"{label.name} ({label.unit})" if label.unit else label.name
