"""The bench process under its supervisor: real processes, real signals."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from qlab.live import LiveTable
from qlab.service.channel import Address, address_file
from qlab.service.client import connect
from qlab.session import Order
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
    bench = tmp_path / "bench.toml"
    bench.write_text("""
[world]
kind = "nv"
[instruments.player]
driver = "sim.pulse_player"
[instruments.microwave]
driver = "sim.microwave"
[instruments.laser]
driver = "sim.laser"
[instruments.counter]
driver = "hanging"
[roles]
player = "player"
microwave = "microwave"
laser = "laser"
counter = "counter"
""")
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


def test_make_safe_ends_the_run_and_drops_what_waits(listener, tmp_path):
    listener.until(lambda e: e["event"] == "ready")
    first, second, third = (listener.session.submit(order(tmp_path, pace=20.0)) for _ in range(3))
    listener.until(lambda e: e["event"] == "progress" and e["done"] > 5)
    listener.session.command("make_safe")
    ended = {}
    while len(ended) < 3:
        event = listener.state("stopped", "finished", "failed", "interrupted")
        ended[event["run"]] = (event["state"], event["reason"])
    assert ended[first] == ("stopped", "halted")
    for run in (second, third):
        assert ended[run][0] == "stopped"
        assert "made safe" in ended[run][1]
