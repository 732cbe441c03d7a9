"""The command line, as people type it, in real processes where the exit code matters."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from qlab.store import open_run

QUICK = ["--set", "tau=0us:3us:31", "--set", "shots=500"]


def qlab(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "qlab", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """One Ramsey run with the settings of the README."""
    out = tmp_path_factory.mktemp("data")
    said = qlab("run", "nv.ramsey", "--bench", "sim-nv", "--set", "shots=20000", "--seed", 1, "--out", out)
    assert said.returncode == 0, said.stderr
    return Path(said.stdout.strip().splitlines()[-1])


def test_run_prints_the_path_of_a_complete_file(measured):
    run = open_run(measured)
    assert (run.state, len(run), run.record.seed) == ("finished", 2010, 1)


def test_show_finds_the_truth_within_three_sigma(measured):
    shown = json.loads(qlab("show", measured, "--json").stdout)
    fitted = {p["name"]: p for p in shown["fits"][0]["parameters"]}
    for name in ("T2_star", "frequency", "hyperfine"):
        assert abs(fitted[name]["value"] - shown["expected"][name]) < 3 * fitted[name]["error"], name
    text = qlab("show", measured).stdout
    assert "SIM" in text
    assert "T2*" in text
    assert "tau = " in text


def test_reproduce_gives_every_row_equal_and_another_seed_does_not(measured, tmp_path):
    same = qlab("reproduce", measured, "--out", tmp_path)
    assert same.returncode == 0, same.stdout + same.stderr
    assert "every row is equal" in same.stdout
    again = open_run(same.stdout.strip().splitlines()[-1])
    first = open_run(measured)
    for column in first.record.columns:
        assert np.array_equal(first[column.name], again[column.name]), column.name
    other = qlab("reproduce", measured, "--out", tmp_path, "--seed", 2)
    assert "counts: " in other.stdout
    assert not np.array_equal(open_run(other.stdout.strip().splitlines()[-1])["counts"], first["counts"])


def test_fit_check_runs_and_list(measured):
    fitted = json.loads(qlab("fit", measured, "--json").stdout)
    assert fitted["success"]
    assert qlab("check", measured).returncode in {0, 1}
    listed = json.loads(qlab("runs", measured.parent.parent, "--json").stdout)
    assert listed[0]["experiment"] == "nv.ramsey"
    names = {entry["name"] for entry in json.loads(qlab("list", "experiments", "--json").stdout)}
    assert "nv.ramsey" in names
    assert qlab("doctor").returncode == 0


def truncated(measured, tmp_path):
    path = tmp_path / "short.h5"
    path.write_bytes(measured.read_bytes()[:20_000])
    return path


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["run", "nv.ramsy"], "Did you mean 'nv.ramsey'"),
        (["run", "nv.ramsey", "--set", "tua=1"], "Did you mean 'tau'"),
        (["run", "nv.ramsey", "--set", "tau=4 MHz"], "not a unit of time"),
        (["run", "nv.ramsey", "--set", "tau=0us:4us:0"], "at least 1 point"),
        (["run", "nv.ramsey", "--set", "tau=-1us:4us:9"], "greater than or equal to 0"),
        (["run", "nv.ramsey", "--set", "tau"], "NAME=VALUE"),
        (["run", "nv.ramsey", "--bench", "BENCH"], r"\[roles\]"),
        (["run", "nv.ramsey", "--out", "/proc/nowhere"], "Choose a folder"),
        (["run", "nv.ramsey", "--truth", "B=2s"], "magnetic field"),
        (["show", "NOTARUN"], "not an HDF5 file"),
        (["show", "TRUNCATED"], "qlab: "),
        (["show", "missing.h5"], "no file"),
        (["runs", "missing"], "not a folder"),
        (["run", "nv.ramsey", "--knob", "player.power=1"], "It has none"),
        (["fit", "RUN", "--bootstrap", "-3"], "0 or more"),
        (["fit", "FOLDER", "nothing-like-it"], "no run in"),
        (["export", "RUN", "OTHER", "--to", "csv"], "may be a run"),
    ],
)
def test_bad_use_is_one_line_exit_code_2_and_no_file(measured, tmp_path, arguments, part):
    import re

    bench = tmp_path / "bench.toml"
    bench.write_text("[world]\nkind = 'nv'\n[instruments.a]\ndriver = 'sim.laser'\n[roles]\nlaser = 'a'\n")
    notarun = tmp_path / "notarun.h5"
    notarun.write_text("hello")
    other = tmp_path / "other.h5"
    other.write_bytes(measured.read_bytes())
    stand_ins = {"BENCH": bench, "NOTARUN": notarun, "TRUNCATED": truncated(measured, tmp_path)}
    stand_ins |= {"RUN": measured, "FOLDER": measured.parent, "OTHER": other}
    out = tmp_path / "out"
    extra = ["--out", str(out)] if arguments[0] == "run" and "--out" not in arguments else []
    said = qlab(*[stand_ins.get(a, a) for a in arguments], *extra, cwd=tmp_path)
    assert said.returncode == 2
    assert re.search(part, said.stderr)
    assert len(said.stderr.strip().splitlines()) == 1
    assert not out.exists() or not list(out.rglob("*"))
    assert other.read_bytes() == measured.read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")
def test_ctrl_c_stops_and_keeps_everything(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "qlab", "run", "nv.ramsey", *QUICK, "--pace", "20s", "--out", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_file(tmp_path)
    wait_for_rows(tmp_path)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    run = open_run(out.strip().splitlines()[-1])
    again = qlab("reproduce", run.path, "--out", tmp_path / "again")
    assert again.returncode == 0
    assert "every row is equal" in again.stdout
    assert "(stopped)" in again.stdout
    assert (run.state, run.record.reason) == ("stopped", "stopped by the user")
    assert 0 < len(run) < 310


def wait_for_rows(folder, seconds=30):
    end = time.monotonic() + seconds
    while not len(open_run(next(folder.rglob("*.part.h5")))):
        assert time.monotonic() < end
        time.sleep(0.1)


def wait_for_file(folder, seconds=30):
    end = time.monotonic() + seconds
    while not list(folder.rglob("*.part.h5")):
        assert time.monotonic() < end
        time.sleep(0.05)


# Attached to a supervisor.


@pytest.fixture
def supervisor():
    yield
    from qlab.service.channel import Address, address_file

    address = Address.read(address_file())
    if address is not None:
        os.kill(address.pid, signal.SIGTERM)


def begin(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "qlab", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(stream, start):
    for line in stream:
        if line.startswith(start):
            return line.strip()
    raise AssertionError(f"{start!r} was not said")


DIAL = """
from qlab.instrument import Instrument, Knob

