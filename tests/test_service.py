"""The bench process under its supervisor: real processes, real signals."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qlab.live import LiveTable
from qlab.record import ENDED
from qlab.service.channel import Address, address_file
from qlab.service.client import connect
from qlab.session import Loop, Order
from qlab.store import open_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")


class Listener:
    """A session whose events are kept, and waited for."""

    def __init__(self):
        self.session = connect()
        self.seen, self.waiting = [], []

    def until(self, condition, seconds=45.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.waiting += self.session.events()
            while self.waiting:
                event = self.waiting.pop(0)
                self.seen.append(event)
                if condition(event):
                    return event
            time.sleep(0.01)
        raise AssertionError(f"not seen; the last events were {self.seen[-5:]}")

    def state(self, *wanted):
        return self.until(lambda e: e["event"] == "state" and e["state"] in wanted)


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.session.close()
    address = Address.read(address_file())
    if address is not None:
        # It would leave by itself after a few seconds; the test does not wait for that.
        os.kill(address.pid, signal.SIGTERM)


def order(tmp_path, pace=6.0, **parameters):
    settings = {"tau": "0us:3us:61", "shots": 1000, **parameters}
    return Order(experiment="nv.ramsey", parameters=settings, out=str(tmp_path), pace=pace, seed=1)


def bench_file(folder, name, counter):
    path = folder / f"{name}.toml"
    drivers = {"player": "pulse_player", "microwave": "microwave", "laser": "laser"}
    lines = ["[world]", 'kind = "nv"']
    for role, driver in drivers.items():
        lines += [f"[instruments.{role}]", f'driver = "sim.{driver}"']
    lines += ["[instruments.counter]", f'driver = "{counter}"', "[roles]"]
    path.write_text("\n".join([*lines, *(f'{role} = "{role}"' for role in (*drivers, "counter"))]))
    return path


def test_a_run_is_seen_live_paused_and_stopped(listener, tmp_path):
    assert len(listener.until(lambda e: e["event"] == "ready")["catalogue"]) >= 7
    listener.session.submit(order(tmp_path))
    started = listener.until(lambda e: e["event"] == "started")
    table = LiveTable.attach(Path(started["table"]))
    listener.until(lambda e: e["event"] == "progress" and e["done"] > 30)
    assert len(table) > 30
    assert np.all(table.column("counts") > 0)
    listener.session.command("pause")
    listener.state("paused")
    listener.session.command("stop")
    ended = listener.state("stopped")
    run = open_run(ended["path"])
    assert np.array_equal(run["counts"], table.column("counts"))
    table.close()


def test_a_check_answers_with_the_field_and_the_estimate(listener):
    listener.session.check(7, "nv.ramsey", {"tau": "4 MHz"}, "sim-nv")
    answer = listener.until(lambda e: e["event"] == "checked")
    assert answer["token"] == 7
    assert "not a unit of time" in answer["problems"]["tau"]


def test_a_killed_bench_process_is_replaced_and_its_run_is_kept(listener, tmp_path):
    first = listener.until(lambda e: e["event"] == "ready")
    listener.session.submit(order(tmp_path, pace=30.0))
    listener.until(lambda e: e["event"] == "progress" and e["done"] > 20)
    time.sleep(1.0)
    os.kill(first["pid"], signal.SIGKILL)
    assert (
        "ended unexpectedly"
        in listener.until(lambda e: e["event"] == "bench" and e["state"] == "restarting")["message"]
    )
    safe = listener.until(lambda e: e["event"] == "safe")
    assert set(safe["report"].values()) == {"safe"}
    ended = listener.state("interrupted")
    run = open_run(ended["path"])
    assert run.state == "interrupted"
    assert len(run) >= 20
    listener.session.submit(order(tmp_path, pace=None))
    assert listener.state("finished")["path"]


def test_a_window_that_leaves_does_not_end_the_run_and_a_new_one_attaches(listener, tmp_path):
    listener.until(lambda e: e["event"] == "ready")
    run = listener.session.submit(order(tmp_path, pace=6.0))
    listener.until(lambda e: e["event"] == "started")
    listener.session.close()
    time.sleep(0.5)
    second = Listener()
    try:
        started = second.until(lambda e: e["event"] == "started")
        assert started["run"] == run
        assert second.state("finished")["run"] == run
    finally:
        second.session.close()


def test_bad_orders_end_as_failed_with_what_to_do(listener, tmp_path):
    listener.session.submit(order(tmp_path, tau="4 MHz"))
    ended = listener.state("failed")
    assert "not a unit of time" in ended["reason"]
    assert not list(tmp_path.rglob("*.h5"))


def test_a_session_in_this_process_speaks_the_same_language(tmp_path):
    from qlab.service.local import LocalSession

    listener = Listener.__new__(Listener)
    listener.session, listener.seen, listener.waiting = LocalSession(), [], []
    try:
        assert len(listener.until(lambda e: e["event"] == "ready")["catalogue"]) >= 7
        listener.session.check(3, "nv.ramsey", {"shots": 0}, "sim-nv")
        assert "shots" in listener.until(lambda e: e["event"] == "checked")["problems"]
        run = listener.session.submit(order(tmp_path, pace=4.0))
        listener.until(lambda e: e["event"] == "progress" and e["done"] > 20)
        listener.session.command("pause")
        listener.state("paused")
        listener.session.command("resume")
        ended = listener.state("finished")
        assert ended["run"] == run
        assert len(open_run(ended["path"])) == 610
        listener.session.command("make_safe")
        assert set(listener.until(lambda e: e["event"] == "safe")["report"].values()) == {"safe"}
    finally:
        listener.session.close()


def test_make_safe_without_a_run_makes_the_bench_spoken_of_safe(listener):
    listener.session.check(1, "nv.ramsey", {}, "sim-nv")
    listener.until(lambda e: e["event"] == "checked")
    listener.session.command("make_safe")
    report = listener.until(lambda e: e["event"] == "safe")["report"]
    assert report["laser"] == "safe"


HANGING = """
import time
from qlab_instruments.sim.photon_counter import SimulatedPhotonCounter

