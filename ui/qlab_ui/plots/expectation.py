"""The expected curve: what the experiment's model says, as a dashed line beside the points, with its name."""

import html
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, Qt

from qlab_ui import theme
from qlab_ui.plots.view import View


class Expectation(QObject):
    """A dashed line in a view, in the colours of its theme."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._view = view
        self._words = ""
        self.line = pg.PlotDataItem(antialias=True)
        self.line.setZValue(-1)
        view.plot.addItem(self.line)
        self.name = pg.LabelItem(parent=view.plot.getViewBox(), justify="left")
        self.name.anchor(itemPos=(0, 1), parentPos=(0, 1), offset=(8, -4))
        view.installEventFilter(self)
        self._recolour()

    def show(self, expected: Any, words: str) -> None:
        """Draw a curve (`qlab.design.Expected`) over its first axis, or none."""
        if expected is None or np.ndim(expected.y) != 1:
            self.line.setData([], [])
            self._words = ""
        else:
            order = np.argsort(expected.x, kind="stable")
            self.line.setData(np.asarray(expected.x)[order], np.asarray(expected.y)[order])
            self._words = words
        self._recolour()

    def close(self) -> None:
        """Leave the view."""
        self._view.removeEventFilter(self)
        self._view.plot.removeItem(self.line)
        self.name.scene().removeItem(self.name)
        self.deleteLater()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Follow the theme."""
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange}:
            self._recolour()
        return False

    def _recolour(self) -> None:
        look = theme.theme_of(self._view.palette())
        self.line.setPen(pg.mkPen(look.good, style=Qt.PenStyle.DashLine))
        words = html.escape(self._words)
        said = (
            f'<span style="color:{look.good};background-color:{look.base}">&nbsp;– –&nbsp;{words}&nbsp;</span>'
            if words
            else ""
        )
        self.name.setText(said, size=f"{self._view.font().pointSizeF():.1f}pt")
        self.name.updateMin()
        self.name.resize(self.name.itemRect().size())
