"""A real Tango device, in a process of its own, as an instrument."""

import pytest

import qlab
from qlab.bench import Bench
from qlab.conformance import conform
from qlab.errors import InstrumentError, LimitError, LostError, UsageError
from tests.instruments.served import SERVERS, Started, free_port, until_open
from tests.instruments.test_same_experiment import MIXED, SETTINGS, right

# What a reading that calls itself invalid does to the conformance suite.
BROKEN = {"source: its driver failed (ValueError: B"}


@pytest.fixture
def tango():
    """Start Tango devices without a database; yields a function that gives their names."""
    pytest.importorskip("tango")
    started = []

    def start(port=0, **environment):
        port = port or free_port()
        command = [
            str(SERVERS / "tango_source.py"),
            "test",
            "-nodb",
            "-host",
            "127.0.0.1",
            "-port",
            str(port),
        ]
        started.append(Started([*command, "-dlist", "lab/mw/1"], "Ready", environment))
        return started[-1], f"//127.0.0.1:{port}/lab/mw/1#dbase=no"

    yield start
    for one in started:
        one.kill()


def tango_bench(tmp_path, name, more=""):
    path = tmp_path / "mixed.toml"
    knobs = '{frequency = {from = "Frequency"}, power = {from = "Power"}'
    knobs += ', on = {from = "State", calls = ["Off", "On"], safe = false}}'
    path.write_text(
        MIXED.format(driver=f"tango:{name}", options=f'{{identifies = "Source", knobs = {knobs}{more}}}')
    )
    return path


def test_f_a_tango_device_in_the_same_experiment(tmp_path, tango):
    _, name = tango()
    bench = Bench.load(tango_bench(tmp_path, name), seed=4)
    run = qlab.run("nv.cw_odmr", bench, out=tmp_path, **SETTINGS)
    right(run)
    assert run.record.bench["instruments"]["source"]["identity"]["model"] == "Source"
    assert run.record.safe_report["source"] == "safe"
    assert bench.instruments["source"].known["on"][0] is False


def test_what_a_tango_device_tells_becomes_knobs(tmp_path, tango):
    _, name = tango()
    bench = Bench.load(tango_bench(tmp_path, name))
    source = bench.instruments["source"]
    assert {c.seen[:40] for c in conform(source, move=True) if not c.ok} <= BROKEN
    source.open()
    assert source.span("frequency") == pytest.approx((1e6, 20e9))
    assert source.knobs()["power"].doc == "At the output"
    assert {"Label", "Trace", "Status"}.isdisjoint(source.knobs())
    source.frequency = 2.87e9  # it moves for 50 ms, and is waited for
    assert source.frequency == pytest.approx(2.87e9, rel=1e-12)
    source.Mode = "SWEEP"
    assert source.Mode == "SWEEP"
    source.on = True
    assert source.on is True
    with pytest.raises(LimitError, match="20 GHz"):
        source.frequency = 21e9
    with pytest.raises(InstrumentError, match="has lost its lock"):
        source.frequency = 13e9
    source.close()


def test_a_value_that_calls_itself_invalid_is_none(tmp_path, tango):
    _, name = tango()
    source = Bench.load(tango_bench(tmp_path, name)).instruments["source"]
    source.open()
    with pytest.raises(InstrumentError, match="Broken is invalid"):
        _ = source.Broken
    source.close()


def test_another_device_and_one_that_nobody_serves(tmp_path, tango):
    with pytest.raises(UsageError, match="cannot be looked up"):
        Bench.load(tango_bench(tmp_path, f"//127.0.0.1:{free_port()}/lab/mw/1#dbase=no", ", timeout = 1.0"))
    _, name = tango()
    path = tango_bench(tmp_path, name)
    path.write_text(path.read_text().replace('"Source"', '"Sink"'))
    with pytest.raises(InstrumentError, match=r"is not what the bench file expects.*Source"):
        Bench.load(path).open()


def test_limits_are_those_of_today_and_another_unit_is_refused(tmp_path, tango):
    port = free_port()
    one, name = tango(port)
    path = tango_bench(tmp_path, name, ", timeout = 1.0")
    source = Bench.load(path).instruments["source"]
    one.kill()
    Bench.load(path)  # a bench can be read while its server is down
    two, _ = tango(port, MOST="6")
    until_open(source)
    assert source.span("frequency") == pytest.approx((1e6, 6e9))
    source.close()
    two.kill()
    tango(port, EGU="MHz")
    with pytest.raises(InstrumentError, match="a number in GHz then, a number in MHz now"):
        until_open(source)
    again = Bench.load(path).instruments["source"]
    until_open(again)
    again.frequency = 2.87e9
    assert again.frequency == pytest.approx(2.87e9, rel=1e-12)
    again.close()


def test_a_server_that_is_killed_is_lost_and_comes_back(tmp_path, tango):
    port = free_port()
    one, name = tango(port)
    source = Bench.load(tango_bench(tmp_path, name, ", timeout = 0.5")).instruments["source"]
    source.open()
    assert source.power == -30
    one.kill()
    with pytest.raises(LostError):
        _ = source.power
    tango(port)
    until_open(source)
    assert source.power == -30
    source.close()
