"""The queue: what goes and what waits, dragged into order, held and let go."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from qlab_ui import icons, theme
from qlab_ui.panels.queue_model import MIME, Item, QueueModel, clock

_EMPTY = "Nothing waits. Runs pressed while another goes are measured one after the other."


class QueueTable(QTableView):
    """The table; what is dropped is asked for, and moves when the bench says so."""

    dropped = Signal(str, int)

    def __init__(self, model: QueueModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("queue_table")
        self.setAccessibleName("Queue")
        self.setModel(model)
        self._model = model
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setDropIndicatorShown(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.size_columns()

    def size_columns(self) -> None:
        """Let lines and columns follow the size of the text."""
        self.verticalHeader().setDefaultSectionSize(int(self.fontMetrics().height() * 1.6))
        unit = self.fontMetrics().averageCharWidth()
        for column, width in enumerate((6, 30, 14, 10, 11, 11, 20)):
            self.horizontalHeader().resizeSection(column, unit * width)

    def dropEvent(self, event: QDropEvent) -> None:
        """Ask for the run to be moved to where it was dropped."""
        run = bytes(event.mimeData().data(MIME).data()).decode()
        index = self.indexAt(event.position().toPoint())
        row = index.row() if index.isValid() else len(self._model.items)
        if index.isValid() and self.dropIndicatorPosition() == self.DropIndicatorPosition.BelowItem:
            row += 1
        event.acceptProposedAction()
        if run:
            self.dropped.emit(run, row)


class QueuePanel(QWidget):
    """The queue with its commands; nothing changes here before the bench has said so."""

    commandWanted = Signal(str, str)
    arrangeWanted = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("queue")
        self.held = False
        self.model = QueueModel()
        self.model.setParent(self)
        self.table = QueueTable(self.model, self)
        self.summary = QLabel(self)
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.hold_button = self._button("", "Let the run that goes end, and start no other")
        self.up_button = self._button("Earlier", "Measure the chosen run one place earlier")
        self.down_button = self._button("Later", "Measure the chosen run one place later")
        self.skip_button = self._button(
            "Skip", "Take the chosen run out; one that goes ends at its next point"
        )
        self.empty = QLabel(_EMPTY, self)
        self.empty.setForegroundRole(theme.MUTED)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self._lay_out()
        self.hold_button.clicked.connect(
            lambda: self.commandWanted.emit("release" if self.held else "hold", "")
        )
        self.up_button.clicked.connect(lambda: self._shift(-1))
        self.down_button.clicked.connect(lambda: self._shift(1))
        self.skip_button.clicked.connect(self._skip)
        self.table.dropped.connect(self._dropped)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._enable())
        self.table.customContextMenuRequested.connect(self._menu)
        self.show_queue(held=False, items=())

    def show_queue(self, *, held: bool, items: Sequence[Mapping[str, Any]]) -> None:
        """Show the queue as the bench tells it; the chosen run stays chosen."""
        chosen = self.chosen()
        self.held = held
        self.model.show_items(items)
        if chosen is not None:
            rows = [row for row, item in enumerate(self.model.items) if item.run == chosen.run]
            if rows:
                self.table.selectRow(rows[0])
        some = bool(self.model.items)
        self.table.setVisible(some)
        self.empty.setVisible(not some)
        self.summary.setText(self._words())
        self.summary.setForegroundRole(theme.WARNING if held and self.waiting() else theme.MUTED)
        self.hold_button.setText("Go on" if held else "Hold")
        self.hold_button.setIcon(icons.icon("run" if held else "pause"))
        self._enable()

    def waiting(self) -> int:
        """Return how many runs wait."""
        return sum(item.waits for item in self.model.items)

    def chosen(self) -> Item | None:
        """Return the chosen order."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.items[rows[0].row()] if rows and rows[0].row() < len(self.model.items) else None

    def changeEvent(self, event: QEvent) -> None:
        """Follow the text size and the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "table"):
            self.table.size_columns()
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "hold_button"):
            self.hold_button.setIcon(icons.icon("run" if self.held else "pause"))

    def _words(self) -> str:
        waiting = self.waiting()
        ends = [item.ends for item in self.model.items if item.ends]
        parts = [f"{waiting} waiting" if waiting else "nothing waits"]
        if self.held and waiting:
            parts.append("held: press Go on to measure them")
        elif ends:
            parts.append(f"all ends about {clock(max(ends))}")
        return " · ".join(parts)

    def _enable(self) -> None:
        item = self.chosen()
        place = -1 if item is None or not item.waits else self.model.place_of(self.model.items.index(item))
        self.hold_button.setEnabled(self.held or bool(self.model.items))
        self.skip_button.setEnabled(item is not None)
        self.up_button.setEnabled(place > 0)
        self.down_button.setEnabled(0 <= place < self.waiting() - 1)

    def _shift(self, by: int) -> None:
        item = self.chosen()
        if item is not None:
            place = self.model.place_of(self.model.items.index(item))
            self.arrangeWanted.emit(item.run, {"position": max(place + by, 0)})

    def _dropped(self, run: str, row: int) -> None:
        old = next((r for r, item in enumerate(self.model.items) if item.run == run), None)
        if old is None:
            return
        place = self.model.place_of(row)
        if row > old:  # it leaves its own place first
            place -= 1
        if place != self.model.place_of(old):
            self.arrangeWanted.emit(run, {"position": place})

    def _skip(self) -> None:
        if (item := self.chosen()) is not None:
            self.commandWanted.emit("skip", item.run)

    def _menu(self, where: QPoint) -> None:
        index = self.table.indexAt(where)
        if not index.isValid():
            return
        item = self.model.items[index.row()]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(
            "Take out" if item.waits else "Skip", lambda: self.commandWanted.emit("skip", item.run)
        )
        if item.waits:
            arrange = self.arrangeWanted.emit
            menu.addAction("Measure next", lambda: arrange(item.run, {"position": 0}))
            menu.addAction("Higher priority", lambda: arrange(item.run, {"priority": item.priority + 1}))
            menu.addAction("Lower priority", lambda: arrange(item.run, {"priority": item.priority - 1}))
            menu.addAction("Once more", lambda: arrange(item.run, {"repeat": item.repeat + 1}))
            above = self.model.items[index.row() - 1] if index.row() else None
            if above is not None:
                menu.addAction(
                    f"Only after {above.title}, if its fit is good",
                    lambda: arrange(item.run, {"after": {"run": above.run, "needs": "good_fit"}}),
                )
            menu.addAction("Wait for nothing", lambda: arrange(item.run, {"after": None, "due": ""}))
        menu.popup(self.table.viewport().mapToGlobal(where))

    def _button(self, words: str, tip: str) -> QPushButton:
        button = QPushButton(words, self)
        button.setToolTip(tip)
        return button

    def _lay_out(self) -> None:
        unit = self.fontMetrics().averageCharWidth()
        head = QHBoxLayout()
        head.addWidget(self.summary, 1)
        for button in (self.up_button, self.down_button, self.skip_button, self.hold_button):
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, unit // 2, unit, unit)
        column.addLayout(head)
        column.addWidget(self.table, 1)
        column.addWidget(self.empty, 1)
