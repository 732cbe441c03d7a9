"""The editor of watchdogs: one line each, read like a sentence."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from qlab.errors import QlabError
from qlab.units import parse_quantity
from qlab_ui import icons, theme

CONDITIONS = {
    "above": "is above",
    "below": "is below",
    "changing_faster": "changes faster than (per s)",
    "stale": "has not been read for",
}
ACTIONS = {"warn": "warn", "pause": "pause the run", "stop": "stop the run", "make_safe": "make safe"}


class RuleRow(QFrame):
    """One rule: *when* readout *is above* threshold *for* a while, *then* action, and go on when clear."""

    def __init__(
        self, readouts: Mapping[str, str], remove: Callable[["RuleRow"], None], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._units = readouts
        self.name = QLineEdit(self)
        self.name.setPlaceholderText("Name, for example: laser too weak")
        self.readout = QComboBox(self)
        self.readout.setEditable(True)
        self.readout.addItems(list(readouts))
        self.condition, self.action = QComboBox(self), QComboBox(self)
        for box, choices in ((self.condition, CONDITIONS), (self.action, ACTIONS)):
            for key, shown in choices.items():
                box.addItem(shown, key)
        self.threshold, self.for_seconds = QLineEdit(self), QLineEdit("0 s", self)
        self.threshold.setPlaceholderText("1 mW")
        self.resume = QCheckBox("go on when it is clear", self)
        self.message = QLabel(self)
        self.message.setForegroundRole(theme.ERROR)
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.setWordWrap(True)
        self.message.hide()
        take_out = QPushButton(icons.icon("close"), "", self)
        take_out.setFlat(True)
        take_out.setToolTip("Take this watchdog out")
        take_out.setAccessibleName("Take this watchdog out")
        take_out.clicked.connect(lambda: remove(self))
        for widget, words in (
            (self.name, "Name"), (self.readout, "Readout"), (self.condition, "Condition"),
            (self.threshold, "Threshold"), (self.for_seconds, "For how long"), (self.action, "Action"),
        ):  # fmt: skip
            widget.setAccessibleName(words)
        grid = QGridLayout(self)
        grid.addWidget(self.name, 0, 0, 1, 7)
        grid.addWidget(take_out, 0, 7)
        sentence = (QLabel("When", self), self.readout, self.condition, self.threshold, QLabel("for", self),
                    self.for_seconds)  # fmt: skip
        for column, part in enumerate(sentence):
            grid.addWidget(part, 1, column)
        then = QHBoxLayout()
        then.addWidget(QLabel("then", self))
        then.addWidget(self.action)
        then.addWidget(self.resume)
        then.addStretch(1)
        grid.addLayout(then, 2, 0, 1, 8)
        grid.addWidget(self.message, 3, 0, 1, 8)
        grid.setColumnStretch(1, 4)
        grid.setColumnStretch(3, 2)
        for line, width in ((self.threshold, 14), (self.for_seconds, 8)):
            line.setMinimumWidth(self.fontMetrics().averageCharWidth() * width)
        self.action.currentIndexChanged.connect(lambda _index: self._enable())
        self._enable()

    def load(self, rule: Mapping[str, Any]) -> None:
        """Show a rule."""
        self.name.setText(str(rule.get("name", "")))
        self.readout.setCurrentText(str(rule.get("readout", "")))
        self.condition.setCurrentIndex(max(self.condition.findData(rule.get("condition")), 0))
        self.threshold.setText(str(rule.get("threshold", "")))
        self.for_seconds.setText(f"{rule.get('for_seconds', 0)} s")
        self.action.setCurrentIndex(max(self.action.findData(rule.get("action")), 0))
        self.resume.setChecked(bool(rule.get("resume_when_clear")))

    def rule(self) -> dict[str, Any] | None:
        """Return the rule as plain data, or None and say why it is refused."""
        from pydantic import ValidationError

        from qlab.watch import Rule

        readout = self.readout.currentText().strip()
        try:
            good = Rule(
                name=self.name.text().strip() or f"{readout} {self.condition.currentText()}",
                readout=readout,
                condition=self.condition.currentData(),
                threshold=self.threshold.text().strip(),
                for_seconds=parse_quantity(self.for_seconds.text().strip() or "0", "s"),
                action=self.action.currentData(),
                resume_when_clear=self.resume.isChecked() and self.action.currentData() == "pause",
            )
            good.level(self._units.get(readout, "*"))
        except ValidationError as error:
            first = error.errors()[0]
            self._refuse(f"{first['loc'][0] if first['loc'] else 'rule'}: {first['msg']}.")
            return None
        except QlabError as error:
            self._refuse(str(error))
            return None
        self.message.hide()
        return good.model_dump(mode="json")

    def _refuse(self, why: str) -> None:
        self.message.setText(why)
        self.message.show()

    def _enable(self) -> None:
        self.resume.setEnabled(self.action.currentData() == "pause")


class Watchdogs(QDialog):
    """All watchdogs of a bench; Apply gives them to it at once, also while a run goes."""

    def __init__(
        self,
        parent: QWidget,
        bench: str,
        rules: Sequence[Mapping[str, Any]],
        readouts: Mapping[str, str],
        apply: Callable[[list[Mapping[str, Any]]], None],
    ) -> None:
        super().__init__(parent)
        self.setObjectName("watchdogs")
        self.setWindowTitle(f"Watchdogs of {bench}")
        self._readouts, self._apply = readouts, apply
        self.rows: list[RuleRow] = []
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._empty = QLabel(
            "No watchdogs yet. One looks at a reading while a run goes, and pauses, stops or makes safe.",
            self,
        )
        self._empty.setWordWrap(True)
        self._empty.setForegroundRole(theme.MUTED)
        self._column.addWidget(self._empty)
        self._column.addStretch(1)
        self._area = area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._body)
        self.add_button = QPushButton("Add a watchdog", self)
        self.add_button.clicked.connect(lambda _pressed: self.add())
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Apply | kinds.Close, self)
        self.buttons.rejected.connect(self.reject)
        self.buttons.button(kinds.Apply).clicked.connect(self.apply)
        foot = QHBoxLayout()
        foot.addWidget(self.add_button)
        foot.addStretch(1)
        foot.addWidget(self.buttons)
        outer = QVBoxLayout(self)
        outer.addWidget(area, 1)
        outer.addLayout(foot)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 100, metrics.height() * 26)
        for rule in rules:
            self.add(rule)

    def add(self, rule: Mapping[str, Any] | None = None) -> RuleRow:
        """Add a line."""
        row = RuleRow(self._readouts, self._remove, self._body)
        if rule is not None:
            row.load(rule)
        self.rows.append(row)
        self._column.insertWidget(self._column.count() - 1, row)
        self._empty.hide()
        # A sentence is never cut: the dialog is as wide as its widest line.
        margins = self._column.contentsMargins()
        beside = margins.left() + margins.right() + self._area.verticalScrollBar().sizeHint().width()
        self._area.setMinimumWidth(row.minimumSizeHint().width() + beside)
        row.name.setFocus()
        return row

    def apply(self) -> None:
        """Give the rules to the bench; a refused one says why, and none is given."""
        rules = [row.rule() for row in self.rows]
        if all(rule is not None for rule in rules):
            self._apply([rule for rule in rules if rule is not None])

    def _remove(self, row: RuleRow) -> None:
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.deleteLater()
        self._empty.setVisible(not self.rows)
