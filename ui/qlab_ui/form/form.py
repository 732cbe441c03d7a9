"""The form: every parameter of the chosen experiment, checked while it is typed."""

import math
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QUndoStack
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from qlab_ui import text, theme
from qlab_ui.form.fields import make_editor
from qlab_ui.form.group import Group
from qlab_ui.form.row import FieldRow
from qlab_ui.form.scan import ScanEditor
from qlab_ui.form.undo import SetMany, SetValue
from qlab_ui.panels.runs_model import RUNS_MIME

_DEBOUNCE_MS = 200


class Form(QWidget):
    """The parameters of one experiment.

    `checkWanted(token, experiment, values)` asks the session; its answer comes back through `checked`.
    """

    checkWanted = Signal(int, str, object)
    changed = Signal()
    runsDropped = Signal(object)  # the mime data of a run that was dragged here

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("form")
        self.setAcceptDrops(True)
        self.undo_stack = QUndoStack(self)
        self.experiment = ""
        self.pace = 0.0  # seconds in which a simulated run is played; 0 where it is not paced
        self._rows: dict[str, FieldRow] = {}
        self._groups: list[Group] = []
        self._known: dict[str, Any] = {}
        self._token = 0
        self._timer = QTimer(self, singleShot=True, interval=_DEBOUNCE_MS)
        self._timer.timeout.connect(self._ask)
        self.title = _plain(self, "form_title")
        heading = self.title.font()
        heading.setBold(True)
        self.title.setFont(heading)
        self.summary = _plain(self, "form_summary")
        self.summary.setForegroundRole(theme.MUTED)
        self.estimate = _plain(self, "form_estimate")
        self.estimate.setForegroundRole(theme.MUTED)
        self._area = QScrollArea(self)  # sideways too: in a narrow pane words and fields would be cut
        self._area.setObjectName("form_area")
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        unit = self.fontMetrics().averageCharWidth()
        column = QVBoxLayout(self)
        column.setContentsMargins(unit, 0, unit, unit)
        self._head = QHBoxLayout()
        self._head.addWidget(self.title, 1)
        column.addLayout(self._head)
        for widget in (self.summary, self._area, self.estimate):
            column.addWidget(widget, 1 if widget is self._area else 0)
        self.wait("Choose an experiment.")

    def put_beside_title(self, widget: QWidget) -> None:
        """Put a widget to the right of the title."""
        self._head.addWidget(widget)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a run of the list; files from elsewhere are the window's."""
        if event.mimeData().hasFormat(RUNS_MIME):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Load the values of the dropped run."""
        self.runsDropped.emit(event.mimeData())
        event.acceptProposedAction()

    def wait(self, line: str) -> None:
        """Show a calm line instead of a form."""
        self._fill([])
        self.experiment = ""
        self.title.setText("")
        self.summary.setText(line)
        self.estimate.setText("")

    def show_entry(self, entry: dict[str, Any], values: dict[str, Any] | None = None) -> None:
        """Show the form of a catalogue entry, with the defaults changed by `values`."""
        self.experiment = entry["name"]
        self.title.setText(entry.get("title") or entry["name"])
        self.summary.setText(entry.get("summary") or "")
        self._fill(entry.get("fields", []))
        self._show_many(values or {})
        self.undo_stack.clear()

    def values(self) -> dict[str, Any]:
        """Return every value by name; what cannot be read is given as typed."""
        return {name: row.editor.value() for name, row in self._rows.items()}

    def changes(self) -> dict[str, Any]:
        """Return the values that differ from their default."""
        return {name: row.editor.value() for name, row in self._rows.items() if row.changed()}

    def defaults(self) -> dict[str, Any]:
        """Return the default of each value."""
        return {name: row.default for name, row in self._rows.items()}

    def load(self, values: dict[str, Any], why: str) -> None:
        """Set many values in one step that can be undone."""
        known = {name: value for name, value in values.items() if name in self._rows}
        self.undo_stack.push(SetMany(self._show_many, why, self.values(), known))

    def reset(self) -> None:
        """Put every value back to its default, in one step that can be undone."""
        defaults = {name: row.default for name, row in self._rows.items() if row.changed()}
        if defaults:
            self.undo_stack.push(SetMany(self._show_many, "reset of all parameters", self.values(), defaults))

    def problems(self) -> dict[str, str]:
        """Return what is wrong, by field."""
        return {name: problem for name, row in self._rows.items() if (problem := row.problem())}

    def row(self, name: str) -> FieldRow:
        """Return the row of a field."""
        return self._rows[name]

    def focus_problem(self) -> bool:
        """Go to the first value that is refused; return whether there is one."""
        for name in self.problems():
            row = self._rows[name]
            for group in self._groups:
                if row in group.rows:
                    group.reveal()
            self._area.ensureWidgetVisible(row)
            row.editor.setFocus(Qt.FocusReason.OtherFocusReason)
            return True
        return False

    def checked(self, event: dict[str, Any]) -> None:
        """Take the session's answer; an answer to an older question is dropped."""
        if event.get("token") != self._token:
            return
        told: dict[str, str] = event.get("problems") or {}
        for name, row in self._rows.items():
            row.refuse(told.get(name, "").removeprefix(f"{name}: "))
        rest = [line for name, line in told.items() if name not in self._rows]
        self._conclude(rest, event.get("rows"), event.get("seconds"))
        self.changed.emit()

    def recolour(self) -> None:
        """Draw the icons again after a change of theme."""
        for row in self._rows.values():
            row.recolour()

    def _fill(self, described: list[dict[str, Any]]) -> None:
        self._rows, self._groups, self._known = {}, [], {}
        grouped: dict[str, list[FieldRow]] = {}
        for one in described:
            row = FieldRow(make_editor(one))
            row.edited.connect(self._edited)
            self._rows[row.name] = row
            self._known[row.name] = row.editor.value()
            grouped.setdefault(row.editor.field.group, []).append(row)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, self.fontMetrics().averageCharWidth(), 0)
        for title, rows in sorted(grouped.items(), key=lambda item: bool(item[0])):
            rows.sort(key=lambda row: row.editor.field.kind != "scan")  # what is swept comes first
            group = Group(title, rows, opened=not title)
            self._groups.append(group)
            column.addWidget(group)
        column.addStretch(1)
        self._area.setWidget(body)

    def _edited(self, row: FieldRow) -> None:
        old, new = self._known[row.name], row.editor.value()
        if old != new:
            self._known[row.name] = new
            title = row.editor.field.title
            self.undo_stack.push(SetValue(self._show_one, row.name, title, old, new))
        self._ask_soon()

    def _show_one(self, name: str, value: Any) -> None:
        self._show_many({name: value})

    def _show_many(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if name in self._rows:
                self._rows[name].setValue(value)
                self._known[name] = self._rows[name].editor.value()
        self._ask_soon()

    def _ask_soon(self) -> None:
        self._token += 1
        local = self.problems()
        if local:
            self._timer.stop()
            self._conclude([], None, None)
        else:
            self._timer.start()
        self.changed.emit()

    def _ask(self) -> None:
        if self.experiment and not self.problems():
            self.checkWanted.emit(self._token, self.experiment, self.values())

    def ask_again(self) -> None:
        """Ask the session once more: it has just become able to answer."""
        self._ask_soon()

    def _points(self, rows: int) -> str:
        """Say how many points are swept, and how many rows that makes where it is more."""
        scans = [row.editor.scan() for row in self._rows.values() if isinstance(row.editor, ScanEditor)]
        points = math.prod(len(scan) for scan in scans if scan is not None)
        return text.points(points) + (f", {text.count(rows)} rows" if rows != points else "")

    def _conclude(self, rest: list[str], rows: int | None, seconds: float | None) -> None:
        count = len(self.problems()) + len(rest)
        self.estimate.setForegroundRole(theme.ERROR if count else theme.MUTED)
        if rest:
            self.estimate.setText(" ".join(rest))
        elif count:
            self.estimate.setText(
                "1 value needs attention" if count == 1 else f"{count} values need attention"
            )
        elif rows is not None:
            parts = [self._points(rows)]
            if seconds is not None:
                parts.append(f"~{text.duration(seconds)}")
                if 0 < self.pace < seconds:
                    parts[-1] += f", simulated in {text.duration(self.pace)}"
            self.estimate.setText(" · ".join(parts))


def _plain(parent: QWidget, name: str) -> QLabel:
    label = QLabel(parent)
    label.setObjectName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