class plugin(Instrument):
    title = "Dial"
    level = Knob("V", limits=(0.0, 5.0), safe=0.0)

    def __init__(self, address):
        super().__init__()
        self.address = address
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")
def test_a_served_bench_is_joined_and_its_instruments_are_refused_to_others(tmp_path, supervisor):
    folder = tmp_path / "plugins" / "instruments"
    folder.mkdir(parents=True)
    (folder / "dial.py").write_text(DIAL)
    bench = tmp_path / "real.toml"
    bench.write_text("[instruments.dial]\ndriver = 'dial'\noptions = {address = 'GPIB0::7'}\n")
    scan = ["generic.scan", "--bench", bench, "--set", "knob=dial.level", "--set", "values=0:1:11",
            "--set", "readouts=dial.level", "--set", "settings=", "--out", tmp_path]  # fmt: skip
    served = begin("bench", "serve", bench)
    assert "dial (Dial)" in read_until(served.stdout, "serving")
    again = qlab("bench", "serve", bench)
    assert again.returncode == 2
    assert f"process {served.pid}" in again.stderr
    alone = qlab("run", *scan)
    assert alone.returncode == 2
    assert "dial is in use by qlab bench serve (process" in alone.stderr
    attached = qlab("run", *scan, "--attach", "--knob", "dial.level=2V")
    assert attached.returncode == 0, attached.stderr
    run = open_run(attached.stdout.strip())
    assert np.array_equal(run["dial_level"][:11], np.linspace(0, 1, 11))
    # Ctrl-C stops after this point; what is kept is there.
    slow = begin("run", *scan, "--attach", "--set", "settle_time=50ms", "--set", "passes=100")
    name = read_until(slow.stderr, "run ").removeprefix("run ")
    read_until(slow.stderr, "running")
    listed = json.loads(qlab("queue", "--json").stdout)
    assert [(item["run"], item["state"]) for item in listed["items"]] == [(name, "running")]
    slow.send_signal(signal.SIGINT)
    out, _ = slow.communicate(timeout=30)
    assert slow.returncode == 0
    assert open_run(out.strip()).record.reason == "stopped by the user"
    served.send_signal(signal.SIGINT)
    out, _ = served.communicate(timeout=30)
    assert (served.returncode, "dial: safe" in out) == (0, True)
    # Nobody has it any more.
    assert qlab("run", *scan).returncode == 0


