"""A writer that is killed loses at most a second; a reader may watch while it writes."""

import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from qlab.errors import FileError
from qlab.store import RunWriter, list_runs, open_run, recover
from qlab.store.lock import RunLock

SCRIPT = Path(__file__).with_name("writing_child.py")


class Child:
    """The writing child: its path, and (time, rows handed in) as it told them."""

    def __init__(self, folder, record, rate=400.0):
        self.process = subprocess.Popen(
            [sys.executable, SCRIPT, str(folder), record.model_dump_json(), str(rate)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.told: list[tuple[float, int]] = []
        first = self.process.stdout.readline().split(maxsplit=1)
        assert first[:1] == ["path"]
        self.path = Path(first[1].strip())
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self):
        for text in self.process.stdout:
            words = text.split()
            if len(words) == 3:
                self.told.append((float(words[2]), int(words[1])))

    def kill(self):
        self.process.kill()
        killed = time.monotonic()
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()
        return killed


def check_rows(run, at_least):
    count = len(run)
    assert count >= at_least
    expected = np.arange(count)
    # A growing file may have gained rows since they were counted.
    np.testing.assert_array_equal(run["counts"][:count], expected)
    np.testing.assert_array_equal(run["reference"][:count], 2 * expected)
    np.testing.assert_allclose(run["tau"][:count], expected * 1e-9)
    np.testing.assert_array_equal(run["valid"], 1)


@pytest.mark.parametrize(
    "trial", [*range(6), *(pytest.param(n, marks=pytest.mark.nightly) for n in range(6, 50))]
)
def test_kill_9_loses_at_most_a_second(tmp_path, record, trial):
    child = Child(tmp_path, record)
    time.sleep(random.Random(trial).uniform(0.05, 1.8))
    killed = child.kill()
    old_enough = max((rows for told, rows in child.told if told < killed - 1.0), default=0)
    if trial % 2:
        (path,) = recover(tmp_path)
    else:
        path = open_run(child.path).path
    run = open_run(path)
    assert run.state == "interrupted"
    assert run.record.reason
    check_rows(run, old_enough)
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]
    assert recover(child.path) == [path]  # asking twice does no harm


def test_reading_while_another_process_writes(tmp_path, record):
    child = Child(tmp_path, record)
    try:
        time.sleep(0.7)
        run = open_run(child.path)
        assert run.state == "running"
        before = len(run)
        check_rows(run, 1)
        time.sleep(0.8)
        assert len(run) > before
        check_rows(run, before)
        with h5py.File(child.path, "r", swmr=True) as file:
            assert len(file["entry/shots/counts"]) >= before
        with pytest.raises(FileError, match="still being written"):
            recover(child.path)
        assert recover(tmp_path) == []
        (row,) = list_runs(tmp_path)
        assert row.state == "running"
    finally:
        child.kill()
    (row,) = list_runs(tmp_path)
    assert row.state == "interrupted"
    assert child.path.exists()  # listing changes nothing


def test_a_writer_killed_after_the_finished_file_was_in_place(tmp_path, record, end, block):
    writer = RunWriter.create(tmp_path, record)
    writer.write(block())
    kept = writer.path.read_bytes()
    path = writer.finish(end(record))
    writer.path.write_bytes(kept)
    assert recover(tmp_path) == [path]
    assert not writer.path.exists()
    assert open_run(path).state == "finished"


def test_a_run_that_ended_but_was_not_rewritten_keeps_its_end(tmp_path, record, end, block, monkeypatch):
    def fails(*_):
        from qlab.errors import RecordingError

        raise RecordingError("no room")

    writer = RunWriter.create(tmp_path, record)
    writer.write(block())
    monkeypatch.setattr("qlab.store.writer.write_final", fails)
    assert writer.finish(end(record)) == writer.path
    monkeypatch.undo()
    run = open_run(writer.path)
    assert (run.state, len(run), len(run.record.figures)) == ("finished", 51, 2)


@pytest.mark.parametrize("cut", [100, 3000, 9000])
def test_a_damaged_growing_file_is_refused_and_kept(tmp_path, record, block, cut):
    writer = RunWriter.create(tmp_path, record)
    writer.write(block())
    writer.close()
    writer.path.write_bytes(writer.path.read_bytes()[:cut])
    with pytest.raises(FileError):
        open_run(writer.path)
    with pytest.raises(FileError):
        recover(tmp_path)
    assert [p.name for p in writer.path.parent.iterdir()] == [writer.path.name]


def test_a_lock_is_held_once_and_falls_with_its_holder(tmp_path):
    run = tmp_path / "x.part.h5"
    lock = RunLock.take(run)
    assert lock is not None
    assert RunLock.take(run) is None
    assert b'"pid"' in lock.path.read_bytes()
    lock.release()
    lock.release()
    assert not lock.path.exists()
    again = RunLock.take(run)
    assert again is not None
    again.release()
