"""Single shots in the IQ plane: a cloud for each state, the decision boundary, histograms along its axis."""

import html

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from qlab.grid import Rows
from qlab_ui import text, theme
from qlab_ui.plots.data import Label
from qlab_ui.plots.view import View, colour
from qlab_ui.work import Clouds

_MOST = 4000  # shots drawn of each cloud; the histograms take all
_BINS = 61


class CloudsView(View):
    """Draws the clouds of one row; the slider below asks for another row."""

    rowWanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("clouds")
        self.clouds: Clouds | None = None
        self.plot.setAspectLocked(True)
        self.strip = self.add_plot(1)
        self.graphics.ci.layout.setRowStretchFactor(0, 3)
        self.graphics.ci.layout.setRowStretchFactor(1, 1)
        self.boundary = pg.InfiniteLine(angle=90, pen=None)
        self.threshold = pg.InfiniteLine(angle=90)
        self._dots: list[pg.ScatterPlotItem] = []
        self._centres = pg.ScatterPlotItem(symbol="+", size=16)
        self._bars: list[pg.PlotDataItem] = []
        self.legend = pg.LabelItem(parent=self.plot.getViewBox(), justify="right")
        self.legend.anchor(itemPos=(1, 0), parentPos=(1, 0), offset=(-8, 4))
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setAccessibleName("Row")
        self.where = QLabel(self)
        self.where.setTextFormat(Qt.TextFormat.PlainText)
        unit = self.fontMetrics().averageCharWidth()
        foot = QHBoxLayout()
        foot.setContentsMargins(unit, 0, unit, unit // 2)
        foot.addWidget(self.slider, 1)
        foot.addWidget(self.where)
        column = self.layout()
        if column is not None:
            column.addItem(foot)
        self.where.setText("The shots are being read…")
        self.slider.valueChanged.connect(self.rowWanted)
        for item in (self._centres, self.boundary):
            self.plot.addItem(item)
        self.strip.addItem(self.threshold)

    def show_clouds(self, clouds: Clouds) -> None:
        """Draw the shots of a row."""
        fresh = self.clouds is None
        self.clouds = clouds
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(clouds.rows - 1, 0))
        self.slider.setValue(clouds.row)
        self.slider.blockSignals(False)
        self.where.setText(clouds.where)
        self._draw()
        self.recolour()
        if fresh:
            self.plot.autoRange()

    def draw(self, rows: Rows, signal: str) -> None:
        """Shots are read from the file; rows are nothing to draw."""

    def nearest(self, at: QPointF) -> tuple[float, float, str] | None:
        """Say where the mouse is in the plane."""
        box = self.plot.getViewBox()
        if self.clouds is None or not box.sceneBoundingRect().contains(at):
            return None
        here = box.mapSceneToView(at)
        return here.x(), here.y(), f"I {here.x():.4g},  Q {here.y():.4g}"

    def table(self) -> list[tuple[str, list[float]]]:
        """Return I and Q of each cloud."""
        if self.clouds is None:
            return []
        return [
            (f"{axis} of {name}", points[:, place].tolist())
            for name, points in self.clouds.shots.items()
            for place, axis in enumerate("IQ")
        ]

    def plots(self) -> list[pg.PlotItem]:
        """Return the plane and the histograms."""
        return [self.plot, self.strip] if hasattr(self, "strip") else [self.plot]

    def recolour(self) -> None:
        """Take the colours of the palette."""
        super().recolour()
        if not hasattr(self, "where"):
            return
        look = theme.theme_of(self.palette())
        self._centres.setPen(pg.mkPen(look.text, width=2))
        for line in (self.boundary, self.threshold):
            line.setPen(pg.mkPen(look.text, style=Qt.PenStyle.DashLine))
        names = []
        for place, (dots, bars) in enumerate(zip(self._dots, self._bars, strict=True)):
            shade = look.series[place % len(look.series)]
            dots.setPen(None)
            dots.setBrush(colour(shade, 90))
            bars.setPen(pg.mkPen(shade))
            bars.setBrush(colour(shade, 50))
            name = list(self.clouds.shots)[place] if self.clouds is not None else ""
            names.append(
                f'<span style="color:{shade};background-color:{look.base}">&nbsp;●</span>'
                f'<span style="background-color:{look.base}">&nbsp;{html.escape(_words(name))}&nbsp;</span>'
            )
        self._say(self.legend, "<br>".join(names))

    def _draw(self) -> None:
        clouds = self.clouds
        if clouds is None:
            return
        self.label(self.plot, "bottom", Label("I"))
        self.label(self.plot, "left", Label("Q"))
        self.label(self.strip, "bottom", Label("along the axis"))
        self.label(self.strip, "left", Label("shots"))
        for item in (*self._dots, *self._bars):
            (self.plot if isinstance(item, pg.ScatterPlotItem) else self.strip).removeItem(item)
        angle, threshold = self._axis()
        along = {name: p[:, 0] * np.cos(angle) + p[:, 1] * np.sin(angle) for name, p in clouds.shots.items()}
        every = np.concatenate(list(along.values())) if along else np.zeros(1)
        edges = np.linspace(float(every.min()), float(every.max()) + 1e-12, _BINS)
        self._dots, self._bars = [], []
        for name, points in clouds.shots.items():
            step = max(len(points) // _MOST, 1)
            self._dots.append(pg.ScatterPlotItem(points[::step, 0], points[::step, 1], size=4))
            counts, _ = np.histogram(along[name], edges)
            self._bars.append(pg.PlotDataItem(edges, counts, stepMode="center", fillLevel=0))
            self.plot.addItem(self._dots[-1])
            self.strip.addItem(self._bars[-1])
        centres = np.array([points.mean(axis=0) for points in clouds.shots.values()])
        self._centres.setData(centres[:, 0], centres[:, 1])
        self._centres.setZValue(5)
        known = np.isfinite(threshold)
        for line in (self.boundary, self.threshold):
            line.setVisible(bool(known))
        if known:
            self.boundary.setPos(QPointF(threshold * np.cos(angle), threshold * np.sin(angle)))
            self.boundary.setAngle(np.degrees(angle) + 90)
            self.threshold.setPos(threshold)
        self.setAccessibleDescription(f"Clouds of {', '.join(map(_words, clouds.shots))}; {clouds.where}")

    def _axis(self) -> tuple[float, float]:
        """Return the direction from one cloud to the other (rad) and the threshold along it; NaN where unknown."""
        figures = (
            {figure.name: figure.value for figure in self.record.figures} if self.record is not None else {}
        )
        if "rotation" in figures and "threshold" in figures:
            return float(figures["rotation"]), float(figures["threshold"])
        centres = (
            [points.mean(axis=0) for points in self.clouds.shots.values()] if self.clouds is not None else []
        )
        if len(centres) != 2:
            return 0.0, float("nan")
        across = centres[1] - centres[0]
        angle = float(np.arctan2(across[1], across[0]))
        middle = (centres[0] + centres[1]) / 2
        return angle, float(middle[0] * np.cos(angle) + middle[1] * np.sin(angle))


def _words(name: str) -> str:
    return text.words(name.removeprefix("iq_"))
