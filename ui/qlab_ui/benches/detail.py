"""One instrument of a bench: driver, address and options, roles, and what its knobs may be set to."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from qlab.benchwriter import value_text
from qlab.units import format_quantity
from qlab_ui import theme
from qlab_ui.benches.draft import typed

_OWN, _LEAST, _MOST, _SAFE = 1, 2, 3, 4
_EDGE = 1e30  # a limit beyond this is none


class Detail(QWidget):
    """The form of one instrument; every change is told at once."""

    renamed = Signal(str)
    optionChanged = Signal(str, object)
    limitChanged = Signal(str, object)  # knob, (least, greatest) as typed or None
    safeChanged = Signal(str, object)
    roleChanged = Signal(str, bool)
    testWanted = Signal()
    findWanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.name = QLineEdit(self)
        self.name.setAccessibleName("Name of the instrument")
        self.name.setToolTip("What runs and files call it: letters, digits and _")
        self.driver = _plain(self)
        self.about = _plain(self, theme.MUTED)
        self.test = QPushButton("Test", self)
        self.test.setToolTip("Open it, ask who it is, make it safe, let go of it")
        self.answer = _plain(self)
        self.find_button = QPushButton("Find", self)
        self.find_button.setToolTip("Ask who answers at the addresses that this computer knows")
        self.address = QComboBox(self)
        self.address.setEditable(True)
        self.address.setAccessibleName("Address")
        self.address.setToolTip("Where it answers: a VISA resource, tcp://host:port, or what its driver says")
        self.address.setMinimumContentsLength(20)
        self._typed = QLineEdit(self.address)
        self.address.setLineEdit(self._typed)
        self._typed.setPlaceholderText("TCPIP::192.168.0.5::INSTR, USB0::…, ASRL3::INSTR")
        self._options = QFormLayout()
        self._roles = QGridLayout()
        self.roles_label = _plain(self, theme.MUTED)
        self.knobs = QTableWidget(0, 5, self)
        self.knobs.setAccessibleName("Limits and safe values")
        self.knobs.setHorizontalHeaderLabels(["Knob", "Device takes", "Least", "Greatest", "Safe value"])
        self.knobs.verticalHeader().hide()
        self.knobs.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.lines: dict[str, QLineEdit] = {}
        self.boxes: dict[str, QCheckBox] = {}
        self._filling = False
        self._lay_out()
        self.name.editingFinished.connect(lambda: self.renamed.emit(self.name.text().strip()))
        self._typed.editingFinished.connect(self._addressed)
        self.address.activated.connect(lambda _index: self._addressed())
        self.test.clicked.connect(self.testWanted)
        self.find_button.clicked.connect(self.findWanted)
        self.knobs.itemChanged.connect(self._edited)

    def show_item(
        self,
        name: str,
        item: Mapping[str, Any],
        card: Any,
        knobs: Sequence[Any],
        roles: Sequence[str],
        held: Mapping[str, str],
    ) -> None:
        """Show an instrument; `card` is its `qlab.trial.DriverCard`, None where its driver is not installed.

        `knobs` (`qlab.trial.KnobCard`) are what can be narrowed.
        """
        self._filling = True
        self.name.setText(name)
        self.driver.setText(str(item.get("driver", "")))
        said = card.problem or card.about if card is not None else "This driver is not installed."
        self.about.setText(said)
        bad = card is None or bool(card.problem)
        self.about.setForegroundRole(theme.ERROR if bad else theme.MUTED)
        self.answer.setText("")
        options = card.options if card is not None else ()
        given = item.get("options") or {}
        self._show_options([option for option in options if option.name != "address"], given)
        wants = any(option.name == "address" for option in options)
        parts: tuple[QWidget, ...] = (self.address, self.find_button, self._address_label)
        for widget in parts:
            widget.setVisible(wants)
        self.address.setCurrentText(str(given.get("address", "")))
        self._show_roles(roles, name, held)
        self._show_knobs(knobs, item)
        self._filling = False

    def show_answer(self, words: str, *, good: bool, roles: Sequence[str] = ()) -> None:
        """Say what a test brought, and make bold the roles that the instrument can take."""
        self.answer.setText(words)
        self.answer.setForegroundRole(theme.Role.WindowText if good else theme.ERROR)
        for role, box in self.boxes.items():
            font = box.font()
            font.setBold(role in roles)
            box.setFont(font)
        self.roles_label.setText("Roles: it fits those in bold" if roles else "Roles")

    def show_addresses(self, found: Sequence[tuple[str, str]]) -> None:
        """Offer addresses; what was typed stays."""
        kept = self.address.currentText()
        self.address.clear()
        for address, says in found:
            self.address.addItem(address)
            self.address.setItemData(self.address.count() - 1, says, Qt.ItemDataRole.ToolTipRole)
        self.address.setCurrentText(kept)
        words = (
            f"{len(found)} found: see the list of the address."
            if found
            else "Nobody answered; type the address."
        )
        self.answer.setText(words)
        self.answer.setForegroundRole(theme.Role.WindowText)

    def _option(self, name: str, line: QLineEdit) -> None:
        if line.isModified():
            line.setModified(False)
            self.optionChanged.emit(name, typed(line.text()) if line.text().strip() else None)

    def _addressed(self) -> None:
        self.optionChanged.emit("address", self.address.currentText().strip() or None)

    def _show_options(self, options: Sequence[Any], given: Mapping[str, Any]) -> None:
        while self._options.rowCount():
            self._options.removeRow(0)
        self.lines = {}
        for option in options:
            held = given.get(option.name, "")
            line = QLineEdit(held if isinstance(held, str) else value_text(held), self)
            line.setPlaceholderText(option.default or ("needed" if option.needed else ""))
            line.setAccessibleName(option.name.replace("_", " "))
            line.setToolTip('A table is written as in the file: {frequency = "FREQ", power = "POW"}')
            line.setCursorPosition(0)
            line.editingFinished.connect(lambda n=option.name, edit=line: self._option(n, edit))
            self._options.addRow(option.name.replace("_", " ").capitalize(), line)
            self.lines[option.name] = line

    def _show_roles(self, roles: Sequence[str], name: str, held: Mapping[str, str]) -> None:
        while (item := self._roles.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.boxes = {}
        self.roles_label.setText("Roles")
        for place, role in enumerate(dict.fromkeys([*roles, *held])):
            box = QCheckBox(role, self)
            box.setChecked(held.get(role) == name)
            other = held.get(role)
            box.setToolTip(
                f"Held by {other} now" if other not in {None, name} else f"Experiments ask for a {role}"
            )
            box.toggled.connect(lambda on, role=role: self.roleChanged.emit(role, on))
            self._roles.addWidget(box, place // 4, place % 4)
            self.boxes[role] = box

    def _show_knobs(self, knobs: Sequence[Any], item: Mapping[str, Any]) -> None:
        self.knobs.setVisible(bool(knobs))
        self._knobs_label.setVisible(bool(knobs))
        self.knobs.setRowCount(len(knobs))
        limits, safe = item.get("limits") or {}, item.get("safe") or {}
        for row, knob in enumerate(knobs):
            first = QTableWidgetItem(
                f"{knob.name}" + (f" ({knob.unit})" if knob.unit not in {"", "1"} else "")
            )
            first.setFlags(Qt.ItemFlag.ItemIsEnabled)
            first.setData(Qt.ItemDataRole.UserRole, knob.name)
            own = [
                f"{format_quantity(v, knob.unit)}" if abs(v) < _EDGE else "no limit"
                for v in (knob.low, knob.high)
            ]
            first.setToolTip(f"The device itself takes {own[0]} to {own[1]}")
            self.knobs.setItem(row, 0, first)
            takes = QTableWidgetItem("any" if own == ["no limit"] * 2 else f"{own[0]} to {own[1]}")
            takes.setFlags(Qt.ItemFlag.ItemIsEnabled)
            self.knobs.setItem(row, _OWN, takes)
            edges = limits.get(knob.name) or ("", "")
            for column, value, hint in (
                (_LEAST, edges[0], own[0]), (_MOST, edges[1], own[1]), (_SAFE, safe.get(knob.name, ""), ""),
            ):  # fmt: skip
                cell = QTableWidgetItem("" if value == "" else _words(value, knob.unit))
                cell.setToolTip(f"The device's own: {hint}" if hint else "What it is set to when made safe")
                self.knobs.setItem(row, column, cell)
        self.knobs.setMinimumHeight(int(self.fontMetrics().height() * 2 * min(len(knobs) + 1.3, 6)))

    def _edited(self, item: QTableWidgetItem) -> None:
        if self._filling or item.column() in {0, _OWN}:
            return
        cells = [self.knobs.item(item.row(), column) for column in (0, _LEAST, _MOST, _SAFE)]
        knob = str(cells[0].data(Qt.ItemDataRole.UserRole)) if cells[0] is not None else ""
        words = [cell.text().strip() if cell is not None else "" for cell in cells[1:]]
        if item.column() == _SAFE:
            self.safeChanged.emit(knob, typed(words[2]) if words[2] else None)
        elif words[0] and words[1]:
            self.limitChanged.emit(knob, [typed(words[0]), typed(words[1])])
        elif not words[0] and not words[1]:
            self.limitChanged.emit(knob, None)

    def _lay_out(self) -> None:
        unit = self.fontMetrics().height()
        self._address_label = _plain(self)
        self._address_label.setText("Address")
        self._address_label.setBuddy(self.address)
        self._knobs_label = _plain(self, theme.MUTED)
        self._knobs_label.setText(
            "Limits within the device's own, and what it is set to when made safe; with units"
        )
        self._knobs_label.setWordWrap(True)
        top = QGridLayout()
        top.addWidget(QLabel("Name", self), 0, 0)
        top.addWidget(self.name, 0, 1, 1, 2)
        top.addWidget(QLabel("Driver", self), 1, 0)
        top.addWidget(self.driver, 1, 1, 1, 2)
        top.addWidget(self.about, 2, 1, 1, 2)
        top.addWidget(self._address_label, 3, 0)
        top.addWidget(self.address, 3, 1)
        top.addWidget(self.find_button, 3, 2)
        top.setColumnStretch(1, 1)
        tried = QHBoxLayout()
        tried.addWidget(self.test)
        tried.addWidget(self.answer, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(unit // 2, 0, 0, 0)
        column.addLayout(top)
        column.addLayout(self._options)
        column.addLayout(tried)
        column.addSpacing(unit // 2)
        column.addWidget(self.roles_label)
        column.addLayout(self._roles)
        column.addSpacing(unit // 2)
        column.addWidget(self._knobs_label)
        column.addWidget(self.knobs, 1)
        column.addStretch(0)
        for label in (self.about, self.answer):
            label.setWordWrap(True)
            # A word as long as the path of a class must not make the form wider than its room.
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)


def _words(value: Any, unit: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format_quantity(float(value), unit)
    return str(value)


def _plain(parent: QWidget, role: Any = None) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    if role is not None:
        label.setForegroundRole(role)
    return label
