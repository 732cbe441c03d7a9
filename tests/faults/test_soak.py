"""One simulated hour of mixed use: flat memory, nothing left behind, no run lost. See `tests.faults.soak`."""

import json
import os

import pytest

from tests.faults.soak import Soak

pytestmark = pytest.mark.skipif(os.name != "posix", reason="handles are counted on POSIX")


@pytest.mark.nightly
@pytest.mark.timeout(5000)
def test_an_hour_of_mixed_use_leaves_everything_as_it_was(tmp_path, capsys):
    seconds = float(os.environ.get("QLAB_SOAK_SECONDS", "600"))
    found = Soak(tmp_path / "data", seconds).play()
    with capsys.disabled():
        print(json.dumps(found, indent=1))  # the stall is told, not asserted: it is the machine's as well
    assert not found["errors"]
    assert found["runs"]["finished"] > seconds / 30
    assert set(found["runs"]) <= {"finished", "stopped"}
    assert not found["live_tables_left"]
    assert not found["processes_left"]
    assert {"supervisor", "worker", "window"} <= set(found["roles"])
    for role, course in found["roles"].items():
        assert course["growth"] < 0.05, f"{role} grows: {course}"
        for kind in ("threads", "handles"):
            assert course[kind][1] <= course[kind][0] + 2, f"{role} keeps {kind}: {course}"
