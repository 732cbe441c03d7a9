"""The table of actions: one key for each, every slot is there, and the keys work."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest

from qlab_ui.actions import ACTIONS, BY_ID, MENUS, PLOT_MENU, TOOLBAR
from qlab_ui.commands import Commands
from qlab_ui.dialogs.commands import CommandPalette, score
from qlab_ui.dialogs.pages import Page
from qlab_ui.icons import NAMES
from qlab_ui.looks import Looks
from qlab_ui.manyruns import ManyRuns
from tests.ui.steps import finish, frames, until

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier,
)  # fmt: skip


def test_ids_keys_and_slots_are_unique():
    ids = [action.id for action in ACTIONS]
    keys = [QKeySequence(key).toString() for action in ACTIONS for key in action.keys]
    assert len(set(ids)) == len(ids)
    assert all(keys)
    assert len(set(keys)) == len(keys)
    assert len({action.slot for action in ACTIONS}) == len(ACTIONS)


def test_everything_named_exists():
    for action in ACTIONS:
        assert any(callable(getattr(kind, action.slot, None)) for kind in (Commands, Looks, ManyRuns)), (
            action.id
        )
        assert action.menu in MENUS
        assert not action.icon or action.icon in NAMES
    assert all(name in BY_ID for name in (*PLOT_MENU, *TOOLBAR) if name and name[0] != "@")


def test_the_keys_of_the_brief():
    keys = {action.id: action.keys for action in ACTIONS}
    assert {"Ctrl+Return", "F5"} <= set(keys["run"])
    assert keys["pause"] == ("Ctrl+Space",)
    assert keys["stop"] == ("Ctrl+Backspace",)
    assert keys["halt"] == ("Ctrl+Shift+Backspace",)
    assert keys["again"] == ("Ctrl+Shift+R",)
    assert keys["safe"] == ("Ctrl+Alt+Escape",)


def test_return_on_the_welcome_runs(window, session):
    window.welcome.run_button.setFocus()
    QTest.keyClick(window.welcome.run_button, Qt.Key.Key_Return)
    assert [order.experiment for order in session.orders] == ["nv.ramsey"]


@pytest.mark.parametrize("key", [(Qt.Key.Key_Return, CTRL), (Qt.Key.Key_F5, Qt.KeyboardModifier.NoModifier)])
def test_run_keys(window, session, key):
    QTest.keyClick(window, *key)
    assert len(session.orders) == 1
    assert session.orders[0].parameters["fringe_frequency"] == 4e6
    assert session.orders[0].pace == 8.0


def test_a_run_is_paused_and_stopped_by_keys_while_typing(window, session):
    window.call("run")
    frames(window, 5)
    line = window.form.row("shots").editor.line
    line.setFocus()
    QTest.keyClick(line, Qt.Key.Key_Space, CTRL)
    assert session.commands == ["pause"]
    frames(window, 2)
    assert window.bars.actions["pause"].text() == "Resume"
    QTest.keyClick(line, Qt.Key.Key_Space, CTRL)
    frames(window, 2)
    QTest.keyClick(line, Qt.Key.Key_Backspace, CTRL)
    assert session.commands == ["pause", "resume", "stop"]
    until(window, lambda: not window.at_work.busy)
    assert window.centre.current().record.state == "stopped"
    QTest.keyClick(line, Qt.Key.Key_Escape, CTRL | ALT)
    assert session.commands[-1] == "make_safe"


def test_stop_is_asleep_without_a_run(window, session):
    QTest.keyClick(window, Qt.Key.Key_Backspace, CTRL)
    assert session.commands == []
    assert not window.bars.actions["stop"].isEnabled()


def test_single_letters_work_in_the_plot_only(window):
    window.call("run")
    finish(window)
    view = window.centre.current().view
    line = window.form.row("note").editor.line
    line.setFocus()
    QTest.keyClicks(line, "log")
    assert line.text() == "log"
    assert view._logs == [False, False]
    view.setFocus()
    QTest.keyClick(view.graphics, Qt.Key.Key_L)
    assert view._logs == [True, False]
    QTest.keyClick(view.graphics, Qt.Key.Key_L, SHIFT)
    assert view._logs == [True, True]


def test_palette_finds_and_runs_a_command(window, app):
    QTest.keyClick(window, Qt.Key.Key_P, CTRL | SHIFT)
    palette = window.findChild(CommandPalette)
    QTest.keyClicks(palette.line, "theme dark")
    assert palette.list.currentItem().text(0) == "Theme: dark"
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert window.settings.theme == "dark"


def test_palette_chooses_an_experiment(window):
    window.call("command_palette")
    palette = window.findChild(CommandPalette)
    QTest.keyClicks(palette.line, "hahn")
    QTest.keyClick(palette.line, Qt.Key.Key_Return)
    assert window.form.experiment == "nv.hahn_echo"


def test_scores_prefer_what_was_meant():
    assert (
        score("fit", "Fit")
        > score("fit", "Next fit model")
        > score("fit", "Find it")
        > score("fit", "Run")
        == 0
    )


def test_shortcut_page_lists_every_key(window):
    window.call("shortcuts")
    page = window.findChild(Page, "shortcuts")
    assert page is not None
    assert not page.isModal()
    page.close()


PAGES = ("help_here", "about", "preferences", "copy_report", "find_run", "find_experiment", "reset_layout")


@pytest.mark.parametrize("slot", [*PAGES, *(f"pane_{place}" for place in range(1, 7))])
def test_pages_and_panes_open(window, slot, app):
    from PySide6.QtWidgets import QDialog

    window.call(slot)
    app.processEvents()
    for dialog in window.findChildren(QDialog):
        assert not dialog.isModal()
        dialog.close()
