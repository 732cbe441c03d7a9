"""One row of the form: label, editor, a button back to the default, a message on a refused value."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from qlab_ui import icons, theme
from qlab_ui.form.editor import Editor

_WIDE = {"scan", "text"}  # kinds whose editor takes the whole width, below the label


class FieldRow(QWidget):
    """A field as people see it. The grid places label, editor and button in columns 0, 1 and 2."""

    edited = Signal(object)

    def __init__(self, editor: Editor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        field = editor.field
        self.name = field.name
        self.editor = editor
        self.default = editor.value()
        self._told = ""
        self.label = QLabel(field.title, self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setBuddy(editor)
        self.label.setToolTip(field.tip())
        self.reset = QToolButton(self)
        self.reset.setAutoRaise(True)
        self.reset.setIcon(icons.icon("reset"))
        self.reset.setToolTip("Back to the default")
        self.reset.setAccessibleName(f"Reset {field.title}")
        self.reset.setObjectName(f"reset_{field.name}")
        keeps = self.reset.sizePolicy()
        keeps.setRetainSizeWhenHidden(True)
        self.reset.setSizePolicy(keeps)
        self.message = QLabel(self)
        self.message.setObjectName(f"message_{field.name}")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setForegroundRole(theme.ERROR)
        self._lay_out(field.kind in _WIDE)
        self.reset.clicked.connect(self._reset)
        editor.valueChanged.connect(self._edited)
        self.refresh()

    def setValue(self, value: Any) -> None:
        """Show a value without telling that it was edited."""
        self._told = ""
        self.editor.setValue(value)
        self.refresh()

    def changed(self) -> bool:
        """Return whether the value differs from the default."""
        return bool(self.editor.value() != self.default)

    def refuse(self, line: str) -> None:
        """Show what the bench says against the value; empty where it has nothing against it."""
        self._told = line
        self.refresh()

    def problem(self) -> str:
        """Return what is wrong with the value; empty where nothing is."""
        return self.editor.problem() or self._told

    def refresh(self) -> None:
        """Show the message and the button that fit the value."""
        problem = self.problem()
        self.message.setText(problem)
        self.message.setVisible(bool(problem))
        self.reset.setVisible(self.changed())

    def recolour(self) -> None:
        """Draw the icon again after a change of theme."""
        self.reset.setIcon(icons.icon("reset"))

    def _lay_out(self, wide: bool) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(0, 6)
        grid.setColumnStretch(1, 7)
        narrow = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        narrow.setHeightForWidth(True)
        self.label.setSizePolicy(narrow)
        unit = self.fontMetrics().averageCharWidth()
        self.editor.setMinimumWidth(max(unit * 12, self.editor.minimumSizeHint().width()))
        grid.setColumnMinimumWidth(0, 0 if wide else unit * 12)
        grid.addWidget(self.label, 0, 0, 1, 2 if wide else 1)
        if wide:
            grid.addWidget(self.editor, 1, 0, 1, 2)
        else:
            grid.addWidget(self.editor, 0, 1)
        grid.addWidget(self.reset, 0, 2)
        grid.addWidget(self.message, 2, 0, 1, 2)

    def _edited(self) -> None:
        self._told = ""
        self.refresh()
        self.edited.emit(self)

    def _reset(self) -> None:
        self.editor.setValue(self.default)
        self._edited()
