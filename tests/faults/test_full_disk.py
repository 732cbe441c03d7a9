"""A disk that fills during a run: exit code 1, and every measured row kept."""

import os
import resource
import subprocess
import sys

import pytest

from qlab.store import open_run

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="a small file system needs Linux"
)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 600 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "none", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_every_row_is_kept_when_the_disk_is_full(small_disk, tmp_path):
    spool = tmp_path / "runtime"
    spool.mkdir()
    command = [sys.executable, "-m", "qlab", "run", "nv.ramsey", "--seed", "1", "--out", str(small_disk),
               "--set", "tau=0us:4us:2001", "--set", "shots=2000", "--set", "passes=20"]  # fmt: skip
    said = subprocess.run(
        command, capture_output=True, text=True, timeout=200, env={**os.environ, "QLAB_RUNTIME": str(spool)}
    )
    kept = [*small_disk.rglob("*.h5"), *spool.rglob("*.h5")]
    runs = [open_run(path) for path in kept]
    # The local spool took over, so that nothing is missing; but the file is not where it was wanted.
    assert max(len(run) for run in runs) == 40_020
    assert said.returncode == 1
    assert "took no more" in said.stderr.splitlines()[-1]
    assert "spool" in said.stdout.splitlines()[-1]
    complete = open_run(said.stdout.splitlines()[-1])
    assert (complete.state, len(complete)) == ("finished", 40_020)
    # Everything that is said of it names one way home, and the run is found where it was wanted.
    recover = f"`qlab recover {small_disk}`"
    assert recover in said.stderr.splitlines()[-1]
    assert all(recover in line for line in said.stderr.splitlines() if "complete in" in line)
    environment = {**os.environ, "QLAB_RUNTIME": str(spool)}

    def qlab(*words):
        return subprocess.run(
            [sys.executable, "-m", "qlab", *words],
            capture_output=True,
            text=True,
            timeout=100,
            env=environment,
        )

    listed = qlab("runs", str(small_disk))
    assert complete.path.name in listed.stdout
    assert "1 of them wait in the spool" in listed.stderr
    # Still no room: that is said, nothing is moved or lost.
    refused = qlab("recover", str(small_disk))
    assert refused.returncode != 0
    assert "has no room" in refused.stderr
    assert open_run(complete.path).id == complete.id
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    home = qlab("recover", str(small_disk)).stdout.strip()
    assert home.startswith(str(small_disk))
    assert len(open_run(home)) == 40_020
    listed = qlab("runs", str(small_disk))
    assert (listed.stdout.count("finished"), "spool" in listed.stderr) == (1, False)


def test_a_disk_and_a_spool_that_are_both_full_fail_the_run_with_exit_code_1(tmp_path):
    """Neither the folder nor the spool takes more: the run fails, says so, and keeps what it has."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    command = [sys.executable, "-c",
               ("import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); sys.argv[0] = 'qlab';"
               "from qlab.cli import main; main()"),
               "run", "nv.ramsey", "--seed", "1", "--out", str(tmp_path / "out"),
               "--set", "tau=0us:4us:2001", "--set", "shots=2000", "--set", "passes=20"]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, timeout=200, preexec_fn=limit)
    assert said.returncode == 1, said.stderr
    assert len(said.stderr.strip().splitlines()[-1]) > 20
