"""What every editor of a form offers: `value()`, `setValue()`, `valueChanged`, and why a value is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from qlab.errors import UsageError
from qlab.units import format_quantity
from qlab_ui.line import Line


@dataclass(frozen=True)
class Field:
    """One field of a catalogue entry (see `qlab.catalogue.describe`)."""

    name: str
    title: str
    kind: str
    default: Any = None
    description: str = ""
    group: str = ""
    unit: str = "1"
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()

    def tip(self) -> str:
        """Return what the field is, its unit and its range, for the tooltip."""
        lines = [self.description or self.title]
        if self.unit not in {"1", ""}:
            lines.append(f"Unit: {self.unit} (prefixes are understood, for example {example(self.unit)})")
        if self.minimum is not None and self.maximum is not None:
            lines.append(f"Range: {self._shown(self.minimum)} to {self._shown(self.maximum)}")
        elif self.minimum is not None:
            lines.append(f"Not below {self._shown(self.minimum)}")
        elif self.maximum is not None:
            lines.append(f"Not above {self._shown(self.maximum)}")
        return "\n".join(lines)

    def refusal(self, value: float) -> str:
        """Return why a number is out of range; empty where it is not."""
        if self.minimum is not None and value < self.minimum:
            return f"It must be at least {self._shown(self.minimum)}."
        if self.maximum is not None and value > self.maximum:
            return f"It must be at most {self._shown(self.maximum)}."
        return ""

    def _shown(self, value: float) -> str:
        return format_quantity(value, self.unit)


def example(unit: str) -> str:
    """Return what somebody might type for a unit."""
    return {"s": "4 us", "Hz": "2.87 GHz", "T": "2 mT", "W": "1 mW", "V": "10 mV"}.get(unit, f"1 {unit}")


class Editor(QWidget):
    """An editor of one field. A value that cannot be read is given as it was typed, with a problem."""

    valueChanged = Signal()

    def __init__(self, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.setObjectName(f"editor_{field.name}")

    def value(self) -> Any:
        """Return the value, as `Order.parameters` takes it."""
        raise NotImplementedError

    def setValue(self, value: Any) -> None:
        """Show a value without telling that it changed."""
        raise NotImplementedError

    def problem(self) -> str:
        """Return why the value cannot be used; empty where it can."""
        return ""

    def dress(self, widget: QWidget, label: str = "") -> None:
        """Give the widget that is typed into its tooltip and accessible name."""
        widget.setToolTip(self.field.tip())
        widget.setAccessibleName(label or self.field.title)
        widget.setAccessibleDescription(self.field.tip())
        if self.focusProxy() is None:
            self.setFocusProxy(widget)


class LineEditor(Editor):
    """An editor that is one line of text; `read` and `show` say what the text stands for."""

    def __init__(
        self, field: Field, read: Callable[[str], Any], show: Callable[[Any], str], *, steps: bool = True
    ) -> None:
        super().__init__(field)
        self._read, self._show = read, show
        self._value: Any = field.default
        self._problem = ""
        self.line = Line(self)
        self.line.steps_digits = steps
        self.dress(self.line)
        flat(self).addWidget(self.line)
        self.line.textEdited.connect(self._typed)
        self.line.editingFinished.connect(self._settle)

    def value(self) -> Any:
        """Return the value in its unit, or the text where it cannot be read."""
        return self._value

    def setValue(self, value: Any) -> None:
        """Show a value; text is read as if it had been typed."""
        if isinstance(value, str):
            self._take(value)
        else:
            self._value, self._problem = value, self._refusal(value)
        shown = self._value if self._problem and isinstance(self._value, str) else self._show(self._value)
        self.line.setText(shown)
        self.line.setCursorPosition(0)

    def problem(self) -> str:
        """Return why the text is refused; empty where it is not."""
        return self._problem

    def _typed(self, text: str) -> None:
        self._take(text)
        self.valueChanged.emit()

    def _take(self, text: str) -> None:
        try:
            self._value = self._read(text)
            self._problem = self._refusal(self._value)
        except UsageError as error:
            self._value, self._problem = text, str(error)

    def _refusal(self, value: Any) -> str:
        return self.field.refusal(value) if isinstance(value, int | float) else ""

    def _settle(self) -> None:
        if not isinstance(self._value, str):
            self.line.setText(self._show(self._value))


def flat(widget: QWidget) -> QHBoxLayout:
    """Give a widget a row without margins."""
    row = QHBoxLayout(widget)
    row.setContentsMargins(0, 0, 0, 0)
    return row
