"""The docks: where each stands, and a layout that is saved and heals."""

import base64
import binascii
import itertools
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QEvent, Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QSizePolicy, QToolButton, QWidget

from qlab.settings import Settings
from qlab_ui import icons, theme

VERSION = 3
_AREA = Qt.DockWidgetArea
AREAS = {
    "experiments": _AREA.LeftDockWidgetArea,
    "parameters": _AREA.LeftDockWidgetArea,
    "runs": _AREA.BottomDockWidgetArea,
    "queue": _AREA.BottomDockWidgetArea,
    "instruments": _AREA.BottomDockWidgetArea,
    "sequence": _AREA.BottomDockWidgetArea,
    "log": _AREA.BottomDockWidgetArea,
    "result": _AREA.RightDockWidgetArea,
    "notes": _AREA.RightDockWidgetArea,
    "metadata": _AREA.RightDockWidgetArea,
    "help": _AREA.RightDockWidgetArea,
}


class DockTitle(QWidget):
    """A quiet title: small spaced capitals, and a button that closes."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._label = QLabel(dock.windowTitle(), self)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setForegroundRole(theme.MUTED)
        self._letter()
        self._close = QToolButton(self)
        self._close.setAutoRaise(True)
        self._close.setIcon(icons.icon("close"))
        self._close.setToolTip("Hide this pane (menu Window brings it back)")
        self._close.setAccessibleName(f"Hide {dock.windowTitle()}")
        self._close.clicked.connect(dock.close)
        unit = self.fontMetrics().averageCharWidth()
        row = QHBoxLayout(self)
        row.setContentsMargins(unit, unit // 2, unit // 2, unit // 2)
        row.addWidget(self._label, 1)
        row.addWidget(self._close)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def changeEvent(self, event: QEvent) -> None:
        """Draw the icon again after a change of theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_close"):
            self._close.setIcon(icons.icon("close"))
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_close"):
            self._letter()

    def _letter(self) -> None:
        font = QFont(self.font())
        font.setBold(True)
        font.setPointSizeF(font.pointSizeF() * 0.85)
        font.setCapitalization(QFont.Capitalization.AllUppercase)
        font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 108)
        self._label.setFont(font)


def make_docks(window: QMainWindow, panes: dict[str, QWidget]) -> dict[str, QDockWidget]:
    """Put each pane into a dock of its own."""
    docks: dict[str, QDockWidget] = {}
    for name, pane in panes.items():
        dock = QDockWidget(name.capitalize(), window)
        dock.setObjectName(f"dock_{name}")
        dock.setWidget(pane)
        dock.setTitleBarWidget(DockTitle(dock))
        docks[name] = dock
    window.setCorner(Qt.Corner.BottomLeftCorner, _AREA.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.BottomRightCorner, _AREA.RightDockWidgetArea)
    arrange(window, docks)
    return docks


@dataclass(frozen=True)
class Layout:
    """A way to work: which docks are shown, which tab of the bottom is in front, and how much room each side has."""

    shown: frozenset[str]
    front: str
    left: int = 50  # average characters
    right: int = 44
    bottom: int = 16  # lines
    result: int = 28  # lines, of the upper of the two on the right
    beside: str = "metadata"  # the tab in front below it


_ALL = frozenset(AREAS) - {"help"}  # which F1 brings
LAYOUTS = {
    "measure": Layout(_ALL, "runs"),
    "analyse": Layout(
        _ALL - {"experiments", "parameters", "queue", "instruments"}, "runs", right=56, bottom=22
    ),
    "teach": Layout(
        (_ALL | {"help"}) - {"metadata", "notes", "queue"}, "sequence", 46, 56, 20, result=15, beside="help"
    ),
}


def arrange(window: QMainWindow, docks: dict[str, QDockWidget], name: str = "measure") -> None:
    """Place the docks as a layout says, in a window as large as it is."""
    wanted, size = LAYOUTS[name], window.size()
    for dock_name, dock in docks.items():
        dock.setFloating(False)
        window.addDockWidget(AREAS[dock_name], dock)
        dock.setVisible(dock_name in wanted.shown)
    window.splitDockWidget(docks["experiments"], docks["parameters"], Qt.Orientation.Vertical)
    bottom = [name for name in AREAS if AREAS[name] == _AREA.BottomDockWidgetArea]
    for before, after in itertools.pairwise(bottom):
        window.tabifyDockWidget(docks[before], docks[after])
    window.splitDockWidget(docks["result"], docks["metadata"], Qt.Orientation.Vertical)
    window.tabifyDockWidget(docks["metadata"], docks["notes"])
    window.tabifyDockWidget(docks["notes"], docks["help"])
    docks[wanted.beside].raise_()
    docks[wanted.front].raise_()
    metrics = window.fontMetrics()
    unit, line = metrics.averageCharWidth(), metrics.height()
    left, right = docks["experiments"], docks["result"]
    window.resizeDocks([left, right], [unit * wanted.left, unit * wanted.right], Qt.Orientation.Horizontal)
    window.resizeDocks([docks[wanted.front]], [line * wanted.bottom], Qt.Orientation.Vertical)
    window.resizeDocks([left, docks["parameters"]], [line * 17, line * 34], Qt.Orientation.Vertical)
    heights = [line * wanted.result, line * (46 - wanted.result)]
    window.resizeDocks([right, docks[wanted.beside]], heights, Qt.Orientation.Vertical)
    if window.isVisible() and not window.isMaximized() and not window.isFullScreen():
        window.resize(size)


def save(window: QMainWindow, settings: Settings) -> None:
    """Remember where the window and its docks stand."""
    settings.window_geometry = _packed(window.saveGeometry())
    settings.window_layout = _packed(window.saveState(VERSION))


def restore(window: QMainWindow, settings: Settings) -> list[str]:
    """Put the window where it stood; return a line for what could not be read and stands at its default."""
    healed = []
    geometry, state = _unpacked(settings.window_geometry), _unpacked(settings.window_layout)
    if settings.window_geometry and (geometry is None or not window.restoreGeometry(geometry)):
        settings.window_geometry = ""
        healed.append("The place of the window was damaged and is back at its default.")
    if settings.window_layout and (state is None or not window.restoreState(state, VERSION)):
        settings.window_layout = ""
        healed.append("The layout of the window was damaged and is back at its default.")
    return healed


def _packed(data: QByteArray) -> str:
    return base64.b64encode(data.data()).decode("ascii")


def _unpacked(words: str) -> QByteArray | None:
    try:
        return QByteArray(base64.b64decode(words.encode("ascii"), validate=True))
    except (binascii.Error, UnicodeEncodeError, ValueError):
        return None
