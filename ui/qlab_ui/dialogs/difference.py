"""Two runs side by side: every setting in which they differ."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qlab.record import Record
from qlab_ui import text, theme
from qlab_ui.dialogs.pages import Page
from qlab_ui.panels.record import shown
from qlab_ui.roomy import make_roomy

_LEFT_OUT = {
    "id",
    "started",
    "ended",
    "state",
    "reason",
    "log",
    "fits",
    "figures",
    "columns",
    "programs",
    "changes",
}


def differences(one: Record, other: Record) -> list[tuple[str, str, str, bool]]:
    """Return (what, in the first, in the second, whether they differ) for everything that was set."""
    first, second = (_flat(record.model_dump(mode="json", exclude=_LEFT_OUT)) for record in (one, other))
    names = list(dict.fromkeys([*first, *second]))
    return [
        (name, first.get(name, "–"), second.get(name, "–"), first.get(name) != second.get(name))
        for name in names
    ]


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, dict) and value and "kind" not in value:
        flat: dict[str, str] = {}
        for key, inner in value.items():
            flat.update(_flat(inner, f"{name} › {key}" if name else str(key)))
        return flat
    if isinstance(value, list | dict) and not value:
        return {}
    return {name: shown(value)}


class Difference(Page):
    """A table of what was set in two runs; by default only where they differ."""

    def __init__(self, parent: QWidget, one: Record, other: Record) -> None:
        body = QWidget()
        super().__init__(parent, "What is different", body, "difference")
        rows = differences(one, other)
        differ = sum(row[3] for row in rows)
        line = QLabel(
            f"{differ} of {len(rows)} settings differ." if differ else "Nothing that was set differs.", body
        )
        line.setForegroundRole(theme.MUTED)
        self.all_box = QCheckBox("Show what is the same too", body)
        self.tree = QTreeWidget(body)
        self.tree.setAccessibleName("Differences")
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.setAlternatingRowColors(True)
        make_roomy(self.tree)
        names = [f"{record.title or record.experiment} {text.short_id(record.id)}" for record in (one, other)]
        self.tree.setHeaderLabels(["Setting", *names])
        for name, left, right, different in rows:
            item = QTreeWidgetItem([name, left, right])
            for column in (1, 2):
                item.setToolTip(column, item.text(column))
            item.setData(0, Qt.ItemDataRole.UserRole, different)
            self.tree.addTopLevelItem(item)
        header = self.tree.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(line)
        box.addWidget(self.tree, 1)
        box.addWidget(self.all_box)
        self.all_box.toggled.connect(self._filter)
        self._filter(everything=False)

    def _filter(self, everything: bool) -> None:
        for place in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(place)
            if item is not None:
                item.setHidden(not everything and not item.data(0, Qt.ItemDataRole.UserRole))
