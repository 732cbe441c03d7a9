"""The menu of all drivers, by their makers."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

_LONGEST = 90  # characters of a line


def driver_menu(parent: QWidget, cards: Mapping[str, Any], take: Callable[[str], None]) -> QMenu:
    """Return a menu of drivers (`qlab.trial.DriverCard`); a broken one is there, says why, and cannot be chosen."""
    menu = QMenu(parent)
    menu.setToolTipsVisible(True)
    menu.setObjectName("drivers")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    groups: dict[str, QMenu] = {}
    for name, card in cards.items():
        maker = name.partition(".")[0] if "." in name else "other"
        if maker not in groups:
            title = "Simulated" if maker == "sim" else maker.replace("_", " ").capitalize()
            groups[maker] = menu.addMenu(title)
            groups[maker].setToolTipsVisible(True)
        about = card.problem or card.about
        words = f"{name} — {about}" if about else name
        words = words if len(words) < _LONGEST else f"{words[: _LONGEST - 2]}…"
        action = groups[maker].addAction(words.replace("&", "&&"), partial(take, name))
        action.setToolTip(about)
        action.setEnabled(not card.problem)
    return menu
