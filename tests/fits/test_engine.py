"""The engine: what is held, what is reported, weights, units, grids."""

import importlib
import tomllib
from pathlib import Path

import numpy as np
import pytest

from qlab import registry
from qlab.errors import UsageError
from qlab.fits.damped_cosine import DampedCosine, DampedCosineTriplet
from qlab.fits.decay import StretchedDecay
from qlab.fits.engine import fit_curve, fit_grid, load_model
from qlab.fits.line import StraightLine
from qlab.fits.lines import Lorentzian
from qlab.fits.multiplets import GaussianTriplet
from qlab.grid import MemoryRows, grid
from qlab.record import Axis, Column, Record, Signal
from tests.fits import twins

X = np.linspace(0, 10, 101)


def decaying(rng, sigma=0.02):
    y = 0.3 + 0.7 * np.exp(-X / 2.5)
    return y + rng.normal(0, sigma, len(X)), np.full(len(X), sigma)


def test_a_straight_line_is_the_textbook_one():
    rng = np.random.default_rng(3)
    sigma = rng.uniform(0.1, 0.5, len(X))
    y = 2 - 0.7 * X + rng.normal(0, sigma)
    result = fit_curve(StraightLine(), X, y, sigma, counting=False, units=("V", "A"))
    design = np.stack([X, np.ones_like(X)], axis=1) / sigma[:, None]
    covariance = np.linalg.inv(design.T @ design)
    assert [result.values["slope"], result.values["offset"]] == pytest.approx(
        covariance @ design.T @ (y / sigma)
    )
    assert np.array(result.covariance) == pytest.approx(covariance)
    assert result.success, result.message
    assert [p.unit for p in result.parameters] == ["A/V", "A"]
    assert result.degrees_of_freedom == 99
    assert result.reduced_chi2 == pytest.approx(1, abs=0.5)


def test_units_of_axis_and_signal():
    y, error = decaying(np.random.default_rng(0))
    units = {p.name: p.unit for p in fit_curve(StretchedDecay(), X, y, error, units=("s", "V")).parameters}
    assert units == {"time": "s", "exponent": "1", "amplitude": "V", "offset": "V"}
    wave = 1 + 0.3 * np.cos(2 * np.pi * 0.8 * X)
    result = fit_curve(DampedCosine(), X, wave, np.full(len(X), 0.01), units=("s", "1"))
    assert {p.name: p.unit for p in result.parameters}["frequency"] == "Hz"


def test_what_is_held_has_no_error():
    y, error = decaying(np.random.default_rng(1))
    for model, fixed in ((StretchedDecay(), {"exponent": 1.0}), (StretchedDecay({"fix_exponent": 1.0}), {})):
        result = fit_curve(model, X, y, error, fixed=fixed)
        assert result.free == ("time", "amplitude", "offset")
        exponent = next(p for p in result.parameters if p.name == "exponent")
        assert (exponent.value, exponent.error) == (1.0, None)
        assert np.isnan(result.errors["exponent"])
        assert np.shape(result.covariance) == (3, 3)


def test_context_can_free_what_is_held_by_default():
    tau = np.linspace(0, 4e-6, 201)
    context = {"fringe_frequency": 4e6, "free_exponent": 1.0}
    theta = {
        "frequency": 1e5,
        "hyperfine": 2.14e6,
        "T2_star": 1.5e-6,
        "exponent": 1.0,
        "contrast": 0.28,
        "level": 1.0,
    }
    model = DampedCosineTriplet(context)
    y, error = twins.measure(model.evaluate(tau, theta), np.random.default_rng(4), 20)
    result = fit_curve(model, tau, y, error)
    assert "exponent" in result.free
    assert result.values["exponent"] == pytest.approx(1, abs=4 * result.errors["exponent"])


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="exponent"):
        fit_curve(StretchedDecay(), X, X, X, fixed={"tau": 1.0})
    with pytest.raises(UsageError, match="points"):
        fit_curve(StretchedDecay(), X, X[1:], X)


def test_start_replaces_the_guess():
    y, error = decaying(np.random.default_rng(2))
    usual = fit_curve(StretchedDecay(), X, y, error)
    other = fit_curve(StretchedDecay(), X, y, error, start={"time": 1.0, "exponent": 2.0})
    assert other.values["time"] == pytest.approx(usual.values["time"], rel=1e-3)


def test_errors_come_from_the_scatter_where_none_are_given():
    y, error = decaying(np.random.default_rng(5))
    known = fit_curve(StretchedDecay(), X, y, error, counting=False)
    for nothing in (None, np.full(len(X), np.nan)):
        found = fit_curve(StretchedDecay(), X, y, nothing)
        assert found.success, found.message
        assert found.errors["time"] == pytest.approx(
            known.errors["time"] * np.sqrt(known.reduced_chi2), rel=0.05
        )


def test_weighting_by_observed_counts_does_not_bias():
    """Few counts: with errors from the counts themselves the level would come out about 1/50 too low."""
    rng = np.random.default_rng(6)
    found = []
    for _ in range(20):
        counts = rng.poisson(50, len(X))
        result = fit_curve(StraightLine(), X, counts, np.sqrt(np.maximum(counts, 1)))
        found.append(result.values["offset"] + 5 * result.values["slope"])
    assert np.mean(found) == pytest.approx(50, abs=4 * np.sqrt(50 / 101 / 20))


