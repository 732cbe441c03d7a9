"""What is hidden in a simulated bench, to be changed: a student moves T2* and looks at what becomes of the fringes."""

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from qlab_ui import theme
from qlab_ui.form.fields import make_editor
from qlab_ui.form.row import FieldRow
from qlab_ui.line import Line

_ABOUT = (
    "What the experiments are to find. Changes hold for the runs that follow, until qlab is closed, and are "
    "written into their files."
)


class SimulatedWorld(QDialog):
    """A form of what is hidden; only what differs from the bench's own values is used."""

    def __init__(
        self,
        parent: QWidget,
        fields: list[dict[str, Any]],
        changed: Mapping[str, float],
        use: Callable[[dict[str, float]], object],
    ) -> None:
        super().__init__(parent)
        self.setObjectName("simulated_world")
        self.setWindowTitle("Simulated world")
        self._use = use
        about = QLabel(_ABOUT, self)
        about.setWordWrap(True)
        about.setForegroundRole(theme.MUTED)
        self.search = Line(self)
        self.search.setPlaceholderText("Find a quantity")
        self.search.setAccessibleName("Find a quantity")
        self.search.setToolTip("Part of the name of a hidden quantity")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.rows = {str(field["name"]): FieldRow(make_editor(field)) for field in fields}
        for name, value in changed.items():
            if name in self.rows:
                self.rows[name].setValue(value)
        body = QWidget(self)
        column = QVBoxLayout(body)
        for row in self.rows.values():
            column.addWidget(row)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(body)
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Reset | kinds.Cancel, self)
        self.buttons.button(kinds.Ok).setText("Use")
        self.buttons.button(kinds.Reset).setText("As the bench says")
        self.buttons.button(kinds.Reset).clicked.connect(self._reset)
        self.buttons.accepted.connect(self._accept)
        self.buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        for widget in (about, self.search, area, self.buttons):
            whole.addWidget(widget, 1 if widget is area else 0)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 78, metrics.height() * 32)
        self.search.setFocus()

    def changes(self) -> dict[str, float]:
        """Return what differs from the bench's own values."""
        return {name: row.editor.value() for name, row in self.rows.items() if row.changed()}

    def _filter(self, words: str) -> None:
        for name, row in self.rows.items():
            row.setVisible(words.casefold() in f"{name} {row.editor.field.title}".casefold())

    def _reset(self) -> None:
        for row in self.rows.values():
            row.setValue(row.default)

    def _accept(self) -> None:
        """Use the values, or go to the first that is refused."""
        for row in self.rows.values():
            if row.problem():
                row.show()
                row.editor.setFocus()
                return
        self._use(self.changes())
        self.accept()
