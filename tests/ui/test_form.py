"""The form: each kind of field, messages, reset, undo, what the bench says."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from qlab.scan import parse_scan
from qlab_ui.form.fields import EDITORS, make_editor
from qlab_ui.form.form import Form
from qlab_ui.line import step_digit
from tests.ui.fakes import CATALOGUE, RAMSEY_FIELDS, field
from tests.ui.steps import frames, settle


@pytest.fixture
def form(app):
    made = Form()
    made.show_entry(next(entry for entry in CATALOGUE if entry["name"] == "nv.ramsey"))
    made.show()
    yield made
    made.close()
    made.deleteLater()


def type_into(line, text):
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, text)


def test_every_kind_of_the_catalogue_has_an_editor():
    assert set(EDITORS) == {"quantity", "scan", "integer", "number", "boolean", "choice", "text"}
    assert {described["kind"] for described in RAMSEY_FIELDS} == set(EDITORS)


@pytest.mark.parametrize("described", RAMSEY_FIELDS, ids=lambda described: described["name"])
def test_a_default_survives_showing(app, described):
    editor = make_editor(described)
    assert editor.value() == described["default"]
    assert editor.problem() == ""
    editor.setValue(editor.value())
    assert editor.value() == described["default"]
    editor.deleteLater()


def test_a_kind_nobody_knows_is_edited_as_text(app):
    editor = make_editor(field("odd", "hologram", "as it is"))
    assert editor.value() == "as it is"
    editor.deleteLater()


def test_quantity_takes_a_prefix_and_shows_one(form):
    row = form.row("fringe_frequency")
    type_into(row.editor.line, "2.87 GHz")
    assert row.editor.value() == 2.87e9
    assert row.editor.line.text() == "2.87 GHz"
    type_into(row.editor.line, "1500000")
    QTest.keyClick(row.editor.line, Qt.Key.Key_Return)
    assert row.editor.line.text() == "1.5 MHz"


def test_a_wrong_unit_is_said_beside_the_field(form):
    row = form.row("readout_window")
    form._groups[1].reveal()
    type_into(row.editor.line, "4 MHz")
    assert row.message.isVisibleTo(form)
    assert "not a unit of time" in row.message.text()
    assert row.editor.value() == "4 MHz"
    assert form.estimate.text() == "1 value needs attention"
    assert form.focus_problem()


def test_a_wrong_unit_in_a_scan_is_said_beside_it(form):
    row = form.row("tau")
    type_into(row.editor.second, "4 MHz")
    assert "not a unit of time" in row.message.text()
    assert row.editor.scan() is None


@pytest.mark.parametrize(
    ("text", "message"), [("0", "at least 1"), ("1e9", "at most"), ("2.5", "whole number"), ("", "whole")]
)
def test_integers_are_refused_not_clipped(form, text, message):
    row = form.row("shots")
    type_into(row.editor.line, "") if text else None
    row.editor.line.clear()
    row.editor.line.textEdited.emit("")
    QTest.keyClicks(row.editor.line, text)
    assert message in row.message.text()


def test_an_overflow_is_refused(form):
    row = form.row("fringe_frequency")
    type_into(row.editor.line, "1e999 Hz")
    assert "too large" in row.message.text()


def test_a_whole_scan_can_be_typed(form):
    row = form.row("tau")
    type_into(row.editor.first, "log:1us:1ms:31@random=7")
    assert row.editor.scan() == parse_scan("log:1us:1ms:31@random=7", "s").__class__(
        1e-6, 1e-3, 31, "s", "random", 7
    )
    QTest.keyClick(row.editor.first, Qt.Key.Key_Return)
    assert (row.editor.first.text(), row.editor.second.text(), row.editor.points.text()) == (
        "1 µs",
        "1 ms",
        "31",
    )
    assert row.editor.spacing.currentData() == "log"
    assert row.editor.random.isChecked()


def test_changing_the_spacing_keeps_the_range(form):
    editor = form.row("tau").editor
    for kind, start in (("centre", "2 µs"), ("values", "0 s, "), ("linear", "0 s"), ("log", "4 ns")):
        editor.spacing.setCurrentIndex(editor.spacing.findData(kind))
        editor.spacing.activated.emit(editor.spacing.currentIndex())
        assert editor.problem() == "", kind
        assert editor.first.text().startswith(start), kind
    assert editor.points.text() == "201"


def test_scans_of_a_file_are_taken(form):
    editor = form.row("tau").editor
    editor.setValue(
        {
            "kind": "centre",
            "centre": 2e-6,
            "span": 1e-6,
            "points": 11,
            "unit": "s",
            "order": "random",
            "seed": 3,
        }
    )
    assert editor.value() == "centre:2e-06s:1e-06s:11@random=3"
    editor.setValue({"kind": "values", "given": [1e-6, 2e-6], "unit": "s", "order": "sequential", "seed": 0})
    assert editor.value() == "1e-06s,2e-06s"


def test_random_order_is_ticked_with_the_mouse(form):
    editor = form.row("tau").editor
    QTest.mouseClick(editor.random, Qt.MouseButton.LeftButton, pos=editor.random.rect().center() * 0.2)
    if not editor.random.isChecked():
        QTest.keyClick(editor.random, Qt.Key.Key_Space)
    assert editor.value().endswith("@random=0")


def test_reset_shows_only_beside_what_changed(form):
    row = form.row("passes")
    assert not row.reset.isVisibleTo(form)
    type_into(row.editor.line, "25")
    assert row.reset.isVisibleTo(form)
    QTest.mouseClick(row.reset, Qt.MouseButton.LeftButton)
    assert row.editor.value() == 10
    assert not row.reset.isVisibleTo(form)


def test_typing_is_undone_in_one_step(form):
    row = form.row("fringe_frequency")
    type_into(row.editor.line, "3.25 MHz")
    assert form.undo_stack.count() == 1
    form.undo_stack.undo()
    assert row.editor.value() == 4e6
    form.undo_stack.redo()
    assert row.editor.value() == 3.25e6


def test_loading_and_resetting_are_undone_in_one_step(form):
    form.load({"shots": 500, "fringe_frequency": 1e6, "unknown": 1}, "loading")
    assert (form.values()["shots"], form.values()["fringe_frequency"]) == (500, 1e6)
    form.reset()
    assert form.changes() == {}
    form.undo_stack.undo()
    form.undo_stack.undo()
    assert form.values()["shots"] == 20000


def test_undo_key_belongs_to_the_window(window):
    row = window.form.row("shots")
    type_into(row.editor.line, "500")
    window.tick()
    QTest.keyClick(row.editor.line, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert row.editor.value() == 20000


def test_the_bench_is_asked_and_its_answer_shown(window, session):
    settle(window.form, window)
    assert window.form.estimate.text() == "201 points, 2010 rows · ~42 s, simulated in 8 s"
    asked = len(session.checks)
    row = window.form.row("shots")
    type_into(row.editor.line, "13")
    settle(window.form, window)
    assert len(session.checks) == asked + 1
    assert row.message.text() == "13 is refused: it brings bad luck."
    type_into(row.editor.line, "14")
    frames(window, 1)
    assert row.message.text() == ""


def test_an_old_answer_is_dropped(window):
    window.form.checked({"token": -1, "problems": {"shots": "shots: no"}, "rows": 1, "seconds": 1.0})
    assert window.form.row("shots").message.text() == ""


def test_run_goes_to_what_is_refused(window, session):
    row = window.form.row("fringe_frequency")
    type_into(row.editor.line, "4 us")
    window.call("run")
    assert session.orders == []
    assert row.editor.line.hasFocus()


@pytest.mark.parametrize(
    ("text", "cursor", "way", "expected"),
    [
        ("2.87 GHz", 4, 1, ("2.88 GHz", 4)),
        ("2.87 GHz", 3, 1, ("2.97 GHz", 3)),
        ("2.87 GHz", 1, -1, ("1.87 GHz", 1)),
        ("9", 1, 1, ("10", 2)),
        ("0 s", 3, -1, ("-1 s", 2)),
        ("100", 1, 1, ("200", 1)),
        ("none", 0, 1, None),
    ],
)
def test_digits_step(text, cursor, way, expected):
    assert step_digit(text, cursor, way) == expected


def test_up_steps_the_digit_at_the_cursor(form):
    line = form.row("fringe_frequency").editor.line
    line.setFocus()
    line.setText("2.87 GHz")
    line.setCursorPosition(3)
    QTest.keyClick(line, Qt.Key.Key_Up)
    assert form.row("fringe_frequency").editor.value() == 2.97e9


def test_every_editor_can_be_read_aloud(form):
    for name in form.values():
        row = form.row(name)
        assert row.label.buddy() is row.editor
        inner = row.editor.focusProxy()
        assert inner.accessibleName()
        assert inner.toolTip()
        if row.editor.field.unit != "1" and row.editor.field.kind == "quantity":
            assert row.editor.field.unit in inner.toolTip()
