"""The editor of a sweep: from, to, points, spacing, order; or typed as `0us:4us:201`."""

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QWidget

from qlab.errors import UsageError
from qlab.scan import KINDS, Centre, Linear, Log, Scan, Values, parse_scan, scan_text
from qlab.units import format_quantity, parse_quantity
from qlab_ui import theme
from qlab_ui.form.editor import Editor, Field
from qlab_ui.line import Line

_SPACINGS = {
    "linear": "Linear",
    "log": "Logarithmic",
    "centre": "Around a centre",
    "values": "List of values",
}
_WORDS = {
    "linear": ("From", "to"),
    "log": ("From", "to"),
    "centre": ("Centre", "span"),
    "values": ("Values", ""),
}


class ScanEditor(Editor):
    """Edits a Scan; the value is the text that `parse_scan` reads."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)
        self._problem = ""
        self._seed = 0
        self._good: Scan[float] | None = None
        self._exact: tuple[str, Scan[float]] | None = None
        self._thinned: tuple[Scan[float] | None, Scan[float] | None] = (None, None)
        self.first, self.second, self.points = (self._line() for _ in range(3))
        self.spacing = QComboBox(self)
        for kind, words in _SPACINGS.items():
            self.spacing.addItem(words, kind)
        self.random = QCheckBox("Random order", self)
        self._words = [QLabel(self) for _ in range(3)]
        self._dress_all()
        self._lay_out()
        self.spacing.activated.connect(self._spaced)
        self.random.clicked.connect(self._changed)
        self._follow("linear")

    def value(self) -> str:
        """Return the scan as text, with full precision where it can be read."""
        try:
            return scan_text(self._scan())
        except UsageError:
            return self._raw()

    def setValue(self, value: Any) -> None:
        """Show a scan, given as text, as the JSON of a file, or as a Scan."""
        try:
            scan = value if isinstance(value, Scan) else self._read(value)
        except (UsageError, TypeError, ValueError, KeyError) as error:
            self._show_typed(str(value))
            self._problem = str(error)
            return
        self._show(scan)
        self._check()

    def problem(self) -> str:
        """Return why the scan is refused; empty where it is not."""
        return self._problem

    def scan(self) -> Scan[float] | None:
        """Return the scan; None while it cannot be read."""
        return None if self._problem else self._scan()

    def _line(self) -> Line:
        line = Line(self)
        line.steps_digits = True
        line.setMinimumWidth(self.fontMetrics().averageCharWidth() * 8)
        line.textEdited.connect(self._changed)
        line.editingFinished.connect(self._settle)
        return line

    def _dress_all(self) -> None:
        title = self.field.title
        self.dress(self.first, f"{title}, start")
        self.dress(self.second, f"{title}, stop")
        self.dress(self.points, f"{title}, number of points")
        self.points.setToolTip("How many values the sweep takes")
        self.spacing.setAccessibleName(f"{title}, spacing")
        self.spacing.setToolTip("How the values are spaced")
        self.spacing.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.random.setToolTip("Take the values in a shuffled order, so that drift does not look like signal")
        for word, line in zip(self._words, (self.first, self.second, self.points), strict=True):
            word.setBuddy(line)
            word.setForegroundRole(theme.MUTED)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(3, 3)
        cells: list[tuple[QWidget, int, int]] = [
            (self._words[0], 0, 0), (self.first, 0, 1), (self._words[1], 0, 2), (self.second, 0, 3),
            (self._words[2], 1, 0), (self.points, 1, 1),
        ]  # fmt: skip
        for widget, row, column in cells:
            grid.addWidget(widget, row, column)
        grid.addWidget(self.spacing, 1, 2, 1, 2)
        grid.addWidget(self.random, 2, 1, 1, 3)
        self._words[2].setText("Points")

    def _follow(self, kind: str) -> None:
        for word, line, text in zip(self._words, (self.first, self.second), _WORDS[kind], strict=False):
            word.setText(text)
            line.setVisible(bool(text))
        listed = kind == "values"
        grid = self.layout()
        if isinstance(grid, QGridLayout):
            grid.addWidget(self.first, 0, 1, 1, 3 if listed else 1)
        self.points.setEnabled(not listed)
        self.first.steps_digits = not listed

    def _kind(self) -> str:
        return str(self.spacing.currentData())

    def _read(self, value: Any) -> Scan[float]:
        if isinstance(value, str):
            return replace(parse_scan(value, self.field.unit), unit=self.field.unit)  # type: ignore[type-var]
        fields = {key: item for key, item in dict(value).items() if key not in {"kind", "unit"}}
        if value["kind"] == "values":
            fields["given"] = tuple(float(item) for item in fields["given"])
        return KINDS[value["kind"]](**fields, unit=self.field.unit)

    def _scan(self) -> Scan[float]:
        """Read the widgets; raise UsageError where they make no scan."""
        raw = self._raw()
        # What is shown is rounded: until it is edited, the scan is the one that was given.
        scan = self._exact[1] if self._exact is not None and self._exact[0] == raw else self._read(raw)
        with np.errstate(all="ignore"):  # what is not finite is refused, without a warning on the way
            scan.check()
        for value in (float(scan.values().min()), float(scan.values().max())):
            if refusal := self.field.refusal(value):
                raise UsageError(f"{format_quantity(value, self.field.unit)} in the sweep: {refusal}")
        return scan

    def _raw(self) -> str:
        first, kind = self.first.text(), self._kind()
        tail = f"@random={self._seed}" if self.random.isChecked() and "@" not in first else ""
        if kind == "values" or ":" in first or "," in first:
            return first + tail
        prefix = "" if kind == "linear" else f"{kind}:"
        return f"{prefix}{first}:{self.second.text()}:{self.points.text()}{tail}"

    def _changed(self) -> None:
        self._check()
        self.valueChanged.emit()

    def _check(self) -> None:
        try:
            for line in (self.first, self.second) if self.second.isVisibleTo(self) else ():
                if not any(mark in self.first.text() for mark in ":,"):
                    parse_quantity(line.text(), self.field.unit)
            self._good = self._scan()
            self._problem = ""
        except UsageError as error:
            self._problem = str(error)

    def _settle(self) -> None:
        if not self._problem:
            self._show(self._scan())

    def _spaced(self) -> None:
        """Turn the same sweep into the chosen spacing."""
        kind = self._kind()
        if self._good is None or self._problem:
            self._follow(kind)
        else:
            # A list made of a sweep has fewer points; unless it was edited, the way back is to the sweep.
            derived, source = self._thinned
            scan = source if source is not None and self._good == derived else self._good
            made = _respaced(scan, kind)
            self._show(made)
            self._thinned = (made, scan) if kind == "values" else (None, None)
        self._changed()

    def _show(self, scan: Scan[float]) -> None:
        self.spacing.setCurrentIndex(self.spacing.findData(scan.kind))
        self._seed = scan.seed
        self.random.setChecked(scan.order == "random")
        self._follow(scan.kind)

        def shown(value: float) -> str:
            return format_quantity(value, self.field.unit, 12)

        match scan:
            case Linear(one, other, count) | Log(one, other, count) | Centre(one, other, count):
                texts = (shown(one), shown(other), str(count))
            case _:
                texts = (", ".join(shown(float(v)) for v in scan.values()), "", str(len(scan)))
        for line, text in zip((self.first, self.second, self.points), texts, strict=True):
            if line.text() != text:
                line.setText(text)
                line.setCursorPosition(0)
        self._exact = (self._raw(), scan)

    def _show_typed(self, text: str) -> None:
        self.spacing.setCurrentIndex(self.spacing.findData("values"))
        self._follow("values")
        self.first.setText(text)


def _respaced(scan: Scan[float], kind: str) -> Scan[float]:
    values = scan.values()
    low, high, count = float(values.min()), float(values.max()), len(values)
    common: dict[str, Any] = {"unit": scan.unit, "order": scan.order, "seed": scan.seed}
    if kind == "values":
        shortened = values if count <= 21 else values[np.linspace(0, count - 1, 11).round().astype(int)]
        return Values(tuple(float(v) for v in shortened), **common)
    if kind == "centre":
        return Centre((low + high) / 2, high - low, count, **common)
    if kind == "log":
        return Log(low if low > 0 else high / 1000, high, count, **common)
    return Linear(low, high, count, **common)
