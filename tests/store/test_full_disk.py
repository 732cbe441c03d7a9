"""A disk that fills fails the run, and costs no row: everything stays where there is room for it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qlab.errors import RecordingError
from qlab.store import RunWriter, open_run, recover

NO_ROOM = OSError(28, "No space left on device")


@pytest.fixture
def small_disk(tmp_path):
    """A folder with 2 MB of room."""
    folder = tmp_path / "small"
    folder.mkdir()
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], capture_output=True
    ).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(writer, block, most=400):
    """Write until it fails; return (rows handed in, the error)."""
    rows = 0
    for i in range(most):
        rows += 1000
        try:
            writer.write(block(1000 * i, 1000))
            writer.flush()
        except RecordingError as error:
            return rows, error
    raise AssertionError("the disk never filled")


def check_all(run, rows, block):
    assert len(run) == rows
    for name in ("counts", "tau", "time"):
        expected = np.concatenate([block(1000 * i, 1000)[name] for i in range(rows // 1000)])
        np.testing.assert_array_equal(run[name], expected)


def test_a_full_disk_with_a_spool_loses_nothing_and_goes_on(tmp_path, small_disk, record, end, block):
    writer = RunWriter.create(small_disk, record, spool=tmp_path / "spool")
    for i in range(120):
        writer.write(block(1000 * i, 1000))
        writer.flush()
    assert any("disk is full" in line for line in writer.warnings)
    assert writer.path.parent == tmp_path / "spool"
    path = writer.finish(end(record))
    check_all(open_run(path), 120_000, block)
    if path.parent == tmp_path / "spool":
        # What was begun there stays, under a name that nobody takes for a run of its own.
        assert list(small_disk.rglob("*.part.h5.aside"))
        assert not list(small_disk.rglob("*.part.h5"))


def test_a_full_disk_and_a_full_spool_fail_the_run_and_keep_its_rows(small_disk, record, end, block):
    writer = RunWriter.create(small_disk, record, spool=small_disk / "spool")
    rows, error = fill(writer, block)
    assert "disk is full" in error.message
    assert error.hint
    with pytest.raises(RecordingError):
        writer.write(block(0, 1000))
    kept = writer._part.rows
    assert rows - kept <= 1000
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    ballast.write_bytes(b"x" * max(free, 0))
    with pytest.raises(RecordingError, match="last 2000 rows"):
        writer.finish(end(record, state="failed"))
    ballast.unlink()
    assert not list(small_disk.rglob("*.draft"))
    run = open_run(writer.path)  # no room to finalise it: read as it stands
    assert run.state == "interrupted"
    check_all(run, kept, block)


def test_room_made_before_the_end_saves_every_row(small_disk, record, end, block):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_200_000)
    writer = RunWriter.create(small_disk, record, spool=small_disk / "spool")
    rows, _ = fill(writer, block)
    ballast.unlink()
    path = writer.finish(end(record, state="failed"))
    assert path == writer.final
    check_all(open_run(path), rows, block)
    assert not list(small_disk.rglob("*.part.h5"))


def test_no_room_to_begin_with_leaves_no_file(small_disk, record):
    from qlab.errors import UsageError

    (small_disk / "ballast").write_bytes(b"x" * 2_000_000)
    with pytest.raises(UsageError) as caught:
        RunWriter.create(small_disk, record)
    assert "No space" in caught.value.message or "full" in caught.value.message
    assert [p.name for p in small_disk.rglob("*") if p.is_file()] == ["ballast"]


LIMITED = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from conftest import make_block, make_record, ended
from qlab.errors import RecordingError
from qlab.store import RunWriter
record = make_record()
writer = RunWriter.create(Path(sys.argv[1]), record, spool=Path(sys.argv[1]) / "spool")
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
rows, failed = 0, ""
for i in range(100):
    try:
        writer.write(make_block(1000 * i, 1000))
        writer.flush()
    except RecordingError as error:
        failed = error.message
        break
    rows += 1000
try:
    print(writer.finish(ended(record, state="failed")))
except RecordingError as error:
    print(writer.path)
print(rows, failed)
"""


def test_a_file_that_may_not_grow_ends_cleanly(tmp_path, block):
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path, Path(__file__).parent],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr  # HDF5 would end the process with a segmentation fault
    path, told = done.stdout.splitlines()
    rows, failed = told.split(maxsplit=1)
    assert "may not grow" in failed
    run = open_run(Path(path))
    assert len(run) >= int(rows) > 0
    check_all(run, len(run), block)


HDF5_FAILS = LIMITED.replace("resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))", """
import qlab.store.part as part, qlab.store.hdf as hdf, qlab.store.final as final, os, errno
for module in (part, final):
    for name in ("reserve", "reserve_rows"):
        if hasattr(module, name): setattr(module, name, lambda *_: None)
spent = resource.getrlimit(resource.RLIMIT_FSIZE)
# A limit that HDF5 itself runs into, lifted again for the end (as a full disk is by a file that goes).
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, spent[1]))
part.divert = lambda file: (resource.setrlimit(resource.RLIMIT_FSIZE, spent), hdf.divert(file))
""")  # fmt: skip


def test_a_write_that_fails_inside_hdf5_does_not_end_the_process(tmp_path, block):
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", HDF5_FAILS, tmp_path, Path(__file__).parent],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    path, told = done.stdout.splitlines()
    rows = int(told.split(maxsplit=1)[0])
    run = open_run(Path(path))
    assert len(run) >= rows > 0
    check_all(run, len(run), block)


def test_a_final_file_that_cannot_be_written_goes_to_the_spool(tmp_path, record, end, block, monkeypatch):
    writer = RunWriter.create(tmp_path / "runs", record, spool=tmp_path / "spool")
    writer.write(block())
    real = Path.replace

    def refused(self, target):
        if Path(target).parent != tmp_path / "spool":
            raise NO_ROOM
        return real(self, target)

    monkeypatch.setattr(Path, "replace", refused)
    path = writer.finish(end(record))
    assert path.parent == tmp_path / "spool"
    assert len(open_run(path)) == 51
    monkeypatch.undo()
    (rescued,) = recover(tmp_path / "runs")
    assert len(open_run(rescued)) == 51
