"""The state beside the pulses, the truth on demand, the tour: with real keys and presses."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

import qlab
from qlab.catalogue import check
from qlab.grid import MemoryRows
from qlab_ui import theme
from qlab_ui.plots.bloch import BlochSphere
from qlab_ui.tour import STEPS
from tests.ui.steps import finish, frames, settle, until


@pytest.fixture(scope="module")
def ramsey():
    return check("nv.ramsey", {"tau": "0us:2us:21"}, "sim-nv")["program"]


@pytest.fixture
def looking(window, session, ramsey):
    """A window that looks at the sequence of the form."""
    window.docks["sequence"].show()
    window.docks["sequence"].raise_()
    settle(window.form, window)  # the form has asked, and the fake knows no program
    session._events.append({"event": "checked", "token": 0, "problems": {}, "rows": 1, "seconds": 1.0,
                            "program": ramsey})  # fmt: skip
    until(window, lambda: window.sequence.path is not None, 50)
    return window


def test_the_state_comes_with_the_sequence_and_follows_the_slider(looking, session):
    panel = looking.sequence
    assert panel.sphere.isVisible()
    assert "SIM" in panel.moment.text()
    first = panel.path
    panel.slider.setFocus()
    QTest.keyClick(panel.slider, Qt.Key.Key_End)
    until(looking, lambda: panel.path is not first, 50)
    points = [asked[2] for asked in session.asked if asked[0] == "follow"]
    assert points == [0, 20]
    frames(looking, 5)
    assert len([asked for asked in session.asked if asked[0] == "follow"]) == 2  # not asked again and again
    panel.state_box.click()
    assert not panel.sphere.isVisible()


def test_the_cursor_scrubs_the_state(looking):
    panel, canvas = looking.sequence, looking.sequence.canvas
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.cursor_time == 0
    begin = panel.sphere.vector().copy()
    area = canvas._area()
    pulses = [p for p in panel.played.pulses if p.kind == "play"]
    # The mouse goes to the middle of the first pulse: half of π/2 has been turned, about x.
    middle = float(pulses[0].start[0] + pulses[0].stop[0]) / 2
    QTest.mouseMove(canvas, QPoint(round(canvas._x(middle, area)), 10))
    frames(looking)
    assert canvas.cursor_time == pytest.approx(middle, abs=2e-9)
    vector = panel.sphere.vector()
    assert np.linalg.norm(vector - begin) > 0.5
    assert abs(vector[0]) < 0.05
    assert vector[1] == pytest.approx(-vector[2], abs=0.1)
    assert "a pulse turns it about x 1.00" in panel.sphere.accessibleDescription()
    assert "mₛ" in canvas.accessibleDescription()
    before = canvas._window
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas._window[1] - canvas._window[0] < before[1] - before[0]
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas._window == (0.0, 1.0)


def test_a_real_bench_says_that_nobody_knows(looking, session, ramsey):
    looking.bench.simulated = False
    looking.sequence.slider.setValue(7)
    frames(looking, 3)
    assert not looking.sequence.sphere.isVisible()
    assert "nobody knows" in looking.sequence.why.text()


@pytest.mark.parametrize("look", ["light", "dark"])
def test_the_sphere_is_drawn_in_both_themes_and_can_be_turned(app, look):
    theme.apply(app, look)
    sphere = BlochSphere()
    sphere.resize(240, 240)
    sphere.show_path(np.array([[0, 0.7, 1.0], [0, 0, 0], [-1, -0.7, 0]]), ("up", "down"))
    sphere.show_moment(2, (1.0, 0.0, 0.0))
    sphere.show()
    app.processEvents()
    before = sphere.grab().toImage()
    colours = {before.pixelColor(x, y).name() for x in range(0, 240, 2) for y in range(0, 240, 2)}
    assert theme.current().text in colours  # the vector
    sphere.setFocus()
    QTest.keyClick(sphere, Qt.Key.Key_Left)
    assert sphere.grab().toImage() != before
    sphere.close()


def texts(window):
    return [name.text() for name, _ in window.result._values._labels if name.isVisible()]


def test_the_truth_is_shown_when_it_is_asked_for_and_remembered(window):
    window.call("run")
    finish(window)
    assert "truth (SIM)" not in texts(window)
    button = window.result.reveal_button
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    frames(window, 2)
    assert "truth (SIM)" in texts(window)
    assert window.bars.actions["reveal"].isChecked()
    assert window.settings.reveal
    window.bars.actions["reveal"].trigger()
    frames(window, 2)
    assert "truth (SIM)" not in texts(window)
    assert not button.isChecked()


def test_the_record_hides_the_truth_too(window):
    window.call("run")
    finish(window)
    page = window.centre.current()
    page.record = page.record.model_copy(update={"truth": {"B": 2e-3}})
    tree = window.record.record
    tree.show_record(None)
    tree.show_record(page.record)
    names = [tree.topLevelItem(i).text(0) for i in range(tree.topLevelItemCount())]
    assert "Truth" not in names
    tree.revealed = True
    tree.show_record(page.record)
    names = [tree.topLevelItem(i).text(0) for i in range(tree.topLevelItemCount())]
    assert "Truth" in names


def test_the_tour_goes_through_the_window_by_keys(window):
    QTest.mouseClick(window.welcome.tour_button, Qt.MouseButton.LeftButton)
    seen = []
    for step in STEPS:
        frames(window, 2)
        callout = window.tour.callout
        assert callout.title.text() == step.title
        assert window.rect().contains(callout.geometry())
        assert not callout.isModal()
        seen.append(callout.geometry())
        assert step.widget(window).isVisible()
        QTest.keyClick(window.focusWidget() or callout, Qt.Key.Key_Return)
    assert window.tour.callout is None
    assert len({(place.x(), place.y()) for place in seen}) > 4
    assert window.findChild(QPushButton, "welcome_run") is not None


def test_the_tour_can_be_left_and_holds_nothing_up(window, session):
    window.call("tour")
    QTest.keyClick(window.tour.callout.on, Qt.Key.Key_Right)
    QTest.keyClick(window.tour.callout.on, Qt.Key.Key_Left)
    assert window.tour.callout.title.text() == STEPS[0].title
    window.call("run")
    frames(window, 2)
    assert session.orders
    QTest.keyClick(window.tour.callout.on, Qt.Key.Key_Escape)
    assert window.tour.callout is None
    window.call("tour")
    window.tour.callout.leave.click()
    assert window.tour.callout is None


def test_the_expected_curve_is_drawn_from_the_model(window, worker, tmp_path):
    run = qlab.run("nv.ramsey", qlab.Bench.load("sim-nv", seed=1), tau="0us:4us:41", shots=2000, out=tmp_path)
    rows = MemoryRows({c.name: np.array(run.rows.column(c.name)) for c in run.record.columns if not c.shape})
    page = window.centre.open(run.record, rows, run.path)
    window.bars.actions["expected"].trigger()
    frames(window, 3)
    line = page._expectation.line
    assert len(line.xData) == 41
    assert "design" in page._expectation.name.text
    window.bars.actions["expected"].trigger()
    frames(window, 3)
    assert not len(line.xData if line.xData is not None else ())
