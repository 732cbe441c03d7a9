"""What the run means: the fit with its errors, how far to believe it, and the figures of merit."""

import math

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from qlab.record import Figure, FitResult, Record
from qlab.units import format_measured, format_quantity
from qlab_ui import icons, text, theme
from qlab_ui.panels.rows import Row, Rows

_BELIEVED = (0.4, 2.5)  # reduced chi-squared outside of this says that the curve is not the data's


class ResultPanel(QWidget):
    """The right-hand side: values for people; Copy gives them with full precision."""

    revealWanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("result")
        self.revealed = False  # whether the truth of simulated runs is shown
        self._lines: list[tuple[str, float, float | None, str]] = []
        self._title, self._chi2, self._doubt, self._empty = (self._label() for _ in range(4))
        bold = self._title.font()
        bold.setBold(True)
        self._title.setFont(bold)
        self._chi2.setForegroundRole(theme.MUTED)
        self._doubt.setForegroundRole(theme.WARNING)
        self._empty.setForegroundRole(theme.MUTED)
        self._values, self._figures = Rows(), Rows()
        self._heading = self._label()
        self._heading.setText("Figures of merit")
        self._heading.setFont(bold)
        self.copy_button = QPushButton("Copy", self)
        self.copy_button.setToolTip("Copy the values with full precision")
        self.copy_button.clicked.connect(self.copy)
        self.reveal_button = QPushButton("Reveal the truth", self)
        self.reveal_button.setCheckable(True)
        self.reveal_button.setToolTip("Show what is hidden in this simulated run beside what was found (SIM)")
        self.reveal_button.clicked.connect(self.revealWanted)
        self._last: tuple[Record, FitResult | None, tuple[Figure, ...]] | None = None
        self._lay_out()
        self.clear()

    def clear(self, line: str = "No run is shown.") -> None:
        """Show that there is nothing to say."""
        self._lines, self._last = [], None
        self._empty.setText(line)
        self.reveal_button.hide()
        for widget in (self._title, self._chi2, self._doubt, self._values, self._heading, self._figures):
            widget.hide()
        self._empty.show()
        self.copy_button.setEnabled(False)

    def show_result(self, record: Record, fit: FitResult | None, found: tuple[Figure, ...]) -> None:
        """Show a run's fit and figures of merit, while it goes and after."""
        self._lines = []
        if fit is None and not found:
            self.clear(_nothing_yet(record))
            return
        self._empty.hide()
        self._last = (record, fit, found)
        hidden = record.simulated and fit is not None and bool(record.expected_of(fit))
        self.reveal_button.setVisible(hidden)
        self._show_fit(record, fit)
        figures = _figure_rows(found)
        self._figures.show_rows(figures)
        for widget in (self._heading, self._figures):
            widget.setVisible(bool(figures))
        self._lines += [(f.label or f.name, f.value, f.error, f.unit) for f in found]
        self.copy_button.setEnabled(bool(self._lines))

    def reveal(self, revealed: bool) -> None:
        """Show the truth of simulated runs beside what was found, or hide it."""
        self.revealed = revealed
        self.reveal_button.setChecked(revealed)
        self.reveal_button.setText("Hide the truth" if revealed else "Reveal the truth")
        if self._last is not None:
            self.show_result(*self._last)

    def copy(self) -> None:
        """Put the values on the clipboard: name, value, error, unit, separated by tabs."""
        lines = ["name\tvalue\terror\tunit"]
        for name, value, error, unit in self._lines:
            lines.append(f"{name}\t{value!r}\t{'' if error is None else repr(error)}\t{unit}")
        QApplication.clipboard().setText("\n".join(lines))

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "copy_button"):
            self.copy_button.setIcon(icons.icon("copy"))

    def _show_fit(self, record: Record, fit: FitResult | None) -> None:
        for widget in (self._title, self._chi2, self._values):
            widget.setVisible(fit is not None)
        doubt = "" if fit is None else _doubt(fit)
        self._doubt.setText(doubt)
        self._doubt.setVisible(bool(doubt))
        if fit is None:
            return
        self._title.setText(text.words(fit.model))
        chi2 = fit.reduced_chi2
        self._chi2.setText(f"χ²ᵣ {chi2:.2f}" if math.isfinite(chi2) else "")
        self._chi2.setToolTip(
            f"Chi-squared over degrees of freedom: {fit.chi2:.4g} / {fit.degrees_of_freedom}"
        )
        self._values.show_rows(_fit_rows(record, fit, self.revealed))
        self._lines += [(p.label or p.name, p.value, p.error, p.unit) for p in fit.parameters]

    def _label(self) -> QLabel:
        label = QLabel(self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        return label

    def _lay_out(self) -> None:
        unit = self.fontMetrics().averageCharWidth()
        self.copy_button.setIcon(icons.icon("copy"))
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        self._chi2.setWordWrap(False)
        head.addWidget(self._chi2)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(unit, unit, unit, unit)
        column.setSpacing(unit)
        column.addWidget(self._empty)
        column.addLayout(head)
        column.addWidget(self._doubt)
        column.addWidget(self._values)
        column.addSpacing(unit)
        column.addWidget(self._heading)
        column.addWidget(self._figures)
        column.addStretch(1)
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        foot = QHBoxLayout()
        foot.setContentsMargins(unit, 0, unit, unit)
        foot.addWidget(self.copy_button)
        foot.addWidget(self.reveal_button)
        foot.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area, 1)
        outer.addLayout(foot)