class plugin(SimulatedPhotonCounter):
    def read(self, timeout):
        rows = super().read(timeout)
        if self.world.rows > 100:
            time.sleep(1000)
        return rows
"""


def test_a_driver_that_hangs_is_cut_off_by_halt_and_its_rows_are_kept(listener, tmp_path):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "hanging.py").write_text(HANGING)
    bench = bench_file(tmp_path, "bench", "hanging")
    listener.until(lambda e: e["event"] == "ready")
    asked = order(tmp_path, pace=None).model_copy(update={"bench": str(bench)})
    listener.session.submit(asked)
    listener.until(lambda e: e["event"] == "started")
    time.sleep(1.5)
    listener.session.command("halt")
    ended = listener.state("stopped", "interrupted")
    assert ended["reason"] == "halted"
    run = open_run(ended["path"])
    assert (run.state, run.record.reason) == ("stopped", "halted")
    assert len(run) == 61


WEDGED = """
import time
from qlab_instruments.sim.photon_counter import SimulatedPhotonCounter

class plugin(SimulatedPhotonCounter):
    call_timeout = 1.0

    def read(self, timeout):
        rows = super().read(timeout)
        if self.world.rows > 100:
            time.sleep(1000)
        return rows
"""


def test_a_process_whose_run_left_a_thread_hanging_is_replaced_before_the_next_run(listener, tmp_path):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "wedged.py").write_text(WEDGED)
    bench = bench_file(tmp_path, "bench", "wedged")
    first = listener.until(lambda e: e["event"] == "ready")["pid"]
    hangs = order(tmp_path, pace=None).model_copy(update={"bench": str(bench)})
    listener.session.submit(hangs)
    failed = listener.state("failed")
    assert "counter hangs in read" in failed["reason"]
    assert "counter hangs in read" in listener.until(lambda e: e["event"] == "bench")["message"]
    assert listener.until(lambda e: e["event"] == "ready")["pid"] != first
    again = listener.until(lambda e: e["event"] == "safe" and e["bench"] == str(bench))
    assert set(again["report"].values()) == {"safe"}
    assert len(open_run(failed["path"])) == 61


DEADLY = """
import os, pathlib
from qlab.instrument import Instrument, Knob

