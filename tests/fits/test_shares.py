"""Shares of few shots: least squares with the errors of the curve, not with those that chance gave the points."""

import numpy as np

from qlab.fits import fit_curve, fit_many, load_model

X = np.linspace(0, 4e-6, 101)
TRUTH = {"frequency": 1e6, "decay_time": 3e-6, "amplitude": 0.15, "phase": 0.2, "offset": 0.5}
MODEL = load_model("damped_cosine")
SETS, SHOTS = 400, 30


def drawn():
    """Return shares and their errors as grids give them, (sets, points)."""
    mean = MODEL.evaluate(X, {**TRUTH, "exponent": 2.0})
    share = np.random.default_rng(3).binomial(SHOTS, mean, (SETS, len(X))) / SHOTS
    likely = (SHOTS * share + 1) / (SHOTS + 2)
    return share, np.sqrt(likely * (1 - likely) / SHOTS)


def pulls(fits):
    found = np.asarray(fits.success)
    assert found.mean() > 0.98  # of so few shots a fringe is not always found, and that is said
    return {name: ((fits.values[name] - true) / fits.errors[name])[found] for name, true in TRUTH.items()}


def test_the_depth_of_a_fringe_is_not_taken_for_deeper_than_it_is():
    y, error = drawn()
    plain, fair = (pulls(fit_many(MODEL, X, y, error, shares=shares)) for shares in (False, True))
    # The mean of 400 pulls scatters by 0.05; what is left is the curvature of the model.
    assert np.mean(plain["amplitude"]) > 0.4
    for name, pull in fair.items():
        assert abs(np.mean(pull)) < 0.3, name
        assert 0.88 < np.std(pull) < 1.15, name


def test_one_trace_is_fitted_like_many():
    y, error = drawn()
    many = fit_many(MODEL, X, y[:5], error[:5], shares=True)
    for k in range(5):
        one = fit_curve(MODEL, X, y[k], error[k], shares=True)
        for name in TRUTH:
            assert abs(one.values[name] - many.values[name][k]) < 0.02 * many.errors[name][k]
            assert abs(one.errors[name] / many.errors[name][k] - 1) < 0.01


def test_what_is_no_share_is_left_as_it_is():
    y, error = drawn()
    shifted = fit_curve(MODEL, X, y[0] + 1, error[0], shares=True, counting=False)
    plain = fit_curve(MODEL, X, y[0] + 1, error[0], counting=False)
    assert shifted.values == plain.values
