"""Many runs fitted with one model: a table that fills, with errors, to be copied, saved or plotted."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qlab.errors import QlabError
from qlab.record import FitResult
from qlab.units import format_measured
from qlab_ui import text, theme
from qlab_ui.dialogs.pages import Page
from qlab_ui.panels.runs_model import Line
from qlab_ui.roomy import make_roomy

Answer = Callable[[FitResult | QlabError], object]
Fit = Callable[[Line, str, bool, Answer], None]


class Refit(Page):
    """Chosen runs, one line each; one after the other is fitted, and closing stops it."""

    plotWanted = Signal()

    def __init__(self, parent: QWidget, lines: Sequence[Line], models: Sequence[str], fit: Fit) -> None:
        body = QWidget()
        super().__init__(parent, "Fit many runs", body, "refit")
        self._lines, self._fit = [line for line in lines if line.path is not None], fit
        self._results: dict[int, FitResult] = {}
        self._turn = 0  # answers of a fit that was begun before the last press of Fit are not shown
        self.model = QComboBox(body)
        self.model.setAccessibleName("Model")
        self.model.setToolTip("The model that every run is fitted with")
        self.model.addItem("Each with its own model", "")
        for name in models:
            self.model.addItem(text.words(name), name)
        self.keep = QCheckBox("Keep good fits beside the runs", body)
        self.keep.setToolTip("Written into the notes file of each run; the run itself is never changed")
        self.keep.setChecked(True)
        self.start = QPushButton("Fit", body)
        self.start.setDefault(True)
        self.bar = QProgressBar(body)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of the fits")
        self.line = QLabel(f"{text.count(len(self._lines))} runs chosen.", body)
        self.line.setForegroundRole(theme.MUTED)
        self.tree = QTreeWidget(body)
        self.tree.setAccessibleName("Fits")
        self.tree.setRootIsDecorated(False)
        self.tree.setAlternatingRowColors(True)
        make_roomy(self.tree)
        self.copy_button = QPushButton("Copy table", body)
        self.copy_button.setToolTip("Copy all numbers with full precision")
        self.plot_button = QPushButton("Plot against…", body)
        self.plot_button.setToolTip("Plot what was fitted over a parameter of the runs")
        self._lay_out(body)
        self.start.clicked.connect(self.begin)
        self.copy_button.clicked.connect(self.copy)
        self.plot_button.clicked.connect(self.plotWanted)
        self._fill()

    def begin(self) -> None:
        """Fit all, from the first."""
        self._turn += 1
        self._results = {}
        self.bar.setRange(0, len(self._lines))
        self._fill()
        self._next(0, self._turn)

    def done(self, result: int) -> None:
        """Stop when the dialog is closed."""
        self._turn += 1
        super().done(result)

    def copy(self) -> None:
        """Copy the numbers with tabs between them."""
        names = self._names()
        lines = [
            "\t".join(["run", "model", *(f"{n}\terror of {n}" for n in names), "reduced chi2", "message"])
        ]
        for place, line in enumerate(self._lines):
            fit = self._results.get(place)
            if fit is None:
                continue
            pairs = (
                f"{fit.values.get(n, float('nan'))!r}\t{fit.errors.get(n, float('nan'))!r}" for n in names
            )
            lines.append("\t".join([line.run, fit.model, *pairs, repr(fit.reduced_chi2), fit.message]))
        QApplication.clipboard().setText("\n".join(lines))
        self.line.setText(f"{len(lines) - 1} fits are on the clipboard.")

    def _next(self, place: int, turn: int) -> None:
        if place >= len(self._lines):
            good = sum(fit.success for fit in self._results.values())
            self.line.setText(f"{good} of {len(self._lines)} fits are good.")
            return
        self.line.setText(f"Fitting {place + 1} of {len(self._lines)}…")
        model, keep = str(self.model.currentData() or ""), self.keep.isChecked()
        self._fit(self._lines[place], model, keep, lambda answer: self._got(place, turn, answer))

    def _got(self, place: int, turn: int, answer: FitResult | QlabError) -> None:
        if turn != self._turn:
            return
        if isinstance(answer, QlabError):
            self._problem(place, str(answer))
        else:
            before = self._names()
            self._results[place] = answer
            if self._names() != before:
                self._fill()
            self._show(place)
        self.bar.setValue(place + 1)
        self._next(place + 1, turn)

    def _names(self) -> list[str]:
        found = {
            p.name: None for fit in self._results.values() for p in fit.parameters if p.error is not None
        }
        return list(found)

    def _fill(self) -> None:
        names = self._names()
        self.tree.clear()
        labels = {p.name: p.label or p.name for fit in self._results.values() for p in fit.parameters}
        heads = [text.capital(labels[name]) for name in names]
        self.tree.setHeaderLabels(["Run", "Started", "χ²ᵣ", *heads, ""])
        for place, line in enumerate(self._lines):
            self.tree.addTopLevelItem(
                QTreeWidgetItem([f"{line.title} {text.short_id(line.run)}", text.started(line.started)])
            )
            if place in self._results:
                self._show(place)
        self.tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for button in (self.copy_button, self.plot_button):
            button.setEnabled(bool(self._results))

    def _show(self, place: int) -> None:
        item, fit = self.tree.topLevelItem(place), self._results[place]
        if item is None:
            return
        chi2 = fit.reduced_chi2
        item.setText(2, f"{chi2:.2f}" if chi2 == chi2 else "–")
        known = {p.name: p for p in fit.parameters}
        for at, name in enumerate(self._names()):
            p = known.get(name)
            item.setText(3 + at, format_measured(p.value, p.error, p.unit) if p is not None else "–")
        if not fit.success:
            self._problem(place, fit.message or "the fit is not to be believed")
        self.tree.scrollToItem(item)

    def _problem(self, place: int, words: str) -> None:
        item = self.tree.topLevelItem(place)
        if item is not None:
            last = self.tree.columnCount() - 1
            item.setText(last, words)
            item.setToolTip(last, words)
            item.setForeground(last, QColor(theme.theme_of(self.palette()).error))

    def _lay_out(self, body: QWidget) -> None:
        head, foot = QHBoxLayout(), QHBoxLayout()
        for widget in (self.model, self.keep):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.start)
        foot.addWidget(self.line, 1)
        for button in (self.plot_button, self.copy_button):
            foot.addWidget(button)
        self.bar.setFixedHeight(self.fontMetrics().height() // 3)
        box = QVBoxLayout(body)
        box.setContentsMargins(0, 0, 0, 0)
        box.addLayout(head)
        box.addWidget(self.bar)
        box.addWidget(self.tree, 1)
        box.addLayout(foot)
        self.resize(self.fontMetrics().averageCharWidth() * 130, self.height())
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
