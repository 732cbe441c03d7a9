"""Other people's readers are content with a finished file: silx, nexusformat, xarray, the old C tools."""

import shutil
import subprocess

import h5py
import numpy as np
import pytest

from qlab.record import Column, Signal
from qlab.store import RunWriter, open_run

ENGINES = ("h5netcdf", "netcdf4")


@pytest.fixture
def with_shots(tmp_path, new_record, end):
    """A run with per-shot arrays, a complex column, and a map over two axes."""
    record = new_record()
    tau, axis = record.columns[0], record.axes[0]
    record = record.model_copy(
        update={
            "columns": (
                tau,
                Column(name="field", unit="T", role="setpoint"),
                Column(name="counts", dtype="u4", dims=("shot",), shape=(16,)),
                Column(name="iq", dtype="c8", unit="V", dims=("sample",), shape=(8,)),
                Column(name="total", dtype="u4", role="reduced"),
                Column(name="time", unit="s", role="time"),
            ),
            "axes": (
                axis,
                axis.model_copy(update={"name": "field", "unit": "T", "values": (0.0, 1e-3, 2e-3)}),
            ),
            "signals": (Signal(name="brightness", of="total", long_name="mean counts"),),
        }
    )
    random = np.random.default_rng(0)
    writer = RunWriter.create(tmp_path / "runs", record)
    for field in (0.0, 1e-3, 2e-3):
        counts = random.poisson(3, (51, 16))
        writer.write({
            "tau": np.array(axis.values), "field": np.full(51, field), "counts": counts,
            "iq": random.normal(size=(51, 8)).astype("c8"), "total": counts.sum(1), "time": np.arange(51.0),
        })  # fmt: skip
    return writer.finish(end(record))


def test_silx_shows_the_intended_plot(finished, with_shots):
    silx = pytest.importorskip("silx.io")
    from silx.io.nxdata import NXdata, get_default

    with silx.open(str(finished)) as file:
        plot = get_default(file)
        assert plot.is_valid
        assert not plot.issues
        assert (plot.signal_name, plot.axes_names) == ("normalised counts", ["free precession time"])
        assert plot.errors is not None
        assert plot.is_curve
        shots = NXdata(file["entry/shots"])
        assert shots.is_valid
        assert shots.signal_name == "counts, signal window"
    with silx.open(str(with_shots)) as file:
        plot = get_default(file)
        assert plot.is_valid
        assert not plot.issues
        assert plot.is_image
        shots = NXdata(file["entry/shots"])
        assert (shots.is_valid, shots.issues) == (True, [])


def test_nexusformat_shows_the_intended_plot(finished):
    nexus = pytest.importorskip("nexusformat.nexus")
    plot = nexus.nxload(str(finished)).plottable_data
    assert plot.nxsignal.nxname == "contrast"
    assert [axis.nxname for axis in plot.nxaxes] == ["tau"]
    np.testing.assert_allclose(plot.nxerrors.nxvalue, open_run(finished).grid().error)


@pytest.mark.parametrize("engine", ENGINES)
def test_xarray_reads_names_units_and_times(finished, engine):
    xarray = pytest.importorskip("xarray")
    run = open_run(finished)
    with xarray.open_dataset(finished, engine=engine, group="/entry/data") as data:
        assert dict(data.sizes) == {"tau": 51}
        assert set(data.data_vars) == {"contrast", "contrast_errors"}
        assert data.tau.attrs["units"] == "s"
        np.testing.assert_array_equal(data.contrast, run.grid().value)
    with xarray.open_dataset(finished, engine=engine, group="/entry/shots") as shots:
        assert dict(shots.sizes) == {"scan_point": 510}
        assert {"tau", "time"} <= set(shots.coords)
        assert shots.counts.attrs["units"] == "1"
        assert shots.counts.attrs["long_name"] == "counts, signal window"
        assert str(shots.time.values[100]).startswith("2026-11-22T20:00:01.0000")
        np.testing.assert_array_equal(shots.counts, run["counts"])
    with xarray.open_datatree(finished, engine=engine) as tree:
        assert {"data", "shots", "photons"} <= set(tree["entry"].children)


@pytest.mark.parametrize("engine", ENGINES)
def test_xarray_reads_maps_and_per_shot_arrays(with_shots, engine):
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(with_shots, engine=engine, group="/entry/data") as data:
        assert dict(data.sizes) == {"tau": 51, "field": 3}
        assert not np.isnan(data.brightness.values).any()
    with xarray.open_dataset(with_shots, engine=engine, group="/entry/shots") as shots:
        assert shots.counts.dims == ("scan_point", "shot")
        assert shots.iq_real.dims == ("scan_point", "sample")
        grid = shots[["total", "tau", "field"]].set_index(scan_point=["tau", "field"]).unstack("scan_point")
        assert dict(grid.sizes) == {"tau": 51, "field": 3}


def test_to_xarray_is_what_the_file_says(with_shots, finished):
    xarray = pytest.importorskip("xarray")
    for path in (with_shots, finished):
        run = open_run(path)
        for group in ("data", "shots"):
            made = run.to_xarray(group)
            with xarray.open_dataset(path, engine="h5netcdf", group=f"/entry/{group}") as read:
                assert set(made.coords) == set(read.coords)
                for name in set(made.variables) & set(read.variables):
                    np.testing.assert_array_equal(made[name], read[name])
                    assert made[name].attrs.get("units") == read[name].attrs.get("units")


def test_to_xarray_names_the_extra_that_is_missing(finished, monkeypatch):
    import sys

    from qlab.errors import UsageError

    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(UsageError, match="xarray"):
        open_run(finished).to_xarray()


@pytest.mark.parametrize("tool", ["ncdump", "h5dump"])
def test_the_old_c_tools_read_all_of_it(finished, with_shots, tool):
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    for path in (finished, with_shots):
        done = subprocess.run([tool, path], capture_output=True, text=True, encoding="utf-8", timeout=60)
        assert done.returncode == 0, done.stderr
        with h5py.File(path) as file:
            names = [name for name in file["entry/shots"] if name != "scan_point"]
        assert all(name in done.stdout for name in names)


def test_every_axis_has_a_scale_and_every_number_a_unit(finished, with_shots):
    from qlab.store import check_file

    assert check_file(finished) == []
    assert check_file(with_shots) == []
