"""The expected curve of a run: what its design says, beside what it shows."""

import numpy as np
import pytest

import qlab
from qlab.design import expected_curve, residual


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
