"""The pulse view: the program that is played, drawn at any point of its sweep."""

import numpy as np
import pytest

from qlab.catalogue import check
from qlab_ui import sequence
from qlab_ui.panels.sequence import SequencePanel
from qlab_ui.sequence import rotation_name
from tests.ui.steps import frames, settle


@pytest.fixture(scope="module")
def echo():
    return check("nv.hahn_echo", {}, "sim-nv")["program"]


@pytest.mark.parametrize(
    ("rabi", "duration", "phase", "name"),
    [(1e7, 25e-9, 0, "π/2 x"), (1e7, 50e-9, np.pi / 2, "π y"), (1e7, 50e-9, 3 * np.pi / 2, "π −y"),
     (1e7, 36e-9, np.pi / 4, "0.72π 45°"), (1e7, 25e-9, 2 * np.pi, "π/2 x")],
)  # fmt: skip
def test_pulses_are_named_after_their_rotation(rabi, duration, phase, name):
    assert rotation_name(rabi, duration, phase) == name


def test_an_echo_has_three_pulses_and_a_delay_that_is_swept(echo):
    played = sequence.lay_out(echo)
    assert played.channels == ("laser", "mw", "counter")
    pulses = [p for p in played.pulses if p.channel == "mw"]
    gaps = pulses[1].start - pulses[0].stop
    tau = played.points[0][2]
    np.testing.assert_allclose(gaps, tau / 2, atol=1e-12)
    assert "µs" in played.at(10)


def test_the_slider_moves_through_the_sweep(app, echo):
    panel = SequencePanel()
    panel.resize(900, 240)
    panel.show_played(sequence.lay_out(echo), "as the form says")
    panel.show()
    panel.slider.setValue(0)
    first = panel.where.text()
    app.processEvents()
    short = panel.canvas.total()
    panel.slider.setValue(panel.slider.maximum())
    app.processEvents()
    assert panel.where.text() != first
    assert panel.canvas.total() > short
    image = panel.canvas.grab().toImage()
    colours = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert len(colours) > 4  # lanes of more than one colour are drawn
    panel.close()


def test_every_pulse_is_wide_enough_to_see_where_time_is_squeezed(app, echo):
    panel = SequencePanel()
    panel.resize(900, 240)
    panel.show_played(sequence.lay_out(echo), "")
    panel.show()
    panel.slider.setValue(panel.slider.maximum())
    app.processEvents()
    panel.canvas.grab()
    widths = [box.width() for box, pulse in panel.canvas._hit if pulse.channel == "mw"]
    assert min(widths) > 20  # 25 ns beside 100 µs
    panel.scale_box.setChecked(True)
    panel.canvas.grab()
    assert min(box.width() for box, pulse in panel.canvas._hit if pulse.channel == "mw") < 8
    panel.close()


def test_the_window_shows_what_the_form_would_play_and_what_a_run_played(window, session, echo):
    window.docks["sequence"].raise_()
    settle(window.form, window)  # the form has asked, and the fake knows no program
    session._events.append({"event": "checked", "token": 0, "problems": {}, "rows": 1, "seconds": 1.0,
                            "program": echo})  # fmt: skip
    frames(window, 4)
    assert window.sequence.source.text() == "as the form says"
    assert window.sequence.canvas.isVisible()


def test_an_experiment_without_a_sequence_says_so(app):
    panel = SequencePanel()
    panel.show_played(None, "")
    assert "plays no sequence" in panel.empty.text()
    panel.close()