@pytest.mark.nightly
@pytest.mark.skipif(os.name != "posix", reason="signals of this kind are POSIX")
def test_the_queue_from_the_command_line_and_ctrl_c_twice(tmp_path, supervisor):
    common = ["nv.ramsey", *QUICK, "--out", tmp_path]
    bad = qlab("run", "--queue", "nv.ramsey", "--set", "tua=1", "--out", tmp_path)
    assert (bad.returncode, "Did you mean 'tau'" in bad.stderr) == (2, True)
    going = begin("run", "--attach", *common, "--pace", "60s")
    read_until(going.stderr, "running")
    ids = [qlab("queue", "add", *common, "--title", title).stdout.strip() for title in ("one", "two")]
    good = qlab("queue", "add", *common, "--after", f"{ids[1]}:good_fit", "--title", "three").stdout.strip()
    moved = qlab("queue", "move", ids[1][:8], 0)
    assert [line.split()[2] for line in moved.stdout.splitlines()[2:]] == ["two", "one", "three"]
    assert "taken" not in qlab("queue", "skip", ids[0]).stderr
    going.send_signal(signal.SIGINT)
    going.send_signal(signal.SIGINT)
    out, said = going.communicate(timeout=30)
    assert open_run(out.strip()).state == "stopped", said
    listed = json.loads(qlab("queue", "--json").stdout)
    assert (listed["held"], [item["run"] for item in listed["items"]]) == (True, [ids[1], good])
    assert listed["items"][1]["why"].startswith("comes after run")
    qlab("queue", "release")
    end = time.monotonic() + 40
    while time.monotonic() < end:
        items = json.loads(qlab("queue", "--json").stdout)["items"]
        if not items or items[0]["state"] == "blocked":
            break
    # 500 shots do not give a fit that is believed, or they do: either way it says so.
    files = {open_run(path).record.title: open_run(path) for path in tmp_path.rglob("*.h5")}
    believed = all(fit.success for fit in files["two"].record.fits)
    assert ("three" in files) == believed
    if not believed:
        assert items[0]["why"] == f"run {ids[1][:8]} has no fit that is believed"


def test_a_study_in_this_process_and_one_value_out_of_limits(tmp_path):
    said = qlab("run", "nv.ramsey", *QUICK, "--out", tmp_path, "--loop", "coil.bz=0mT,0.1mT;shots=500,600")
    assert said.returncode == 0, said.stderr
    runs = [open_run(path) for path in said.stdout.split()]
    assert [run.record.study["values"]["coil.bz"]["value"] for run in runs] == [0.0, 1e-4]
    assert [run.parameters["shots"] for run in runs] == [500, 600]
    bad = qlab("run", "nv.ramsey", *QUICK, "--out", tmp_path / "bad", "--loop", "coil.bz=0mT,1T")
    assert (bad.returncode, "outside the limits" in bad.stderr) == (2, True)
    assert not list((tmp_path / "bad").rglob("*"))