def test_points_without_counts_do_not_bias_either():
    rng = np.random.default_rng(7)
    found = []
    for _ in range(40):
        counts = rng.poisson(3, len(X))
        result = fit_curve(StraightLine(), X, counts, np.sqrt(np.maximum(counts, 1)))
        found.append(result.values["offset"] + 5 * result.values["slope"])
    # One pass of reweighting leaves second-order bias: a tenth of the first-order one of about 1.
    assert np.mean(found) == pytest.approx(3, abs=0.1)


def test_errors_of_derived_values_are_propagated():
    x = np.linspace(-5, 5, 101)
    model = Lorentzian()
    theta = {"frequency": 0.2, "fwhm": 2.0, "amplitude": -0.3, "offset": 1.0}
    rng = np.random.default_rng(8)
    drawn = [
        fit_curve(
            model, x, model.evaluate(x, theta) + rng.normal(0, 0.01, 101), np.full(101, 0.01), counting=False
        )
        for _ in range(60)
    ]
    contrasts = [r.values["contrast"] for r in drawn]
    assert np.mean(contrasts) == pytest.approx(0.3, abs=0.003)
    assert np.mean([r.errors["contrast"] for r in drawn]) == pytest.approx(np.std(contrasts), rel=0.3)
    assert next(p for p in drawn[0].parameters if p.name == "contrast").derived


def test_order_of_the_points_does_not_matter():
    y, error = decaying(np.random.default_rng(9))
    shuffled = np.random.default_rng(0).permutation(len(X))
    one = fit_curve(StretchedDecay(), X, y, error)
    other = fit_curve(StretchedDecay(), X[shuffled], y[shuffled], error[shuffled])
    assert other.values == one.values


def test_gaussian_triplet_recovers():
    f = np.linspace(2.806e9, 2.822e9, 201)
    theta = {"frequency": 2.8141e9, "hyperfine": 2.16e6, "fwhm": 0.7e6, "contrast": 0.1, "level": 1.0}
    y, error = twins.measure(GaussianTriplet().evaluate(f, theta), np.random.default_rng(10), 10)
    result = fit_curve(GaussianTriplet(), f, y, error)
    assert result.success, result.message
    for name, value in theta.items():
        assert result.values[name] == pytest.approx(value, abs=4 * result.errors[name])


def test_damped_cosine_recovers():
    theta = {
        "frequency": 1.31,
        "decay_time": 4.0,
        "exponent": 2.0,
        "amplitude": 0.2,
        "phase": 2.9,
        "offset": 1.0,
    }
    rng = np.random.default_rng(11)
    y = DampedCosine().evaluate(X, theta) + rng.normal(0, 0.02, len(X))
    result = fit_curve(DampedCosine(), X, y, np.full(len(X), 0.02), counting=False)
    assert result.success, result.message
    for name in result.free:
        assert result.values[name] == pytest.approx(theta[name], abs=4.5 * result.errors[name])


def record(**kwargs):
    columns = tuple(Column(name=n) for n in ("t", "signal", "reference"))
    return Record(
        id="1", experiment="nv.t1", title="T1", parameters={}, columns=columns,
        axes=(Axis(name="t", unit="s", values=tuple(X)),),
        signals=(Signal(name="fluorescence", rule="ratio", of="signal", per="reference", scale=5.0),),
        **kwargs,
    )  # fmt: skip


def rows(seed=0):
    rng = np.random.default_rng(seed)
    curve = 0.8 + 0.2 * np.exp(-X / 2.5)
    return MemoryRows({"t": X, "signal": rng.poisson(1300 * curve), "reference": rng.poisson(6500, len(X))})


@pytest.fixture
def drop_in(tmp_path, monkeypatch):
    """A lab's own fit in the drop-in folder, so that the package need not be installed to be tested."""
    (tmp_path / "fits").mkdir()
    (tmp_path / "fits" / "lab_decay.py").write_text(
        '"""A lab file."""\nfrom qlab.fits.decay import StretchedDecay as plugin\n'
    )
    monkeypatch.setenv("QLAB_PLUGINS", str(tmp_path))
    registry.plugins.cache_clear()
    yield "lab_decay"
    registry.plugins.cache_clear()


def test_models_are_loaded_by_name_with_their_context(drop_in):
    model = load_model(drop_in, {"fix_exponent": 1.0})
    assert model.context == {"fix_exponent": 1.0}
    assert model.known("fix_exponent") == 1.0
    with pytest.raises(UsageError, match="no fit"):
        load_model("lab_decoy")


def test_every_entry_point_is_a_model_of_that_name():
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    for name, target in project["entry-points"]["qlab.fits"].items():
        module, _, kind = target.partition(":")
        assert getattr(importlib.import_module(module), kind).name == name


def test_a_grid_is_fitted_with_the_model_and_context_of_its_run(drop_in):
    made = record(fit=drop_in, fit_context={"fix_exponent": 1.0})
    result = fit_grid(made, grid(made, rows()))
    assert result.success, result.message
    assert result.signal == "fluorescence"
    assert result.model == "stretched_decay"
    assert result.context == {"fix_exponent": 1.0}
    assert result.values["time"] == pytest.approx(2.5, abs=4 * result.errors["time"])
    assert {p.name: p.unit for p in result.parameters}["time"] == "s"


def test_a_map_is_not_fitted_and_says_so(drop_in):
    made = record(fit=drop_in)
    made = made.model_copy(update={"axes": (*made.axes, Axis(name="u", values=(0.0, 1.0)))})
    table = MemoryRows({**rows().columns, "u": np.zeros(len(X))})
    result = fit_grid(made, grid(made, table))
    assert not result.success
    assert "one axis" in result.message


def test_a_run_without_a_fit_says_so():
    with pytest.raises(UsageError, match="names no fit"):
        fit_grid(record(), grid(record(), rows()))
