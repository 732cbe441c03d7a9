"""kill -9 of a real `qlab run`: at most the last second is lost, and the file reopens as interrupted."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import qlab
from qlab.store import open_run

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
SETTINGS = {"tau": "0us:3us:61", "shots": "500"}


@pytest.mark.parametrize("after", [0.7, 1.9])
def test_a_killed_run_loses_at_most_a_second(tmp_path, after):
    command = [
        sys.executable,
        "-m",
        "qlab",
        "run",
        "nv.ramsey",
        "--seed",
        "5",
        "--pace",
        "12s",
        "--out",
        str(tmp_path / "killed"),
    ]
    for item in SETTINGS.items():
        command += ["--set", "=".join(item)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("running"):
            break
    began = time.monotonic()
    time.sleep(after)
    lived = time.monotonic() - began
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    part = next((tmp_path / "killed").rglob("*.part.h5"))
    run = open_run(part)
    assert run.state == "interrupted"
    # 610 rows are paced over 12 s; what was taken more than a second before the kill must be there.
    assert len(run) >= int((lived - 1.0) / 12 * 610) - 1
    whole = qlab.run("nv.ramsey", qlab.Bench.load("sim-nv", seed=5), out=tmp_path / "whole", **SETTINGS)
    for name in ("tau", "counts", "reference", "time"):
        assert np.array_equal(run[name], whole[name][: len(run)]), name
    assert run.path.suffix == ".h5"
    assert not run.path.name.endswith(".part.h5")
    assert open_run(run.path).state == "interrupted"
    # The recovered file still says what was measured on what, and can be run again.
    assert run.record.truth == whole.record.truth
    assert run.record.bench["entry"]["name"] == "sim-nv"
    again = subprocess.run(
        [sys.executable, "-m", "qlab", "reproduce", str(run.path), "--out", str(tmp_path / "again")],
        capture_output=True,
        text=True,
    )
    assert again.returncode == 0, again.stderr
    assert "every row is equal" in again.stdout
