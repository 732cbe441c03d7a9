"""A real EPICS server, in a process of its own, as an instrument."""

import threading

import pytest

import qlab
from qlab.bench import Bench
from qlab.conformance import conform
from qlab.errors import InstrumentError, LimitError, LostError, UsageError
from tests.instruments.served import SERVERS, Started, free_port, until_open
from tests.instruments.test_same_experiment import MIXED, SETTINGS, right

ON = ', knobs = {on = {kind = "switch", safe = false}}'  # the server calls it Muted and Radiating
PVS = 'frequency = ["FREQ", "FREQ_RBV"], power = "POW", on = "RF", mode = "MODE", temperature = ["", "TEMP"]'


@pytest.fixture
def ioc(monkeypatch):
    """Start EPICS servers, one after the other, at the same port, and look for them there."""
    pytest.importorskip("caproto")
    pytest.importorskip("softioc")
    port, started = free_port(), []
    monkeypatch.setenv("EPICS_CA_AUTO_ADDR_LIST", "NO")
    monkeypatch.setenv("EPICS_CA_ADDR_LIST", f"127.0.0.1:{port}")

    def start(**environment):
        at = {"EPICS_CAS_SERVER_PORT": str(port), "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1"}
        started.append(Started([str(SERVERS / "epics_source.py")], "ready", {**at, **environment}))
        return started[-1]

    yield start
    for one in started:
        one.kill()


def epics_bench(tmp_path, more="", pvs=PVS, model="MODEL 1"):
    path = tmp_path / "mixed.toml"
    options = f'{{who = "IDN", identifies = "{model}", pvs = {{{pvs}}}{more}}}'
    path.write_text(MIXED.format(driver="epics:LAB:MW:", options=options))
    return path


def test_g_an_epics_server_in_the_same_experiment(tmp_path, ioc):
    ioc()
    bench = Bench.load(epics_bench(tmp_path, ON), seed=4)
    run = qlab.run("nv.cw_odmr", bench, out=tmp_path, **SETTINGS)
    right(run)
    held = run.record.bench["instruments"]["source"]
    assert held["identity"]["serial"] == "42"
    assert held["knobs"]["frequency"]["unit"] == "Hz"
    assert run.record.safe_report["source"] == "safe"
    assert bench.instruments["source"].known["on"][0] is False


def test_what_an_epics_server_tells_becomes_knobs(tmp_path, ioc):
    ioc()
    source = Bench.load(epics_bench(tmp_path, ON)).instruments["source"]
    assert [c for c in conform(source, move=True) if not c.ok] == []
    source.open()
    assert source.span("frequency") == pytest.approx((1e6, 20e9))
    assert source.span("power") == (-120, 20)
    assert not source.knobs()["temperature"].settable
    assert source.temperature == 300
    source.frequency = 2.87e9
    assert source.frequency == pytest.approx(2.87e9, rel=1e-12)
    assert source.mode == "CW"
    source.mode = "List"
    assert source.mode == "List"
    source.on = True
    assert source.on is True
    with pytest.raises(LimitError, match="20 GHz"):
        source.frequency = 21e9
    source.close()


def test_a_value_that_calls_itself_invalid_is_none(tmp_path, ioc):
    ioc()
    source = Bench.load(epics_bench(tmp_path, pvs=PVS + ', broken = ["", "BROKEN"]')).instruments["source"]
    source.open()
    with pytest.raises(InstrumentError, match="LAB:MW:BROKEN calls its value invalid"):
        _ = source.broken
    source.close()


def test_another_device_and_variables_that_nobody_serves(tmp_path, ioc):
    with pytest.raises(UsageError, match=r"cannot be looked up.*nobody serves LAB:MW:FREQ"):
        Bench.load(epics_bench(tmp_path, ", timeout = 0.5"))
    ioc()
    with pytest.raises(InstrumentError, match=r"is not what the bench file expects.*MODEL 1"):
        Bench.load(epics_bench(tmp_path, model="MODEL 2")).open()
    with pytest.raises(UsageError, match=r"nobody serves LAB:MW:NONE[.]"):
        Bench.load(epics_bench(tmp_path, ", timeout = 0.5", PVS + ', none = "NONE"'))
    with pytest.raises(UsageError, match="'none' has no variable"):
        Bench.load(epics_bench(tmp_path, pvs=PVS + ", none = []"))


def test_limits_are_those_of_today_and_another_unit_is_refused(tmp_path, ioc):
    one = ioc()
    path = epics_bench(tmp_path, ", timeout = 1.0")
    source = Bench.load(path).instruments["source"]
    one.kill()
    Bench.load(path)  # a bench can be read while its server is down
    two = ioc(MOST="6")
    until_open(source)
    assert source.span("frequency") == pytest.approx((1e6, 6e9))
    source.close()
    two.kill()
    ioc(EGU="MHz")
    with pytest.raises(InstrumentError, match="a number in GHz then, a number in MHz now"):
        until_open(source)
    again = Bench.load(path).instruments["source"]
    until_open(again)
    again.frequency = 2.87e9
    assert again.frequency == pytest.approx(2.87e9, rel=1e-12)
    again.close()


def test_a_server_that_is_killed_is_lost_and_comes_back(tmp_path, ioc):
    one = ioc()
    source = Bench.load(epics_bench(tmp_path, ", timeout = 0.5")).instruments["source"]
    source.open()
    assert source.power == -30
    one.kill()
    with pytest.raises(LostError):
        _ = source.power
    ioc()
    until_open(source)
    assert source.power == -30
    source.close()


def test_nothing_is_left_running_when_it_is_closed(tmp_path, ioc):
    ioc()
    before = {thread.ident for thread in threading.enumerate()}
    source = Bench.load(epics_bench(tmp_path)).instruments["source"]
    source.open()
    assert {thread.ident for thread in threading.enumerate()} > before
    source.close()
    assert [thread for thread in threading.enumerate() if thread.ident not in before] == []
