"""Lines of name and value that keep their labels while the values change."""

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from qlab_ui import theme


@dataclass(frozen=True)
class Row:
    """A name, its value, and how it is meant: indented under the one above, set apart, or strong."""

    name: str
    value: str
    tip: str = ""
    indent: bool = False
    strong: bool = False


class Rows(QWidget):
    """A table of two columns made of labels, so that it can be selected and read aloud."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(0, 1)
        self._grid.setVerticalSpacing(max(self.fontMetrics().height() // 4, 2))
        self._labels: list[tuple[QLabel, QLabel]] = []

    def show_rows(self, rows: list[Row]) -> None:
        """Show these lines, reusing the labels that are there."""
        while len(self._labels) < len(rows):
            self._labels.append(self._pair(len(self._labels)))
        for place, (name, value) in enumerate(self._labels):
            shown = place < len(rows)
            name.setVisible(shown)
            value.setVisible(shown)
            if shown:
                _fill(name, value, rows[place])

    def _pair(self, place: int) -> tuple[QLabel, QLabel]:
        name, value = QLabel(self), QLabel(self)
        for label in (name, value):
            label.setTextFormat(Qt.TextFormat.PlainText)
        name.setForegroundRole(theme.MUTED)
        name.setWordWrap(True)
        value.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        value.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._grid.addWidget(name, place, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, place, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        return name, value


def _fill(name: QLabel, value: QLabel, row: Row) -> None:
    # A label that is told what it knows already is laid out and painted all the same.
    indent = name.fontMetrics().averageCharWidth() * 2 if row.indent else 0
    if name.indent() != indent:
        name.setIndent(indent)
    for label, text in ((name, row.name), (value, row.value)):
        if label.text() != text:
            label.setText(text)
        if label.toolTip() != row.tip:
            label.setToolTip(row.tip)
    font = value.font()
    if font.bold() != row.strong:
        font.setBold(row.strong)
        value.setFont(font)
    role = theme.MUTED if row.indent else theme.Role.WindowText
    if value.foregroundRole() != role:
        value.setForegroundRole(role)
    if value.accessibleName() != row.name:
        value.setAccessibleName(row.name)
