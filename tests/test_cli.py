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
    ],
)
def test_bad_use_is_one_line_exit_code_2_and_no_file(measured, tmp_path, arguments, part):
    import re

    bench = tmp_path / "bench.toml"
    bench.write_text("[world]\nkind = 'nv'\n[instruments.a]\ndriver = 'sim.laser'\n[roles]\nlaser = 'a'\n")
    notarun = tmp_path / "notarun.h5"
    notarun.write_text("hello")
    stand_ins = {"BENCH": bench, "NOTARUN": notarun, "TRUNCATED": truncated(measured, tmp_path)}
    out = tmp_path / "out"
    extra = ["--out", str(out)] if arguments[0] == "run" and "--out" not in arguments else []
    said = qlab(*[stand_ins.get(a, a) for a in arguments], *extra, cwd=tmp_path)
    assert said.returncode == 2
    assert re.search(part, said.stderr)
    assert len(said.stderr.strip().splitlines()) == 1
    assert not out.exists() or not list(out.rglob("*"))


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
