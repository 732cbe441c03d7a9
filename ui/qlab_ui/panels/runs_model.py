"""The list of runs as a Qt model: one line each, the ones that go on top."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QUrl,
    Signal,
)

from qlab.record import Record, headline
from qlab_ui import icons, text
from qlab_ui.library import Listed

Index = QModelIndex | QPersistentModelIndex
RUNS_MIME = "application/x-qlab-runs"  # what is dragged: the ids of runs, as JSON
COLUMNS = ("", "State", "Started", "Experiment", "Rows", "Main figure", "Tags", "Run")
STAR, STATE, STARTED, EXPERIMENT, ROWS, FIGURE, TAGS, RUN = range(len(COLUMNS))


@dataclass
class Line:
    """One run of the list."""

    run: str
    title: str
    experiment: str
    state: str
    started: str = ""
    rows: int = 0
    total: int = 0
    figure: str = ""
    simulated: bool = False
    path: Path | None = None
    colour: str = ""
    star: bool = False
    tags: tuple[str, ...] = ()


def line_of_summary(summary: Listed) -> Line:
    """Return the line of a run in a folder."""
    return Line(
        run=summary.id or str(summary.path),
        title=summary.title or summary.experiment or Path(summary.path).name,
        experiment=summary.experiment,
        state=summary.state or "damaged",
        started=summary.started,
        rows=summary.rows,
        figure=summary.reason or summary.headline,
        simulated=summary.simulated,
        path=Path(summary.path),
        star=summary.star,
        tags=summary.tags,
    )


def line_of_record(record: Record, rows: int, path: Path | None) -> Line:
    """Return the line of a run that goes on or has just ended."""
    return Line(
        run=record.id,
        title=record.title or record.experiment,
        experiment=record.experiment,
        state=record.state,
        started=record.started,
        rows=rows,
        total=record.expected_rows,
        figure=headline(record),
        simulated=record.simulated,
        path=path,
    )


class RunsModel(QAbstractTableModel):
    """Runs of this session first, then those of the folder; a run is listed once."""

    moreWanted = Signal(int)  # how many runs of the folder are listed already

    def __init__(self) -> None:
        super().__init__()
        self._here: dict[str, Line] = {}
        self._stored: list[Line] = []
        self._count = 0  # runs of the folder, listed or not
        self._asked = 0
        self.lines: list[Line] = []

    def take_out(self, paths: set[str]) -> None:
        """Leave out runs that have been deleted, until the folder is listed again."""
        self._here = {run: line for run, line in self._here.items() if str(line.path) not in paths}
        left = [line for line in self._stored if str(line.path) not in paths]
        self._count -= len(self._stored) - len(left)
        self._stored, self._asked = left, len(left)
        self._gather()

    def put(self, line: Line) -> None:
        """Add a run of this session or bring it up to date."""
        known = line.run in self._here
        self._here[line.run] = line
        if not known:
            self._gather()
            return
        for place, old in enumerate(self.lines):
            if old.run == line.run:
                self.lines[place] = line
                # While a run goes, only its rows change: what is painted again is one cell.
                same = replace(old, rows=line.rows, colour=line.colour) == line
                if same:
                    self.dataChanged.emit(self.index(place, ROWS), self.index(place, ROWS))
                else:
                    self._changed(place, place)

    def show_stored(self, lines: list[Line], count: int, *, searched: bool) -> None:
        """Show the first of `count` runs of the folder; a search leaves out runs of this session that have ended."""
        self._stored, self._count, self._asked = lines, count, len(lines)
        if searched:
            self._here = {run: line for run, line in self._here.items() if line.state in _GOING}
        self._gather()

    def add_stored(self, lines: list[Line], offset: int) -> None:
        """Show more runs of the folder, below those that are shown; pages that come too late are left out."""
        known = {line.run for line in self._stored}
        lines = [
            line for line in lines if line.run not in known
        ]  # a run that came since moved the pages by one
        if offset != len(self._stored) or not lines:
            return
        self._stored += lines
        new = [line for line in lines if line.run not in self._here]
        self.beginInsertRows(QModelIndex(), len(self.lines), len(self.lines) + len(new) - 1)
        self.lines += new
        self.endInsertRows()

    def stored(self) -> int:
        """Return how many runs of the folder are listed."""
        return len(self._stored)

    def unlisted(self) -> int:
        """Return how many runs of the folder are not listed yet."""
        return max(self._count - len(self._stored), 0)

    def canFetchMore(self, parent: Index) -> bool:
        """Tell a view that has been scrolled to the end whether there is more."""
        return not parent.isValid() and self.unlisted() > 0 and self._asked <= len(self._stored)

    def fetchMore(self, parent: Index) -> None:
        """Ask for the next page, once."""
        if self.canFetchMore(parent):
            self._asked = len(self._stored) + 1
            self.moreWanted.emit(len(self._stored))

    def colour(self, colours: dict[str, str]) -> None:
        """Give runs the colours of their curves."""
        for row, line in enumerate(self.lines):
            if line.colour != colours.get(line.run, ""):
                line.colour = colours.get(line.run, "")
                self._changed(row, row)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many runs there are."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the name of a column."""
        if way == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section == ROWS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return _cell(line, column)
        if role == Qt.ItemDataRole.DecorationRole:
            if column == STAR:
                return icons.icon("star" if line.star else "unstar")
            if column == STATE:
                return icons.icon(text.STATE_ICONS.get(line.state, "info"))
            return icons.swatch(line.colour) if column == EXPERIMENT and line.colour else None
        if role == Qt.ItemDataRole.ToolTipRole:
            sim = "simulated, " if line.simulated else ""
            state = text.STATE_WORDS.get(line.state, line.state).lower()
            return f"{line.title}\n{sim}{state}\n{line.path or ''}".strip()
        if role == Qt.ItemDataRole.TextAlignmentRole and column == ROWS:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let runs be dragged."""
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDragActions(self) -> Qt.DropAction:
        """A run that is dragged stays where it is."""
        return Qt.DropAction.CopyAction

    def mimeTypes(self) -> list[str]:
        """Return what a dragged run is offered as."""
        return [RUNS_MIME, "text/uri-list"]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Return dragged runs: their ids for this window, their files for others."""
        lines = [self.lines[row] for row in sorted({index.row() for index in indexes})]
        data = QMimeData()
        data.setData(RUNS_MIME, json.dumps([line.run for line in lines]).encode())
        data.setUrls([QUrl.fromLocalFile(str(line.path)) for line in lines if line.path is not None])
        return data

    def of(self, data: QMimeData) -> list[Line]:
        """Return the runs of this list that were dragged."""
        try:
            wanted = set(json.loads(bytes(data.data(RUNS_MIME).data())))
        except (ValueError, TypeError):
            return []
        return [line for line in self.lines if line.run in wanted]

    def _gather(self) -> None:
        """Bring the list up to date, and tell what has changed: a view paints anew what it is told, and no more."""
        stored = [line for line in self._stored if line.run not in self._here]
        for line in self._stored:  # stars and tags are known from the folder only
            if (here := self._here.get(line.run)) is not None:
                self._here[line.run] = replace(here, star=line.star, tags=line.tags)
        lines, old = [*reversed(self._here.values()), *stored], self.lines
        more = len(lines) - len(old)
        if more not in {0, 1} or [line.run for line in lines[more:]] != [line.run for line in old]:
            self.beginResetModel()
            self.lines = lines
            self.endResetModel()
            return
        if more:
            self.beginInsertRows(QModelIndex(), 0, 0)
        self.lines = lines
        if more:
            self.endInsertRows()
        for row in range(more, len(lines)):
            if lines[row] != old[row - more]:
                self._changed(row, row)

    def _changed(self, first: int, last: int) -> None:
        self.dataChanged.emit(self.index(first, 0), self.index(last, len(COLUMNS) - 1))


_GOING = {"queued", "preparing", "running", "paused"}


def _cell(line: Line, column: int) -> str:
    if column == STAR:
        return ""
    if column == STATE:
        return text.STATE_WORDS.get(line.state, line.state)
    if column == STARTED:
        return text.started(line.started)
    if column == EXPERIMENT:
        return line.title
    if column == ROWS:
        return f"{line.rows} / {line.total}" if line.state in _GOING and line.total else str(line.rows)
    if column == FIGURE:
        return line.figure
    if column == TAGS:
        return ", ".join(line.tags)
    return f"{text.short_id(line.run)}{' · SIM' if line.simulated else ''}"
