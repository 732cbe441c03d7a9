"""The runs of a folder as a table or as pictures, with their search: opened, compared, starred, deleted, dragged."""

from functools import partial

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QStackedWidget,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from qlab_ui import icons, text, theme
from qlab_ui.library import SearchWords
from qlab_ui.panels.gallery import Gallery
from qlab_ui.panels.runs_model import FIGURE, STAR, Line, RunsModel
from qlab_ui.panels.search import Search

_NONE_YET = "Runs appear here as they are measured.\nDrop files or a folder on the window to look at others."


class RunsPanel(QWidget):
    """Runs of the data folder and of this session."""

    openWanted = Signal(object)
    loadWanted = Signal(object)
    starWanted = Signal(object)
    commandWanted = Signal(str)  # the slot of an action on the chosen runs
    backWanted = Signal()  # from another folder to the one that data go to
    searched = Signal(str)
    selectionChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runs")
        self._left = 0  # files that are still looked into
        self.finder = Search(self)
        self.search = self.finder.line
        self.model = RunsModel()
        self.model.setParent(self)
        self.table = QTableView(self)
        self.table.setObjectName("run_table")
        self.table.setAccessibleName("Runs")
        self.table.setModel(self.model)
        self.gallery = Gallery(self.model, self)
        self.gallery.setSelectionModel(self.table.selectionModel())
        self.gallery.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.views = QStackedWidget(self)
        self.views.addWidget(self.table)
        self.views.addWidget(self.gallery)
        self.empty = QLabel(_NONE_YET, self)
        self.empty.setForegroundRole(theme.MUTED)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.count = QLabel(self)
        self.count.setForegroundRole(theme.MUTED)
        self.count.setTextFormat(Qt.TextFormat.PlainText)
        self.back = QToolButton(self)
        self.back.setAutoRaise(True)
        self.back.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.back.setAccessibleName("Back to the data folder")
        self.back.setToolTip("Another folder is listed; go back to the one that data go to")
        self.back.setIcon(icons.icon("close"))
        self.back.hide()
        self.as_table = self._choice("table", "Table", "Show the runs as a table")
        self.as_grid = self._choice("tiles", "Pictures", "Show the runs as pictures")
        self._dress()
        self._lay_out()
        self._connect()
        self._count()

    def put(self, line: Line) -> None:
        """Add a run or bring it up to date."""
        if line.path is not None:
            self.gallery.pictures.forget(str(line.path))
        self.model.put(line)

    def show_stored(self, lines: list[Line], *, offset: int, count: int, left: int) -> None:
        """Show runs of the folder, from `offset` on, of `count` that there are; `left` files are still looked into."""
        self.finder.show_problem("")
        self._left = left
        if offset:
            self.model.add_stored(lines, offset)
        else:
            kept = {line.run for line in self.chosen()}
            self.model.show_stored(lines, count, searched=bool(self.search.text().strip()))
            self.choose(kept)
        self._count()

    def show_words(self, words: SearchWords) -> None:
        """Complete searches with what there is in the folder."""
        self.finder.show_words(words)

    def show_folder(self, name: str) -> None:
        """Say that another folder is listed; nothing where it is the one that data go to."""
        self.back.setText(name)
        self.back.setVisible(bool(name))

    def chosen(self) -> list[Line]:
        """Return the chosen runs, from the top."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedIndexes()})
        return [self.model.lines[row] for row in rows]

    def choose(self, runs: set[str]) -> None:
        """Choose runs, where they are listed."""
        chosen = self.table.selectionModel()
        flags = chosen.SelectionFlag.Select | chosen.SelectionFlag.Rows
        for row, line in enumerate(self.model.lines):
            if line.run in runs:
                chosen.select(self.model.index(row, 0), flags)

    def show_as(self, kind: str) -> None:
        """Show the runs as a "table" or as a "grid" of pictures."""
        grid = kind == "grid"
        (self.as_grid if grid else self.as_table).setChecked(True)
        self.views.setCurrentWidget(self.gallery if grid else self.table)

    def shown_as(self) -> str:
        """Return how the runs are shown."""
        return "grid" if self.views.currentWidget() is self.gallery else "table"

    def _choice(self, icon: str, name: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icons.icon(icon))
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(tip)
        return button

    def _lay_out(self) -> None:
        unit = self.fontMetrics().averageCharWidth()
        together = QButtonGroup(self)
        together.addButton(self.as_table)
        together.addButton(self.as_grid)
        self.as_table.setChecked(True)
        head = QHBoxLayout()
        head.setSpacing(unit)
        head.addWidget(self.finder, 1)
        for widget in (self.count, self.back, self.as_table, self.as_grid):
            head.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        self.count.setFixedHeight(self.search.sizeHint().height())
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, 0, unit, unit)
        column.addLayout(head)
        column.addWidget(self.views, 1)
        column.addWidget(self.empty, 1)

    def _connect(self) -> None:
        self._pause = QTimer(self, singleShot=True, interval=250)
        self._pause.timeout.connect(lambda: self.searched.emit(self.search.text()))
        self.finder.changed.connect(self._pause.start)
        self.back.clicked.connect(self.backWanted)
        self.as_table.clicked.connect(lambda: self.commandWanted.emit("runs_as_table"))
        self.as_grid.clicked.connect(lambda: self.commandWanted.emit("runs_as_pictures"))
        for view in (self.table, self.gallery):
            view.doubleClicked.connect(self._activated)
            for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                opens = QShortcut(QKeySequence(key), view, context=Qt.ShortcutContext.WidgetShortcut)
                opens.activated.connect(lambda view=view: self._activated(view.currentIndex()))
            view.customContextMenuRequested.connect(lambda where, view=view: self._menu(view, where))
        self.table.clicked.connect(self._clicked)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self.selectionChanged.emit())
        self.model.modelReset.connect(self._count)
        self.model.rowsInserted.connect(self._count)

    def _dress(self) -> None:
        for view in (self.table, self.gallery):
            view.setDragEnabled(True)
            view.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
            view.setDefaultDropAction(Qt.DropAction.CopyAction)
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setAlternatingRowColors(True)
        self.table.setTabKeyNavigation(False)
        self.table.verticalHeader().hide()
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(FIGURE, QHeaderView.ResizeMode.Stretch)
        self._size()

    def changeEvent(self, event: QEvent) -> None:
        """Let lines and columns follow the size of the text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "table"):
            self._size()
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "as_grid"):
            self.as_table.setIcon(icons.icon("table"))
            self.as_grid.setIcon(icons.icon("tiles"))
            self.back.setIcon(icons.icon("close"))

    def _size(self) -> None:
        self.table.verticalHeader().setDefaultSectionSize(int(self.fontMetrics().height() * 1.6))
        unit = self.fontMetrics().averageCharWidth()
        for column, width in enumerate((4, 15, 9, 20, 8, 34, 8, 17)):
            self.table.horizontalHeader().resizeSection(column, unit * width)

    def _count(self) -> None:
        some = len(self.model.lines) + self.model.unlisted()
        self.views.setVisible(bool(some))
        self.empty.setVisible(not some)
        searching = bool(self.search.text().strip())
        self.empty.setText("No run fits the search." if searching else _NONE_YET)
        words = ("1 run" if some == 1 else f"{text.count(some)} runs") if some else ""
        self.count.setText(f"{words}, {text.count(self._left)} to look into" if self._left else words)

    def _activated(self, index: QModelIndex) -> None:
        if index.isValid():
            self.openWanted.emit(self.model.lines[index.row()])

    def _clicked(self, index: QModelIndex) -> None:
        if index.column() == STAR:
            self.starWanted.emit(self.model.lines[index.row()])

    def _menu(self, view: QAbstractItemView, where: QPoint) -> None:
        index = view.indexAt(where)
        if not index.isValid():
            return
        line, many = self.model.lines[index.row()], len(self.chosen())
        menu = QMenu(self)
        menu.addAction("Open", lambda: self.openWanted.emit(line))
        menu.addAction("Load settings into the form", lambda: self.loadWanted.emit(line))
        menu.addAction("Take the star off" if line.star else "Star", lambda: self.starWanted.emit(line))
        menu.addSeparator()
        for words, slot, fits in (
            ("Compare chosen runs", "compare", many > 1),
            ("Subtract the second from the first", "subtract", many == 2),
            ("What is different", "difference", many == 2),
            ("Plot against…", "trend", many > 1),
            ("Fit chosen runs…", "refit", many > 0),
            ("Delete", "delete_runs", many > 0),
        ):
            if slot == "delete_runs":
                menu.addSeparator()
            menu.addAction(words, partial(self.commandWanted.emit, slot)).setEnabled(fits)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(view.viewport().mapToGlobal(where))
