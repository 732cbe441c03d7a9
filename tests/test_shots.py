"""Single shots kept on request: sums unchanged, statistics those of the readout."""

import numpy as np
import pytest
from scipy import stats

import qlab
from qlab.errors import UsageError

SETTINGS = {"tau": "0us:1us:5", "shots": 4003, "passes": 4}


def played(tmp_path, keep, name):
    return qlab.run(
        "nv.ramsey", qlab.Bench.load("sim-nv", seed=7), out=tmp_path / name, keep_shots=keep, **SETTINGS
    )


def test_shots_are_kept_and_change_no_sum(tmp_path):
    runs = {keep: played(tmp_path, keep, keep) for keep in ("off", "summary", "all")}
    every = runs["all"]
    for name in ("counts", "reference", "time", "tau", "shots"):
        for run in runs.values():
            np.testing.assert_array_equal(run[name], every[name])
    for key in ("counts", "reference"):
        shots = every[f"{key}_shots"]
        assert shots.shape == (20, 1001)
        assert ((shots >= 0).sum(axis=1) == every["shots"]).all()
        assert (np.where(shots >= 0, shots, 0).sum(axis=1) == every[key]).all()
        histogram = runs["summary"][f"{key}_histogram"]
        for row, bins in zip(shots, histogram, strict=True):
            np.testing.assert_array_equal(np.bincount(row[row >= 0], minlength=32), bins)
    assert not any(c.shape for c in runs["off"].record.columns)


def test_single_shots_have_the_statistics_of_independent_shots(tmp_path):
    """A shot is a mixture of two Poisson laws, so neighbouring shots are independent and the mixture is wider."""
    run = qlab.run("nv.ramsey", qlab.Bench.load("sim-nv", seed=3), out=tmp_path, keep_shots="all", tau="0us:1us:2",
                   shots=40_000, passes=1, laser_time="30us", reference_window="25us", signal_window="2us")  # fmt: skip
    for row in range(2):
        shots = run["counts_shots"][row].astype(float)
        assert abs(np.corrcoef(shots[:-1], shots[1:])[0, 1]) < 5 / np.sqrt(len(shots))
        halves = shots.reshape(2, -1).sum(axis=1)
        assert abs(halves[0] - halves[1]) < 5 * np.sqrt(shots.var() * len(shots))
        # Shot noise of a Poisson law at least; chi-squared of the index of dispersion.
        dispersion = (len(shots) - 1) * shots.var(ddof=1) / shots.mean()
        assert stats.chi2.sf(dispersion, len(shots) - 1) < 1 - 1e-6


class SumsOnly:
    """A counter as most are: it hands over sums."""

    def arm(self, keys, points): ...

    def read(self, timeout):
        return {}


def test_a_counter_without_shots_says_so_before_the_first_command():
    from qlab_experiments.nv.ramsey import Ramsey

    bench = qlab.Bench.load("sim-nv", seed=7)
    experiment = Ramsey.read({"keep_shots": "all"})
    experiment.bind(bench)
    experiment.preflight()
    bench.instruments[bench.entry.roles["counter"]] = SumsOnly()
    with pytest.raises(UsageError, match="sums over shots"):
        experiment.preflight()
