"""Two hundred faults at random points of random runs: nothing measured is lost, everything is safe or named."""

import contextlib
import datetime as dt
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from qlab.service.local import LocalSession
from qlab.settings import runtime_folder
from qlab.store import open_run
from tests.faults.harness import Rig, check, drive, played, randomly, scan

FAULTS = (
    "error",
    "hang",
    "garbage",
    "disconnect",
    "nan",
    "overflow",
    "empty",
    "reset",
    "gone",
    "clock",
    "disk",
)
TROUBLES = ("error", "crash", "drop", "hang", "nan", "overflow", "garbage", "short", "stuck")
# What an instrument may go through without ending its run.
SURVIVED = {"nan", "overflow", "hang", "disconnect", "clock", "disk"}


RIGS: list[Rig] = []


@pytest.fixture(scope="module", autouse=True)
def no_rig_left():
    yield
    while RIGS:
        RIGS.pop().close()


@pytest.fixture
def rig(tmp_path_factory):
    """An instrument in a process of its own: the one of the test before, where it is still alive."""
    if RIGS and RIGS[-1].process.poll() is None:
        return RIGS[-1]
    while RIGS:
        RIGS.pop().close()
    RIGS.append(Rig(tmp_path_factory.mktemp("rig")))
    return RIGS[-1]


@pytest.fixture
def session():
    made = LocalSession()
    yield made
    made.close()


def one_fault(seed, rig, session, out, request):
    """Put one fault to one run."""
    rng = randomly(seed)
    if seed % 2:
        one_in_playing(rng, seed // 2, session, out)
        return
    rig.say("none 0")
    fault = FAULTS[seed // 2 % len(FAULTS)]
    if fault == "disk":
        request.getfixturevalue("small_disk")
        out = out.parent / "small"
    order, whole = scan(rng, rig, out)
    at = rng.randint(1, whole)
    if fault == "gone":
        leave = time.monotonic() + rng.uniform(0, 0.05)
        told = drive(session, order, lambda done: rig.kill() if time.monotonic() > leave else None)
        check(told, 0, whole, fault)
        return
    meet, clock = None, pytest.MonkeyPatch()
    if fault == "clock":
        seconds = rng.choice([-86400 * 400, -3600, 3600, 86400 * 400])
        meet = once(at, lambda: jump(clock, seconds))
    elif fault == "disk":
        # Slowly, and not at the end: rows are told of some time after they came.
        order.parameters["settle_time"] = f"{600 // whole + 20} ms"
        meet = once(min(at, whole // 2), lambda: fill(out))
    else:
        rig.say(f"{fault} {at}")
    try:
        told = drive(session, order, meet)
    finally:
        clock.undo()
    run = check(told, at - 1, whole, fault)
    if fault == "disk":
        assert Path(told.last()["path"]).is_relative_to(runtime_folder() / "spool")
    assert (run.state == "finished") is (fault in SURVIVED), (fault, told.last())
    assert run.record.safe_report == {"meter": "safe"}, fault
    assert rig.safe, fault
    if fault == "hang":
        assert any("is back" in entry["message"] for entry in run.record.log)


def one_in_playing(rng, number, session, folder):
    """Let the counter of a played sequence meet a trouble at a random read."""
    folder.mkdir()
    trouble = TROUBLES[number % len(TROUBLES)]
    order, whole, before = played(rng, trouble, rng.randint(1, 4), folder)
    told = drive(session, order)
    last = told.last()
    assert last["path"], last
    run = open_run(last["path"])
    met = before < whole
    goes_on = not met or trouble in {"drop", "hang"}
    assert (run.state, last["state"]) == (("finished",) * 2 if goes_on else ("failed",) * 2), (trouble, last)
    # Whole passes in the order in which they were played, and every one before the trouble.
    assert len(run) == (whole if goes_on else before), trouble
    tau = np.linspace(0.1e-6, 2e-6, whole // int(order.parameters["passes"]))
    assert np.allclose(run["tau"], np.resize(tau, len(run)), atol=1e-12)
    assert set(run.record.safe_report.values()) == {"safe"}, run.record.safe_report
    if not goes_on:
        assert len(last["reason"]) > 15, last
    if trouble == "stuck":
        # The thread that was given up wakes at last, and adds nothing.
        for thread in [t for t in threading.enumerate() if t.name == "qlab run"]:
            thread.join(10)
        assert len(open_run(last["path"])) == len(run)


def jump(monkeypatch, seconds):
    """Let the clock on the wall be wrong by so much from here on, as after a summer time or a bad time server."""

    true, true_ns = time.time, time.time_ns

    class Jumped(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return dt.datetime.fromtimestamp(true() + seconds, tz)

    monkeypatch.setattr(time, "time", lambda: true() + seconds)
    monkeypatch.setattr(time, "time_ns", lambda: true_ns() + int(seconds * 1e9))
    for name, module in list(sys.modules.items()):
        if name.startswith("qlab") and vars(module).get("datetime") is dt.datetime:
            monkeypatch.setattr(module, "datetime", Jumped)


def fill(folder):
    """Take all the room that a disk has left."""
    with contextlib.suppress(OSError), (folder / "filler").open("wb") as file:
        while True:
            file.write(b"x" * 1000)
            file.flush()


def once(count, act):
    """Return what acts when so many rows have been told of, once."""
    left = [act]

    def meet(done):
        if done >= count and left:
            left.pop()()

    return meet


@pytest.mark.parametrize("seed", range(22))
def test_a_fault(seed, rig, session, tmp_path, request):
    one_fault(seed, rig, session, tmp_path / "runs", request)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(22, 222))
def test_two_hundred_faults(seed, rig, session, tmp_path, request):
    one_fault(seed, rig, session, tmp_path / "runs", request)


@pytest.fixture
def small_disk(tmp_path):
    """A folder with very little room."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "none", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_fills_moves_the_run_to_the_spool_and_says_so(small_disk, rig, session, tmp_path):
    from qlab.session import Order

    order = Order(
        experiment="generic.scan", bench=str(rig.bench), out=str(small_disk),
        parameters={"knob": "meter.voltage", "values": "0V:9V:900", "passes": 1, "readouts": "meter.reading",
                    "settings": "meter.on=1"},
    )  # fmt: skip

    told = drive(session, order, once(101, lambda: fill(small_disk)))
    run = check(told, 100, 900, "disk full")
    assert run.state == "finished"
    assert Path(told.last()["path"]).is_relative_to(runtime_folder() / "spool")
    # While it grows, or, where the room was just enough for that, when it is finished: the new place is named.
    spool = str(runtime_folder() / "spool")
    assert any(spool in e["message"] for e in told.events if e["event"] == "log")
    assert rig.safe
    shutil.copy(told.last()["path"], tmp_path / "kept.h5")
    assert len(open_run(tmp_path / "kept.h5")) == 900
