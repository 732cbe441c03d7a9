"""QCoDeS's own simulated instruments and PyMeasure classes as ours: knobs, ramps, choices, overlays, deadlines."""

import time

import pytest

from qlab.bench import Bench
from qlab.conformance import conform
from qlab.errors import InstrumentError, LimitError, LostError, UsageError
from qlab.roles import VoltageSource, lacks
from qlab_instruments.foreign.found import Found, knobs_of, of_values
from qlab_instruments.foreign.instrument import class_at
from qlab_instruments.foreign.pymeasure import PyMeasure, properties
from qlab_instruments.foreign.qcodes import QCoDeS
from qlab_instruments.foreign.worker import Worker

pytest.importorskip("qcodes")
pytest.importorskip("pymeasure")

MOCK = "mock_instruments.DummyInstrument"


def test_a_mock_instrument_of_qcodes_conforms():
    device = QCoDeS(MOCK, gates=["dac1", "dac2"])
    assert {"dac1", "dac2"} <= set(device.knobs())
    assert device.knobs()["dac1"].unit == "V"
    assert device.knobs()["dac1"].limits == (-800, 400)
    assert [c for c in conform(device, move=True) if not c.ok] == []


def test_channels_become_knobs_with_their_path():
    device = QCoDeS("mock_instruments.DummyChannelInstrument")
    assert "A_temperature" in device.knobs()
    device.open()
    device.A_temperature = 42.0
    assert device.A_temperature == 42.0
    device.close()


def test_a_ramp_of_qcodes_is_kept(monkeypatch):
    from qcodes.instrument_drivers.mock_instruments import DummyInstrument

    made = DummyInstrument.__init__

    def slow(self, *arguments, **options):
        made(self, *arguments, **options)
        self.dac1.step, self.dac1.inter_delay = 0.5, 0.001

    monkeypatch.setattr(DummyInstrument, "__init__", slow)
    device = QCoDeS(MOCK, gates=["dac1"])
    assert device.knobs()["dac1"].ramp == (0.5, 0.001)
    told = []
    device.on_told = lambda knob, value: told.append(value)
    device.open()
    device.dac1 = 2.0
    assert told == [0.5, 1.0, 1.5, 2.0]
    device.close()


def test_lakeshore_of_qcodes_over_its_simulation():
    device = QCoDeS(
        "Lakeshore.LakeshoreModel335",
        address="GPIB::2::INSTR",
        pyvisa_sim_file="lakeshore_model335.yaml",
        timeout=5.0,
    )
    assert len(device.knobs()) > 30
    device.open()
    device.output_1_P = 12.0
    assert device.output_1_P == 12.0
    device.close()


def test_the_overlay_of_a_bench_file_names_limits_and_hides(tmp_path):
    bench = tmp_path / "b.toml"
    bench.write_text(
        f"""
[instruments.gates]
driver = "qcodes:{MOCK}"
[instruments.gates.options]
gates = ["dac1", "dac2"]
names = {{voltage = "dac1"}}
[instruments.gates.options.knobs]
voltage = {{limits = ["-1 V", "500 mV"], safe = 0, settle = "1 ms", tolerance = "1 mV"}}
dac2 = {{hidden = true}}
[roles]
voltage_source = "gates"
"""
    )
    made = Bench.load(bench)
    gates = made.instruments["gates"]
    assert "dac1" not in gates.knobs()
    assert "dac2" not in gates.knobs()
    assert lacks(gates, VoltageSource) == []
    made.open()
    gates.voltage = 0.4
    with pytest.raises(LimitError, match="-1 V to 500 mV"):
        gates.voltage = 0.6
    assert made.make_safe(close=True) == {"gates": "safe"}
    assert gates.known["voltage"][0] == 0.0


def test_a_second_load_asks_no_device(monkeypatch):
    QCoDeS(MOCK, gates=["dac1"])
    from qcodes.instrument_drivers.mock_instruments import DummyInstrument

    monkeypatch.setattr(DummyInstrument, "__init__", lambda *a, **k: pytest.fail("connected"))
    assert "dac1" in QCoDeS(MOCK, gates=["dac1"]).knobs()


def test_a_driver_that_hangs_is_cut_off_and_left_behind(monkeypatch):
    device = QCoDeS(MOCK, gates=["dac1"], timeout=0.2)
    device.open()
    monkeypatch.setattr(device._driver.dac1, "get", lambda: time.sleep(0.8))
    since = time.monotonic()
    with pytest.raises(LostError, match=r"did not come back within 0\.2 s"):
        _ = device.dac1
    with pytest.raises(LostError, match="still hangs"):
        _ = device.dac1
    assert time.monotonic() - since < 0.7
    device.close()
    device.open()
    assert device.dac1 == 0
    device.close()


def test_errors_of_a_driver_are_one_kind(monkeypatch):
    import pyvisa

    device = QCoDeS(MOCK, gates=["dac1"])
    device.open()
    for raised, kind in (
        (ValueError("parse"), InstrumentError),
        (KeyError("x"), InstrumentError),
        (BrokenPipeError(), LostError),
        (pyvisa.errors.VisaIOError(pyvisa.constants.StatusCode.error_timeout), LostError),
    ):

        def get(raised=raised):
            raise raised

        monkeypatch.setattr(device._driver.dac1, "get", get)
        with pytest.raises(kind):
            _ = device.dac1
    device.close()


def test_what_pymeasure_tells_of_its_properties():
    found = {
        f.name: f for f in properties(class_at("srs.SR830", "pymeasure.instruments", "pymeasure"), set())
    }
    assert (found["sine_voltage"].unit, found["sine_voltage"].low, found["sine_voltage"].high) == (
        "V",
        0.004,
        5.0,
    )
    assert found["x"].settable is False
    assert found["sensitivity"].raws[-1] == 1.0
    many = properties(class_at("keithley.Keithley2400", "pymeasure.instruments", "pymeasure"), set())
    assert sum(1 for _ in many) > 30


def test_every_family_of_either_library_is_one_line():
    with pytest.raises(UsageError, match=r"has no driver 'srs\.SR999'"):
        PyMeasure("srs.SR999", address="GPIB::1")
    with pytest.raises(UsageError, match=r"has no driver 'nowhere\.At'"):
        QCoDeS("nowhere.At")


def test_values_become_switches_choices_or_numbers():
    assert of_values("a", ["ON", "on", "OFF", "off", "1", "0"]).kind == "switch"
    assert of_values("a", [True, False]).raws == (False, True)
    assert of_values("a", [1, 2, 5]).raws == (1, 2, 5)
    assert of_values("a", ["SIN", "SQU"]).kind == "choice"
    with pytest.raises(UsageError, match="has no 'b'"):
        knobs_of([Found("a")], {"x": {"from": "b"}})


def test_a_worker_hands_over_what_was_raised():
    worker = Worker("test")
    assert worker.call(lambda: 2 + 2, 1.0) == 4
    with pytest.raises(ZeroDivisionError):
        worker.call(lambda: 1 / 0, 1.0)
    worker.end()
