"""The calibrations of a bench: what was found out about it and is relied on, a line each."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qlab.errors import UsageError
from qlab.units import format_quantity, parse_measured, parse_quantity
from qlab_ui import theme

_COLUMNS = {
    "name": ("Name", "What files call it: letters, digits and _"),
    "value": ("Value", "With its unit, and with its error if you like: 50.1(2) ns"),
    "error": ("Error", "One standard deviation; empty where it is not known"),
    "knob": ("About", "Runs that use this instrument record it; all runs, where it is the whole bench"),
    "date": ("Measured", "The day on which it was found, such as 2026-11-20"),
    "valid_until": ("Valid until", "Runs say whether it had expired when they began; empty: for ever"),
    "run": ("Run", "The number of the run that it comes from"),
    "source": ("Source", "Where it comes from otherwise, such as the maker's certificate"),
}
_PLACES = {key: place for place, key in enumerate(_COLUMNS)}
_WHOLE = "the whole bench"
_EMPTY = (
    "Nothing here yet. What was found out about this bench and is relied on, such as the length of a π pulse or the"
    " field per ampere of a coil, stands with its error and its date in the file of every run that uses it."
)


class Calibrations(QWidget):
    """A table of the calibrations that a draft holds; what is typed is in the draft at once."""

    told = Signal(str, bool)  # words for the foot of the dialog, and whether something is wrong

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._items: list[dict[str, Any]] = []
        self._knobs: Sequence[str] = ()
        self._filling = False
        self.table = QTableWidget(0, len(_COLUMNS), self)
        self.table.setAccessibleName("Calibrations")
        self.empty = QLabel(_EMPTY, self)
        self.add_button, self.remove_button = QPushButton("Add", self), QPushButton("Remove", self)
        self._lay_out()
        self.table.itemChanged.connect(self._edited)
        self.table.currentCellChanged.connect(lambda *_: self._look())
        self.add_button.clicked.connect(self.add)
        self.remove_button.clicked.connect(self._remove)

    def show_items(self, items: list[dict[str, Any]], knobs: Sequence[str]) -> None:
        """Show the calibrations of a draft, which are changed in place; `knobs` are what they can be about."""
        self._items, self._knobs, self._filling = items, knobs, True
        self.table.setRowCount(0)
        self.table.setRowCount(len(items))
        for row, item in enumerate(items):
            self._fill(row, item)
            self._offer(row, str(item.get("knob", "")))
        self._filling = False
        self._look()

    def add(self) -> None:
        """Add a line, measured today, and begin to type its name."""
        taken = {item.get("name") for item in self._items}
        number = next(n for n in range(1, len(taken) + 2) if f"calibration_{n}" not in taken)
        today = datetime.now(UTC).astimezone().date().isoformat()
        self._items.append({"name": f"calibration_{number}", "date": today})
        self.show_items(self._items, self._knobs)
        self.table.setCurrentCell(len(self._items) - 1, 0)
        self.table.setFocus()
        if (cell := self.table.currentItem()) is not None:
            self.table.editItem(cell)

    def _remove(self) -> None:
        row = self.table.currentRow()
        if 0 <= row < len(self._items):
            gone = self._items.pop(row)
            self.show_items(self._items, self._knobs)
            self.told.emit(f"{gone.get('name')} is taken out when you save.", False)

    def _look(self) -> None:
        self.empty.setVisible(not self._items)
        self.table.setVisible(bool(self._items))
        self.remove_button.setEnabled(self.table.currentRow() >= 0)

    def _fill(self, row: int, item: Mapping[str, Any]) -> None:
        for key, place in _PLACES.items():
            if key != "knob":
                cell = QTableWidgetItem(_shown(item, key))
                cell.setToolTip(_COLUMNS[key][1])
                self.table.setItem(row, place, cell)

    def _offer(self, row: int, held: str) -> None:
        choice = QComboBox(self.table)
        choice.setAccessibleName("About")
        choice.addItem(_WHOLE, "")
        for knob in dict.fromkeys([*self._knobs, *([held] if held else [])]):
            choice.addItem(knob, knob)
        choice.setCurrentIndex(choice.findData(held))
        choice.setToolTip(_COLUMNS["knob"][1])
        choice.activated.connect(lambda _index: self._put(row, "knob", str(choice.currentData())))
        self.table.setCellWidget(row, _PLACES["knob"], choice)

    def _edited(self, cell: QTableWidgetItem) -> None:
        if self._filling:
            return
        row, key = cell.row(), next(key for key, place in _PLACES.items() if place == cell.column())
        words, item = cell.text().strip(), self._items[row]
        try:
            if key == "value":
                value, error, unit = parse_measured(words)
                kept = item.get("error") if unit == item.get("unit", "1") else None
                item.update(value=value, unit=unit, error=error if error is not None else kept)
            elif key == "error":
                item["error"] = abs(parse_quantity(words, str(item.get("unit", "1")))) if words else None
            else:
                self._put(row, key, words)
        except UsageError as wrong:
            self.told.emit(f"{wrong.message} {wrong.hint}", True)
        else:
            self.told.emit("", False)
        self._filling = True
        self._fill(row, item)
        self._filling = False

    def _put(self, row: int, key: str, value: str) -> None:
        if value:
            self._items[row][key] = value
        else:
            self._items[row].pop(key, None)

    def _lay_out(self) -> None:
        self.table.setHorizontalHeaderLabels([title for title, _ in _COLUMNS.values()])
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        unit = self.fontMetrics().averageCharWidth()
        for place, width in enumerate((20, 16, 12, 24, 13, 13, 14)):
            self.table.setColumnWidth(place, unit * width)
        header.setStretchLastSection(True)
        self.table.verticalHeader().setDefaultSectionSize(int(self.fontMetrics().height() * 1.9))
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.empty.setWordWrap(True)
        self.empty.setForegroundRole(theme.MUTED)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setMargin(self.fontMetrics().height() * 3)
        buttons = QHBoxLayout()
        for button in (self.add_button, self.remove_button):
            button.setAutoDefault(False)
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(self.table, 1)
        column.addWidget(self.empty, 1)
        column.addLayout(buttons)


def _shown(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    if value is None:
        return ""
    if key not in {"value", "error"}:
        return str(value)
    # In the prefix of the value, so that the two are read side by side.
    whole = float(item.get("value") or 0.0) or None
    return format_quantity(float(value), str(item.get("unit", "1")), digits=12, like=whole)
