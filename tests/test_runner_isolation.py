"""A driver that hangs, drops or dies: cut off, reconnected and checked, or the run ends safe without it."""

import threading
import time

import pytest

from qlab import registry
from qlab.errors import InstrumentError, LostError, QlabError
from qlab.runner import Runner
from qlab.running import reconnect
from qlab.store import open_run
from tests.flaky import flaky_bench, install


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    install()
    monkeypatch.setattr(reconnect, "WAIT", 0.01)
    yield
    registry.plugins.cache_clear()


def run_with(tmp_path, trouble, at=5, **settings):
    """Run, with a trouble in the reading after so many rows; return (run or error, events, bench, final path)."""
    bench, events = flaky_bench(), []
    device = bench.instruments["flaky"]

    def hear(event):
        events.append(event)

    made = Runner(bench, "tests.reading", settings, tmp_path, tell=hear)
    take = made.output.take

    def meet(block):
        went = take(block)
        if made.ledger.row == at:
            device.trouble = trouble
        return went

    made.output.take = meet
    try:
        result = made.run()
    except QlabError as error:
        result = error
    return result, events, bench, [e for e in events if e["event"] == "state"][-1]["path"]


def states(events):
    return [e["state"] for e in events if e["event"] == "state"]


@pytest.mark.parametrize("trouble", ["drop", "hang"])
def test_a_lost_instrument_is_reconnected_and_the_run_goes_on(tmp_path, trouble):
    run, events, bench, _ = run_with(tmp_path, trouble)
    assert (run.state, len(run)) == ("finished", 40)
    assert states(events) == ["preparing", "running", "paused", "running", "finished"]
    assert "reconnecting to flaky" in [e["reason"] for e in events if e["event"] == "state"]
    assert any("is back" in entry["message"] for entry in run.record.log)
    assert bench.instruments["flaky"].opened == 2
    assert set(run.record.safe_report.values()) == {"safe"}


def test_an_instrument_that_comes_back_with_other_settings_ends_the_run(tmp_path):
    bench, events = flaky_bench(), []
    device = bench.instruments["flaky"]
    device.forgets = True
    made = Runner(bench, "tests.reading", {}, tmp_path, tell=events.append)
    original = made.output.take
    made.output.take = lambda block: (
        original(block),
        setattr(device, "trouble", "drop" if made.ledger.row == 5 else ""),
    )[0]
    with pytest.raises(
        InstrumentError, match=r"came back with drive = 0 V instead of .* switched off and on"
    ):
        made.run()
    assert len(open_run(events[-1]["path"])) == 5


def test_another_instrument_at_the_address_ends_the_run(tmp_path):
    bench = flaky_bench()
    device = bench.instruments["flaky"]
    made = Runner(bench, "tests.reading", {}, tmp_path)
    original = made.output.take

    def swap(block):
        went = original(block)
        if made.ledger.row == 3:
            device.trouble, device.serial = "drop", "2"
        return went

    made.output.take = swap
    with pytest.raises(
        InstrumentError, match="Another instrument answers in place of flaky: flaky 2 instead"
    ):
        made.run()


def test_one_that_stays_away_is_named_with_what_it_was_told_last(tmp_path):
    bench, events = flaky_bench(), []
    device = bench.instruments["flaky"]
    made = Runner(bench, "tests.reading", {}, tmp_path, tell=events.append)
    original = made.output.take

    def leave(block):
        went = original(block)
        if made.ledger.row == 10:
            device.trouble, device.unreachable = "drop", True
        return went

    made.output.take = leave
    with pytest.raises(InstrumentError, match="could not be reached again in 3 tries") as caught:
        made.run()
    assert "power and cable" in caught.value.hint
    run = open_run(events[-1]["path"])
    assert (run.state, len(run)) == ("failed", 10)
    assert run.record.safe_report["other"] == "safe"
    assert "NOT SAFE" in run.record.safe_report["flaky"]
    assert "drive 526.316 mV at" in run.record.safe_report["flaky"]


def test_a_call_that_never_returns_costs_its_thread_and_nothing_else(tmp_path):
    began = time.monotonic()
    error, _, bench, path = run_with(tmp_path, "stuck")
    device = bench.instruments["flaky"]
    assert time.monotonic() - began < 8
    assert isinstance(error, LostError)
    assert "hangs in ask" in str(error)
    assert "Switch flaky off and on" in error.hint
    run = open_run(path)
    assert (run.state, len(run)) == ("failed", 5)
    # The instrument let itself be reached on a fresh connection; the other one was never in doubt.
    assert run.record.safe_report == {"flaky": "safe", "other": "safe"}
    told = len(device.told)
    device.free.set()
    for thread in [t for t in threading.enumerate() if t.name == "qlab run"]:
        thread.join(5)
        assert not thread.is_alive()
    # The thread that was given up woke, and could neither command anything nor write a row.
    assert len(device.told) == told
    assert len(open_run(path)) == 5


def test_halt_sends_no_further_command_and_does_not_wait_for_the_experiment(tmp_path):
    bench, events = flaky_bench(), []
    made = Runner(bench, "tests.reading", {"wait": 0.05, "points": 1000}, tmp_path, tell=events.append)
    done = []
    thread = threading.Thread(target=lambda: done.append(made.run()))
    thread.start()
    while made.ledger.row < 5:
        time.sleep(0.01)
    device = bench.instruments["flaky"]
    made.halt()
    at_halt = len(device.told)
    thread.join(10)
    run = done[0]
    assert (run.state, run.record.reason) == ("stopped", "halted")
    after = device.told[at_halt:]
    assert after == [("on", False), ("drive", 0.0), ("slow", 0.0)]


def test_making_safe_waits_for_no_one_and_happens_side_by_side(monkeypatch):
    from qlab import safety

    monkeypatch.setattr(safety, "DEADLINE", 0.4)
    bench = flaky_bench()
    bench.open()
    stuck, other = bench.instruments["flaky"], bench.instruments["other"]
    stuck.drive = 1.5
    stuck.make_safe = lambda: stuck.free.wait(30)
    other.make_safe = lambda: time.sleep(0.3)
    began = time.monotonic()
    report = bench.make_safe()
    assert time.monotonic() - began < 0.65
    assert report["other"] == "safe"
    assert report["flaky"].startswith("NOT REACHED within")
    assert "drive 1.5 V" in report["flaky"]
    assert "Check flaky by hand" in report["flaky"]
    stuck.free.set()


def test_two_threads_never_speak_to_one_instrument_at_once():
    bench = flaky_bench()
    device = bench.instruments["flaky"]
    inside, worst = [0], [0]
    tell = type(device).tell

    class Counting(type(device)):
        def tell(self, knob, value):
            inside[0] += 1
            worst[0] = max(worst[0], inside[0])
            time.sleep(0.002)
            tell(self, knob, value)
            inside[0] -= 1

    device = Counting()
    threads = [
        threading.Thread(target=lambda: [setattr(device, "drive", 0.1 * i) for i in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst[0] == 1
