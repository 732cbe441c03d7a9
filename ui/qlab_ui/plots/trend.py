"""One number of each of many runs over another: points with errors on both axes; a click opens the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QWidget

from qlab.grid import Rows
from qlab.units import format_measured
from qlab_ui import theme
from qlab_ui.plots.data import Curve, Floats, Label
from qlab_ui.plots.view import Tool, View, colour

_NEAR = 40.0


@dataclass(frozen=True)
class Points:
    """Shapes (runs,); errors are NaN where none is known. `names` and `runs` say which run each one is."""

    x: Floats
    x_error: Floats
    y: Floats
    y_error: Floats
    names: tuple[str, ...]
    across: Label
    up: Label


class TrendView(View):
    """Draws `Points`; `opened` gives the place of the run that was clicked."""

    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trend")
        self.points: Points | None = None
        self.bars = pg.ErrorBarItem()
        self.dots = pg.ScatterPlotItem(size=8, symbol="o")
        self.ring = pg.ScatterPlotItem(size=15, symbol="o")
        for item in (self.bars, self.dots, self.ring):
            self.plot.addItem(item)
        self.graphics.scene().sigMouseClicked.connect(self._clicked)

    def show_points(self, points: Points) -> None:
        """Draw other numbers of the runs."""
        self.points = points
        self.redraw()
        self.fit_view()

    def draw(self, rows: Rows, signal: str) -> None:
        """Runs are read elsewhere; rows are nothing to draw."""

    def redraw(self) -> None:
        """Draw the same points again."""
        if self.points is None:
            return
        p = self.points
        self.label(self.plot, "bottom", p.across, prefixed=not self._logs[0])
        self.label(self.plot, "left", p.up, prefixed=not self._logs[1])
        x, y = self.shown(p.x, 0), self.shown(p.y, 1)
        seen = np.isfinite(x) & np.isfinite(y)
        self.dots.setData(x[seen], y[seen])
        reach = {
            "left": x - self.shown(p.x - p.x_error, 0), "right": self.shown(p.x + p.x_error, 0) - x,
            "bottom": y - self.shown(p.y - p.y_error, 1), "top": self.shown(p.y + p.y_error, 1) - y,
        }  # fmt: skip
        if seen.any():
            self.bars.setData(x=x[seen], y=y[seen], **{k: np.nan_to_num(v[seen]) for k, v in reach.items()})
        else:
            self.bars.setData(x=None, y=None)
        self.setAccessibleDescription(f"{int(seen.sum())} runs: {p.up.name} over {p.across.name}.")
        self.drawn += 1
        self.recolour()

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Return the run nearest to the mouse."""
        i = self._index(at)
        if i is None or self.points is None:
            return None
        p = self.points
        across = format_measured(float(p.x[i]), float(p.x_error[i]), p.across.unit or "1")
        up = format_measured(float(p.y[i]), float(p.y_error[i]), p.up.unit or "1")
        x, y = self.shown(p.x, 0), self.shown(p.y, 1)
        return float(x[i]), float(y[i]), f"{p.names[i]}:  {across},  {up}"

    def make_tool(self, name: str) -> Tool | None:
        """Return cursors."""
        from qlab_ui.plots.tools import Cursors

        return Cursors(self) if name == "measure" else None

    def measured(self) -> Curve | None:
        """Return the runs as points."""
        p = self.points
        return None if p is None else Curve(p.x, p.y, p.y_error, p.across, p.up)

    def point_out(self, x: float | None, y: float | None) -> None:
        """Ring the run that the readout speaks of; a hand says that it can be opened."""
        self.ring.setData([] if x is None else [x], [] if y is None else [y])
        shape = Qt.CursorShape.ArrowCursor if x is None else Qt.CursorShape.PointingHandCursor
        self.graphics.viewport().setCursor(shape)

    def table(self) -> list[tuple[str, list[float]]]:
        """Return the points and their errors as columns."""
        if self.points is None:
            return []
        p = self.points
        names = [
            _heading(p.across),
            f"error of {_heading(p.across)}",
            _heading(p.up),
            f"error of {_heading(p.up)}",
        ]
        return [(n, v.tolist()) for n, v in zip(names, (p.x, p.x_error, p.y, p.y_error), strict=True)]

    def recolour(self) -> None:
        """Take the colours of the palette."""
        super().recolour()
        if not hasattr(self, "ring"):
            return
        look = theme.theme_of(self.palette())
        self.dots.setPen(None)
        self.dots.setBrush(colour(look.series[0], 230))
        self.bars.setOpts(pen=pg.mkPen(colour(look.series[0], 140)))
        self.ring.setPen(pg.mkPen(look.text, width=1.5))
        self.ring.setBrush(None)

    def _index(self, at: QPointF) -> int | None:
        p, box = self.points, self.plot.getViewBox()
        if p is None or not len(p.x) or not box.sceneBoundingRect().contains(at):
            return None
        x, y = self.shown(p.x, 0), self.shown(p.y, 1)
        here, (wide, high) = box.mapSceneToView(at), box.viewPixelSize()
        distance = np.hypot((x - here.x()) / (wide or 1), (y - here.y()) / (high or 1))
        if not np.any(np.isfinite(distance)):
            return None
        index = int(np.nanargmin(distance))
        return index if distance[index] <= _NEAR else None

    def _clicked(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.LeftButton and (i := self._index(event.scenePos())) is not None:
            self.opened.emit(i)


def _heading(label: Label) -> str:
    return f"{label.name} ({label.unit})" if label.unit else label.name


def vary(values: Sequence[float]) -> bool:
    """Return whether numbers differ beyond rounding."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    return len(known) > 1 and float(np.ptp(known)) > 1e-12 * float(np.max(np.abs(known)))
