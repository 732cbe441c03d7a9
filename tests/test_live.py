"""The live table: whole rows only, seen from another process, never longer than reserved."""

import subprocess
import sys

import numpy as np
import pytest

from qlab.errors import RecordingError
from qlab.live import LiveTable
from qlab.record import Column

COLUMNS = [Column(name="x"), Column(name="y"), Column(name="trace", dims=("sample",), shape=(100,))]


def test_rows_appear_to_a_reader_as_they_are_appended(tmp_path):
    table = LiveTable.create(tmp_path / "t.live", COLUMNS, 100)
    reader = LiveTable.attach(tmp_path / "t.live")
    assert reader.names == ("x", "y")
    for start in range(0, 90, 30):
        x = np.arange(start, start + 30.0)
        table.append({"x": x, "y": x**2, "trace": np.zeros((30, 100))})
        assert len(reader) == start + 30
        assert np.array_equal(reader.column("y"), np.arange(start + 30.0) ** 2)
    reader.close()
    table.close(remove=True)
    assert not (tmp_path / "t.live").exists()


def test_another_process_reads_it(tmp_path):
    table = LiveTable.create(tmp_path / "t.live", COLUMNS, 10)
    table.append({"x": np.array([1.0, 2.0]), "y": np.array([3.0, 4.0])})
    code = (
        "import sys; from pathlib import Path; from qlab.live import LiveTable;"
        "t = LiveTable.attach(Path(sys.argv[1])); print(len(t), t.column('y').sum())"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "t.live")], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["2", "7.0"]
    table.close(remove=True)


def test_a_full_table_refuses_and_keeps_what_it_has(tmp_path):
    table = LiveTable.create(tmp_path / "t.live", COLUMNS, 3)
    table.append({"x": np.zeros(2), "y": np.zeros(2)})
    with pytest.raises(RecordingError, match="full at 3 rows"):
        table.append({"x": np.zeros(2), "y": np.zeros(2)})
    assert len(table) == 2
    table.close(remove=True)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "x.live").write_bytes(b"0" * 5000)
    with pytest.raises(RecordingError, match="not a live table"):
        LiveTable.attach(tmp_path / "x.live")
