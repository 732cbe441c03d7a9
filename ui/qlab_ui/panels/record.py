"""What the file says about a run, read-only: parameters, bench, software, times."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from qlab.record import Record
from qlab.scan import KINDS, scan_words
from qlab.units import format_quantity
from qlab_ui import text
from qlab_ui.roomy import make_roomy

Fields = Sequence[dict[str, Any]]
_FIRST = (
    "title",
    "experiment",
    "state",
    "reason",
    "started",
    "ended",
    "simulated",
    "seed",
    "id",
    "description",
)
_PLACE = Qt.ItemDataRole.UserRole
_TABLES = ("parameters", "truth", "quantum", "bench", "safe_report", "software")


class RecordPanel(QTreeWidget):
    """The record of the shown run as a tree of names and values."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("record")
        self.setAccessibleName("Metadata")
        self.setHeaderLabels(["Name", "Value"])
        self.setUniformRowHeights(True)
        make_roomy(self)
        self.setAlternatingRowColors(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setIndentation(self.fontMetrics().averageCharWidth() * 2)
        self.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.revealed = False  # whether the truth of a simulated run is shown
        self._shown: tuple[str, str, bool] = ("", "", False)
        self._folded: dict[int, dict[str, Any]] = {}  # what branches hold that nobody has opened yet
        self.itemExpanded.connect(self._unfold)

    def show_record(self, record: Record | None, fields: Fields = ()) -> None:
        """Show a record; the same one in the same state is left as it stands."""
        key = ("", "", False) if record is None else (record.id, record.state, self.revealed)
        if key == self._shown:
            return
        self._shown = key
        self.clear()
        self._folded = {}
        if record is None:
            return
        for name in _FIRST:
            value = getattr(record, name)
            if value not in ("", None):
                self._add(None, text.words(name), value)
        for name in _TABLES:
            table: dict[str, Any] = getattr(record, name)
            if name == "truth" and not self.revealed:
                continue
            if name == "parameters":
                table = _named(table, fields)
            if table:
                self._add(None, text.words(name), table)
        for index in range(self.topLevelItemCount()):
            item = self.topLevelItem(index)
            if item is not None and item.text(0) in {"Parameters", "Truth"}:
                item.setExpanded(True)

    def _add(self, parent: QTreeWidgetItem | None, name: str, value: Any) -> None:
        branch = isinstance(value, dict) and value.get("kind") not in KINDS
        item = QTreeWidgetItem([name, "" if branch else shown(value)])
        item.setToolTip(1, item.text(1))
        if parent is None:
            self.addTopLevelItem(item)
        else:
            parent.addChild(item)
        if branch:
            if value:
                item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
            item.setData(0, _PLACE, len(self._folded))
            self._folded[len(self._folded)] = value

    def _unfold(self, item: QTreeWidgetItem) -> None:
        """Fill a branch when it is first opened: a record has hundreds of lines, of which few are looked at."""
        if item.childCount() == 0:
            for key, inner in self._folded[item.data(0, _PLACE)].items():
                self._add(item, str(key), inner)


def _named(parameters: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """Give parameters the titles and units of the form, where the experiment is installed."""
    known = {field["name"]: field for field in fields}
    named: dict[str, Any] = {}
    for name, value in parameters.items():
        field = known.get(name, {})
        number = isinstance(value, float) and field.get("unit", "1") != "1"
        named[field.get("title") or name] = format_quantity(value, field["unit"], 12) if number else value
    return named


def shown(value: Any) -> str:
    """Show a value of the record for people."""
    if isinstance(value, dict) and value.get("kind") in KINDS:
        fields = {key: item for key, item in value.items() if key != "kind"}
        if "given" in fields:
            fields["given"] = tuple(fields["given"])
        return scan_words(KINDS[value["kind"]](**fields))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value)
