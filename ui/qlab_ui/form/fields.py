"""The kinds of field: one entry each. A new kind is one function and one line in `EDITORS`."""

import math
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox

from qlab.errors import UsageError
from qlab.units import format_quantity, parse_quantity
from qlab_ui.form.editor import Editor, Field, LineEditor, flat
from qlab_ui.form.scan import ScanEditor

_DIGITS = 12  # of a set value: enough that what is shown reads back as what was typed


def quantity(field: Field) -> Editor:
    """Edit a number with a unit: takes "2.87 GHz", shows it with a prefix."""

    def read(text: str) -> float:
        value = parse_quantity(text, field.unit)
        if not math.isfinite(value):
            raise UsageError("The value is too large to be a number.", "Type a smaller one.")
        return value

    return LineEditor(field, read, lambda value: format_quantity(float(value), field.unit, _DIGITS))


def integer(field: Field) -> Editor:
    """Edit a whole number."""

    def read(text: str) -> int:
        plain = text.replace(" ", "").replace("\u202f", "").replace("_", "")
        try:
            value = float(plain)
            if value != int(value):
                raise ValueError(text)
            return int(plain) if plain.lstrip("+-").isdigit() else int(value)
        except (ValueError, OverflowError):
            raise UsageError(f"{text!r} is not a whole number.", "Type one, for example 20000.") from None

    return LineEditor(field, read, str)


def number(field: Field) -> Editor:
    """Edit a number without a unit."""
    return LineEditor(field, lambda text: parse_quantity(text, "1"), lambda value: f"{value:.{_DIGITS}g}")


def text(field: Field) -> Editor:
    """Edit a line of text."""
    return _Text(field)


class _Text(LineEditor):
    def __init__(self, field: Field) -> None:
        super().__init__(field, str, str, steps=False)

    def _settle(self) -> None:
        """Leave the text as it was typed."""


class BooleanEditor(Editor):
    """A box to tick."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.box = QCheckBox(self)
        self.dress(self.box)
        flat(self).addWidget(self.box, 0, Qt.AlignmentFlag.AlignLeft)
        self.box.clicked.connect(lambda _ticked: self.valueChanged.emit())

    def value(self) -> bool:
        """Return whether the box is ticked."""
        return self.box.isChecked()

    def setValue(self, value: Any) -> None:
        """Tick the box or not."""
        self.box.setChecked(bool(value))


class ChoiceEditor(Editor):
    """One of a few."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self.box = QComboBox(self)
        self.box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.box.installEventFilter(self)
        for choice in field.choices:
            self.box.addItem(str(choice).replace("_", " "), choice)
        self.dress(self.box)
        flat(self).addWidget(self.box, 1)
        self.box.activated.connect(lambda _index: self.valueChanged.emit())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the wheel for scrolling the form, so that it cannot change a value by accident."""
        if event.type() == QEvent.Type.Wheel and not self.box.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def value(self) -> Any:
        """Return the choice."""
        return self.box.currentData()

    def setValue(self, value: Any) -> None:
        """Choose one; an unknown one leaves the choice as it is."""
        index = self.box.findData(value)
        if index >= 0:
            self.box.setCurrentIndex(index)


EDITORS: dict[str, Callable[[Field], Editor]] = {
    "quantity": quantity,
    "scan": ScanEditor,
    "integer": integer,
    "number": number,
    "boolean": BooleanEditor,
    "choice": ChoiceEditor,
    "text": text,
}


def make_editor(described: dict[str, Any]) -> Editor:
    """Return the editor for a field of a catalogue entry; a kind nobody knows is edited as text."""
    field = Field(
        name=described["name"],
        title=described.get("title") or described["name"],
        kind=described.get("kind", "text"),
        default=described.get("default"),
        description=described.get("description", ""),
        group=described.get("group", ""),
        unit=described.get("unit") or "1",
        minimum=described.get("minimum"),
        maximum=described.get("maximum"),
        choices=tuple(described.get("choices", ())),
    )
    editor = EDITORS.get(field.kind, text)(field)
    if field.default is not None:
        editor.setValue(field.default)
    return editor
