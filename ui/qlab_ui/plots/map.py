"""A run with two axes: an image that grows row by row, in viridis, with its scale."""

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from qlab.grid import Grid, Rows, grid
from qlab.record import Record
from qlab.units import format_measured, format_quantity
from qlab_ui import theme
from qlab_ui.plots.data import Label, axis_label, signal_label
from qlab_ui.plots.view import View

_UNSEEN = 0  # the index of a pixel that has not been measured: transparent


class MapView(View):
    """Two-dimensional view: the first axis runs up, the second across."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid: Grid | None = None
        self._pixels: NDArray[np.uint8] = np.zeros((0, 0), dtype=np.uint8)
        self._rows: NDArray[np.int64] = np.zeros((0, 0), dtype=np.int64)
        self._levels = (0.0, 1.0)
        self.colours = pg.colormap.get("viridis")
        self.picture = pg.ImageItem(axisOrder="row-major")
        self.plot.addItem(self.picture)
        self.ring = pg.ScatterPlotItem(size=13, symbol="o")
        self.plot.addItem(self.ring)
        self.scale = pg.ColorBarItem(values=(0, 1), colorMap=self.colours, interactive=False, width=14)
        self.graphics.addItem(self.scale, row=0, col=1)
        table = np.zeros((256, 4), dtype=np.uint8)
        table[1:] = self.colours.getLookupTable(nPts=255, alpha=True, mode="byte")
        self.picture.setLookupTable(table)

    def show_record(self, record: Record) -> None:
        """Set the ranges of the planned axes."""
        first = self.record is None
        super().show_record(record)
        if first and len(record.axes) > 1:
            up, across = record.axes[0], record.axes[1]
            self.label(self.plot, "left", axis_label(up))
            self.label(self.plot, "bottom", axis_label(across))

    def draw(self, rows: Rows, signal: str) -> None:
        """Draw the gridded view of a signal, touching only the lines that have changed."""
        if self.record is None:
            return
        new = grid(self.record, rows, signal)
        value, taken = new.value.reshape(new.value.shape[0], -1), new.rows.reshape(new.rows.shape[0], -1)
        other = self.grid is None or self.grid.signal != new.signal or self._pixels.shape != value.shape
        self.grid = new
        if other:
            self._pixels = np.zeros(value.shape, dtype=np.uint8)
            self._rows = np.zeros(value.shape, dtype=np.int64)
        changed = np.flatnonzero(np.any(taken != self._rows, axis=1))
        self._rows = taken
        if self._level(value) or other:
            changed = np.arange(value.shape[0])
        self._paint(value, changed)
        if other:  # only now does the picture know how many pixels it has
            self.picture.setRect(_extent(new))
        self.scale.setLevels(self._levels)
        label = signal_label(new.signal)
        self.scale.getAxis("right").setLabel(label.name, units=label.unit or None)
        self.setAccessibleDescription(
            f"Map of {int((taken > 0).sum())} of {taken.size} points of {label.name}."
        )

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Return the pixel under the mouse."""
        box = self.plot.getViewBox()
        if self.grid is None or len(self.grid.axes) < 2 or not box.sceneBoundingRect().contains(at):
            return None
        here = box.mapSceneToView(at)
        (up, ys), (across, xs) = self.grid.axes[0], self.grid.axes[1]
        rect = _extent(self.grid)
        if not rect.contains(here):
            return None
        column = min(int((here.x() - rect.left()) / rect.width() * len(xs)), len(xs) - 1)
        row = min(int((here.y() - rect.top()) / rect.height() * len(ys)), len(ys) - 1)
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

    def _level(self, value: NDArray[np.float64]) -> bool:
        """Widen the levels where the values need it; return whether they changed."""
        if not np.isfinite(value).any():
            return False
        low, high = float(np.nanmin(value)), float(np.nanmax(value))
        if high <= low:
            high = low + (abs(low) or 1.0) * 1e-3
        held = self._levels
        if held[0] <= low and high <= held[1] and (high - low) > 0.7 * (held[1] - held[0]):
            return False
        slack = 0.05 * (high - low)
        self._levels = (low - slack, high + slack)
        return True

    def _paint(self, value: NDArray[np.float64], lines: NDArray[np.int64]) -> None:
        if not len(lines):
            return
        low, high = self._levels
        part = value[lines]
        seen = np.isfinite(part)
        shade = np.clip(1 + 254 * (np.where(seen, part, low) - low) / (high - low), 1, 255)
        self._pixels[lines] = np.where(seen, shade, _UNSEEN).astype(np.uint8)
        self.picture.setImage(self._pixels, autoLevels=False, levels=(0, 255))


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
