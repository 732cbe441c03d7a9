"""What is done to a run from outside: knobs by hand, passes added, watchdogs, upkeep; all of it kept and replayed."""

import threading
import time

import numpy as np
import pytest

import qlab
from qlab import registry
from qlab.bench import Bench
from qlab.cli.reproduce import compare, run_again
from qlab.errors import LimitError, UsageError
from qlab.runner import Runner
from qlab.running import interlock
from qlab.upkeep import Upkeep
from qlab.watch import Rule, Watchdog
from tests.flaky import flaky_bench, install

RAMSEY = {"tau": "0us:2us:21", "shots": "200", "passes": 10}


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    install()
    monkeypatch.setattr(interlock, "EVERY", 0.01)
    yield
    registry.plugins.cache_clear()


def start(made):
    done = []
    thread = threading.Thread(target=lambda: done.append(made.run()))
    thread.start()
    return thread, done


def wait_for(condition, seconds=10.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def slow(tmp_path, events=None, bench=None, **more):
    return Runner(
        bench or flaky_bench(),
        "tests.reading",
        {"wait": 0.01, "points": 20},
        tmp_path,
        tell=events.append if events is not None else None,
        **more,
    )


def test_skip_ends_as_stopped_with_its_own_reason(tmp_path):
    made = slow(tmp_path)
    thread, done = start(made)
    wait_for(lambda: made.ledger.row > 3)
    made.skip()
    thread.join(10)
    assert (done[0].state, done[0].record.reason) == ("stopped", "skipped")
    assert len(done[0]) < 40


def test_passes_are_added_to_a_played_sweep_and_the_plan_follows(tmp_path):
    made = Runner(Bench.load("sim-nv", seed=1), "nv.ramsey", RAMSEY, tmp_path, pace=1.0)
    thread, done = start(made)
    wait_for(lambda: made.ledger.row > 20)
    made.extend(3)
    thread.join(20)
    run = done[0]
    assert (len(run), run.record.expected_rows) == (273, 273)
    assert run["shots"].sum() == 21 * 260
    assert [program["shots"] for program in run.record.programs] == [200, 260]
    assert run.record.changes[-1]["knob"] == "run.passes"
    # The rows that were planned from the start are those of a run that was never extended.
    plain = qlab.run("nv.ramsey", Bench.load("sim-nv", seed=1), out=tmp_path / "plain", **RAMSEY)
    for name in ("counts", "reference", "tau"):
        assert np.array_equal(run[name][:210], plain[name]), name
    with pytest.raises(UsageError, match="has ended"):
        made.extend(1)


def test_a_scan_of_knobs_is_extended_as_well_and_before_its_start_too(tmp_path):
    made = slow(tmp_path)
    made.extend(1)
    assert made.record.expected_rows == 60
    assert len(made.run()) == 60


def test_a_knob_set_by_hand_is_done_at_a_checkpoint_by_the_runs_own_thread_and_kept(tmp_path):
    bench, events = flaky_bench(), []
    device = bench.instruments["other"]
    made = slow(tmp_path, events, bench)
    thread, done = start(made)
    wait_for(lambda: made.ledger.row > 3)
    with pytest.raises(UsageError, match="belongs to the run"):
        made.set_knob("other", "drive", 1.0)
    with pytest.raises(LimitError, match="outside the limits"):
        made.set_knob("other", "drive", "7 V", take_over=True)
    made.set_knob("other", "drive", "1500 mV", take_over=True)
    made.set_knob("other", "on", "on", take_over=True)
    wait_for(lambda: device.known.get("on", (None,))[0] is True)
    assert threading.get_ident() not in device.threads
    shown = made.panel()["other"]
    assert shown["knobs"]["drive"]["value"] == 1.5
    assert shown["knobs"]["drive"]["limits"] == [-5.0, 5.0]
    assert shown["knobs"]["drive"]["age"] < 5
    assert (shown["state"], shown["knobs"]["reading"]["writable"]) == ("open", False)
    made.pause()
    wait_for(lambda: made.state == "paused")
    made.set_knob("other", "drive", 0.5, take_over=True)
    wait_for(lambda: device.known["drive"][0] == 0.5)
    made.resume()
    thread.join(10)
    by_hand = [c for c in done[0].record.changes if c["source"] == "panel"]
    assert [(c["knob"], c["value"]) for c in by_hand] == [
        ("other.drive", 1.5), ("other.on", True), ("other.drive", 0.5)
    ]  # fmt: skip
    assert by_hand[0]["row"] >= 3


def test_changes_by_hand_are_replayed_at_their_row(tmp_path):
    made = Runner(Bench.load("sim-nv", seed=3), "nv.ramsey", RAMSEY, tmp_path, pace=1.5, seed=3)
    thread, done = start(made)
    wait_for(lambda: made.ledger.row > 30)
    made.set_knob("coil", "bz", "0.02 mT", take_over=True)
    made.extend(1)
    thread.join(20)
    run = done[0]
    plain = qlab.run("nv.ramsey", Bench.load("sim-nv", seed=3), out=tmp_path / "plain", seed=3, **RAMSEY)
    assert not np.array_equal(run["counts"][:210], plain["counts"])
    again = qlab.open_run(run_again(run, tmp_path / "again"))
    assert len(again) == len(run) == 231
    assert compare(run, again) == []
    replayed = {c["knob"] for c in again.record.changes if c["source"] == "panel"}
    assert replayed == {"coil.bz", "run.passes"}


@pytest.mark.parametrize(
    ("rule", "values", "fires"),
    [
        ({"condition": "above", "threshold": "2 V"}, [1, 1.9, 2.1], [0, 0, 1]),
        ({"condition": "below", "threshold": 1.0, "hysteresis": 0.5}, [2, 0.9, 1.2, 1.6], [0, 1, 1, 0]),
        ({"condition": "above", "threshold": 1.0, "for_seconds": 2.0}, [2, 2, 2, 0], [0, 0, 1, 0]),
        ({"condition": "changing_faster", "threshold": "1 V/s"}, [0, 0.5, 2.5, 2.6], [0, 0, 1, 0]),
        ({"condition": "above", "threshold": 1.0}, [float("nan")], [1]),
        ({"condition": "below", "threshold": 1.0}, [float("nan"), float("-inf"), 2], [1, 1, 0]),
    ],
)
def test_when_a_rule_fires(rule, values, fires):
    dog = Watchdog(Rule(name="r", readout="a.b", **rule), "V")
    seen = []
    for second, value in enumerate(values):
        dog.see(float(value), float(second))
        seen.append(int(dog.firing))
    assert seen == fires


def test_silence_fires_and_a_value_ends_it():
    dog = Watchdog(Rule(name="r", readout="y", condition="stale", threshold="2 s"))
    dog.expect(0.0)
    assert not dog.look(1.9)
    assert dog.look(2.1)
    assert dog.firing
    assert dog.see(1.0, 3.0)
    assert not dog.firing


@pytest.mark.parametrize("rule", [{"threshold": "2 A"}, {"threshold": float("nan")}, {"hysteresis": -1.0}])
def test_a_rule_without_sense_is_refused(rule):
    with pytest.raises(UsageError):
        Watchdog(Rule(**{"name": "r", "readout": "a.b", "condition": "above", "threshold": 1.0, **rule}), "V")


def rule(action, **more):
    given = {
        "name": "warm",
        "readout": "other.reading",
        "condition": "above",
        "threshold": "2 V",
        "action": action,
    }
    return Rule(**{**given, **more})


def test_a_watchdog_pauses_and_resumes_by_itself_when_clear(tmp_path):
    bench, events = flaky_bench(), []
    made = slow(tmp_path, events, bench, rules=[rule("pause", resume_when_clear=True)])
    thread, done = start(made)
    wait_for(lambda: made.ledger.row > 3)
    bench.instruments["other"].value = 3.0
    wait_for(lambda: made.state == "paused")
    held = made.ledger.row
    made.resume()  # in vain: it still fires
    time.sleep(0.3)
    assert (made.state, made.ledger.row) == ("paused", held)
    bench.instruments["other"].value = 1.0
    thread.join(10)
    assert done[0].state == "finished"
    lines = [entry["message"] for entry in done[0].record.log]
    assert any("other.reading is 3 V (above 2 V); pause" in text for text in lines)
    assert any("still held" in text for text in lines)
    assert any("clear" in text for text in lines)
    firing = [event["firing"] for event in events if event["event"] == "watch"]
    assert firing[0] == []
    assert firing[1][0]["rule"] == "warm"
    assert firing[-1] == []


@pytest.mark.parametrize(("action", "name"), [("stop", "y"), ("make_safe", "other.reading")])
def test_a_watchdog_ends_the_run(tmp_path, action, name):
    bench = flaky_bench()
    made = slow(tmp_path, bench=bench, rules=[rule(action, readout=name)])
    thread, done = start(made)
    wait_for(lambda: made.ledger.row > 3)
    for device in bench.instruments.values():
        device.value = 3.0
    thread.join(10)
    assert done[0].state == "stopped"
    assert done[0].record.reason.startswith(f"watchdog warm: {name} is 3 V")
    assert set(done[0].record.safe_report.values()) == {"safe"}


def test_rules_come_from_the_bench_and_can_be_replaced_during_a_run(tmp_path):
    given = {
        "name": "cold",
        "readout": "other.reading",
        "condition": "below",
        "threshold": "2 V",
        "action": "pause",
    }
    bench = flaky_bench(watch=[given])
    made = slow(tmp_path, bench=bench)
    thread, done = start(made)
    wait_for(lambda: made.state == "paused")
    with pytest.raises(UsageError, match="no column of this run"):
        made.set_rules([Rule(name="x", readout="nothing", condition="above", threshold=1)])
    made.set_rules([])
    thread.join(10)
    assert done[0].state == "finished"
    assert done[0].record.bench["entry"]["watch"][0]["name"] == "cold"


def recentre(**more):
    given = {
        "name": "recentre",
        "experiment": "nv.pulsed_odmr",
        "parameters": {"frequency": "2.808GHz:2.820GHz:61", "shots": "100000", "passes": "1"},
        "every_points": 63,
        "track": {"microwave.frequency": "frequency"},
    }
    return Upkeep(**{**given, **more})


def test_upkeep_follows_the_resonance_and_keeps_its_own_stream(tmp_path):
    made = Runner(Bench.load("sim-nv", seed=4), "nv.ramsey", RAMSEY, tmp_path, seed=4, upkeep=[recentre()])
    take, moved = made.output.take, []

    def push(block):
        went = take(block)
        if made.ledger.row == 84 and not moved:
            moved.append(made.set_knob("coil", "bz", "0.02 mT", take_over=True))
        return went

    made.output.take = push
    run = made.run()
    steps = run.record.upkeep
    assert [step["row"] for step in steps] == [0, 63, 126, 189]
    assert all(step["success"] for step in steps)
    found = [step["found"]["frequency"] for step in steps]
    # The lower transition moves by -28.03 GHz/T times 20 µT between the second step and the third.
    shift = found[2]["value"] - found[1]["value"]
    assert abs(shift + 28.03e9 * 20e-6) < 5 * np.hypot(found[1]["error"], found[2]["error"])
    carrier = [
        c for c in run.record.changes if c["knob"] == "microwave.frequency" and c["source"] == "upkeep"
    ]
    set_by_program = [
        c["value"] for c in run.record.changes
        if c["knob"] == "microwave.frequency" and c["source"] == "experiment" and c["row"] >= 126
    ]  # fmt: skip
    assert carrier
    assert abs(set_by_program[0] - 2.814e9 - (found[2]["value"] - found[0]["value"])) < 1.0
    # Every row of every step is in the file, in a stream that says where in the run it belongs.
    upkeep = run.streams["upkeep_1"]
    np.testing.assert_array_equal(upkeep.column("step"), np.repeat(range(4), 61))
    np.testing.assert_array_equal(upkeep.column("after_row"), np.repeat([0, 63, 126, 189], 61))
    frequency = upkeep.column("frequency").reshape(4, 61)
    np.testing.assert_allclose(frequency[2], np.linspace(2.808e9, 2.820e9, 61))
    counts = upkeep.column("counts").reshape(4, 61) / upkeep.column("reference").reshape(4, 61)
    dip = frequency[0][counts.argmin(axis=1)]
    assert abs(dip[2] - found[2]["value"]) < 3e6  # one of the three lines of 14N, 2.16 MHz apart
    assert steps[0]["rows"] == 61
    assert steps[0]["stream"] == "upkeep_1"
    assert compare(run, qlab.open_run(run_again(run, tmp_path / "again"))) == []


def test_upkeep_that_cannot_be_done_is_refused_before_a_file_is_made(tmp_path):
    for bad in (
        recentre(track={"microwave.frequency": "frequency"}, experiment="nv.nothing"),
        recentre(set={"microwave.frequency": "frequency"}, track={}),
        recentre(parameters={"frequency": "20GHz:21GHz:11"}),
    ):
        with pytest.raises(UsageError):
            Runner(Bench.load("sim-nv", seed=1), "nv.ramsey", RAMSEY, tmp_path, upkeep=[bad])
    assert not list(tmp_path.rglob("*.h5"))
