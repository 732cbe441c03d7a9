"""Knobs: limits refuse on every path, ramps step, readback is compared, make_safe goes on past a failure."""

import itertools
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlab.errors import InstrumentError, LimitError
from qlab.instrument import Instrument, Knob, Switch
from qlab.safety import make_safe


class Source(Instrument):
    voltage = Knob("V", limits=(-1.0, 1.0), safe=0.0, ramp=(0.1, 0.0))
    level = Knob("V", limits=(0.0, 5.0), tolerance=0.01)
    reading = Knob("V", settable=False)
    on = Switch(safe=False)

    def __init__(self):
        super().__init__()
        self.told = []
        self.error = 0.0

    def tell(self, knob, value):
        self.told.append((knob.name, value))
        super().tell(knob, value)

    def ask(self, knob):
        value = super().ask(knob)
        return value + self.error if knob.name == "level" else value


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_no_value_outside_the_limits_reaches_the_device(value):
    source = Source()
    source.soft_limits["voltage"] = (-0.5, 0.5)
    if -0.5 <= value <= 0.5:
        source.voltage = value
        assert source.voltage == value
    else:
        with pytest.raises(LimitError):
            source.voltage = value
    assert all(-0.5 <= told <= 0.5 for name, told in source.told if name == "voltage")


def test_the_message_names_the_limit_that_refused():
    source = Source()
    with pytest.raises(LimitError, match=r"limits of the instrument: -1 V to 1 V"):
        source.voltage = 2.0
    source.soft_limits["voltage"] = (0.0, 0.1)
    with pytest.raises(LimitError, match="limits of the bench: 0 V to 100 mV"):
        source.voltage = 0.5


def test_a_ramp_steps_no_further_than_it_may():
    source = Source()
    source.voltage = 1.0
    steps = [0.0, *(value for name, value in source.told if name == "voltage")]
    assert max(abs(b - a) for a, b in itertools.pairwise(steps)) <= 0.1 + 1e-12
    assert steps[-1] == 1.0


def test_a_readback_that_is_off_is_an_error():
    source = Source()
    source.level = 1.0
    source.error = 0.1
    with pytest.raises(InstrumentError, match=r"was set to 2 V and reads 2\.1 V"):
        source.level = 2.0


def test_a_reading_cannot_be_set():
    with pytest.raises(LimitError, match="can only be read"):
        Source().reading = 1.0


def test_make_safe_switches_off_first_and_goes_on_past_a_failure():
    class Stubborn(Source):
        def tell(self, knob, value):
            if knob.name == "on":
                raise InstrumentError("the switch is stuck.")
            super().tell(knob, value)

    source = Source()
    source.on, source.voltage = True, 0.5
    source.told.clear()
    source.make_safe()
    assert source.told[0] == ("on", False)
    assert source.told[-1] == ("voltage", 0.0)
    stubborn = Stubborn()
    stubborn.voltage = 0.5
    with pytest.raises(InstrumentError, match="stuck"):
        stubborn.make_safe()
    assert stubborn.voltage == 0.0


def test_changes_are_heard():
    source, heard = Source(), []
    source.on_change = lambda *change: heard.append(change)
    source.on = True
    source.level = 1.5
    assert heard == [("Source", "on", True), ("Source", "level", 1.5)]


def test_a_snapshot_keeps_units_and_says_what_failed():
    class Mute(Source):
        def ask(self, knob):
            if knob.name == "level":
                raise InstrumentError("no answer.")
            return super().ask(knob)

    state = Mute().snapshot()
    assert state["voltage"] == {"value": 0.0, "unit": "V"}
    assert state["level"]["error"] == "no answer."


def test_a_panel_shows_what_was_set_beside_what_is_read():
    class Rounding(Instrument):
        power = Knob("dBm", limits=(-60, 20), tolerance=None)
        level = Knob("V", limits=(-1, 1), tolerance=0.1)
        on = Switch()

    made = Rounding()
    made.name = "source"
    assert made.panel()["knobs"]["power"]["setpoint"] is None
    made.power, made.level, made.on = -13.98, 0.5, True
    made._held["power"] = -13.975  # as a device rounds
    made.refresh()
    shown = made.panel()["knobs"]
    assert (shown["power"]["setpoint"], shown["power"]["value"], shown["power"]["strays"]) == (
        -13.98,
        -13.975,
        False,
    )
    made._held.update(power=-10.0, level=0.55, on=False)  # as somebody turns at its front
    made.refresh()
    shown = made.panel()["knobs"]
    assert {name: knob["strays"] for name, knob in shown.items()} == {
        "power": True,
        "level": False,
        "on": True,
    }
    made._held["level"] = 0.7
    Rounding.ask = lambda self, knob: 0.7
    with pytest.raises(InstrumentError):
        made.level = 0.5
    assert made.panel()["knobs"]["level"]["strays"]


def test_a_ramp_can_be_read_on_its_way_and_is_broken_off_from_another_thread():
    class Magnet(Instrument):
        current = Knob("A", limits=(0, 100), safe=0.0, rate=20.0)

    magnet = Magnet()
    magnet.name = "magnet"
    magnet.current = 0.0
    failures = []

    def ramp():
        try:
            magnet.current = 60.0
        except InstrumentError as error:
            failures.append(str(error))

    thread = threading.Thread(target=ramp)
    thread.start()
    until = time.monotonic() + 5
    while not 1 < magnet.read_knob(magnet.knobs()["current"]) < 50 and time.monotonic() < until:
        time.sleep(0.01)
    assert magnet.ramping == "current"
    assert magnet.panel()["knobs"]["current"]["strays"]
    began = time.monotonic()
    report = make_safe([magnet])
    thread.join(5)
    assert report == {"magnet": "safe"}
    assert len(failures) == 1
    assert "was broken off at" in failures[0]
    assert magnet.current == 0
    assert time.monotonic() - began < 10
    magnet.break_off()  # without a ramp nothing happens
    magnet.current = 1.0
    assert (magnet.current, magnet.ramping) == (1.0, "")
