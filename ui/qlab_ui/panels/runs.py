"""The list of runs with its search: double-click opens, the context menu loads settings and compares."""

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QMenu, QTableView, QVBoxLayout, QWidget

from qlab_ui import theme
from qlab_ui.line import Line as SearchLine
from qlab_ui.panels.runs_model import FIGURE, STAR, Line, RunsModel


class RunsPanel(QWidget):
    """Runs of the data folder and of this session."""

    openWanted = Signal(object)
    loadWanted = Signal(object)
    starWanted = Signal(object)
    compareWanted = Signal()
    differenceWanted = Signal()
    searched = Signal(str)
    selectionChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runs")
        self.search = SearchLine(self)
        self.search.setToolTip("Words, or tag:nv, experiment:ramsey, date:this-week")
        self.search.setObjectName("run_search")
        self.search.setPlaceholderText("Find runs: words, or tag:nv, experiment:ramsey, date:this-week")
        self.search.setAccessibleName("Find runs")
        self.search.setClearButtonEnabled(True)
        self.model = RunsModel()
        self.model.setParent(self)
        self.table = QTableView(self)
        self.table.setObjectName("run_table")
        self.table.setAccessibleName("Runs")
        self.table.setModel(self.model)
        self.empty = QLabel("Runs appear here as they are measured.", self)
        self.empty.setForegroundRole(theme.MUTED)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._dress()
        unit = self.fontMetrics().averageCharWidth()
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, 0, unit, unit)
        column.addWidget(self.search)
        column.addWidget(self.table, 1)
        column.addWidget(self.empty, 1)
        self._pause = QTimer(self, singleShot=True, interval=250)
        self._pause.timeout.connect(lambda: self.searched.emit(self.search.text()))
        self.search.textChanged.connect(lambda _text: self._pause.start())
        self.table.doubleClicked.connect(lambda index: self.openWanted.emit(self.model.lines[index.row()]))
        self.table.clicked.connect(self._clicked)
        self.table.customContextMenuRequested.connect(self._menu)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self.selectionChanged.emit())
        self.model.modelReset.connect(self._count)
        self._count()

    def put(self, line: Line) -> None:
        """Add a run or bring it up to date."""
        self.model.put(line)

    def show_stored(self, lines: list[Line]) -> None:
        """Show the runs of the folder."""
        self.model.show_stored(lines, searched=bool(self.search.text().strip()))

    def chosen(self) -> list[Line]:
        """Return the chosen runs, from the top."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.lines[row] for row in rows]

    def _dress(self) -> None:
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setAlternatingRowColors(True)
        self.table.setTabKeyNavigation(False)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
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

    def _size(self) -> None:
        self.table.verticalHeader().setDefaultSectionSize(int(self.fontMetrics().height() * 1.6))
        unit = self.fontMetrics().averageCharWidth()
        for column, width in enumerate((4, 13, 12, 22, 14, 30, 16, 17)):
            self.table.horizontalHeader().resizeSection(column, unit * width)

    def _count(self) -> None:
        some = bool(self.model.lines)
        self.table.setVisible(some)
        self.empty.setVisible(not some)
        searching = bool(self.search.text().strip())
        self.empty.setText(
            "No run fits the search." if searching else "Runs appear here as they are measured."
        )

    def _clicked(self, index: QModelIndex) -> None:
        if index.column() == STAR:
            self.starWanted.emit(self.model.lines[index.row()])

    def _menu(self, where: QPoint) -> None:
        index = self.table.indexAt(where)
        if not index.isValid():
            return
        line = self.model.lines[index.row()]
        menu = QMenu(self)
        menu.addAction("Open", lambda: self.openWanted.emit(line))
        menu.addAction("Load settings into the form", lambda: self.loadWanted.emit(line))
        menu.addAction("Take the star off" if line.star else "Star", lambda: self.starWanted.emit(line))
        compare = menu.addAction("Compare chosen runs", self.compareWanted.emit)
        compare.setEnabled(len(self.chosen()) > 1)
        differ = menu.addAction("What is different", self.differenceWanted.emit)
        differ.setEnabled(len(self.chosen()) == 2)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.table.viewport().mapToGlobal(where))
