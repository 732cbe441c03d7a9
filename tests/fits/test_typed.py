"""Values of fit parameters as people type them, and what is told of a fit that failed."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.fits import fit_curve, load_model
from qlab.fits.typed import assignments, typed_values
from qlab.grid import Grid
from qlab.record import Axis, Signal
from tests.fits.catalogue import draw


def grid(unit):
    axis, one = Axis(name="x", unit=unit, values=(0.0, 1.0)), np.zeros(2)
    return Grid(Signal(name="y", of="y", unit="V"), ((axis, one),), one, one, np.ones(2, dtype=np.int64))


@pytest.mark.parametrize(
    ("model", "typed", "unit", "expected"),
    [
        ("stretched_decay", {"time": "2us", "exponent": "1"}, "s", {"time": 2e-6, "exponent": 1.0}),
        ("damped_cosine_triplet", {"t2_star": "1.5 us", "hyperfine": "2.16MHz"}, "s",
         {"T2_star": 1.5e-6, "hyperfine": 2.16e6}),
        ("lorentzian", {"frequency": "2.87 GHz", "amplitude": "-3 mV"}, "Hz",
         {"frequency": 2.87e9, "amplitude": -3e-3}),
        ("damped_cosine", {"frequency": "5 kHz", "phase": "90 deg"}, "s", {"frequency": 5e3, "phase": np.pi / 2}),
    ],
)  # fmt: skip
def test_units_are_read(model, typed, unit, expected):
    assert typed_values(load_model(model), typed, grid(unit)) == pytest.approx(expected)


def test_what_cannot_be_read_is_refused():
    decay = load_model("stretched_decay")
    with pytest.raises(UsageError, match="no parameter 't3'"):
        typed_values(decay, {"t3": "1us"}, grid("s"))
    with pytest.raises(UsageError, match="not a unit of"):
        typed_values(decay, {"time": "2 MHz"}, grid("s"))
    assert assignments(["time = 2 us", "exponent=1"]) == {"time": " 2 us", "exponent": "1"}
    for bad in ("time", "=2", "time="):
        with pytest.raises(UsageError, match="Cannot read"):
            assignments([bad])


def test_a_fit_in_noise_tells_no_numbers():
    model, x, _, error = draw("damped_cosine", 1)
    noise = np.random.default_rng(3).normal(1, 0.03, len(x))
    fit = fit_curve(model, x, noise, error[0])
    assert not fit.success
    assert "above the noise" in fit.message
    assert fit.told == ()
    assert not fit.covariance


def test_a_fit_of_the_wrong_model_tells_what_the_data_determine():
    model, x, y, error = draw("lorentzian_pair", 1)
    fit = fit_curve(load_model("lorentzian"), x, y[0], error[0])
    assert not fit.success
    assert "offset" in {p.name for p in fit.told}
    good = fit_curve(model, x, y[0], error[0])
    assert good.success
    assert good.told == good.parameters


@pytest.mark.parametrize("reduced", [2.43, 1.0])
def test_a_misfit_is_judged_by_how_likely_it_is(reduced):
    """19 degrees of freedom: a reduced chi² of 2.43 comes by chance once in 2000 fits."""
    x, rng = np.linspace(0, 10, 21), np.random.default_rng(8)
    model = load_model("line")
    y = 2 - 0.7 * x + rng.normal(0, 0.1, 21)
    scatter = fit_curve(model, x, y, np.full(21, 0.1)).reduced_chi2
    fit = fit_curve(model, x, y, np.full(21, 0.1) * np.sqrt(scatter / reduced), counting=False)
    assert fit.reduced_chi2 == pytest.approx(reduced, rel=1e-6)
    assert fit.success == (reduced < 2)
