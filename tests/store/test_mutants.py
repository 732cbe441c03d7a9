"""Run files whose structure was changed at random: refused or shown, in bounded time and memory."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qlab.metrology.curves import Curve
from qlab.store import RunWriter
from qlab.tags import timetag_stream
from tests.store.mutants import mutate

SLOWEST = 30.0  # s a file, on a busy machine
MOST_MEMORY = 1500  # MiB, of all that it ever held


@pytest.fixture
def rich(tmp_path, new_record, end, block):
    """A run with everything: rows, streams, a curve, a fit, figures, calibrations, an overview."""
    band = [np.arange(1.0, 5.0) * k for k in (1.0, 1.0, 0.9, 1.1)]
    curve = Curve("oadev", "Allan deviation", *band).with_limit("limit", band[0], band[1])
    record = new_record(
        streams=(timetag_stream(),), curves=(curve.stored(),),
        calibrations=({"name": "pi_pulse", "value": 5e-8, "error": 1e-9, "unit": "s", "knob": "a.b"},),
    )  # fmt: skip
    writer = RunWriter.create(tmp_path / "rich", record)
    for start in range(0, 1020, 51):
        writer.write(block(start))
    ps = np.arange(1000)
    writer.write_stream("timetags", {"time": ps, "channel": ps % 4, "row": ps})
    return writer.finish(end(record))


@pytest.mark.parametrize(
    "seeds", [range(24), pytest.param(range(24, 1000), marks=pytest.mark.nightly)], ids=len
)
@pytest.mark.timeout(1200)
def test_a_file_of_another_structure_is_refused_or_shown(tmp_path, rich, seeds):
    changed = {}
    for seed in seeds:
        path = tmp_path / f"m{seed}.h5"
        shutil.copyfile(rich, path)
        changed[str(path)] = mutate(path, seed)
    said = subprocess.run(
        [sys.executable, "-W", "ignore", Path(__file__).with_name("looking_child.py"), tmp_path / "exports"],
        input="\n".join(changed), capture_output=True, text=True, timeout=1100,
    )  # fmt: skip
    answers = dict(line.split("\t") for line in said.stdout.splitlines())
    last = said.stdout.splitlines()[-1].partition("\t")[0]
    assert said.returncode == 0, (last, changed[last], said.stderr[-500:])
    shown, found = 0, []
    for path, what in changed.items():
        outcome, taken, memory = json.loads(answers[path])
        found += [(Path(path).name, what, line) for line in outcome if line.startswith("FOUND")]
        assert taken < SLOWEST, (Path(path).name, what, taken)
        assert memory < MOST_MEMORY, (Path(path).name, what, memory)
        assert outcome, (Path(path).name, what)
        shown += outcome[-1].startswith("shown")
    assert not found
    # It is no test of refusing everything: a good part of them is shown.
    assert len(changed) / 10 < shown < len(changed) * 0.9
