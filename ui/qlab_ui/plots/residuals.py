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
_REACH = 3.0  # standard deviations that are shown at least


class Residuals:
    """A plot of its own in the second row of a view, as wide as the curve above it."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._height: float | None = None
        self._named: bool | None = None  # after standard deviations
        self._reach = 0.0
        self._shown = self._reserved = False
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
        self.show_fit(None)

    def show_fit(self, fitted: Fitted | None) -> None:
        """Draw the residuals of a fit; without any the strip takes no room, unless it is reserved."""
        self._shown = fitted is not None and len(fitted.residual_x) > 0
        self._take_room()
        if fitted is None or not self._shown:
            self.points.setData([], [])
            return
        self.points.setData(fitted.residual_x, fitted.residual)
        self._name(normalised=fitted.normalised)
        if fitted.normalised:
            self._reach_to(math.ceil(max(_REACH, float(np.nanmax(np.abs(fitted.residual))))))
        else:
            self._reach = 0.0
            self.plot.enableAutoRange(axis="y")

    def reserve(self, *, wanted: bool) -> None:
        """Take room before the first fit."""
        self._reserved = wanted
        if wanted and not self._shown:
            self._name(normalised=True)
            self._reach = _REACH
            self.keep()
        self._take_room()

    def _take_room(self) -> None:
        """Be as high as it needs: what is laid out anew is painted anew, so only where it changes."""
        height = self._view.fontMetrics().height() * _LINES if self._shown or self._reserved else 0.0
        if height != self._height:
            self._height = height
            self.plot.setVisible(height > 0)
            # An axis takes a width only while it is seen; else it would at its first paint, and all be laid out anew.
            self.plot.getAxis("left").keep_width(0.0)
            self._view.graphics.ci.layout.setRowMaximumHeight(1, height)

    def _name(self, *, normalised: bool) -> None:
        if self._named is not normalised:
            self._named = normalised
            self._view.label(self.plot, "left", Label("residual", "σ" if normalised else ""))

    def keep(self) -> None:
        """Show as many standard deviations as before, after what let the range go."""
        if self._reach:
            self.plot.setYRange(-self._reach, self._reach, padding=0.05)

    def _reach_to(self, reach: float) -> None:
        if reach != self._reach:
            self._reach = reach
            self.keep()

    def recolour(self, look: theme.Theme) -> None:
        """Take the colours of a theme."""
        named, self._named = self._named, None  # the colour of a name is part of it
        if named is not None:
            self._name(normalised=named)
        self.zero.setPen(pg.mkPen(look.series[1]))
        self.points.setSymbolBrush(colour(look.series[0], 200))
