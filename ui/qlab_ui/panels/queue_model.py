"""The queue as a Qt model: what goes, what waits, for what, and when each will end."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt

from qlab_ui import icons, text

Index = QModelIndex | QPersistentModelIndex
COLUMNS = ("", "Experiment", "Bench", "Takes", "Starts", "Ends", "Waits for")
MIME = "application/x-qlab-queued-run"
BENCH = 2
_ICONS = {"running": "live", "waiting": "wait", "blocked": "warning"}


@dataclass(frozen=True)
class Item:
    """One order of the queue."""

    run: str
    title: str
    bench: str
    state: str
    why: str = ""
    seconds: float | None = None
    starts: str = ""
    ends: str = ""
    priority: int = 0
    repeat: int = 1
    study: int = 0  # how many runs its loops make; 0 where it has none

    @property
    def waits(self) -> bool:
        """Whether it can still be moved or taken out."""
        return self.state != "running"

    def name(self) -> str:
        """Return the title with what sets it apart."""
        marks = []
        if self.repeat > 1:
            marks.append(f"×{self.repeat}")
        if self.study:
            marks.append("study")
        if self.priority:
            marks.append(f"priority {self.priority:+d}")
        return " · ".join([self.title, *marks])


def item_of(told: Mapping[str, Any]) -> Item:
    """Return the item that a `queue` event tells of."""
    order = told.get("order") or {}
    return Item(
        run=str(told.get("run", "")),
        title=str(told.get("title") or order.get("title") or order.get("experiment", "")),
        bench=str(order.get("bench", "")),
        state=str(told.get("state", "waiting")),
        why=str(told.get("why") or ""),
        seconds=told.get("seconds"),
        starts=str(told.get("starts") or ""),
        ends=str(told.get("ends") or ""),
        priority=int(order.get("priority") or 0),
        repeat=int(order.get("repeat") or 1),
        study=len(order.get("loops") or ()),
    )


class QueueModel(QAbstractTableModel):
    """The whole queue in the order in which it will be played. Rows are dragged, never moved by Qt itself."""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []

    def show_items(self, told: Sequence[Mapping[str, Any]]) -> None:
        """Show the queue as the bench tells it."""
        items = [item_of(one) for one in told]
        if [item.run for item in items] == [item.run for item in self.items]:
            self.items = items
            if items:
                self.dataChanged.emit(self.index(0, 0), self.index(len(items) - 1, len(COLUMNS) - 1))
            return
        self.beginResetModel()
        self.items = items
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many orders there are."""
        return 0 if parent.isValid() else len(self.items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the name of a column."""
        if way == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        item, column = self.items[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(item, index.row(), column)
        if role == Qt.ItemDataRole.DecorationRole and column == 0:
            return icons.icon(_ICONS.get(item.state, "wait"))
        if role == Qt.ItemDataRole.ToolTipRole and column == BENCH:
            return item.bench
        if role in {Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole}:
            return item.why or f"{item.name()}, {item.state}"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """What waits can be dragged, and dropped between others."""
        flags = super().flags(index)
        if not index.isValid():
            return flags | Qt.ItemFlag.ItemIsDropEnabled
        return flags | Qt.ItemFlag.ItemIsDragEnabled if self.items[index.row()].waits else flags

    def mimeTypes(self) -> list[str]:
        """Return what is dragged: the id of a run."""
        return [MIME]

    def mimeData(self, indexes: Sequence[Index]) -> QMimeData:
        """Return the run that is dragged."""
        data = QMimeData()
        if indexes:
            data.setData(MIME, self.items[indexes[0].row()].run.encode())
        return data

    def supportedDropActions(self) -> Qt.DropAction:
        """Dragging moves."""
        return Qt.DropAction.MoveAction

    def place_of(self, row: int) -> int:
        """Return the position among what waits (0 is next) of a row of the table."""
        return sum(1 for item in self.items[:row] if item.waits)


def _cell(item: Item, row: int, column: int) -> str:
    if column == 0:
        return str(row + 1)
    if column == 1:
        return item.name()
    if column == BENCH:
        return Path(item.bench).stem if item.bench.endswith(".toml") else item.bench
    if column == 3:
        return text.duration(item.seconds) if item.seconds is not None else ""
    if column == 4:
        return "" if item.state == "running" else clock(item.starts)
    if column == 5:
        return clock(item.ends)
    return item.why


def clock(stamp: str) -> str:
    """Show an ISO 8601 stamp as the clock shows it, with the day where it is not today."""
    try:
        moment = dt.datetime.fromisoformat(stamp).astimezone()
    except ValueError:
        return ""
    today = moment.date() == dt.datetime.now().astimezone().date()
    return moment.strftime("%H:%M:%S" if today else "%a %H:%M")
