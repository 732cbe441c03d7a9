"""Processes killed with real signals at random points of random runs, under a real supervisor."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from qlab.service.channel import Address, address_file
from qlab.service.client import connect
from qlab.session import Order
from qlab.store import open_run
from tests.faults.harness import ENDED, Rig, randomly

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")
KINDS = ("bench", "window", "supervisor")
ROOT = str(Path(__file__).parents[2])


class Watched:
    """A session that keeps what it hears, and when."""

    def __init__(self):
        self.session, self.heard, self.done = connect("watcher"), [], []

    def until(self, condition, seconds=40.0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for event in self.session.events():
                self.heard.append(event)
                if event["event"] == "progress":
                    self.done.append((time.monotonic(), event["done"]))
            found = next((event for event in self.heard if condition(event)), None)
            if found is not None:
                return found
            time.sleep(0.01)
        kinds = [(e["event"], e.get("state"), e.get("message")) for e in self.heard[-8:]]
        raise AssertionError(f"not heard; the last were {kinds}")

    def wait_for_rows(self, seconds):
        """Listen for so long after the first row."""
        first = self.until(lambda e: e["event"] == "progress" and e["done"] > 0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.until(lambda e: e is first)
            time.sleep(0.01)

    def rows_by(self, when):
        """Return how many rows had been told of by a time."""
        return max((done for at, done in self.done if at <= when), default=0)


@pytest.fixture
def rig(tmp_path):
    made = Rig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def watcher():
    made = Watched()
    yield made
    made.session.close()
    address = Address.read(address_file())
    if address is not None and psutil.pid_exists(address.pid):
        os.kill(address.pid, signal.SIGTERM)


def slow_scan(rng, rig, out):
    """Return a scan of a few seconds, and how many rows it has."""
    points = rng.randint(60, 120)
    return Order(
        experiment="generic.scan", bench=str(rig.bench), out=str(out),
        parameters={"knob": "meter.voltage", "values": f"0.5V:{rng.uniform(1, 9):.3f}V:{points}", "passes": 1,
                    "readouts": "meter.reading", "settings": "meter.on=1", "settle_time": "30 ms"},
    ), points  # fmt: skip


def ended(watcher, run):
    return watcher.until(
        lambda e: e["event"] == "state" and e.get("run") == run and e["state"] in ENDED and e["path"]
    )


def kill_one(kind, seed, rig, watcher, folder):
    """Kill one process at a random moment of a run, and see that nothing is lost and everything safe."""
    rng = randomly(seed)
    order, whole = slow_scan(rng, rig, folder)
    rig.say("none 0")
    worker = watcher.until(lambda e: e["event"] == "ready")["pid"]
    if kind == "window":
        told = folder.with_suffix(".json")
        told.write_text(order.model_dump_json())
        environment = {**os.environ, "PYTHONPATH": ROOT, "QT_QPA_PLATFORM": "offscreen"}
        code = [sys.executable, "-m", "tests.faults.killed_window", str(told)]
        window = subprocess.Popen(
            code, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        run, victim = window.stdout.readline().strip(), window.pid
    else:
        run = watcher.session.submit(order)
        victim = worker if kind == "bench" else Address.read(address_file()).pid
    watcher.wait_for_rows(rng.uniform(1.0, 1.8))
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    if kind == "window":
        # Nothing that the window had started holds its pipe: its worker process ends with it.
        window.communicate(timeout=20)
    last = ended(watcher, run)
    found = open_run(last["path"])
    assert np.allclose(found["meter_reading"], 2 * found["meter_voltage"] + 1, atol=1e-6)
    if kind == "bench":
        assert (found.state, last["state"]) == ("interrupted", "interrupted")
        # Every block that was yielded up to the last second.
        assert whole > len(found) >= watcher.rows_by(killed - 1.0) > 0
        assert "ended unexpectedly" in last["reason"]
        assert str(last["path"]) in last["hint"]
        assert watcher.until(lambda e: e["event"] == "safe")["report"] == {"meter": "safe"}
    else:
        # The run does not need whoever ordered it, nor the supervisor.
        assert (found.state, len(found)) == ("finished", whole)
        assert found.record.safe_report == {"meter": "safe"}
    assert rig.safe


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_process_loses_nothing(kind, rig, watcher, tmp_path):
    kill_one(kind, 1, rig, watcher, tmp_path / "runs")


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(2, 32))
def test_thirty_processes_killed(seed, rig, watcher, tmp_path):
    kill_one(KINDS[seed % len(KINDS)], seed, rig, watcher, tmp_path / "runs")
