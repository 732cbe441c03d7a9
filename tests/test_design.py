"""The expected curve of a run: what its design says, beside what it shows."""

import json

import h5py
import numpy as np
import pytest
import xarray
from typer.testing import CliRunner

import qlab
from qlab.cli.app import app
from qlab.design import expected_curve, kept_curves, residual
from qlab.store import open_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    return qlab.run("nv.ramsey", qlab.Bench.load("sim-nv", seed=1), out=out, tau="0us:4us:81")


def test_the_truth_of_a_simulated_bench_describes_its_data(run):
    found, grid = expected_curve(run.record), run.grid()
    assert (found.signal, found.axis) == ("fluorescence", "tau")
    assert np.array_equal(found.x, grid.axes[0][1])
    chi2 = float(np.sum(residual(found, grid) ** 2))
    # 81 points: a chi² of 81 scatters by 13.
    assert abs(chi2 - 81) < 50
    assert "truth" in found.source


def test_what_is_known_changes_it(run):
    known = {**run.record.truth, "B": run.record.truth["B"] + 1e-5}
    moved, right = expected_curve(run.record, known=known), expected_curve(run.record)
    assert np.abs(moved.y - right.y).max() > 4 * np.median(run.grid().error)
    assert float(np.sum(residual(moved, run.grid()) ** 2)) > 160
    design = expected_curve(run.record, known={})
    assert design.y.shape == right.y.shape


def test_another_signal_and_none_at_all(run):
    photons = expected_curve(run.record, "photons")
    assert 0.01 < photons.y.mean() < 1
    assert expected_curve(run.record, "nothing") is None
    assert expected_curve(run.record.model_copy(update={"experiment": "no.such"})) is None
    # A physics that cannot be played gives no curve, and no error.
    assert expected_curve(run.record, known={"T1": -1.0}) is None


def test_the_expected_curve_and_the_residual_are_in_the_file(run):
    """And h5py, xarray, `open_run` and `qlab fit` all find the same there."""
    grid = run.grid()
    with h5py.File(run.path) as file:
        group, rest = file["entry/expected_fluorescence"], file["entry/residual_fluorescence"]
        signal = group["y"]
        assert (signal.attrs["units"], rest["y"].attrs["units"]) == (grid.signal.unit, "1")
        assert "model" in signal.attrs["definition"]
        assert "standard deviation" in rest["y"].attrs["definition"]
        assert "nv.ramsey" in signal.attrs["source"]
        assert "truth" in signal.attrs["source"]
        np.testing.assert_allclose(rest["y"][:], (grid.value - signal[:]) / grid.error, rtol=1e-12)
        chi2 = float(np.sum(rest["y"][:] ** 2))
    assert abs(chi2 - 81) < 50
    seen = xarray.open_dataset(run.path, group="entry/expected_fluorescence", engine="h5netcdf")
    np.testing.assert_array_equal(seen["x"], grid.axes[0][1])
    again = open_run(run.path).record.curves
    assert [curve.name for curve in again] == ["expected_fluorescence", "residual_fluorescence"]
    said = CliRunner().invoke(app, ["fit", str(run.path), "--json", "--no-keep"])
    curves = json.loads(said.stdout)["curves"]
    for curve in again:
        assert curves[curve.name] == json.loads(curve.model_dump_json())


def test_without_a_truth_the_parameters_are_believed(run):
    """A real bench hides nothing from us: its file says what the run was made for."""
    real = qlab.Run(run.record.model_copy(update={"truth": {}}), run.rows)
    plain, rest = kept_curves(real)
    assert "made for" in plain.source
    assert "truth" not in plain.source
    assert np.all(np.isfinite(rest.y))


def test_a_map_keeps_no_curve(run):
    axis = run.record.axes[0]
    assert kept_curves(qlab.Run(run.record.model_copy(update={"axes": (axis, axis)}), run.rows)) == ()