class plugin(Instrument):
    current = Knob("A", limits=(0.0, 5.0), safe=0.0)

    def open(self):
        if pathlib.Path(os.environ["QLAB_TEST_DEADLY"]).exists():
            os._exit(3)
"""


def test_a_bench_that_ends_every_process_which_opens_it_is_left_closed(tmp_path, monkeypatch):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "deadly.py").write_text(DEADLY)
    bench, flag = tmp_path / "supply.toml", tmp_path / "flag"
    bench.write_text("[instruments.supply]\ndriver = 'deadly'\n")
    monkeypatch.setenv("QLAB_TEST_DEADLY", str(flag))
    listener = Listener()
    try:
        pid = listener.until(lambda e: e["event"] == "ready")["pid"]
        listener.session.panel(str(bench), True)
        listener.session.set_knob(str(bench), "supply", "current", 2.0)
        listener.until(
            lambda e: (
                e["event"] == "panel"
                and (e["instruments"] or {}).get("supply", {}).get("knobs", {}).get("current", {})["value"]
                == 2.0
            )
        )
        flag.touch()
        os.kill(pid, signal.SIGKILL)
        report = listener.until(lambda e: e["event"] == "safe")["report"]
        assert report["supply"].startswith("NOT REACHED")
        assert "current 2 A at" in report["supply"]
        said = [e["message"] for e in listener.seen if e["event"] == "log" and e["level"] == "error"]
        assert [words for words in said if "ended its process twice" in words]
        assert [e for e in listener.seen if e["event"] == "panel"][-1]["instruments"] == {}
        time.sleep(6.0)
        assert not [e for e in listener.session.events() if e["event"] == "bench"]
    finally:
        listener.session.close()
        os.kill(Address.read(address_file()).pid, signal.SIGTERM)


WARM = """
import os, pathlib
from qlab.instrument import Instrument, Knob

class plugin(Instrument):
    current = Knob("A", limits=(0.0, 5.0), safe=0.0)
    temperature = Knob("K", get="T?")

    def ask(self, knob):
        if knob.name == "temperature":
            return float(pathlib.Path(os.environ["QLAB_TEST_WARM"]).read_text())
        return super().ask(knob)
"""


def test_an_open_bench_without_a_run_is_watched_and_made_safe(tmp_path, monkeypatch):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "warm.py").write_text(WARM)
    bench, reading = tmp_path / "magnet.toml", tmp_path / "kelvin"
    rule = "name = 'hot'\nreadout = 'magnet.temperature'\ncondition = 'above'\nthreshold = '80 K'\n"
    bench.write_text(f"[instruments.magnet]\ndriver = 'warm'\n[[watch]]\n{rule}action = 'make_safe'\n")
    reading.write_text("4.2")
    monkeypatch.setenv("QLAB_TEST_WARM", str(reading))
    listener = Listener()

    def firing(number):
        return listener.until(lambda e: e["event"] == "watch" and len(e["firing"]) == number)

    try:
        listener.session.set_knob(str(bench), "magnet", "current", 2.0)
        listener.session.panel(str(bench), True)
        listener.until(
            lambda e: (
                e["event"] == "panel"
                and e["instruments"]
                and e["instruments"]["magnet"]["knobs"]["current"]["value"] == 2.0
            )
        )
        reading.write_text("90")
        said = listener.until(lambda e: e["event"] == "log" and "watchdog hot" in e["message"])
        assert "magnet.temperature is 90 K (above 80 K); make safe" in said["message"]
        [fires] = firing(1)["firing"]
        assert (fires["action"], fires["words"]) == ("make_safe", "magnet.temperature is 90 K (above 80 K)")
        assert listener.until(lambda e: e["event"] == "safe")["report"] == {"magnet": "safe"}
        panel = listener.until(lambda e: e["event"] == "panel")
        assert panel["instruments"]["magnet"]["knobs"]["current"]["value"] == 0.0
        # One that is added in the window works at once; what cannot be read is not all well.
        listener.session.watch(
            str(bench),
            [{"name": "blind", "readout": "magnet.temperature", "condition": "below", "threshold": "1 K"}],
        )
        reading.write_text("no number")
        listener.until(lambda e: e["event"] == "log" and "watchdog blind: magnet" in e["message"])
        reading.write_text("4.2")
        firing(0)
    finally:
        listener.session.close()
        os.kill(Address.read(address_file()).pid, signal.SIGTERM)


TURNED = """
import os, pathlib
from qlab.instrument import Instrument, Knob

