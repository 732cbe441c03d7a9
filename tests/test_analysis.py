"""Stored runs fitted again: figures as they were, many runs against a parameter, and the command line."""

import csv
import io
import json

import numpy as np
import pytest

import qlab
from qlab.analysis import analyse, fit_runs
from qlab.cli.app import app
from qlab.errors import UsageError

FREQUENCIES = [2.8137e9, 2.8139e9, 2.8140e9, 2.8142e9, 2.8144e9]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five Ramsey runs at different carriers, and a T1 run."""
    out = tmp_path_factory.mktemp("data")
    for seed, carrier in enumerate(FREQUENCIES):
        bench = qlab.Bench.load("sim-nv", seed=seed)
        qlab.run("nv.ramsey", bench, out=out, microwave_frequency=carrier, shots=30_000)
    qlab.run("nv.t1", qlab.Bench.load("sim-nv", seed=9), out=out)
    return out


@pytest.fixture
def said(folder, capsys):
    """Call `qlab fit ...` as typed and return (exit code, what it printed)."""

    def call(*arguments):
        try:
            app([*map(str, arguments)], standalone_mode=True)
        except SystemExit as end:
            return end.code or 0, capsys.readouterr().out
        return 0, capsys.readouterr().out

    return call


def runs(folder, word):
    return sorted(p for p in folder.rglob("*.h5") if word in p.name)


def test_figures_of_merit_are_recomputed_as_they_were(folder):
    run = qlab.open_run(runs(folder, "ramsey")[0])
    fit, figures = analyse(run)
    assert fit.values == pytest.approx(run.record.fits[0].values)
    assert {f.name: f.value for f in figures} == pytest.approx({n: f.value for n, f in run.figures.items()})
    assert figures


def test_many_runs_against_a_parameter(folder):
    series = fit_runs(folder, "ramsey", against="microwave_frequency")
    assert list(series.against) == FREQUENCIES
    assert series.unit == "Hz"
    assert series.success.all()
    offset, error = series.values("frequency")
    resonance = qlab.open_run(series.paths[0]).record.truth["resonance"]
    assert np.abs((offset - (series.against - resonance)) / error).max() < 4
    assert error.max() < 20e3
    for path, fit in zip(series.paths, series.fits, strict=True):
        alone = qlab.open_run(path).fit()
        for name in alone.free:
            assert abs(fit.values[name] - alone.values[name]) < 0.03 * alone.errors[name]


def test_runs_that_do_not_have_it_are_left_out_with_the_reason(folder):
    series = fit_runs([*runs(folder, "ramsey")[:2], *runs(folder, "t1")], against="fringe_frequency")
    assert len(series) == 2
    assert "no number" in series.left_out[0][1]
    with pytest.raises(UsageError, match="No run"):
        fit_runs(folder, "t1", against="fringe_frequency")


def test_fit_of_a_file_tells_figures_and_intervals(folder, said):
    file = runs(folder, "ramsey")[2]
    code, text = said("fit", file, "--profile", "--bootstrap", 40)
    assert code == 0
    assert "by profile" in text
    assert "by bootstrap" in text
    assert "best working point" in text
    code, text = said("fit", file, "--json", "--profile", "--fix", "exponent=2")
    shown = json.loads(text)
    errors = {p["name"]: p["error"] for p in shown["parameters"]}
    low, high = shown["intervals"]["profile"]["T2_star"]
    assert high - low == pytest.approx(2 * errors["T2_star"], rel=0.3)
    assert shown["figures"]["best_sensitivity"]["value"] > 0


def test_an_unsuited_model_says_so(folder, said):
    file = runs(folder, "ramsey")[2]
    code, text = said("fit", file, "--model", "lorentzian_triplet")
    assert code == 1
    assert "axis in Hz; this one is in s" in text
    code, text = said("fit", file, "--model", "stretched_decay")
    assert code == 1
    assert "not to be believed" in text


def test_fit_of_a_folder_prints_a_table_csv_and_json(folder, said):
    code, text = said("fit", folder, "ramsey", "--against", "microwave_frequency")
    assert code == 0
    assert text.count("good") == 5
    _, text = said("fit", folder, "ramsey", "--against", "microwave_frequency", "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["microwave_frequency"]) for row in rows] == FREQUENCIES
    assert all(float(row["frequency_error"]) > 0 for row in rows)
    _, text = said("fit", folder, "t1", "--json")
    assert len(json.loads(text)["runs"]) == 1


def test_list_of_fits_says_what_each_is(said):
    _, text = said("list", "fits")
    assert "Electromagnetically induced transparency" in text
    _, text = said("list", "fits", "--json")
    assert {"name", "title", "formula", "parameters"} <= set(json.loads(text)[0])


def test_truth_stands_beside_the_experiments_own_model_alone(folder, said):
    file = runs(folder, "ramsey")[0]
    assert "truth" in said("fit", file, "--no-keep")[1]
    # A Lorentzian over precession times has its `frequency` in seconds: no hidden frequency belongs beside it.
    assert "truth" not in said("fit", file, "--model", "lorentzian", "--no-keep")[1]
