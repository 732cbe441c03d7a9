"""One run of every installed experiment passes the validators that other people wrote (nightly)."""

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import h5py
import numpy as np
import pytest

import qlab
from qlab import profile
from qlab.export.make import make
from qlab.registry import plugins
from qlab.store import check_file, edit_sidecar
from qlab.store.storedunits import named
from tests.export import kernel

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "fair"))
from every import run_once
from typed_profile import TYPED

pytestmark = pytest.mark.nightly
GATES = Path(__file__).with_name("gates.py")


def validators():
    """Return the python of the validators' environment (`make validators`; QLAB_VALIDATORS names another)."""
    folder = Path(os.environ.get("QLAB_VALIDATORS", Path(__file__).parents[2] / ".validators"))
    python = folder / "bin" / "python"
    if not python.exists():
        pytest.fail(f"there is no environment of validators at {folder}: run `make validators`")
    return python


@pytest.fixture(params=sorted(plugins("experiments")))
def run(request, tmp_path):
    made = run_once(request.param, tmp_path / "runs")
    assert made.state == "finished"
    return made


def objections(folder):
    said = subprocess.run([validators(), GATES, folder], capture_output=True, text=True, timeout=900)
    assert said.returncode == 0, said.stderr[-3000:]
    return json.loads(said.stdout.strip().splitlines()[-1])


def _nested(values):
    """Return arrays of arrays as lists of lists: what pandas makes of columns with further dimensions."""
    return [_nested(v) for v in values] if hasattr(values, "__len__") else values


@pytest.fixture
def own_profile(own_folders):
    """Every field that a person can enter."""
    made = profile.load()
    for key, value in TYPED.items():
        made = profile.changed(made, key, value)
    profile.save(made)


@pytest.mark.timeout(600)
def test_no_validator_objects_to_what_people_enter(own_profile, tmp_path):
    """Names, ORCID, ROR, funding, related items, embargo; and characters as a terminal leaves them."""
    run = run_once("nv.ramsey", tmp_path / "runs")
    edit_sidecar(run.path, notes="helium \x07 low", tags=["a\x01b"])
    passes_all(run, tmp_path)


@pytest.mark.timeout(1200)
def test_no_validator_objects(run, tmp_path):
    assert check_file(run.path) == []
    edit_sidecar(run.path, notes="helium was low", tags=["cold"])
    passes_all(run, tmp_path)


def passes_all(run, tmp_path):
    folder = tmp_path / "gates"
    folder.mkdir()
    shutil.copy(run.path, folder / "recorded.h5")
    make(run.path, folder / "redacted.h5", redacted=True)
    make(run.path, folder / "run.crate", "ro-crate")
    make(run.path, folder / "run.crate13", "ro-crate-1.3")
    make(run.path, folder / "run.datacite.json", "datacite")
    told = make(run.path, folder / "run.datacite.xml", "datacite")
    assert list(kernel.objections(ET.parse(told).getroot())) == []
    (merged,) = (folder / "run.crate").glob("*.h5")
    shutil.copy(merged, folder / "merged.h5")
    assert check_file(folder / "merged.h5") == []
    assert objections(folder) == []


def test_silx_shows_the_default_plot(run):
    silx = pytest.importorskip("silx.io")
    from silx.io.nxdata import get_default

    with silx.open(str(run.path)) as file:
        plot = get_default(file)
        assert plot.is_valid
        assert not plot.issues
        signal = run.record.signals[0]
        assert plot.signal_name == named(signal.long_name or signal.name.replace("_", " "), signal.unit)
        assert len(plot.axes_names) == len(run.record.axes)
        assert plot.errors is not None


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_reads_axes_units_and_values(run, engine):
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(run.path, engine=engine, group="/entry/data") as data:
        view = run.grid()
        np.testing.assert_array_equal(data[view.signal.name].values, view.value)
        for axis, values in view.axes:
            np.testing.assert_array_equal(data[axis.name].values, values)
            assert data[axis.name].attrs["units"]
    with xarray.open_dataset(run.path, engine=engine, group="/entry/shots") as shots:
        assert shots.sizes["scan_point"] == len(run)


def test_exports_read_back_equal(run, tmp_path):
    netCDF4 = pytest.importorskip("netCDF4")
    pandas = pytest.importorskip("pandas")
    make(run.path, tmp_path / "run.nc", "netcdf")
    with netCDF4.Dataset(tmp_path / "run.nc") as file:
        for signal in run.record.signals:
            np.testing.assert_array_equal(
                np.ma.filled(file[signal.name][:], np.nan), run.grid(signal.name).value
            )
    make(run.path, tmp_path / "run.parquet", "parquet")
    table = pandas.read_parquet(tmp_path / "run.parquet")
    for column in run.record.columns:
        if np.dtype(column.dtype).kind != "c":
            np.testing.assert_array_equal(np.array(_nested(table[column.name])), run[column.name])
    make(run.path, tmp_path / "run.csv", "csv")
    lines = pandas.read_csv(tmp_path / "run.csv", comment="#")
    view = run.grid()
    np.testing.assert_array_equal(lines[f"{view.signal.name} ({view.signal.unit})"], view.value.ravel())


def test_the_notebook_executes_whole(run):
    """In a process of its own, as a kernel would, with matplotlib where it is installed."""
    path = make(run.path, run.path.with_suffix(".ipynb"), "notebook")
    cells = [c["source"] for c in json.loads(path.read_text())["cells"] if c["cell_type"] == "code"]
    plain = "import matplotlib; matplotlib.use('Agg')\n" + "\n".join(cells)
    pytest.importorskip("matplotlib")
    said = subprocess.run(
        [sys.executable, "-c", plain], cwd=path.parent, capture_output=True, text=True, timeout=120
    )
    assert said.returncode == 0, said.stderr


def test_a_reopened_redacted_run_is_the_same_run(run, tmp_path):
    clean = qlab.open_run(make(run.path, tmp_path / "redacted.h5", redacted=True))
    assert clean.id == run.id
    for column in run.record.columns:
        np.testing.assert_array_equal(clean[column.name], run[column.name])


def test_the_gates_object_to_what_is_wrong(tmp_path):
    """Each gate, shown one fault of its own kind, names it: silence of the others means something."""
    run = run_once("nv.ramsey", tmp_path / "runs")
    folder = tmp_path / "gates"
    folder.mkdir()
    shutil.copy(run.path, folder / "bad.h5")
    with h5py.File(folder / "bad.h5", "r+") as file:
        file["entry/shots/tau"].attrs["units"] = "T/Hz^(1/2)"
        file["entry/shots/counts"].attrs["units"] = "Gs"
        del file["entry/process/program"]
        file["entry/data"].attrs["signal"] = "nothing"
    crate = make(run.path, folder / "bad.crate", "ro-crate") / "ro-crate-metadata.json"
    data = json.loads(crate.read_text())
    for item in data["@graph"]:
        if item["@id"] == "./":
            del item["license"], item["datePublished"]
        if item["@id"] == "#run":
            item["instrument"] = {"@id": "#device-laser"}
    crate.write_text(json.dumps(data))
    pair = make(run.path, folder / "bad.datacite.json", "datacite")
    make(run.path, folder / "bad.datacite.xml", "datacite")
    told = json.loads(pair.read_text())
    del told["creators"]
    pair.write_text(json.dumps(told))
    said = " ".join(objections(folder))
    for gate in ("pynx:", "nxcheck", "units:", "roc-validator", "datacite JSON"):
        assert gate in said, gate
    assert "T/Hz^(1/2)" in said