class plugin(Instrument):
    current = Knob("A", limits=(0.0, 5.0), safe=0.0)

    def ask(self, knob):
        front = pathlib.Path(os.environ["QLAB_TEST_FRONT"])
        return float(front.read_text()) if front.exists() else super().ask(knob)
"""


def test_a_change_by_hand_is_logged_and_one_at_the_front_of_the_device_is_seen(tmp_path, monkeypatch):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "turned.py").write_text(TURNED)
    bench, front = tmp_path / "supply.toml", tmp_path / "front"
    bench.write_text("[instruments.supply]\ndriver = 'turned'\n")
    monkeypatch.setenv("QLAB_TEST_FRONT", str(front))
    listener = Listener()

    def shows(**wanted):
        def fits(event):
            knobs = (event.get("instruments") or {}).get("supply", {}).get("knobs", {})
            return event["event"] == "panel" and wanted.items() <= knobs.get("current", {}).items()

        return listener.until(fits)

    try:
        listener.session.panel(str(bench), True)
        listener.session.set_knob(str(bench), "supply", "current", "2 A")
        said = listener.until(lambda e: e["event"] == "log" and "by hand" in e["message"])
        assert (said["level"], said["message"]) == ("info", "supply.current was set to 2 A by hand.")
        shows(value=2.0, setpoint=2.0, strays=False)
        front.write_text("3.5")  # somebody turns at the device itself
        shows(value=3.5, setpoint=2.0, strays=True)
        front.unlink()
        shows(value=2.0, setpoint=2.0, strays=False)
    finally:
        listener.session.close()
        os.kill(Address.read(address_file()).pid, signal.SIGTERM)


SLOW = """
from qlab.instrument import Instrument, Knob

class plugin(Instrument):
    current = Knob("A", limits=(0.0, 100.0), safe=0.0, rate=1.0)
    voltage = Knob("V", limits=(0.0, 100.0), safe=0.0)