def _nothing_yet(record: Record) -> str:
    if record.state in {"failed", "stopped", "interrupted"} and record.reason:
        return f"{text.STATE_WORDS[record.state]}: {record.reason}"
    return "The fit appears here while the run goes." if record.fit else "This run has no fit yet."


def _doubt(fit: FitResult) -> str:
    if not fit.success:
        return f"Not to be believed. {fit.message}".strip()
    chi2 = fit.reduced_chi2
    if math.isfinite(chi2) and fit.degrees_of_freedom >= 10 and chi2 > _BELIEVED[1]:
        return f"The curve does not describe the points (χ²ᵣ {chi2:.1f}): another model may."
    return ""


def _fit_rows(record: Record, fit: FitResult, revealed: bool) -> list[Row]:
    rows: list[Row] = []
    truth = record.expected_of(fit)
    for p in fit.told:
        held = fit.held(p)
        shown = format_measured(p.value, p.error, p.unit)
        tip = f"{p.name} = {p.value!r} {p.unit}".strip() + (", held fixed" if held else "")
        rows.append(Row(text.capital(p.label) or text.words(p.name), shown, tip, strong=not held))
        if revealed and record.simulated and p.name in truth:
            rows.append(
                Row(
                    "truth (SIM)",
                    format_quantity(
                        truth[p.name],
                        p.unit,
                        _digits(truth[p.name], p.error),
                        like=max(abs(p.value), p.error or 0.0),
                    ),
                    "What was simulated",
                    indent=True,
                )
            )
    return rows


def _digits(truth: float, error: float | None) -> int:
    """Return how many digits of a truth can be told from the value beside it: to a tenth of its error."""
    if not error or not math.isfinite(error) or truth == 0:
        return 4
    return min(max(math.ceil(math.log10(abs(truth / error))) + 1, 2), 10)


def _figure_rows(figures: tuple[Figure, ...]) -> list[Row]:
    rows: list[Row] = []
    names = {figure.name for figure in figures}
    for figure in figures:
        if figure.limit_of in names:
            continue
        rows.append(_figure_row(figure))
        for limit in figures:
            if limit.limit_of == figure.name:
                rows += [_figure_row(limit), *_distance(figure, limit)]
    return rows


def _distance(figure: Figure, limit: Figure) -> list[Row]:
    """Say how far a figure stands from what bounds it: `1.8 × the limit`."""
    if limit.unit != figure.unit or not math.isfinite(limit.value) or limit.value <= 0 or figure.value <= 0:
        return []
    ratio = figure.value / limit.value
    error = None if figure.error is None else figure.error / limit.value
    tip = f"{figure.label or figure.name} over {limit.label or limit.name}"
    return [Row("you are at", f"{format_measured(ratio, error, '1')} × this limit", tip, indent=True)]


def _figure_row(figure: Figure) -> Row:
    tip = "\n".join(part for part in (figure.definition, figure.source) if part)
    shown = format_measured(figure.value, figure.error, figure.unit)
    return Row(
        text.capital(figure.label or figure.name),
        shown,
        tip,
        indent=bool(figure.limit_of),
        strong=not figure.limit_of,
    )
