"""The runner: states, pause, stop, halt, and every failure ends with the file complete and the bench safe."""

import signal
import threading
import time

import numpy as np
import pytest

import qlab
from qlab.bench import Bench
from qlab.errors import InstrumentError, QlabError, UsageError
from qlab.runner import Runner
from qlab.store import open_run

FAST = {"tau": "0us:2us:21", "shots": "200", "passes": 10}


def runner(tmp_path, events=None, bench=None, pace=None, **parameters):
    return Runner(
        bench or Bench.load("sim-nv", seed=1),
        "nv.ramsey",
        {**FAST, **parameters},
        tmp_path,
        pace=pace,
        tell=events.append if events is not None else None,
    )


def states(events):
    return [e["state"] for e in events if e["event"] == "state"]


def in_background(made):
    done = {}

    def work():
        try:
            done["run"] = made.run()
        except QlabError as error:
            done["error"] = error

    thread = threading.Thread(target=work, name="qlab test run")
    thread.start()
    return thread, done


def wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_run_goes_from_queued_to_finished_with_all_its_rows(tmp_path):
    events = []
    run = runner(tmp_path, events).run()
    assert states(events) == ["preparing", "running", "finished"]
    assert (run.state, len(run)) == ("finished", 210)
    assert set(run.record.safe_report.values()) == {"safe"}
    assert run.record.programs[0]["shots"] == 200
    assert run["shots"].sum() == 21 * 200
    assert [e["done"] for e in events if e["event"] == "progress"][-1] == 210


def test_shots_are_split_over_passes_to_the_last_one(tmp_path):
    run = runner(tmp_path, shots="23", passes=10).run()
    per_point = np.bincount(np.arange(len(run)) % 21, weights=run["shots"])
    assert set(per_point) == {23.0}


def test_pause_holds_and_resume_goes_on_with_the_same_rows(tmp_path):
    events = []
    made = runner(tmp_path / "a", events, pace=3.0)
    thread, done = in_background(made)
    wait_for(lambda: made.ledger.row > 20)
    made.pause()
    wait_for(lambda: made.state == "paused")
    held = made.ledger.row
    time.sleep(0.4)
    assert made.ledger.row == held
    made.resume()
    thread.join(20)
    assert states(events) == ["preparing", "running", "paused", "running", "finished"]
    plain = runner(tmp_path / "b").run()
    for name in ("counts", "reference", "tau", "time"):
        assert np.array_equal(done["run"][name], plain[name]), name


@pytest.mark.parametrize("paused", [False, True])
def test_stop_keeps_what_was_measured(tmp_path, paused):
    made = runner(tmp_path, pace=5.0)
    thread, done = in_background(made)
    wait_for(lambda: made.ledger.row > 20)
    if paused:
        made.pause()
        wait_for(lambda: made.state == "paused")
    made.stop()
    made.resume()  # too late: a stop is not taken back
    thread.join(10)
    run = done["run"]
    assert (run.state, run.record.reason) == ("stopped", "stopped by the user")
    assert 20 < len(run) < 210
    assert set(run.record.safe_report.values()) == {"safe"}


def test_halt_ends_as_stopped_with_the_reason(tmp_path):
    made = runner(tmp_path, pace=5.0)
    thread, done = in_background(made)
    wait_for(lambda: made.ledger.row > 0)
    made.halt()
    thread.join(10)
    assert (done["run"].state, done["run"].record.reason) == ("stopped", "halted")


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (InstrumentError("The counter is gone.", "Plug it in."), "The counter is gone"),
        (ZeroDivisionError("x"), "Zero"),
    ],
)
def test_a_driver_that_fails_fails_the_run_and_loses_nothing(tmp_path, error, part):
    bench = Bench.load("sim-nv", seed=1)
    counter = bench.instruments["counter"]
    read, calls = counter.read, []

    def sometimes(timeout):
        calls.append(1)
        if len(calls) > 3:
            raise error
        return read(timeout)

    counter.read = sometimes
    events = []
    made = runner(tmp_path, events, bench)
    with pytest.raises(QlabError, match=part):
        made.run()
    assert states(events)[-1] == "failed"
    run = open_run(events[-1]["path"])
    assert (run.state, len(run)) == ("failed", 63)
    assert part in run.record.reason
    assert not bench.instruments["laser"].on
    assert bench.instruments["laser"].power == 0


