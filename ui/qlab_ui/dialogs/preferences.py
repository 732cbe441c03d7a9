"""Preferences: look, text size, data folder, pace of simulated runs."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from qlab.settings import Settings
from qlab_ui import text, theme


class Preferences(QDialog):
    """What a person can choose; each change is applied at once."""

    def __init__(self, parent: QWidget, settings: Settings, changed: Callable[[], None]) -> None:
        super().__init__(parent)
        self.setObjectName("preferences")
        self.setWindowTitle("Preferences")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._settings, self._changed = settings, changed
        form = QFormLayout()
        self.look = QComboBox(self)
        for name, words in zip(theme.CHOICES, ("As the system", "Light", "Dark"), strict=True):
            self.look.addItem(words, name)
        self.look.setCurrentIndex(max(self.look.findData(settings.theme), 0))
        self.look.activated.connect(lambda: self._set("theme", self.look.currentData()))
        self.look.setToolTip("The colours of the window; the system's follow the desktop")
        form.addRow("&Theme", self.look)
        self.text_size = self._spin(80, 200, settings.text_size, " %", "Size of all text, 80 % to 200 %")
        self.text_size.setSingleStep(10)
        self.text_size.valueChanged.connect(lambda value: self._set("text_size", value))
        form.addRow("Text &size", self.text_size)
        self.pace = self._spin(
            0, 600, round(settings.pace_seconds), " s", "0 s to 600 s; 0 runs as fast as it goes"
        )
        self.pace.valueChanged.connect(lambda value: self._set("pace_seconds", float(value)))
        form.addRow("A simulated run &takes", self.pace)
        self.folder = QLineEdit(text.home(settings.folder()), self)
        self.folder.setReadOnly(True)
        self.folder.setAccessibleName("Data folder")
        self.folder.setToolTip("Where the files of runs are kept")
        choose = QPushButton("Change…", self)
        choose.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(choose)
        form.addRow("&Data folder", row)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addStretch(1)
        column.addWidget(buttons)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * 64)

    def _spin(self, low: int, high: int, value: int, suffix: str, tip: str) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setRange(low, high)
        spin.setSuffix(suffix)
        spin.setValue(value)
        spin.setToolTip(tip)
        return spin

    def _set(self, name: str, value: object) -> None:
        setattr(self._settings, name, value)
        self._changed()

    def _choose(self) -> None:
        dialog = QFileDialog(self, "Where data are kept", str(self._settings.folder()))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._chosen)
        dialog.open()

    def _chosen(self, folder: str) -> None:
        self.folder.setText(folder)
        self._set("data_folder", folder)
