"""For everybody: each control has a name, a tooltip and a place in the tab order; each colour can be read."""

import itertools

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QTextBrowser,
    QTextEdit,
    QWidget,
)

import qlab
from qlab.fair.report import report
from qlab_ui import theme
from qlab_ui.actions import ACTIONS
from qlab_ui.dialogs.difference import Difference
from qlab_ui.dialogs.error import ErrorDialog
from qlab_ui.dialogs.fair import FairPage
from tests.ui.fakes import ramsey_record
from tests.ui.steps import finish, frames, until

CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit,
    QTextEdit,
)  # fmt: skip
# What Qt itself makes inside its own widgets, which speak for them.
OWN = ("qt_", "ScrollLeftButton", "ScrollRightButton", "CloseButton")


def inside(widget, kinds):
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, kinds):
            return True
        parent = parent.parentWidget()
    return False


def controls(top):
    for widget in top.findChildren(QWidget):
        if not isinstance(widget, CONTROLS) or isinstance(widget, QScrollBar):
            continue
        if widget.objectName().startswith(OWN) or inside(
            widget, (QComboBox, QAbstractSpinBox, QTabBar, QLineEdit)
        ):
            continue
        if type(widget).__name__ in {"QComboBoxPrivateContainer", "QHeaderView", "QTableCornerButton"}:
            continue
        yield widget


def named(widget):
    if widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()):
        return True
    top = widget.window()
    return any(label.buddy() is widget for label in top.findChildren(QLabel))


def about(widget):
    chain, parent = [], widget
    while parent is not None and len(chain) < 3:
        chain.append(f"{type(parent).__name__}#{parent.objectName()}")
        parent = parent.parentWidget()
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return f"{' < '.join(chain)} {text!r}"


def lacking(top):
    """Return what is missing, in words."""
    missing = []
    for widget in controls(top):
        if not named(widget):
            missing.append(f"no name: {about(widget)}")
        speaks = isinstance(widget, QAbstractItemView | QTextBrowser | QPlainTextEdit | QTextEdit)
        words = isinstance(widget, QAbstractButton) and len(widget.text()) > 2
        if not widget.toolTip() and not speaks and not words:
            missing.append(f"no tooltip: {about(widget)}")
        # A button of a toolbar or of a title is reached by its key or through the menu.
        # The list of the command palette is driven from its line, which keeps the focus.
        driven = widget.window().objectName() == "command_palette"
        if (
            widget.focusPolicy() == Qt.FocusPolicy.NoFocus
            and not isinstance(widget, QAbstractButton)
            and not driven
        ):
            missing.append(f"no place in the tab order: {about(widget)}")
    return missing


def test_every_control_of_the_window(window, session):
    for name in ("layout_teach", "layout_analyse", "layout_measure"):
        window.call(name)
        frames(window, 2)
        assert not lacking(window)
    window.call("run")
    finish(window)
    window.call("tour")
    for dock in window.docks.values():
        dock.show()
        dock.raise_()
        frames(window, 2)
    assert not lacking(window)


# Qt's own, which speak for themselves; what would end the test; what is a switch and opens nothing.
OTHERS = {"quit", "full_screen", "open", "open_folder", "open_bench", "export", "difference", "fair_report"}


def test_every_control_of_the_dialogs(window, tmp_path):
    """Every dialog that an action opens, and that there is no dialog which none of them does."""
    for _ in range(2):
        window.call("run")
        finish(window)
    window.runs.table.selectAll()
    missing, met = [], set()
    for action in ACTIONS:
        if action.id in OTHERS:
            continue
        if action.id == "extend":  # of a run that goes
            window.call("run")
            until(window, lambda: (page := window.centre.current()) is not None and page.live())
        before = set(QApplication.topLevelWidgets())
        window.bars.actions[action.id].trigger()
        frames(window, 3)
        opened = [w for w in QApplication.topLevelWidgets() if w not in before and w.isVisible()]
        for dialog in (w for w in opened if isinstance(w, QDialog)):
            met |= {kind.__name__ for kind in type(dialog).__mro__}
            missing += [f"{action.id}: {line}" for line in lacking(dialog)]
        for widget in opened:
            widget.close()
        if action.id == "run":
            finish(window)
    # Those that need more than an action: a fault, two runs that can be read, and the report of a file.
    one, other = ramsey_record(), ramsey_record(points=101)
    measured = qlab.run("nv.rabi", qlab.Bench.load("sim-nv", seed=1), shots=200, out=tmp_path)
    for dialog in (
        ErrorDialog(window, "It failed.", "Look at it.", "Traceback"),
        Difference(window, one, other),
        FairPage(window, "Rabi", report(measured.path)),
    ):
        met.add(type(dialog).__name__)
        dialog.show()
        frames(window, 2)
        missing += lacking(dialog)
        dialog.close()
    assert not missing, "\n".join(missing)
    ours = {kind.__name__ for kind in every(QDialog) if kind.__module__.startswith("qlab_ui")}
    assert ours - met == set()


def every(kind):
    for one in kind.__subclasses__():
        yield one
        yield from every(one)


def test_a_number_says_its_unit_and_range_in_its_tooltip(window):
    rows = window.form._rows if hasattr(window.form, "_rows") else {}
    fields = {f["name"]: f for f in window.bench.entry("nv.ramsey")["fields"]}
    checked = 0
    for name, row in rows.items():
        field = fields[name]
        tips = " ".join(w.toolTip() for w in [row, *row.findChildren(QWidget)])
        if field["unit"] not in ("1", ""):
            assert field["unit"] in tips, name
            checked += 1
        if field["minimum"] is not None and field["kind"] in {"integer", "number", "quantity"}:
            assert str(field["minimum"]).rstrip("0.") in tips or "0" in tips, name
            checked += 1
    assert checked > 5


def test_tab_goes_round(window):
    """From the first field Tab reaches each pane that is seen, and comes back."""
    window.experiments.search.setFocus()
    seen, widget = [], window.experiments.search
    for _ in range(400):
        widget = widget.nextInFocusChain()
        if widget is window.experiments.search:
            break
        if widget.isVisible() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            seen.append(widget)
    for pane in (window.experiments, window.form, window.runs, window.centre):
        assert any(pane is w or pane.isAncestorOf(w) for w in seen), pane.objectName()


@pytest.mark.parametrize("look", [theme.LIGHT, theme.DARK], ids=lambda look: look.name)
def test_every_role_of_the_palette_can_be_read_on_its_ground(look):
    role = QPalette.ColorRole
    shown = theme.palette(look)
    ink = (role.WindowText, role.Text, role.ButtonText, role.Link, theme.MUTED, theme.ERROR, theme.WARNING)
    paper = (role.Window, role.Base, role.AlternateBase, role.Button)
    pairs = [*itertools.product(ink, paper), (role.HighlightedText, role.Highlight),
             (role.ToolTipText, role.ToolTipBase), (role.BrightText, role.Base)]  # fmt: skip
    poor = {}
    for front, ground in pairs:
        ratio = theme.contrast(shown.color(front).name(), shown.color(ground).name())
        if ratio < 4.5:
            poor[(front.name, ground.name)] = round(ratio, 2)
    assert not poor
    # What is drawn as a thin line beside words of its own needs 3:1 (WCAG 1.4.11).
    assert min(theme.contrast(colour, look.base) for colour in (look.accent, look.good, look.muted)) >= 3.0
