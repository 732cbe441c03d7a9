"""The tree of experiments with its search."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from qlab_ui import icons, text
from qlab_ui.line import Line
from qlab_ui.roomy import make_roomy

_NAME = Qt.ItemDataRole.UserRole


class ExperimentsPanel(QWidget):
    """Experiments by platform and group; choosing one shows its form."""

    chosen = Signal(str)
    runWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("experiments")
        self.search = Line(self)
        self.search.setObjectName("experiment_search")
        self.search.setPlaceholderText("Find an experiment")
        self.search.setAccessibleName("Find an experiment")
        self.search.setToolTip("Words of its name, platform or purpose; Return takes the first")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._take_first)
        self.tree = QTreeWidget(self)
        self.tree.setObjectName("experiment_tree")
        self.tree.setAccessibleName("Experiments")
        self.tree.setHeaderHidden(True)
        make_roomy(self.tree)
        self.tree.setIndentation(self.fontMetrics().averageCharWidth() * 2)
        self.tree.currentItemChanged.connect(self._picked)
        self.tree.itemActivated.connect(self._activated)
        unit = self.fontMetrics().averageCharWidth()
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, 0, unit, unit)
        column.addWidget(self.search)
        column.addWidget(self.tree, 1)

    def show_catalogue(self, catalogue: list[dict[str, Any]]) -> None:
        """Show these experiments; a broken one is greyed, with its reason."""
        self.tree.blockSignals(True)
        self.tree.clear()
        groups: dict[str, QTreeWidgetItem] = {}
        for entry in sorted(catalogue, key=_order):
            heading = _heading(entry)
            if heading not in groups:
                groups[heading] = self._group(heading)
            groups[heading].addChild(_leaf(entry))
        self.tree.expandAll()
        self.tree.blockSignals(False)
        self._filter(self.search.text())

    def choose(self, name: str) -> bool:
        """Choose an experiment by name; return whether it is there."""
        for item in self._leaves():
            if item.data(0, _NAME) == name:
                self.tree.setCurrentItem(item)
                return True
        return False

    def _group(self, heading: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([heading])
        font = self.tree.font()
        font.setBold(True)
        item.setFont(0, font)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.tree.addTopLevelItem(item)
        return item

    def _leaves(self) -> list[QTreeWidgetItem]:
        groups = [self.tree.topLevelItem(i) for i in range(self.tree.topLevelItemCount())]
        return [leaf for g in groups if g for i in range(g.childCount()) if (leaf := g.child(i)) is not None]

    def _picked(self, item: QTreeWidgetItem | None) -> None:
        name = item.data(0, _NAME) if item is not None else None
        if name:
            self.chosen.emit(name)

    def _activated(self, item: QTreeWidgetItem) -> None:
        if item.data(0, _NAME):
            self.runWanted.emit()

    def _filter(self, words: str) -> None:
        wanted = _plain(words).split()
        for leaf in self._leaves():
            told = _plain(f"{leaf.data(0, _NAME + 1)} {leaf.data(0, _NAME)}")
            leaf.setHidden(not all(word in told for word in wanted))
        for index in range(self.tree.topLevelItemCount()):
            group = self.tree.topLevelItem(index)
            if group is not None:
                leaves = [group.child(i) for i in range(group.childCount())]
                group.setHidden(all(leaf is None or leaf.isHidden() for leaf in leaves))

    def _take_first(self) -> None:
        for leaf in self._leaves():
            if not leaf.isHidden() and leaf.data(0, _NAME):
                self.tree.setCurrentItem(leaf)
                return


def _heading(entry: dict[str, Any]) -> str:
    platform = text.PLATFORMS.get(
        entry["name"].partition(".")[0], text.words(entry["name"].partition(".")[0])
    )
    group = entry.get("group") or ""
    named = group and group.casefold() != entry["name"].partition(".")[0]
    return f"{platform} · {group}" if named else platform


def _order(entry: dict[str, Any]) -> tuple[bool, bool, str, str]:
    name = entry["name"]
    return "broken" in entry, name.startswith("generic."), _heading(entry), entry.get("title") or name


def _leaf(entry: dict[str, Any]) -> QTreeWidgetItem:
    item = QTreeWidgetItem([entry.get("title") or entry["name"]])
    item.setData(
        0, _NAME + 1, f"{entry.get('title', '')} {entry.get('summary', '')} {entry.get('group', '')}"
    )
    if "broken" in entry:
        item.setIcon(0, icons.icon("warning"))
        item.setToolTip(0, str(entry["broken"]))
        item.setFlags(Qt.ItemFlag.NoItemFlags)
    else:
        item.setData(0, _NAME, entry["name"])
        item.setToolTip(0, f"{entry.get('summary') or ''}\n{entry['name']}".strip())
    return item


def _plain(words: str) -> str:
    """Return words as they are compared: a keyboard has a hyphen where a title has a dash."""
    return words.casefold().replace("–", "-")
