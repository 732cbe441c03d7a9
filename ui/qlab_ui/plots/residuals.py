"""The strip below a curve: what a fit leaves of each point."""

import math
from typing import Any

import numpy as np
import pyqtgraph as pg

from qlab_ui import theme
from qlab_ui.plots.data import Label
from qlab_ui.plots.view import View, colour
from qlab_ui.work import Fitted

_LINES = 6.5  # of text: its height


class Residuals:
    """A plot of its own in the second row of a view, as wide as the curve above it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._height: float | None = None
        self._named: bool | None = None  # after standard deviations
        self._reach = 0.0
        self.plot: Any = view.add_plot(1)
        self.plot.setXLink(view.plot)
        self.plot.setMouseEnabled(y=False)
        self.zero = pg.InfiniteLine(0, angle=0)
        self.points = pg.PlotDataItem(pen=None, symbol="o", symbolSize=4, symbolPen=None)
        self.plot.addItem(self.zero)
        self.plot.addItem(self.points)
        view.graphics.ci.layout.setRowStretchFactor(0, 5)
        view.graphics.ci.layout.setRowStretchFactor(1, 1)
        line = view.fontMetrics().height()
        self.plot.getAxis("bottom").setStyle(showValues=False)
        self.plot.getAxis("bottom").setHeight(line // 2)
        self.plot.getAxis("left").setWidth(view.fontMetrics().averageCharWidth() * 9)
        self.show_fit(None)

    def show_fit(self, fitted: Fitted | None) -> None:
        """Draw the residuals of a fit; without any the strip takes no room."""
        shown = fitted is not None and len(fitted.residual_x) > 0
        self._take_room(self._view.fontMetrics().height() * _LINES if shown else 0)
        if fitted is None or not shown:
            self.points.setData([], [])
            return
        self.points.setData(fitted.residual_x, fitted.residual)
        if self._named is not fitted.normalised:
            self._named = fitted.normalised
            self._view.label(self.plot, "left", Label("residual", "σ" if fitted.normalised else ""))
        if fitted.normalised:
            self._reach_to(math.ceil(max(3.0, float(np.nanmax(np.abs(fitted.residual))))))
        else:
            self._reach = 0.0
            self.plot.enableAutoRange(axis="y")

    def _take_room(self, height: float) -> None:
        """Be so high: what is laid out anew is painted anew, so only where it changes."""
        if height != self._height:
            self._height = height
            self.plot.setVisible(height > 0)
            self._view.graphics.ci.layout.setRowMaximumHeight(1, height)

    def _reach_to(self, reach: float) -> None:
        if reach != self._reach:
            self._reach = reach
            self.plot.setYRange(-reach, reach, padding=0.05)

    def recolour(self, look: theme.Theme) -> None:
        """Take the colours of a theme."""
        self._named = None  # the colour of a name is part of it
        self.zero.setPen(pg.mkPen(look.series[1]))
        self.points.setSymbolBrush(colour(look.series[0], 200))
