"""Drives that go away or turn read-only during a run, with file systems of their own; two programs in one folder."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from qlab.store import list_runs, open_run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a drive of its own needs Linux")
RUN = ["run", "nv.ramsey", "--seed", "3", "--set", "tau=0us:3us:61", "--set", "shots=500"]
ROWS = 610
PACE = 6.0  # s


class Drive:
    """A file system in a file, which can be pulled out under a program and put back as it was."""

    def __init__(self, folder):
        self.image, self.folder = folder / "drive.img", folder / "drive"
        self.folder.mkdir()
        with self.image.open("wb") as file:
            file.truncate(24 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True, capture_output=True)

    def mount(self):
        return (
            subprocess.run(["mount", "-o", "loop", self.image, self.folder], capture_output=True).returncode
            == 0
        )

    def pull(self):
        """Take it away, files open or not; what was written stays on it."""
        subprocess.run(["umount", "-l", self.folder], check=True)

    def option(self, text):
        subprocess.run(["mount", "-o", f"remount,{text}", self.folder], check=True)


@pytest.fixture
def drive(tmp_path):
    try:
        made = Drive(tmp_path)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be made here")
    if not made.mount():
        pytest.skip("this user may not mount a file system")
    yield made
    subprocess.run(["umount", "-l", made.folder], capture_output=True)


@pytest.fixture
def qlab(tmp_path):
    environment = {**os.environ, "QLAB_SPOOL": str(tmp_path / "spool")}
    started = []

    def start(*words, wait=True):
        process = subprocess.Popen(
            [sys.executable, "-m", "qlab", *map(str, words)], env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return ended(process) if wait else process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ended(process):
    out, err = process.communicate(timeout=150)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def begun(folder):
    """Wait until a run in a folder has written rows; return its growing file."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for path in folder.rglob("*.part.h5"):
            if len(open_run(path)) > 60:
                return path
        time.sleep(0.2)
    raise AssertionError("the run did not begin")


def same_rows(run, whole):
    assert (run.state, len(run)) == ("finished", ROWS)
    for name in ("tau", "counts", "reference"):
        np.testing.assert_array_equal(run[name], whole[name])


def reference(tmp_path, qlab):
    return open_run(qlab(*RUN, "--out", tmp_path / "whole").stdout.splitlines()[-1])


def test_a_drive_that_is_pulled_during_a_run_costs_no_row(tmp_path, drive, qlab, monkeypatch):
    monkeypatch.setenv("QLAB_SPOOL", str(tmp_path / "spool"))
    run = qlab(*RUN, "--pace", f"{PACE:.0f}s", "--out", drive.folder, wait=False)
    begun(drive.folder)
    drive.pull()
    said = ended(run)
    assert said.returncode == 1  # complete, and not where it was wanted
    complete = open_run(said.stdout.splitlines()[-1])
    assert complete.path.parent == tmp_path / "spool"
    assert f"`qlab recover {drive.folder}`" in said.stderr
    whole = reference(tmp_path, qlab)
    same_rows(complete, whole)
    # Without the drive nothing is brought anywhere; with it there is one run, whole.
    refused = qlab("recover", drive.folder)
    assert (refused.returncode != 0, "is not there" in refused.stderr) == (True, True), refused.stderr
    assert not list(drive.folder.iterdir())  # nothing goes into the empty folder that waits for the drive
    assert drive.mount()
    (found,) = list_runs(drive.folder, "state:finished")
    assert found.path == complete.path
    home = qlab("recover", drive.folder)
    assert home.returncode == 0, home.stderr
    (found,) = list_runs(drive.folder)
    assert found.path.is_relative_to(drive.folder)
    same_rows(open_run(found.path), whole)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_drive_that_turns_read_only_during_a_run_costs_no_row(tmp_path, drive, qlab):
    """A second mount of the same place, read-only, in front of the folder: new files are refused there."""
    run = qlab(*RUN, "--pace", f"{PACE:.0f}s", "--out", drive.folder, wait=False)
    part = begun(drive.folder)
    day = part.parent
    subprocess.run(["mount", "--bind", day, day], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", day], check=True)
    try:
        said = ended(run)
        assert said.stdout, said.stderr
        complete = open_run(said.stdout.splitlines()[-1])
        assert complete.path.parent == tmp_path / "spool", said.stderr
        assert "Read-only" in said.stderr
        whole = reference(tmp_path, qlab)
        same_rows(complete, whole)
    finally:
        subprocess.run(["umount", "-l", day], check=True)
    assert qlab("recover", drive.folder).returncode == 0
    (found,) = list_runs(drive.folder)
    same_rows(open_run(found.path), whole)


def test_a_read_only_drive_is_refused_before_anything_is_measured(tmp_path, drive, qlab):
    drive.option("ro")
    said = qlab(*RUN, "--out", drive.folder / "runs")
    assert said.returncode == 2
    assert "Read-only file system" in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "spool").exists() or not list((tmp_path / "spool").iterdir())


def test_two_programs_run_into_one_folder_while_a_third_lists_and_recovers(tmp_path, qlab):
    folder = tmp_path / "data"
    both = [qlab(*RUN, "--pace", f"{PACE:.0f}s", "--out", folder, wait=False) for _ in range(2)]
    begun(folder)
    listed = qlab("runs", folder, "--json")
    assert listed.stdout.count('"running"') >= 1
    spared = qlab("recover", folder)
    assert (spared.returncode, spared.stdout.strip()) == (0, "nothing to recover")
    ends = [ended(process) for process in both]
    assert [end.returncode for end in ends] == [0, 0], [end.stderr for end in ends]
    paths = [end.stdout.splitlines()[-1] for end in ends]
    assert len(set(paths)) == 2
    runs = list_runs(folder)
    assert {str(run.path) for run in runs} == set(paths)
    assert len({run.id for run in runs}) == 2
    same_rows(open_run(paths[0]), open_run(paths[1]))  # the same seed
    assert sorted(p.suffix for p in folder.rglob("*") if p.is_file()) == [".h5", ".h5"]
