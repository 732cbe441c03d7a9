"""Metadata: how complete it is, what is missing and what to do, and below it all that the file says."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qlab.record import Record
from qlab_ui import icons, text, theme
from qlab_ui.panels.record import Fields, RecordPanel
from qlab_ui.roomy import make_roomy

_EMPTY = "What the file of a run says stands here."


class MetadataPanel(QWidget):
    """Completion on top, the record below."""

    profileWanted = Signal(str)  # the field to go to
    reportWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metadata")
        self.record = RecordPanel(self)
        self.line = QLabel(self)
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.line.setWordWrap(True)  # or it would keep the whole side of the window as wide as itself
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Completeness of the metadata")
        self.bar.setFixedHeight(max(self.fontMetrics().height() // 3, 4))
        self.who = QPushButton("Who are you?…", self)
        self.who.setToolTip(
            "Name or pseudonym, affiliation, licence, funding: filled once, written into each file"
        )
        self.report = QPushButton("FAIR report…", self)
        self.report.setToolTip("What this file meets of the FAIR metrics, and what to do for the rest")
        self.missing = QTreeWidget(self)
        self.missing.setObjectName("missing")
        self.missing.setAccessibleName("What is missing")
        self.missing.setHeaderHidden(True)
        self.missing.setColumnCount(2)
        self.missing.setRootIsDecorated(False)
        self.missing.setUniformRowHeights(True)
        make_roomy(self.missing)
        self.missing.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.missing.header().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.missing.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.who.clicked.connect(lambda: self.profileWanted.emit(""))
        self.report.clicked.connect(self.reportWanted)
        self.missing.itemActivated.connect(
            lambda item, _column: self.profileWanted.emit(str(item.data(0, Qt.ItemDataRole.UserRole) or ""))
        )
        unit = self.fontMetrics().averageCharWidth()
        head = QHBoxLayout()
        head.addWidget(self.who)
        head.addWidget(self.report)
        head.addStretch(1)
        top = QVBoxLayout()
        top.setContentsMargins(unit, unit // 2, unit, 0)
        top.addWidget(self.line)
        top.addWidget(self.bar)
        top.addWidget(self.missing)
        top.addLayout(head)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(top)
        column.addWidget(self.record, 1)
        column.addStretch(0)  # where there is no record, the words stay at the top
        self._items: tuple[Any, ...] = ()
        self.show_record(None)
        self.show_completion(())

    def changeEvent(self, event: QEvent) -> None:
        """Draw icons and colours again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_items"):
            self.show_completion(self._items)

    def show_record(self, record: Record | None, fields: Fields = ()) -> None:
        """Show a record."""
        self.record.show_record(record, fields)
        self.record.setVisible(record is not None)
        self.report.setEnabled(record is not None)
        self._say()

    def show_completion(self, items: Sequence[Any]) -> None:
        """Show what is there and what is missing (see `qlab.fair.Item`); what is needed comes first."""
        self._items = tuple(items)
        self.bar.setMaximum(max(len(items), 1))
        self.bar.setValue(sum(item.present for item in items))
        self.bar.setVisible(bool(items))
        self._say()
        self.missing.clear()
        absent = sorted((item for item in items if not item.present), key=lambda item: not item.needed)
        for item in absent:
            row = QTreeWidgetItem([text.capital(item.label), item.why])
            row.setIcon(0, icons.icon("warning" if item.needed else "info"))
            row.setData(0, Qt.ItemDataRole.UserRole, item.field)
            for column in (0, 1):
                row.setToolTip(column, f"{item.why}\n{item.what_to_do}")
            row.setForeground(1, self.palette().color(theme.MUTED))
            self.missing.addTopLevelItem(row)
        line = self.missing.sizeHintForRow(0) if absent else 0
        self.missing.setVisible(bool(absent))
        self.missing.setMaximumHeight(line * min(len(absent), 4) + 6)

    def _say(self) -> None:
        """Say how much is given, or what comes here."""
        items = self._items
        empty = "" if self.report.isEnabled() else _EMPTY
        self.line.setText(f"{self.bar.value()} of {len(items)} given" if items else empty)
        self.line.setForegroundRole(theme.Role.WindowText if items else theme.MUTED)
        self.bar.setAccessibleDescription(self.line.text())