"""


def test_a_ramp_by_hand_is_seen_on_its_way_and_broken_off_when_all_is_made_safe(tmp_path):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "slow.py").write_text(SLOW)
    bench = tmp_path / "magnet.toml"
    bench.write_text("[instruments.magnet]\ndriver = 'slow'\n")
    listener = Listener()

    def shows(fits):
        def seen(event):
            knobs = (event.get("instruments") or {}).get("magnet", {}).get("knobs", {})
            return event["event"] == "panel" and knobs and fits(knobs)

        return listener.until(seen)

    try:
        listener.session.panel(str(bench), True)
        shows(lambda knobs: knobs["current"]["value"] == 0)
        listener.session.set_knob(str(bench), "magnet", "current", 60.0)  # a minute
        shows(lambda knobs: 0.2 < knobs["current"]["value"] < 5 and knobs["current"]["setpoint"] == 60)
        listener.session.set_knob(str(bench), "magnet", "current", 50.0)  # takes its place
        listener.until(lambda e: e["event"] == "log" and "broken off" in e["message"])
        shows(lambda knobs: 0.5 < knobs["current"]["value"] < 8 and knobs["current"]["setpoint"] == 50)
        listener.session.command("make_safe")
        began = time.monotonic()
        assert listener.until(lambda e: e["event"] == "safe")["report"] == {"magnet": "safe"}
        assert time.monotonic() - began < 20
        shows(lambda knobs: knobs["current"]["value"] == 0)
    finally:
        listener.session.close()
        os.kill(Address.read(address_file()).pid, signal.SIGTERM)


def test_stop_and_make_safe_hold_what_waits_and_skip_goes_on(listener, tmp_path):
    listener.until(lambda e: e["event"] == "ready")
    first, second, third = (listener.session.submit(order(tmp_path, pace=20.0)) for _ in range(3))

    def going(run):
        return listener.until(lambda e: e["event"] == "progress" and e["run"] == run and e["done"] > 5)

    def ended(run):
        return listener.until(lambda e: e["event"] == "state" and e["run"] == run and e["state"] == "stopped")

    going(first)
    listener.session.command("skip")
    assert ended(first)["reason"] == "skipped"
    going(second)
    listener.session.command("make_safe")
    assert ended(second)["reason"] == "halted"
    held = listener.until(lambda e: e["event"] == "queue" and e["held"] and len(e["items"]) == 1)
    [item] = held["items"]
    assert (item["run"], item["state"]) == (third, "waiting")
    assert set(listener.until(lambda e: e["event"] == "safe" and "run" not in e)["report"].values()) == {
        "safe"
    }
    fourth = listener.session.submit(order(tmp_path, pace=None))
    listener.session.arrange(fourth, {"position": 0})
    listener.until(lambda e: e["event"] == "queue" and [i["run"] for i in e["items"]] == [fourth, third])
    listener.session.command("release")
    assert listener.state("finished")["run"] == fourth
    going(third)
    waiting = listener.session.submit(order(tmp_path))
    listener.session.command("stop")
    ended(third)
    last = listener.until(lambda e: e["event"] == "queue" and e["items"][0]["why"] == "the queue is held")
    assert (last["held"], last["items"][0]["run"]) == (True, waiting)


def test_a_study_plays_its_values_and_every_record_says_which(listener, tmp_path):
    loops = (
        Loop(over="coil.bz", values="0mT, 0.1mT", zip_with_next=True),
        Loop(over="fringe_frequency", values="4MHz, 3MHz"),
    )
    small = order(tmp_path, pace=None, tau="0us:2us:31")
    study = listener.session.submit(small.model_copy(update={"loops": loops, "title": "Field"}))
    done = listener.until(lambda e: e["event"] == "study")
    assert (done["study"], done["state"]) == (study, "finished")
    runs = [open_run(row["path"]) for row in done["runs"]]
    assert [run.record.study["values"]["coil.bz"] for run in runs] == [
        {"value": 0.0, "unit": "T"}, {"value": 1e-4, "unit": "T"},
    ]  # fmt: skip
    assert [run.parameters["fringe_frequency"] for run in runs] == [4e6, 3e6]
    knobs = [run.record.bench["instruments"]["coil"]["knobs"]["bz"]["value"] for run in runs]
    assert knobs == [0.0, 1e-4]
    assert {run.record.study["id"] for run in runs} == {study}
    assert [run.record.seed for run in runs] == [1, 2]
    assert runs[0].record.title == "Field: coil.bz = 0 T, fringe_frequency = 4 MHz"
    # One value out of limits: nothing at all is played.
    bad = Loop(over="coil.bz", values="0mT, 1mT, 1T")
    listener.session.submit(small.model_copy(update={"loops": (bad,), "out": str(tmp_path / "bad")}))
    refused = listener.until(lambda e: e["event"] == "study" and e["state"] == "failed")
    assert "coil.bz = 1" in refused["reason"]
    assert not list((tmp_path / "bad").rglob("*.h5"))


def test_two_benches_play_side_by_side_and_a_crash_takes_down_its_own_run_only(listener, tmp_path):
    listener.until(lambda e: e["event"] == "ready")
    alone = {"bench": str(bench_file(tmp_path, "other", "sim.photon_counter"))}
    one = listener.session.submit(order(tmp_path, pace=25.0))
    two = listener.session.submit(order(tmp_path, pace=15.0).model_copy(update=alone))
    third = listener.session.submit(order(tmp_path, pace=5.0))
    counts = {}

    def both(event):
        counts.update({event["run"]: event["done"]} if event["event"] == "progress" else {})
        return min(counts.get(one, 0), counts.get(two, 0)) > 20

    listener.until(both)
    assert third not in counts, "one measurement at a time on the same bench"
    tables = {e["run"]: Path(e["table"]) for e in listener.seen if e["event"] == "started"}
    os.kill(int(tables[one].name.split(".")[-2]), signal.SIGKILL)
    ended = listener.until(lambda e: e["event"] == "state" and e["state"] in {"interrupted", "finished"})
    assert (ended["run"], ended["state"]) == (one, "interrupted")
    assert len(open_run(ended["path"])) > 20
    states = {}
    while len(states) < 2:
        ended = listener.until(lambda e: e["event"] == "state" and e["run"] != one and e["state"] in ENDED)
        states[ended["run"]] = ended["state"]
    assert states == {two: "finished", third: "finished"}


def test_the_queue_survives_its_supervisor_and_its_machine(listener, tmp_path):
    ready = listener.until(lambda e: e["event"] == "ready")
    going = listener.session.submit(order(tmp_path, pace=60.0))
    waiting = listener.session.submit(order(tmp_path, pace=None))
    listener.session.watch(
        "sim-nv", [{"name": "bright", "readout": "counts", "condition": "below", "threshold": -1}]
    )
    listener.until(lambda e: e["event"] == "progress" and e["done"] > 20)
    supervisor = Address.read(address_file())
    time.sleep(1.0)
    for pid in (supervisor.pid, ready["pid"]):
        os.kill(pid, signal.SIGKILL)
    # The same session comes back by itself, and hears what became of everything.
    log = listener.until(lambda e: e["event"] == "log" and "held" in e["message"])
    assert log["level"] == "warning"
    ended = listener.until(lambda e: e["event"] == "state" and e["state"] == "interrupted")
    assert ended["run"] == going
    assert len(open_run(ended["path"])) > 20
    held = listener.until(lambda e: e["event"] == "queue" and len(e["items"]) == 1)
    assert (held["held"], held["items"][0]["run"]) == (True, waiting)
    listener.session.command("release")
    assert listener.until(lambda e: e["event"] == "state" and e["state"] == "finished")["run"] == waiting
    late = Listener()
    try:
        rules = late.until(lambda e: e["event"] == "watch")["rules"]
        assert [rule["name"] for rule in rules] == ["bright"]
    finally:
        late.session.close()


@pytest.mark.nightly
def test_a_run_that_outlives_its_supervisor_is_found_again(listener, tmp_path):
    listener.until(lambda e: e["event"] == "ready")
    run = listener.session.submit(order(tmp_path, pace=8.0))
    listener.until(lambda e: e["event"] == "progress" and e["done"] > 20)
    os.kill(Address.read(address_file()).pid, signal.SIGKILL)
    assert "outlived" in listener.until(lambda e: e["event"] == "log" and e.get("run") == run)["message"]
    ended = listener.until(lambda e: e["event"] == "state" and e["state"] in ENDED)
    assert (ended["run"], ended["state"]) == (run, "finished")
    assert len(open_run(ended["path"])) == 610


WINDOW = """
import sys, time
from qlab.service.client import connect
from qlab.session import Loop, Order
session = connect()
session.panel("sim-nv", True)
session.watch("sim-nv", [{"name": "dark", "readout": "counts", "condition": "below", "threshold": -1}])
for _ in range(2):
    session.submit(Order(experiment="nv.ramsey", parameters={"tau": "0us:3us:61", "shots": "1000"}, pace=9.0,
                         out=sys.argv[1]))
