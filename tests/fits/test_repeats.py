"""Errors that are the scatter of a few repetitions: fits of them have honest error bars."""

import numpy as np
import pytest

from qlab.fits import fit_many, load_model
from qlab.fits.repeats import moderated

X = np.linspace(0, 10, 21)


def measured(repetitions, sigma, count, seed=0):
    """Return means of straight lines and the scatter of each point over √n, each (count, points)."""
    rng = np.random.default_rng([3, repetitions, seed])
    drawn = 2 - 0.7 * X + rng.normal(0, 1, (count, repetitions, len(X))) * sigma
    return drawn.mean(axis=1), drawn.std(axis=1, ddof=1) / np.sqrt(repetitions)


def pulls(means, errors):
    fits = fit_many(load_model("line"), X, means, errors, counting=False)
    return (fits.values["slope"] + 0.7) / fits.errors["slope"], fits.success.mean()


@pytest.mark.parametrize("repetitions", [2, 3, 5, 10, 30])
def test_the_errors_of_a_fit_hold_however_few_the_repetitions(repetitions):
    means, errors = measured(repetitions, 0.3, 800)
    found, believed = pulls(means, [moderated(e, np.full(21, repetitions)) for e in errors])
    # An rms of 800 scatters by 0.025; as weights by themselves the errors give 1.3 at ten repetitions.
    assert 0.88 < np.sqrt(np.mean(found**2)) < 1.12
    assert believed > 0.94


def test_plain_scatter_as_a_weight_is_what_it_mends():
    found, _ = pulls(*measured(10, 0.3, 800))
    assert np.sqrt(np.mean(found**2)) > 1.2


@pytest.mark.parametrize("repetitions", [10, 30])
def test_errors_that_differ_stay_different(repetitions):
    sigma = 0.1 + 0.4 * np.abs(np.sin(X))
    means, errors = measured(repetitions, sigma, 800)
    mended = np.array([moderated(e, np.full(21, repetitions)) for e in errors])
    assert np.corrcoef(np.median(mended, axis=0), sigma)[0, 1] > 0.97
    found, _ = pulls(means, mended)
    assert 0.7 < np.sqrt(np.mean(found**2)) < 1.1
    # Points of little noise still count more: the slope is better known than with equal weights.
    equal = fit_many(load_model("line"), X, means, np.full(21, 0.1), counting=False).values["slope"]
    weighted = fit_many(load_model("line"), X, means, mended, counting=False).values["slope"]
    assert np.std(weighted) < 0.8 * np.std(equal)


def test_points_repeated_unequally_often():
    rng = np.random.default_rng(4)
    number = rng.integers(8, 40, 60)
    error = np.array([rng.normal(0, 2.0, n).std(ddof=1) / np.sqrt(n) for n in number])
    assert moderated(error, number) * np.sqrt(number) == pytest.approx(np.full(60, 2.0), rel=0.25)


def test_what_was_not_repeated_is_left_alone():
    error = np.array([np.nan, 0.0, 0.1, 0.2, 0.3, np.nan])
    kept = moderated(error, np.array([0, 5, 5, 5, 1, 1]))
    assert np.array_equal(kept, error, equal_nan=True)
    assert moderated(np.full((3, 4), 0.1), np.full((3, 4), 9)).shape == (3, 4)
