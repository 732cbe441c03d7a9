"""A run with three axes or more: a map of the two longest, and a slider for each of the others."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QSlider, QWidget

from qlab.grid import Rows
from qlab.record import Axis, Record
from qlab.units import format_quantity
from qlab_ui.plots.data import axis_label
from qlab_ui.plots.map import MapView


@dataclass(frozen=True)
class _Part:
    """The rows of a table that lie in the slice."""

    rows: Rows
    inside: NDArray[np.bool_]

    def __len__(self) -> int:
        return int(self.inside.sum())

    def column(self, name: str) -> NDArray[Any]:
        """Return the rows of a column that lie in the slice."""
        return np.asarray(self.rows.column(name))[: len(self.inside)][self.inside]


class SliceView(MapView):
    """One slice of a cube: the sliders below say where it lies."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sliders: dict[str, QSlider] = {}
        self._held: list[Axis] = []
        self._words: dict[str, QLabel] = {}
        self._last: tuple[Rows, str] | None = None
        self._bar = QWidget(self)
        if (column := self.layout()) is not None:
            column.addWidget(self._bar)

    def show_record(self, record: Record) -> None:
        """Say which axes are seen and which are held."""
        if self.record is None:
            longest = sorted(record.axes, key=lambda axis: len(axis.values), reverse=True)[:2]
            self._held = [axis for axis in record.axes if axis not in longest]
            self._lay_out_sliders()
        held = {axis.name for axis in self._held}
        seen = tuple(axis for axis in record.axes if axis.name not in held)
        super().show_record(record.model_copy(update={"axes": seen}))

    def draw(self, rows: Rows, signal: str) -> None:
        """Draw the slice of what the run has measured so far."""
        self._last = (rows, signal)
        inside = np.ones(len(rows), dtype=bool)
        for axis in self._held:
            values = np.asarray(axis.values)
            inside &= np.isclose(
                rows.column(axis.name)[: len(inside)], values[self.sliders[axis.name].value()]
            )
        super().draw(_Part(rows, inside), signal)

    def _lay_out_sliders(self) -> None:
        grid = QGridLayout(self._bar)
        unit = self.fontMetrics().averageCharWidth()
        grid.setContentsMargins(unit, 0, 2 * unit, unit)
        grid.setHorizontalSpacing(unit)
        for row, axis in enumerate(self._held):
            name = axis_label(axis).name
            slider = QSlider(Qt.Orientation.Horizontal, self._bar)
            slider.setRange(0, len(axis.values) - 1)
            slider.setPageStep(1)
            slider.setAccessibleName(name)
            first, last = (format_quantity(axis.values[k], axis.unit) for k in (0, -1))
            slider.setToolTip(f"The slice that is seen: {name}, {first} to {last}")
            slider.valueChanged.connect(lambda _place, axis=axis: self._moved_to(axis))
            label, value = QLabel(name, self._bar), QLabel(self._bar)
            label.setBuddy(slider)
            value.setMinimumWidth(12 * unit)
            for column, widget in enumerate((label, slider, value)):
                grid.addWidget(widget, row, column)
            self.sliders[axis.name], self._words[axis.name] = slider, value
            self._say_value(axis)

    def _moved_to(self, axis: Axis) -> None:
        self._say_value(axis)
        self._gridding = None  # another slice: its points are gathered anew
        if self._last is not None:
            self.draw(*self._last)

    def _say_value(self, axis: Axis) -> None:
        value = axis.values[self.sliders[axis.name].value()]
        self._words[axis.name].setText(format_quantity(value, axis.unit))
