"""A monkey at the window: whatever is pressed in whatever order, nothing raises and nothing stays open."""

import random
import sys

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog

from qlab_ui.actions import ACTIONS
from tests.ui.steps import frames

TYPED = [
    "4 us",
    "2.87 GHz",
    "",
    "-1",
    "1e999",
    "0us:4us:51",
    "1,2,3",
    ":::",
    "µ",
    "999999999999",
    "log:0:1:3",
    "4 MHz",
]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_monkey(app, window, session, seed, monkeypatch):
    raised = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: raised.append(error))
    rng = random.Random(seed)
    actions = [a for a in ACTIONS if a.id not in {"quit", "full_screen", "larger", "smaller"}]
    for _ in range(250):
        turn = rng.random()
        if turn < 0.45:
            window.bars.actions[rng.choice(actions).id].trigger()
        elif turn < 0.65 and window.form.values():
            editor = window.form.row(rng.choice(list(window.form.values()))).editor
            line = editor.focusProxy()
            if hasattr(line, "selectAll"):
                line.setFocus()
                line.selectAll()
                QTest.keyClicks(line, rng.choice(TYPED))
                QTest.keyClick(
                    line, rng.choice([Qt.Key.Key_Return, Qt.Key.Key_Up, Qt.Key.Key_Tab, Qt.Key.Key_Escape])
                )
        elif turn < 0.75:
            window.experiments.choose(rng.choice(["nv.ramsey", "nv.rabi", "nv.t1", "none"]))
        elif turn < 0.8 and window.centre.current() is not None:
            view = window.centre.current().view
            view._mouse = QPointF(rng.random() * 900, rng.random() * 500)
        elif turn < 0.85:
            for dialog in window.findChildren(QDialog):
                dialog.close()
        frames(window, rng.randrange(1, 4))
    for dialog in window.findChildren(QDialog):
        dialog.close()
    frames(window, 3)
    assert raised == []
