"""Menus, toolbar and context menus, all made of the table of actions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QComboBox, QLabel, QMainWindow, QMenu, QSizePolicy, QToolBar, QWidget

from qlab_ui import icons, text, theme
from qlab_ui.actions import ACTIONS, BY_ID, MENUS, PLOT_MENU, TOOLBAR, Action, Situation
from qlab_ui.badge import SimBadge
from qlab_ui.dialogs.pages import shown

NO_FIT = "-"
OPEN_BENCH = "-"


class Bars:
    """The QActions of a window, enabled by its situation."""

    def __init__(
        self, window: QMainWindow, plots: QWidget, runs: QWidget, call: Callable[[str], None]
    ) -> None:
        self._window = window
        self._situation: Situation | None = None
        places = {"plot": plots, "runs": runs}
        self.actions = {action.id: self._action(action, places, call) for action in ACTIONS}
        self.menus: dict[str, QMenu] = {}
        for name in MENUS:
            menu = window.menuBar().addMenu(f"&{name}")
            menu.setObjectName(f"menu_{name}")
            menu.setToolTipsVisible(True)
            self.menus[name] = menu
            self._fill(menu, name)
        self.fit_box = QComboBox(window)
        self.fit_box.setObjectName("fit_model")
        self.sim = SimBadge(window)
        self.bench_box = QComboBox(window)
        self.bench_box.setObjectName("bench")
        self.toolbar = self._toolbar()
        self.resize_icons()

    def follow(self, situation: Situation) -> None:
        """Enable what makes sense now."""
        if situation == self._situation:
            return
        self._situation = situation
        for action in ACTIONS:
            self.actions[action.id].setEnabled(action.when(situation))
            if action.on is not None:
                self.actions[action.id].setChecked(action.on(situation))
        pause = self.actions["pause"]
        pause.setText("Resume" if situation.paused else "Pause")
        pause.setIconText(pause.text())
        pause.setIcon(icons.icon("run" if situation.paused else "pause"))
        run = self.actions["run"]
        run.setToolTip(_tip(replace(BY_ID["run"], tip="Measure next, after the run that goes")
                            if situation.busy else BY_ID["run"]))  # fmt: skip

    def resize_icons(self) -> None:
        """Let the icons of the toolbar follow the size of the text."""
        side = int(self._window.fontMetrics().height() * 1.25)
        self.toolbar.setIconSize(QSize(side, side))

    def recolour(self) -> None:
        """Draw the icons in the colours of the theme."""
        for action in ACTIONS:
            if action.icon:
                self.actions[action.id].setIcon(icons.icon(action.icon))
        situation, self._situation = self._situation, None
        if situation is not None:
            self.follow(situation)

    def show_models(self, names: list[str]) -> None:
        """Offer these fit models."""
        chosen = self.fit_box.currentData()
        self.fit_box.clear()
        self.fit_box.addItem("Fit: as the experiment says", "")
        for name in names:
            self.fit_box.addItem(f"Fit: {text.words(name).lower()}", name)
        self.fit_box.addItem("No fit", NO_FIT)
        self.fit_box.setCurrentIndex(max(self.fit_box.findData(chosen), 0))

    def show_benches(self, benches: Sequence[Mapping[str, Any]], chosen: str) -> None:
        """Offer these benches; one that is not among them (a file from elsewhere) is offered too."""
        self.bench_box.clear()
        for bench in benches:
            self.bench_box.addItem(str(bench["title"]), bench["name"])
            place = self.bench_box.count() - 1
            self.bench_box.setItemData(
                place, bench.get("broken") or bench["name"], Qt.ItemDataRole.ToolTipRole
            )
        if self.bench_box.findData(chosen) < 0:
            self.bench_box.addItem(Path(chosen).stem, chosen)
        self.bench_box.insertSeparator(self.bench_box.count())
        self.bench_box.addItem("Open a bench file…", OPEN_BENCH)
        self.bench_box.setCurrentIndex(self.bench_box.findData(chosen))

    def offer_recent(self, files: Callable[[], list[str]], use: Callable[[str], object]) -> None:
        """Add the files that were opened last to the menu File; one that is gone is greyed."""
        recent = QMenu("Recent", self._window)
        recent.setObjectName("menu_recent")

        def fill() -> None:
            recent.clear()
            for file in files():
                recent.addAction(file, partial(use, file)).setEnabled(Path(file).exists())
            if recent.isEmpty():
                recent.addAction("None yet").setEnabled(False)

        recent.aboutToShow.connect(fill)
        self.menus["File"].insertMenu(self.actions["export"], recent)

    def plot_menu(self, where: QPoint) -> QMenu:
        """Show the short menu of a plot."""
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in PLOT_MENU:
            if name:
                menu.addAction(self.actions[name])
            else:
                menu.addSeparator()
        menu.popup(where)
        return menu

    def _action(self, action: Action, places: Mapping[str, QWidget], call: Callable[[str], None]) -> QAction:
        made = QAction(action.text, self._window)
        made.setObjectName(f"action_{action.id}")
        made.setShortcuts([QKeySequence(key) for key in action.keys])
        if action.icon:
            made.setIcon(icons.icon(action.icon))
        made.setToolTip(_tip(action))
        made.setCheckable(action.on is not None)
        made.triggered.connect(lambda _checked=False, slot=action.slot: call(slot))
        if action.plot or action.runs:
            made.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            places["plot" if action.plot else "runs"].addAction(made)
        else:
            self._window.addAction(made)
        return made

    def _fill(self, menu: QMenu, name: str) -> None:
        group = 0
        for action in ACTIONS:
            if action.menu != name:
                continue
            if action.group != group:
                menu.addSeparator()
                group = action.group
            menu.addAction(self.actions[action.id])

    def _toolbar(self) -> QToolBar:
        bar = self._window.addToolBar("Toolbar")
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fit_box.setAccessibleName("Fit model")
        self.fit_box.setToolTip("The model that is fitted to the shown run")
        self.fit_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.fit_box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for name in TOOLBAR:
            if name == "@fit":
                bar.addWidget(self.fit_box)
            elif name:
                bar.addAction(self.actions[name])
            else:
                bar.addSeparator()
        spring = QWidget(self._window)
        spring.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        edge = QWidget(self._window)
        edge.setFixedWidth(self._window.fontMetrics().averageCharWidth())
        bench_label = QLabel("&Bench:", self._window)
        bench_label.setForegroundRole(theme.MUTED)
        bench_label.setBuddy(self.bench_box)
        self.bench_box.setAccessibleName("Bench")
        self.bench_box.setToolTip("The instruments that are measured with")
        self.bench_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.bench_box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for widget in (spring, bench_label, self.bench_box, edge, self.sim):
            bar.addWidget(widget)
        short = {"stop": "Stop", "safe": "Make safe", "pause": "Pause", "export": "Export"}
        for name, words in short.items():
            self.actions[name].setIconText(words)
        return bar


def _tip(action: Action) -> str:
    words = action.tip or action.text.rstrip("…")
    return f"{words} ({shown(action.keys[0])})" if action.keys else words
