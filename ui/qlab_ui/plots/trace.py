"""A long record without axes, point after point: drawn from a pyramid, so that ten million points are as few."""

import math

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QWidget

from qlab.grid import Rows
from qlab.record import Record
from qlab.units import format_quantity
from qlab_ui import theme
from qlab_ui.plots.calm import Calm
from qlab_ui.plots.data import Floats, Label, column
from qlab_ui.plots.pyramid import Pyramid
from qlab_ui.plots.view import View

LONG = 3000  # rows from which a record is drawn as a trace


def long_record(record: Record) -> bool:
    """Tell whether a run is a long record rather than a curve of points."""
    return not record.axes and record.expected_rows > LONG


class TraceView(View):
    """One signal over the number of its row; shows the end as it comes until somebody looks elsewhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trace: Floats | None = None
        self._up = Label("")
        self._signal = ""
        self._pyramid = Pyramid()
        self.line = pg.PlotCurveItem()
        self.ring = pg.ScatterPlotItem(size=13, symbol="o")
        for item in (self.line, self.ring):
            self.plot.addItem(item)
        self._calm = Calm(self.plot)
        self.plot.disableAutoRange()
        self.plot.sigXRangeChanged.connect(self._draw_seen)
        self.recolour()

    def show_record(self, record: Record) -> None:
        """Set the range of all the rows that are to come."""
        first = self.record is None
        super().show_record(record)
        if first:
            self.plot.setXRange(0, max(record.expected_rows, 1), padding=0)

    def draw(self, rows: Rows, signal: str) -> None:
        """Draw what is seen of the record; only rows that are new are looked at."""
        if self.record is None:
            return
        if signal != self._signal:
            self._signal, self._pyramid, self._trace = signal, Pyramid(), None
        fresh = self._trace is None
        self._trace, self._up = column(self.record, rows, signal)
        if fresh:
            self.label(self.plot, "bottom", Label("row"))
            self.label(self.plot, "left", self._up)
        self._pyramid.take(self._trace)
        self.redraw()

    def redraw(self) -> None:
        """Draw what is seen again."""
        if self._trace is not None:
            _, y = self._pyramid.seen(self._trace, 0, len(self._trace), 500)
            self._calm.follow(y)
            self._draw_seen()
            words = f"{len(self._trace)} points of {self._up.name}."
            self.setAccessibleDescription(words)

    def autoscale(self) -> None:
        """Let the vertical axis follow the data."""
        if self._trace is not None:
            self._calm.follow(self._pyramid.seen(self._trace, 0, len(self._trace), 500)[1], again=True)

    def fit_view(self) -> None:
        """Show the whole record."""
        if self._trace is not None:
            expected = self.record.expected_rows if self.record is not None else 0
            self.plot.setXRange(0, max(len(self._trace), expected, 1), padding=0)
            self.autoscale()

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Return the point under the mouse."""
        box = self.plot.getViewBox()
        if self._trace is None or not len(self._trace) or not box.sceneBoundingRect().contains(at):
            return None
        row = min(max(round(box.mapSceneToView(at).x()), 0), len(self._trace) - 1)
        value = float(self._trace[row])
        shown = format_quantity(value, self._up.unit or "1", 6) if math.isfinite(value) else "no number"
        return float(row), value, f"row {row},  {shown}"

    def point_out(self, x: float | None, y: float | None) -> None:
        """Ring the point that the readout speaks of."""
        self.ring.setData([] if x is None else [x], [] if y is None else [y])

    def table(self) -> list[tuple[str, list[float]]]:
        """Return the rows that are seen."""
        if self._trace is None:
            return []
        low, high = self._range()
        name = f"{self._up.name} ({self._up.unit})" if self._up.unit else self._up.name
        return [
            ("row", np.arange(low, high, dtype=float).tolist()),
            (name, self._trace[low:high].tolist()),
        ]

    def recolour(self) -> None:
        """Take the colours of the palette."""
        super().recolour()
        if hasattr(self, "ring"):
            look = theme.theme_of(self.palette())
            self.line.setPen(pg.mkPen(look.series[0]))
            self.ring.setPen(pg.mkPen(look.text, width=1.5))
            self.ring.setBrush(None)

    def _range(self) -> tuple[int, int]:
        low, high = self.plot.viewRange()[0]
        count = 0 if self._trace is None else len(self._trace)
        return min(max(math.floor(low), 0), count), min(max(math.ceil(high) + 1, 0), count)

    def _draw_seen(self, *_: object) -> None:
        if self._trace is not None:
            low, high = self._range()
            width = max(int(self.plot.getViewBox().width()), 100)
            x, y = self._pyramid.seen(self._trace, low, high, width)
            self.line.setData(x, y, connect="finite")
