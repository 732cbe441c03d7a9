"""Named sets of values for the form of an experiment, kept in the settings."""

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtWidgets import QInputDialog, QMenu, QToolButton, QWidget

from qlab.settings import Settings
from qlab_ui.form.form import Form


class Presets(QToolButton):
    """A button whose menu fills the form with values that were kept under a name."""

    def __init__(self, form: Form, settings: Settings, keep: Callable[[], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("presets")
        self.setText("Presets")
        self.setToolTip("Values kept under a name")
        self.setAutoRaise(True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._form, self._settings, self._keep = form, settings, keep
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self.fill)
        self.setMenu(self._menu)

    def known(self) -> dict[str, dict[str, Any]]:
        """Return the presets of the experiment that is shown, by name."""
        return self._settings.presets.get(self._form.experiment, {})

    def fill(self) -> None:
        """List what there is now."""
        self._menu.clear()
        known = self.known()
        for name in sorted(known, key=str.casefold):
            self._menu.addAction(name, partial(self.use, name))
        if not known:
            self._menu.addAction("None for this experiment yet").setEnabled(False)
        self._menu.addSeparator()
        self._menu.addAction("Defaults", self._form.reset)
        self._menu.addAction("Keep these values…", self._ask_name).setEnabled(bool(self._form.experiment))
        if known:
            remove = self._menu.addMenu("Remove")
            for name in sorted(known, key=str.casefold):
                remove.addAction(name, partial(self.remove, name))

    def use(self, name: str) -> None:
        """Fill the form: what the preset does not name goes to its default. One step, which can be undone."""
        values = self.known().get(name)
        if values is not None:
            self._form.load({**self._form.defaults(), **values}, f"preset {name}")

    def save(self, name: str) -> None:
        """Keep the values that differ from their defaults."""
        words = name.strip()
        if words:
            presets = dict(self._settings.presets)
            presets[self._form.experiment] = {**self.known(), words: self._form.changes()}
            self._settings.presets = presets
            self._keep()

    def remove(self, name: str) -> None:
        """Forget a preset."""
        presets = dict(self._settings.presets)
        presets[self._form.experiment] = {k: v for k, v in self.known().items() if k != name}
        self._settings.presets = presets
        self._keep()

    def _ask_name(self) -> None:
        dialog = QInputDialog(self.window())
        dialog.setWindowTitle("Keep these values")
        dialog.setLabelText("Name of the preset:")
        dialog.setModal(False)
        dialog.textValueSelected.connect(self.save)
        dialog.finished.connect(dialog.deleteLater)
        dialog.show()