while not any(e["event"] == "progress" for e in session.events()):
    time.sleep(0.02)
print("going", flush=True)
time.sleep(1000)
"""


def test_a_killed_window_leaves_the_run_going_and_a_late_one_gets_everything(listener, tmp_path):
    listener.until(lambda e: e["event"] == "ready")
    window = subprocess.Popen(
        [sys.executable, "-c", WINDOW, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert window.stdout.readline().strip() == "going"
    window.kill()
    window.communicate()
    late = Listener()
    try:
        started = late.until(lambda e: e["event"] == "started")
        table = LiveTable.attach(Path(started["table"]))
        queue = late.until(lambda e: e["event"] == "queue" and len(e["items"]) == 2)
        assert [item["state"] for item in queue["items"]] == ["running", "waiting"]
        assert queue["items"][1]["starts"] == queue["items"][0]["ends"]
        rules = late.until(lambda e: e["event"] == "watch")["rules"]
        assert [rule["name"] for rule in rules] == ["dark"]
        late.session.panel("sim-nv", True)
        panel = late.until(lambda e: e["event"] == "panel" and e["owner"] == started["run"])
        assert panel["instruments"]["laser"]["knobs"]["power"]["value"] == 1e-3
        late.session.set_knob("sim-nv", "coil", "bx", "0.1 mT", take_over=True)
        late.session.set_knob("sim-nv", "coil", "bx", "1 T", take_over=True)
        assert (
            "outside the limits"
            in late.until(lambda e: e["event"] == "log" and e["level"] == "error")["message"]
        )
        ended = late.state("finished")
        assert ended["run"] == started["run"]
        assert len(table) == 610
        table.close()
        changes = [c for c in open_run(ended["path"]).record.changes if c["knob"] == "coil.bx"]
        assert [(c["value"], c["source"]) for c in changes][:1] == [(1e-4, "panel")]
        late.session.command("stop")
        late.state("stopped")
    finally:
        late.session.close()


STIFF = """
import time
from qlab.instrument import Instrument, Knob