def test_an_instrument_that_does_not_open_fails_the_run_before_the_first_row(tmp_path):
    bench = Bench.load("sim-nv", seed=1)

    def closed():
        raise InstrumentError("The laser does not answer.", "Switch it on.")

    bench.instruments["laser"].open = closed
    events = []
    with pytest.raises(InstrumentError, match="does not answer"):
        runner(tmp_path, events, bench).run()
    assert open_run(events[-1]["path"]).state == "failed"


@pytest.mark.parametrize(
    "bad",
    [
        {"tau": "4 MHz"},
        {"laser_power": "1 W"},
        {"shots": 0},
        {"nothing": 1},
        {"microwave_frequency": "30 GHz"},
    ],
)
def test_bad_input_makes_no_file(tmp_path, bad):
    with pytest.raises(UsageError):
        runner(tmp_path, **bad)
    assert not list(tmp_path.rglob("*.h5"))


def test_changes_of_knobs_are_kept_with_their_row(tmp_path):
    run = runner(tmp_path).run()
    knobs = {change["knob"]: change for change in run.record.changes}
    assert knobs["microwave.frequency"]["value"] == 2.814e9
    assert knobs["laser.on"]["row"] == 0


def test_the_python_interface_is_one_call(tmp_path):
    bench = qlab.Bench.load("sim-nv", seed=1, truth={"B": 2e-3})
    run = qlab.run("nv.ramsey", bench, tau=qlab.Linear(0, 4e-6, 101), out=tmp_path)
    assert run["counts"].shape == (1010,)
    fit = run.fit()
    assert abs(fit.values["frequency"] - run.record.expected["frequency"]) < 4 * fit.errors["frequency"]
    assert run.figures["sensitivity"].unit == "T/√Hz"
    data = qlab.open_run(run.path).to_xarray()
    assert data["fluorescence"].sizes["tau"] == 101


@pytest.mark.parametrize("pace", [0.0, -3.0, float("inf"), float("nan")])
def test_an_impossible_pace_is_refused_before_a_file_is_made(tmp_path, pace):
    with pytest.raises(UsageError, match="cannot be paced"):
        runner(tmp_path, pace=pace)
    assert not list(tmp_path.rglob("*.h5"))


def test_a_title_is_one_printable_line(tmp_path):
    made = Runner(Bench.load("sim-nv"), "nv.ramsey", FAST, tmp_path, title="a\nb\x1b[31m  c")
    assert made.record.title == "a b [31m c"


def test_a_live_table_that_is_full_gives_way_to_a_larger_one(tmp_path, monkeypatch):
    monkeypatch.setattr("qlab.running.output.LIVE_ROWS", 10)
    events = []
    made = runner(tmp_path, events, pace=1.0)
    thread, done = in_background(made)
    wait_for(lambda: made.ledger.row > 20)
    made.extend(25)
    thread.join(20)
    tables = [event["table"] for event in events if event["event"] == "started"]
    assert len(set(tables)) == 2
    run = done["run"]
    assert len(run) == 35 * 21
    # The fit and its figures come from the larger table: they saw every row.
    assert run.fit().values == run.record.fits[0].values


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of this kind")
def test_ctrl_c_in_a_script_stops_the_run_and_then_the_script(tmp_path):
    def press(number, frame):
        raise KeyboardInterrupt

    events = []
    before = signal.signal(signal.SIGALRM, press)
    signal.setitimer(signal.ITIMER_REAL, 1.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            runner(tmp_path, events, pace=30.0).run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    run = open_run(events[-1]["path"])
    assert (run.state, run.record.reason) == ("stopped", "stopped by the user")
    assert set(run.record.safe_report.values()) == {"safe"}
