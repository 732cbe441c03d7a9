"""What a fit can be asked for afterwards: profiles, bootstraps, tests of its residuals, a warm start."""

import pickle  # noqa: TID251 - how results come back from our own worker process

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.fits import fit_curve
from qlab.fits.decay import StretchedDecay
from qlab.fits.line import StraightLine
from qlab.fits.rabi import RabiHyperfine
from qlab.record import FitResult
from tests.fits.catalogue import draw

X = np.linspace(0, 10, 41)


def line(seed=0, sigma=0.2):
    y = 2 - 0.5 * X + np.random.default_rng(seed).normal(0, sigma, len(X))
    return fit_curve(StraightLine(), X, y, np.full(len(X), sigma), counting=False)


def test_the_profile_of_a_linear_model_is_its_parabola():
    fit = line()
    for name in ("slope", "offset"):
        profile, error = fit.profile(name), fit.errors[name]
        assert profile.low == pytest.approx(fit.values[name] - error, abs=1e-3 * error)
        assert profile.high == pytest.approx(fit.values[name] + error, abs=1e-3 * error)
        assert profile.rise == pytest.approx(((profile.values - fit.values[name]) / error) ** 2, abs=1e-4)


def test_a_profile_is_lopsided_where_the_likelihood_is():
    """A decay barely seen: its time may be far longer, not far shorter; the profile is the brute-force scan."""
    t = np.linspace(0, 1, 30)
    y = 0.7 + 0.3 * np.exp(-t / 0.9) + np.random.default_rng(2).normal(0, 0.012, 30)
    fit = fit_curve(StretchedDecay({"fix_exponent": 1.0}), t, y, np.full(30, 0.012), counting=False)
    profile = fit.profile("time")
    up, down = profile.high - fit.values["time"], fit.values["time"] - profile.low
    assert up > 1.3 * down
    for limit in (profile.low, profile.high):
        design = np.stack([np.exp(-t / limit), np.ones(30)], axis=1)
        left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        assert np.sum((left / 0.012) ** 2) - fit.chi2 == pytest.approx(1, abs=0.05)


def test_a_profile_stops_at_zero_for_a_square():
    model = RabiHyperfine({"hyperfine": 2.14e6})
    t = np.linspace(0, 1e-6, 101)
    theta = {
        "rabi_frequency": 1e7,
        "detuning": 0.0,
        "contrast": 0.3,
        "level": 1.0,
        "hyperfine": 2.14e6,
        "sigma_detuning": 0.0,
    }
    y = model.evaluate(t, theta) + np.random.default_rng(1).normal(0, 0.01, 101)
    profile = fit_curve(model, t, y, np.full(101, 0.01)).profile("detuning")
    assert profile.values.min() == 0
    assert 0 < profile.high < 3e6


def test_bootstrap_errors_are_those_of_the_covariance():
    model, x, y, error = draw("damped_cosine", 1)
    fit = fit_curve(model, x, y[0], error[0])
    for given in (error[0], None):
        again = fit_curve(model, x, y[0], given).bootstrap(400, seed=3)
        for name in fit.free:
            # 400 draws give a standard deviation to 4 %, a quantile a little worse.
            assert again.error(name) == pytest.approx(fit.errors[name], rel=0.25), name
            low, high = again.interval(name)
            assert low < fit.values[name] < high


def test_what_cannot_be_asked_is_refused_in_words():
    fit = fit_curve(StretchedDecay({"fix_exponent": 1.0}), X, np.ones(len(X)), np.ones(len(X)))
    with pytest.raises(UsageError, match="no points"):
        fit.profile("time")
    with pytest.raises(UsageError, match="not free"):
        line().profile("curvature")


def test_a_fit_travels_as_plain_data():
    fit = line()
    copy = pickle.loads(pickle.dumps(fit))
    assert type(copy) is FitResult
    assert fit == copy
    assert type(fit).model_validate_json(fit.model_dump_json()) == fit


def test_residual_tests_tell_chance_from_structure():
    rng = np.random.default_rng(4)
    x = np.linspace(0, 10, 200)
    tests = [
        fit_curve(StraightLine(), x, x + rng.normal(0, 1, 200), np.ones(200), counting=False).tests
        for _ in range(60)
    ]
    for kind in ("autocorrelation", "runs"):
        found = np.array([t[kind] for t in tests])
        assert abs(found.mean()) < 0.6
        assert 0.7 < found.std() < 1.3
    bent = fit_curve(StraightLine(), x, x + np.sin(x) + rng.normal(0, 0.5, 200), None)
    assert min(bent.tests["autocorrelation"], bent.tests["runs"]) > 4.5
    assert "not random" in bent.message


def test_a_warm_start_ends_where_a_cold_one_does():
    model, x, y, error = draw("damped_cosine_triplet", 2)
    half = np.where(np.arange(len(x)) % 2, np.nan, y[0])
    first = fit_curve(model, x, half, error[0])
    cold, warm = (fit_curve(model, x, y[0], error[0], start=start) for start in (None, first))
    assert warm.success
    for name in cold.free:
        assert abs(warm.values[name] - cold.values[name]) < 0.02 * cold.errors[name]


def test_a_warm_start_that_leads_astray_is_left():
    model, x, y, error = draw("damped_cosine", 1)
    right = fit_curve(model, x, y[0], error[0])
    moved = [p.model_copy(update={"value": 3.3}) if p.name == "frequency" else p for p in right.parameters]
    lied = right.model_copy(update={"parameters": tuple(moved)})
    again = fit_curve(model, x, y[0], error[0], start=lied)
    assert again.success
    assert again.values["frequency"] == pytest.approx(right.values["frequency"], rel=1e-4)
