"""What every view of a run has: axes in the palette's colours, the run's mark, a readout, a menu."""

import html
import time
from typing import Any, Protocol

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qlab.grid import Rows
from qlab.record import Record
from qlab_ui import text, theme
from qlab_ui.plots.axis import Axis
from qlab_ui.plots.data import Curve, Floats, Label
from qlab_ui.plots.lines import GridLines
from qlab_ui.work import Fitted

_NO_PREFIX = {"", "%", "dBm", "dB", "rad", "σ", "1/s"}


_LAYOUTS = 2  # wider numbers leave the plot narrower, and its other axis with other numbers
_SHARE = 5.0  # tools that took t are let rest for so many t: a curve of millions of points stays fluid


class Tool(Protocol):
    """What measures in a view, as long as it is wanted."""

    def follow(self) -> None:
        """Measure what has changed: called with the frames."""

    def recolour(self, look: theme.Theme) -> None:
        """Take the colours of a theme."""

    def close(self) -> None:
        """Leave the view."""


class View(QWidget):
    """A picture of one run, growing or finished. Subclasses give `draw`, `nearest` and `table`."""

    menuWanted = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("view")
        self.record: Record | None = None
        self._marked: tuple[str, bool] | None = None
        self._coloured: tuple[object, ...] = ()
        self._columns: dict[int, list[Axis]] = {}  # the vertical axes of each column of plots
        self.graphics = pg.GraphicsLayoutWidget(self)
        self.graphics.setObjectName("graphics")
        self.graphics.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.graphics.ci.layout.setContentsMargins(4, 8, 12, 4)
        self.setFocusProxy(self.graphics)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.graphics)
        self.plot = self.add_plot(0)
        box = self.plot.getViewBox()
        self.mark = pg.LabelItem(parent=box)
        self.mark.anchor(itemPos=(1, 1), parentPos=(1, 1), offset=(-8, -4))
        self.readout = pg.LabelItem(parent=box)
        self.readout.anchor(itemPos=(1, 0), parentPos=(1, 0), offset=(-8, 4))
        self._mouse: QPointF | None = None
        self.at: QPointF | None = None  # where the mouse was last seen over the plot
        self.tools: dict[str, Tool] = {}
        self.drawn = 0  # how often something new was drawn: tools measure again when it changes
        self._next_tools = 0.0
        self._grids: dict[Any, GridLines] = {}
        self._logs = [False, False]
        self._lines = True
        self._cursor = True
        self.graphics.scene().sigMouseMoved.connect(self._moved)
        self.graphics.setAcceptDrops(False)  # what is dropped on a plot is for the window around it
        self.graphics.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.graphics.customContextMenuRequested.connect(self._menu)
        self.graphics.viewport().installEventFilter(self)

    def add_plot(self, row: int, column: int = 0) -> Any:
        """Add a plot with axes of our own and without pyqtgraph's buttons and menus."""
        axes = {side: Axis(side) for side in ("bottom", "left")}
        # Made without pyqtgraph's menu, which costs a quarter of a plot and is never shown.
        plot = self.graphics.addPlot(row=row, col=column, axisItems=axes, enableMenu=False)
        plot.hideButtons()
        plot.setMenuEnabled(False)
        axes["left"].line_up(self._columns.setdefault(column, []))
        return plot

    def remove_plot(self, plot: Any) -> None:
        """Take a plot away that `add_plot` has made."""
        plot.getAxis("left").leave()
        self.graphics.removeItem(plot)

    def show_record(self, record: Record) -> None:
        """Say which run this is; also called when its record changes."""
        fresh = self.record is None or self.record.id != record.id
        self.record = record
        if fresh and self._coloured != self._colours():
            self.recolour()
        elif fresh:
            self._name()

    def clear(self) -> None:
        """Forget the run, the tools and how it was looked at."""
        for name in list(self.tools):
            self.toggle_tool(name)
        self.record = self._marked = self._mouse = self.at = None
        for label in (self.mark, self.readout):
            self._say(label, "")
        if any(self._logs):
            self._logs = [False, False]
            for plot in self.plots():
                plot.setLogMode(x=False, y=False)
        self._lines = self._cursor = True
        self._grid()
        for side in ("left", "bottom"):
            self.plot.setLabel(side, "", units="")
            self.plot.showLabel(side, False)
        self.plot.setRange(xRange=(0, 1), yRange=(0, 1), padding=0)
        self.setAccessibleName("")
        self.setAccessibleDescription("")

    def mark_as(self, words: str, *, simulated: bool) -> None:
        """Say what this is, where it is no single run: a difference, or many runs."""
        self._marked = (words, simulated)
        self.recolour()

    def draw(self, rows: Rows, signal: str) -> None:
        """Draw what the run has measured so far."""
        raise NotImplementedError

    def show_fit(self, fitted: Fitted | None) -> None:
        """Draw a fit over the points, or none."""

    def expect_fit(self, *, wanted: bool) -> None:
        """Keep room for what a fit brings along, so that the picture does not jump when it comes."""

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Return x, y and words for what is nearest to a place in the scene."""
        raise NotImplementedError

    def table(self) -> list[tuple[str, list[float]]]:
        """Return what is drawn as named columns, for the clipboard and for CSV."""
        raise NotImplementedError

    def point_out(self, x: float | None, y: float | None) -> None:
        """Mark the point that the readout speaks of, or none."""

    def settle(self) -> None:
        """Give the axes the width of their numbers; a paint that finds it out is followed by another one."""
        for _ in range(_LAYOUTS):
            for plot in self.plots():
                for side in ("left", "bottom"):
                    plot.getAxis(side).measure()
                plot.layout.activate()
            self.graphics.ci.layout.activate()
            self.graphics.scene().prepareForPaint()  # pyqtgraph moves its items within a paint otherwise

    def tick(self) -> None:
        """Follow the mouse: called with the frames, not with each move."""
        if self.tools and time.perf_counter() >= self._next_tools:
            began = time.perf_counter()
            for tool in self.tools.values():
                tool.follow()
            now = time.perf_counter()
            self._next_tools = now + _SHARE * (now - began)
        if self._mouse is None or not self._cursor:
            return
        found = self.nearest(self._mouse)
        self._mouse = None
        if found is None:
            self.point_out(None, None)
            self._say(self.readout, "")
        else:
            self.point_out(found[0], found[1])
            look = theme.theme_of(self.palette())
            words = html.escape(found[2])
            self._say(self.readout, f'<span style="background-color:{look.base}">&nbsp;{words}&nbsp;</span>')

    def make_tool(self, name: str) -> Tool | None:
        """Return a tool of this kind of view ("measure", "cuts", "histogram"), or None where it has none."""
        del name
        return None

    def toggle_tool(self, name: str) -> bool:
        """Show or hide a tool; return whether this view has one of that name."""
        tool = self.tools.pop(name, None)
        if tool is not None:
            tool.close()
            return True
        tool = self.make_tool(name)
        if tool is None:
            return False
        self.tools[name] = tool
        self.recolour()
        tool.follow()
        return True

    def values(self) -> tuple[Floats, Label] | None:
        """Return the values that are drawn, for their histogram."""
        return None

    def measured(self) -> Curve | None:
        """Return the points that cursors measure, or None where there are none."""
        return None

    def shown(self, values: Floats, axis: int) -> Floats:
        """Return values as they lie on an axis (0: x, 1: y): their logarithms on a logarithmic one."""
        if not self._logs[axis]:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(values)

    def value(self, shown: float, axis: int) -> float:
        """Return the value at a place on an axis."""
        return float(10**shown) if self._logs[axis] else shown

    def write(self, label: Any, lines: list[str]) -> None:
        """Write lines on paper into a label that lies over the plot."""
        base = theme.theme_of(self.palette()).base
        spans = (html.escape(line).replace(" ", "&nbsp;") for line in lines)
        words = (f'<span style="background-color:{base}">&nbsp;{span}&nbsp;</span>' for span in spans)
        self._say(label, "<br>".join(words))

    def fit_view(self) -> None:
        """Show everything that is drawn and keep showing it while it grows."""
        self.plot.enableAutoRange()

    def autoscale(self) -> None:
        """Let the vertical axis follow the data."""
        self.plot.enableAutoRange(axis="y")

    def toggle_log(self, axis: int) -> None:
        """Turn an axis (0: x, 1: y) to a logarithmic one or back."""
        self._logs[axis] = not self._logs[axis]
        self.plot.setLogMode(x=self._logs[0], y=self._logs[1])
        for plot in self.plots()[1:]:
            plot.setLogMode(x=self._logs[0])
        self.redraw()

    def redraw(self) -> None:
        """Draw the same points again after a change of axis."""

    def toggle_grid(self) -> None:
        """Show or hide the lines of the grid."""
        self._lines = not self._lines
        self._grid()

    def toggle_cursor(self) -> None:
        """Show or hide the readout of the nearest point."""
        self._cursor = not self._cursor
        self.point_out(None, None)
        self._say(self.readout, "")

    def image(self) -> QImage:
        """Return the picture as it is shown."""
        picture: QImage = self.graphics.grab().toImage()
        return picture

    def recolour(self) -> None:
        """Take the colours of the palette."""
        look = theme.theme_of(self.palette())
        self._coloured = self._colours()
        self.graphics.setBackground(self.palette().color(QPalette.ColorRole.Base))
        sides = [plot for tool in self.tools.values() for plot in _plots_of(tool)]
        for plot in [*self.plots(), *sides]:
            for side in ("left", "bottom", "right", "top"):
                axis = plot.getAxis(side)
                axis.setPen(pg.mkPen(look.line))
                axis.setTextPen(pg.mkPen(look.text))
                axis.setTickFont(self.font())
        for tool in self.tools.values():
            tool.recolour(look)
        self._grid()
        self._name()

    def _colours(self) -> tuple[object, ...]:
        return theme.theme_of(self.palette()), self.font().toString()

    def _name(self) -> None:
        """Say whose picture this is."""
        look = theme.theme_of(self.palette())
        if self._marked is not None:
            self._say(self.mark, self._mark(look))
            self.setAccessibleName(f"Plot of {self._marked[0]}{', simulated' if self._marked[1] else ''}")
        elif self.record is not None:
            self._say(self.mark, self._mark(look))
            sim = "simulated " if self.record.simulated else ""
            self.setAccessibleName(f"Plot of the {sim}run {self.record.title}")

    def plots(self) -> list[Any]:
        """Return the plot items that take the palette's colours."""
        return [self.plot]

    def label(self, plot: Any, side: str, label: Label, *, prefixed: bool = True) -> None:
        """Name an axis, with its unit and a prefix that follows the range."""
        axis = plot.getAxis(side)
        prefixed = prefixed and label.unit not in _NO_PREFIX
        # Switching prefixes off alone leaves the scale of the last one behind: no range may have one.
        axis.setSIPrefixEnableRanges(None if prefixed else ((-1.0, -1.0),))
        axis.enableAutoSIPrefix(prefixed)
        # A style given here replaces the whole style, so that the colour must come along.
        style = {
            "font-size": f"{self.font().pointSizeF():.1f}pt",
            "color": pg.mkColor(theme.theme_of(self.palette()).text).name(),
        }
        plot.setLabel(side, html.escape(label.name), units=html.escape(label.unit) or None, **style)

    def changeEvent(self, event: QEvent) -> None:
        """Follow a change of theme or text size."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange}:
            self.recolour()

    def eventFilter(self, _watched: Any, event: QEvent) -> bool:
        """Forget the cursor when the mouse leaves the plot."""
        if event.type() == QEvent.Type.Leave:
            self._mouse = None
            self.point_out(None, None)
            self._say(self.readout, "")
        return False

    def _mark(self, look: theme.Theme) -> str:
        record = self.record
        if self._marked is not None:
            words, simulated = self._marked
        elif record is not None:
            words, simulated = f"run {text.short_id(record.id)}", record.simulated
        else:
            return ""
        sim = f' · <b style="color:{look.warning}">SIM</b>' if simulated else ""
        plain = f'<span style="color:{look.muted};background-color:{look.base}">'
        return f"{plain}&nbsp;{html.escape(words)}{sim}&nbsp;</span>"

    def _say(self, label: Any, words: str) -> None:
        if label.text != words:
            look = theme.theme_of(self.palette())
            label.setText(words, color=look.text, size=f"{self.font().pointSizeF():.1f}pt")
            label.updateMin()
            label.resize(label.itemRect().size())

    def _grid(self) -> None:
        for plot in self.plots():
            if plot not in self._grids:
                self._grids[plot] = GridLines(plot)
            self._grids[plot].setPen(pg.mkPen(colour(theme.theme_of(self.palette()).line, 150)))
            self._grids[plot].setVisible(self._lines)

    def _moved(self, where: QPointF) -> None:
        self._mouse = self.at = where

    def _menu(self, where: QPoint) -> None:
        self.menuWanted.emit(self.graphics.mapToGlobal(where))


def _plots_of(tool: Tool) -> list[Any]:
    """Return the plots that a tool has brought along."""
    return [item for item in vars(tool).values() if isinstance(item, pg.PlotItem)]


def colour(name: str, alpha: int = 255) -> QColor:
    """Return a colour with an opacity."""
    made = QColor(name)
    made.setAlpha(alpha)
    return made
