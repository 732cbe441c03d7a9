"""The manual panel: readings, limits, who owns the instruments, and the watchdogs."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from qlab_ui.dialogs.watchdogs import Watchdogs
from tests.ui.steps import frames


@pytest.fixture
def panel(window):
    window.docks["instruments"].raise_()
    frames(window, 3)
    return window.instruments


def typed(panel, instrument, knob, words):
    line = panel.boxes[instrument].rows[knob].editor.line
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, words)
    QTest.keyClick(line, Qt.Key.Key_Return)
    return panel.boxes[instrument].rows[knob]


def test_a_refused_value_and_its_reason_stay_until_it_is_mended(window, session, panel):
    row = typed(panel, "microwave", "frequency", "900 GHz")
    row.editor.line.clearFocus()
    asked = len(session.asked)
    told = {name: dict(box) for name, box in panel.told.items()}
    panel.show_panel(panel.bench, "", told)
    assert (row.editor.line.text(), row.message.isVisible()) == ("900 GHz", True)
    assert len(session.asked) == asked
    typed(panel, "microwave", "frequency", "2.9 GHz")
    assert not row.message.isVisible()


def test_readings_are_asked_for_only_while_they_are_seen(window, session, panel):
    assert ("panel", "sim-nv", True) in session.asked
    assert set(panel.boxes) == {"microwave", "laser", "counter"}
    window.docks["runs"].raise_()
    frames(window, 2)
    assert session.asked[-1] == ("panel", "sim-nv", False)


def test_a_value_is_sent_with_return_and_in_its_unit(session, panel):
    typed(panel, "microwave", "frequency", "2.9 GHz")
    assert session.asked[-1] == ("set_knob", "sim-nv", "microwave", "frequency", 2.9e9, False)
    box = panel.boxes["microwave"].rows["on"].editor.box
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(6, box.height() // 2))
    assert session.asked[-1] == ("set_knob", "sim-nv", "microwave", "on", True, False)


def test_a_value_beyond_a_limit_is_refused_and_never_sent(session, panel):
    before = len(session.asked)
    row = typed(panel, "microwave", "frequency", "9 GHz")
    assert "at most 6 GHz" in row.message.text()
    typed(panel, "microwave", "power", "strong")
    assert len(session.asked) == before


def test_what_is_being_typed_is_not_overwritten(window, session, panel):
    line = panel.boxes["microwave"].rows["frequency"].editor.line
    line.setFocus()
    line.selectAll()
    QTest.keyClicks(line, "2.8")
    session.tell_panel("sim-nv")
    frames(window, 2)
    assert line.text() == "2.8"


def test_instruments_of_a_run_are_read_only_until_taken_over(window, session, panel):
    session.tell_panel("sim-nv", owner="1234abcd-run")
    frames(window, 2)
    editor = panel.boxes["microwave"].rows["frequency"].editor
    assert editor.line.isReadOnly()
    assert "1234abcd" in panel.line.text()
    panel.take_over.setChecked(True)
    assert not editor.line.isReadOnly()
    typed(panel, "microwave", "frequency", "2.91 GHz")
    assert session.asked[-1] == ("set_knob", "sim-nv", "microwave", "frequency", 2.91e9, True)
    session.tell_panel("sim-nv", owner="")
    frames(window, 2)
    assert not panel.take_over.isChecked()


def retold(panel, instrument, knob, **changes):
    told = {
        name: {**box, "knobs": {k: dict(v) for k, v in box["knobs"].items()}}
        for name, box in panel.told.items()
    }
    told[instrument]["knobs"][knob].update(changes)
    panel.show_panel(panel.bench, "", told)


def test_what_a_device_reads_is_said_where_it_is_not_what_it_was_set_to(window, panel):
    row = panel.boxes["microwave"].rows["frequency"]
    retold(panel, "microwave", "frequency", setpoint=2.87e9, value=2.9e9, strays=True)
    assert (row.editor.value(), row.message.text()) == (2.87e9, "It reads 2.9 GHz.")
    assert row.message.isVisible()
    row = typed(panel, "microwave", "frequency", "900 GHz")
    assert "at most" in row.message.text()  # what cannot be sent matters more
    typed(panel, "microwave", "frequency", "2.9 GHz")
    retold(panel, "microwave", "frequency", setpoint=2.9e9, value=2.9e9, strays=False)
    assert not row.message.isVisible()


def test_readings_are_drawn_as_they_come(window, panel):
    counter, source = panel.boxes["counter"].rows["rate"], panel.boxes["microwave"].rows
    assert panel.traces is None
    assert source["on"].trace.isHidden()  # a switch has no trace
    QTest.mouseClick(counter.trace, Qt.MouseButton.LeftButton)
    QTest.mouseClick(source["power"].trace, Qt.MouseButton.LeftButton)
    for value in (1.2e5, 1.3e5, float("nan"), 1.1e5):
        retold(panel, "counter", "rate", value=value, age=0.0)
        frames(window, 1)
    assert panel.traces.isVisible()
    strip = panel.traces.strips["counter", "rate"]
    assert [value for _, value in strip.seen][-3:] == [1.2e5, 1.3e5, 1.1e5]
    ago, shown = strip.line.getData()
    assert list(shown[-3:]) == [1.2e5, 1.3e5, 1.1e5]
    assert ago[-1] == pytest.approx(0, abs=1.0)
    assert "Counter rate 110000 1/s" in panel.traces.line.text()
    QTest.mouseClick(counter.trace, Qt.MouseButton.LeftButton)
    assert set(panel.traces.strips) == {("microwave", "power")}
    panel.show_panel("another", "", {})
    assert not panel.traces.isVisible()


def test_a_lost_instrument_says_so(panel):
    laser = panel.boxes["laser"]
    assert "does not answer" in laser._about.text()
    assert laser._lamp.accessibleName() == "laser is lost"
    assert "12 s ago" in laser.rows["power"].label.text()


def test_a_watchdog_that_fires_is_said_aloud_once(window, session):
    saw = "laser.power is 200 uW (below 1 mW)"
    firing = {"rule": "too weak", "value": 2e-4, "since": "", "action": "pause", "words": saw}
    for _ in range(2):
        session._events.append({"event": "watch", "bench": "sim-nv", "rules": [], "firing": [firing]})
    frames(window, 3)
    said = [label.text() for toast in window.toasts.pile() for label in toast.findChildren(QLabel)]
    assert [words for words in said if words] == [f"Watchdog too weak: {saw}; the run is paused."]
    assert not any("too weak" in line for line in window.log.lines())  # the run's own log line is the one
    session._events.append({"event": "watch", "bench": "sim-nv", "rules": [], "firing": []})
    session._events.append({"event": "watch", "bench": "sim-nv", "rules": [], "firing": [firing]})
    frames(window, 2)
    assert len(window.toasts.pile()) == 2


def test_a_watchdog_is_never_cut_by_its_dialog(window):
    dialog = Watchdogs(window, "sim-nv", [], {"laser.power": "W"}, lambda rules: None)
    dialog.show()
    row = dialog.add()
    dialog.add()
    frames(window, 2)
    right = row.mapTo(dialog, QPoint(row.width(), 0)).x()
    assert row.width() >= row.minimumSizeHint().width()
    assert right <= dialog.width()
    dialog.close()
