"""Exports, read back by other programs."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import qlab
from qlab.errors import FileError, UsageError
from qlab.export.make import make


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("data")
    return qlab.run("nv.ramsey", qlab.Bench.load("sim-nv", seed=1), out=out, tau="0us:3us:61", shots=2000)


def export(run, to, out):
    said = subprocess.run(
        [sys.executable, "-m", "qlab", "export", str(run.path), str(out), "--to", to],
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.strip().splitlines()[-1] == str(out)
    return out


def test_csv_has_a_header_and_every_point_with_its_error(run, tmp_path):
    text = export(run, "csv", tmp_path / "run.csv").read_text().splitlines()
    assert b"\r" not in (tmp_path / "run.csv").read_bytes()
    header = [line for line in text if line.startswith("# ")]
    assert "SIMULATED" in header[0]
    assert run.id in header[1]
    assert any(line.startswith("# shots = 2000") for line in header)
    rows = list(csv.DictReader(line for line in text if not line.startswith("# ")))
    grid = run.grid()
    assert np.allclose([float(r["tau (s)"]) for r in rows], grid.axes[0][1])
    assert np.allclose([float(r["fluorescence (1)"]) for r in rows], grid.value)
    assert np.allclose([float(r["fluorescence_error (1)"]) for r in rows], grid.error)


def test_netcdf_reads_back_equal(run, tmp_path):
    with xr.open_dataset(export(run, "netcdf", tmp_path / "run.nc"), engine="h5netcdf") as data:
        assert np.array_equal(data["fluorescence"], run.grid().value)
        assert data["tau"].attrs["units"] == "s"


def test_the_notebook_runs(run, tmp_path):
    path = export(run, "notebook", run.path.with_suffix(".ipynb"))
    cells = json.loads(path.read_text())["cells"]
    code = "\n".join(
        cell["source"] for cell in cells if cell["cell_type"] == "code" and "plt" not in cell["source"]
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=run.path.parent, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    assert "finished 610 rows" in said.stdout


def test_the_figure_is_a_picture(run, tmp_path):
    data = export(run, "figure", tmp_path / "run.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 20_000


def test_an_export_never_replaces_the_run(run):
    command = [sys.executable, "-m", "qlab", "export", str(run.path), str(run.path), "--to", "csv"]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 2
    assert "replace the run itself" in said.stderr


@pytest.mark.parametrize(
    "ending", ["csv", "nc", "parquet", "ipynb", "html", "png", "svg", "pdf", "crate", "zip"]
)
def test_the_ending_of_the_name_says_the_format(run, tmp_path, ending):
    made = make(run.path, tmp_path / f"x.{ending}")
    assert made == tmp_path / f"x.{ending}"
    assert made.is_dir() is (ending == "crate")
    with pytest.raises(UsageError, match="in which format"):
        make(run.path, tmp_path / "x.unheard")


def test_a_report_tells_a_setpoint_that_is_swept(tmp_path):
    run = qlab.run(
        "photon.mach_zehnder", "sim-photonics", out=tmp_path, seed=1, phase="0rad:3rad:9", passes=2
    )
    page = make(run.path, tmp_path / "x.html").read_text(encoding="utf-8")
    assert "shifter.phase = phase" in page
    assert "laser.on = 0" in page


def test_half_an_export_is_never_seen(run, tmp_path, monkeypatch):
    """The names that stand in the folder while rows are written, and after a failure in the midst of it."""
    import qlab.export.csv as exporter

    seen = []

    class Failing:
        def __init__(self, file, **_):
            self.file = file

        def writerow(self, heads):
            self.file.write("half")
            self.file.flush()
            seen.extend(path.name for path in tmp_path.glob("*.csv"))
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporter.csv, "writer", Failing)
    (tmp_path / "x.csv").write_text("an earlier export")
    with pytest.raises(FileError, match="cannot be written: No space left"):
        make(run.path, tmp_path / "x.csv")
    assert [name for name in seen if not name.startswith(".")] == ["x.csv"]
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert (tmp_path / "x.csv").read_text() == "an earlier export"
