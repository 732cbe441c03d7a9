"""Who measures, where, for whom: filled once, written into every file from then on."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from qlab import profile as profiles
from qlab.errors import QlabError
from qlab_ui import theme

# group -> (key of `qlab profile set`, label, example)
GROUPS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "You": (
        ("name", "Name", "Family, Given; empty: you stay a pseudonym"),
        ("pseudonym", "Pseudonym", "operator-7f3a"),
        ("orcid", "ORCID iD", "0000-0002-1825-0097"),
    ),
    "Organisation": (
        ("affiliation", "Organisation", "Institute of Quantum Sensing"),
        ("ror", "Its ROR", "https://ror.org/…"),
    ),
    "Publication": (
        ("project", "Project", ""),
        ("license", "Licence", "CC-BY-4.0"),
        ("access", "Access", "open, embargoed, restricted or metadata-only"),
        ("embargo", "Embargo ends", "2027-06-30"),
        ("publisher", "Publisher", "Zenodo, or your repository"),
        ("keywords", "Keywords", "separated by commas"),
    ),
    "Sample": (
        ("sample.name", "Sample", "diamond 12-C, membrane 3"),
        ("sample.description", "What it is", ""),
        ("sample.identifier", "Its IGSN", ""),
    ),
    "Funding": (
        ("funding.1.funder", "Funder", "European Commission"),
        ("funding.1.number", "Grant number", "101234567"),
        ("funding.1.acronym", "Acronym", ""),
        ("funding.1.funder_id", "Funder's ROR", "https://ror.org/…"),
    ),
}


class ProfileDialog(QDialog):
    """A field for each piece; each is checked when it is left, and kept only when it is good."""

    def __init__(self, parent: QWidget, field: str = "", kept: Callable[[], object] = lambda: None) -> None:
        super().__init__(parent)
        self.setObjectName("profile")
        self.setWindowTitle("Who are you?")
        self._kept = kept
        self.lines: dict[str, QLineEdit] = {}
        self._faults: dict[str, QLabel] = {}
        self.chooser = QComboBox(self)
        self.chooser.setAccessibleName("Profile")
        self.chooser.setToolTip("Which profile is written into the files")
        self.chooser.activated.connect(self._choose)
        new = QPushButton("New…", self)
        new.setToolTip("Another profile, for example for another project")
        new.clicked.connect(self._ask_name)
        head = QHBoxLayout()
        head.addWidget(QLabel("Profile", self))
        head.addWidget(self.chooser, 1)
        head.addWidget(new)
        words = QLabel(
            "All of it is voluntary. It is written into the files that you measure from now on, and nowhere else.",
            self,
        )
        words.setWordWrap(True)
        words.setForegroundRole(theme.MUTED)
        area = QScrollArea(self)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(self._body())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(head)
        column.addWidget(words)
        column.addWidget(area, 1)
        column.addWidget(buttons)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * 74, metrics.height() * 38)
        self._show()
        self.lines.get(field, self.lines["name"]).setFocus()

    def keep(self, key: str) -> None:
        """Keep one field as typed, or say why it is refused."""
        typed = self.lines[key].text()
        try:
            profile = profiles.load()
            if typed == profiles.value_of(profile, key):
                self._fault(key, "")
                return
            profiles.save(profiles.changed(profile, key, typed))
        except QlabError as error:
            self._fault(key, str(error))
            return
        self._fault(key, "")
        self._show()
        self._kept()

    def _body(self) -> QWidget:
        body = QWidget()
        column = QVBoxLayout(body)
        for title, fields in GROUPS.items():
            box = QGroupBox(title, body)
            form = QFormLayout(box)
            form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
            for key, label, example in fields:
                line = self.lines[key] = QLineEdit(box)
                line.setPlaceholderText(example)
                line.setAccessibleName(label)
                line.setToolTip(f"{label}, for example {example}" if example else label)
                line.editingFinished.connect(lambda key=key: self.keep(key))
                fault = self._faults[key] = QLabel(box)
                fault.setTextFormat(Qt.TextFormat.PlainText)
                fault.setForegroundRole(theme.ERROR)
                fault.setWordWrap(True)
                fault.hide()
                form.addRow(label, line)
                form.addRow(fault)
            column.addWidget(box)
        column.addStretch(1)
        return body

    def _show(self) -> None:
        self.chooser.clear()
        self.chooser.addItems(profiles.names())
        self.chooser.setCurrentText(profiles.active())
        try:
            profile = profiles.load()
        except QlabError as error:
            self._fault("name", str(error))
            return
        for key, line in self.lines.items():
            if not line.hasFocus() and not self._faults[key].text():
                line.setText(profiles.value_of(profile, key))
                line.setCursorPosition(0)

    def _fault(self, key: str, words: str) -> None:
        self._faults[key].setText(words)
        self._faults[key].setVisible(bool(words))

    def _choose(self, _index: int) -> None:
        self._use(self.chooser.currentText(), new=False)

    def _use(self, name: str, *, new: bool) -> None:
        for key in self._faults:
            self._fault(key, "")
        try:
            if new:
                profiles.create(name.strip(), profiles.load())
            profiles.use(name.strip())
        except QlabError as error:
            self._fault("name", str(error))
        self._show()
        self._kept()

    def _ask_name(self) -> None:
        dialog = QInputDialog(self)
        dialog.setWindowTitle("New profile")
        dialog.setLabelText("Name of the profile; it starts as a copy of this one:")
        dialog.textValueSelected.connect(lambda name: self._use(name, new=True))
        dialog.finished.connect(dialog.deleteLater)
        dialog.show()
