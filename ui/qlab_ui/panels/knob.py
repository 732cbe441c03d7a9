"""One knob of an instrument in the manual panel: its value, and an editor that keeps to its limits."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from qlab.units import format_quantity
from qlab_ui import icons, text, theme
from qlab_ui.form.editor import Editor
from qlab_ui.form.fields import make_editor

_STALE = 5.0  # s after which a reading says how old it is


def kind_of(told: Mapping[str, Any]) -> str:
    """Return which editor a knob wants."""
    value, choices = told.get("value"), told.get("choices")
    if isinstance(value, bool) or (choices and set(choices) == {True, False}):
        return "boolean"
    if choices:
        return "choice"
    if isinstance(value, str):
        return "text"
    return "quantity"


class KnobRow(QWidget):
    """A name, the value, and an editor where the knob can be set. A typed value is sent with Return."""

    setWanted = Signal(str, object)
    traceWanted = Signal(str, bool)

    def __init__(self, name: str, told: Mapping[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.setObjectName(f"knob_{name}")
        self._reads = ""  # what it is found at, where that is not what it was set to
        limits = told.get("limits") or (None, None)
        self.label = QLabel(text.words(name), self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setForegroundRole(theme.MUTED)
        self.unit = str(told.get("unit") or "1")
        self.labels = tuple(told.get("labels") or ())  # of a choice, whose value is the place in them
        self.editor: Editor | None = None
        self.reading = QLabel(self)
        self.reading.setTextFormat(Qt.TextFormat.PlainText)
        self.reading.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.message = QLabel(self)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.setForegroundRole(theme.ERROR)
        self.message.hide()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(0, 5)
        grid.setColumnStretch(1, 5)
        grid.addWidget(self.label, 0, 0)
        if told.get("writable", True):
            self.editor = make_editor(
                {
                    "name": name,
                    "title": text.words(name),
                    "kind": "choice" if self.labels else kind_of(told),
                    "description": str(told.get("doc") or ""),
                    "unit": self.unit,
                    "minimum": limits[0],
                    "maximum": limits[1],
                    "choices": self.labels or tuple(told.get("choices") or ()),
                    "default": self._labelled(told.get("value")),
                }
            )
            self.label.setBuddy(self.editor)
            grid.addWidget(self.editor, 0, 1)
            self.editor.valueChanged.connect(self._edited)
            line = getattr(self.editor, "line", None)
            if line is not None:
                line.returnPressed.connect(self._send)
        else:
            self.reading.setToolTip(str(told.get("doc") or ""))
            self.reading.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(self.reading, 0, 1)
        grid.addWidget(self.message, 1, 0, 1, 3)
        self.trace = QToolButton(self)
        self.trace.setIcon(icons.icon("fit"))
        self.trace.setAutoRaise(True)
        self.trace.setCheckable(True)
        self.trace.setToolTip("Draw its readings as they come")
        self.trace.setAccessibleName(f"Draw the readings of {text.words(name).lower()}")
        self.trace.setVisible(told.get("readable", True) and kind_of(told) == "quantity" and not self.labels)
        self.trace.toggled.connect(lambda on: self.traceWanted.emit(self.name, on))
        grid.addWidget(self.trace, 0, 2)
        self.show_value(told, owned=False)

    def show_value(self, told: Mapping[str, Any], *, owned: bool) -> None:
        """Show what the instrument says; a field that is typed into, or that was refused, is left alone."""
        value, age = self._labelled(told.get("value")), told.get("age")
        self._compare(told, value)
        if self.editor is None:
            self.reading.setText(shown(value, self.unit))
        else:
            if told.get("setpoint") is not None:
                value = self._labelled(told["setpoint"])
            line = getattr(self.editor, "line", None)
            if line is not None:  # what cannot be changed must still be read without effort
                line.setReadOnly(owned)
                line.setForegroundRole(theme.MUTED if owned else theme.Role.Text)
            else:
                self.editor.setEnabled(not owned)
            typing = line is not None and line.hasFocus() and line.isModified()
            theirs = typing or bool(self.editor.problem())
            if value is not None and not theirs and self.editor.value() != value:
                self.editor.setValue(value)
        seconds = float(age) if isinstance(age, int | float) else 0.0
        self.label.setText(
            text.words(self.name) + (f"  ({text.duration(seconds)} ago)" if seconds > _STALE else "")
        )

    def _compare(self, told: Mapping[str, Any], value: Any) -> None:
        """Say what the device reads where that is not what it was set to; what cannot be sent matters more."""
        strays = bool(told.get("strays")) and value is not None
        self._reads = f"It reads {shown(value, self.unit)}." if strays else ""
        self._say()

    def _say(self) -> None:
        problem = self.editor.problem() if self.editor is not None else ""
        self.message.setForegroundRole(theme.ERROR if problem else theme.WARNING)
        self.message.setText(problem or self._reads)
        self.message.setVisible(bool(problem or self._reads))

    def _edited(self) -> None:
        self._say()
        if self.editor is not None and getattr(self.editor, "line", None) is None:
            self._send()  # a tick or a choice is meant at once

    def _send(self) -> None:
        if self.editor is None or self.editor.problem():
            return
        line = getattr(self.editor, "line", None)
        if line is not None:
            line.setModified(False)
        value = self.editor.value()
        self.setWanted.emit(self.name, self.labels.index(value) if self.labels else value)

    def _labelled(self, value: Any) -> Any:
        return self.labels[int(value)] if self.labels and value is not None else value


def shown(value: Any, unit: str) -> str:
    """Show a reading for people."""
    if value is None:
        return "not read yet"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return format_quantity(float(value), unit, 7)
    return str(value)