class plugin(Instrument):
    title = "Stiff supply"
    call_timeout = 600.0
    call_timeouts = {}
    current = Knob("A", limits=(0.0, 5.0), safe=0.0)

    def __init__(self, address):
        super().__init__()
        self.address = address

    def tell(self, knob, value):
        super().tell(knob, value)
        if value == 3.0:
            time.sleep(1000)
"""


@pytest.mark.nightly
def test_an_instrument_that_hangs_by_hand_is_cut_off_and_named_with_its_last_state(listener, tmp_path):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "stiff.py").write_text(STIFF)
    bench = tmp_path / "supply.toml"
    bench.write_text("[instruments.supply]\ndriver = 'stiff'\noptions = {address = 'ASRL1'}\n")
    listener.session.panel(str(bench), True)
    listener.session.set_knob(str(bench), "supply", "current", 2.0)

    def current(value):
        return listener.until(
            lambda e: (
                e["event"] == "panel"
                and e["instruments"]
                and e["instruments"]["supply"]["knobs"]["current"]["value"] == value
            )
        )

    current(2.0)
    listener.session.set_knob(str(bench), "supply", "current", 3.0)
    gone = listener.until(lambda e: e["event"] == "bench" and e["state"] == "restarting")
    assert "did not answer" in gone["message"]
    assert listener.until(lambda e: e["event"] == "safe")["report"] == {"supply": "safe"}
    current(0.0)


def test_an_instrument_out_of_reach_is_named_with_the_state_it_was_last_seen_in(tmp_path):
    from qlab.service.known import LastKnown
    from qlab.service.patience import Patience
    from qlab.service.rescue import safe_report

    known = LastKnown()
    power = {"value": 2e-3, "unit": "W", "age": 3.0}
    shown = {"laser": {"knobs": {"power": power, "on": {"value": True, "unit": ""}}}}
    known.heard("sim-nv", {"event": "panel", "instruments": shown})
    patience = Patience()
    report = safe_report("sim-nv", known.of("sim-nv"), patience, reach=False)
    assert report["laser"].startswith("NOT REACHED")
    assert "power 2 mW at" in report["laser"]
    assert "on on at" in report["laser"]
    assert "Nothing is known of its state" in report["coil"]
    assert set(safe_report("sim-nv", known.of("sim-nv"), patience).values()) == {"safe"}
    assert patience.seconds == 0.0
