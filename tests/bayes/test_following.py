"""The posterior that closes in on its answer, beside plain sums over fine grids with scipy's own distributions."""

import numpy as np
import pytest
from scipy.stats import binom, norm, poisson

from qlab.bayes import Binomial, Following, Poisson, expected_information_gain, normal_information_gain
from qlab.errors import UsageError

SHOTS = 200


def share(frequency, time, phase=0.0):
    return 0.5 + 0.45 * np.cos(2 * np.pi * frequency * time + phase)


def plain(frequency, data, phase=0.0):
    """The log-likelihood by scipy, for values of any shape."""
    return sum(binom.logpmf(k, SHOTS, share(frequency, time, phase)) for time, k in data)


def moments(values, log):
    mass = np.exp(log - log.max())
    mean = np.average(values, weights=mass)
    return mean, np.sqrt(np.average((values - mean) ** 2, weights=mass))


def measured(times, truth, seed=1):
    rng = np.random.default_rng(seed)
    return [(time, int(rng.binomial(SHOTS, share(truth, time)))) for time in times]


def test_the_grid_closes_in_and_stays_exact():
    data = measured([1e-7, 3e-7, 1e-6, 4e-6, 1e-5, 4e-5, 1e-4], 1.234e6)
    known = Following("frequency", 0.0, 5e6, count=801)
    likelihood = Binomial(lambda theta, time: share(theta["frequency"], time), SHOTS)
    for time, k in data:
        known.add(likelihood, time, k)
    near = np.linspace(known.mean - 12 * known.sigma, known.mean + 12 * known.sigma, 40_001)
    wide = np.linspace(0, 5e6, 400_001)
    far = plain(wide, data)
    assert abs(wide[np.argmax(far)] - known.mean) < 3 * known.sigma  # the whole range has nothing better
    mean, sigma = moments(near, plain(near, data))
    assert known.mean == pytest.approx(mean, abs=1e-3 * sigma)
    assert known.sigma == pytest.approx(sigma, rel=1e-3)
    assert known.axis[1] - known.axis[0] < sigma / 8
    assert len(known) == len(data)


def test_two_humps_are_kept_until_the_data_choose():
    # One time leaves aliases; the second tells them apart. What was seen first must not be cut off.
    likelihood = Binomial(lambda theta, time: share(theta["frequency"], time), SHOTS)
    known = Following("frequency", 0.0, 1e6, count=801)
    data = measured([2e-6, 1.3e-6], 0.7e6, seed=3)
    wide = np.linspace(0, 1e6, 200_001)
    for done in (1, 2):
        known.add(likelihood, *data[done - 1])
        mean, sigma = moments(wide, plain(wide, data[:done]))
        assert known.mean == pytest.approx(mean, abs=2e-3 * sigma)
        assert known.sigma == pytest.approx(sigma, rel=2e-3)


def test_narrow_humps_all_over_the_range_are_resolved():
    # Times with a common divisor leave twenty equal humps, each a thousand times narrower than what they span.
    data = measured([1e-5, 2e-5, 3e-5, 1e-4], 0.7123e6, seed=4)
    known = Following("frequency", 0.0, 1e6, count=801)
    likelihood = Binomial(lambda theta, time: share(theta["frequency"], time), SHOTS)
    for time, k in data:
        known.add(likelihood, time, k)
    wide = np.linspace(0, 1e6, 1_000_001)
    exact = plain(wide, data)
    mean, sigma = moments(wide, exact)
    assert known.mean == pytest.approx(mean, abs=1e-3 * sigma)
    assert known.sigma == pytest.approx(sigma, rel=1e-3)
    near = np.abs(wide - wide[np.argmax(exact)]) < 5e3
    _, width = moments(wide[near], exact[near])
    assert np.diff(known.axis).min() < width  # sums over a normal hump are exact with steps of its σ
    assert np.diff(known.axis).max() > 1e4  # holes


def test_what_is_not_known_exactly_is_averaged_over():
    width = 0.2  # rad, of the phase
    data = measured([1e-7, 4e-7], 0.3e6)
    known = Following("frequency", 0.0, 1e6, count=801, nuisance={"phase": np.linspace(-5, 5, 41)})
    likelihood = Binomial(lambda theta, time: share(theta["frequency"], time, width * theta["phase"]), SHOTS)
    for time, k in data:
        known.add(likelihood, time, k)
    values, phases = np.linspace(0, 1e6, 4001), np.linspace(-5, 5, 401)
    log = plain(values[:, None], data, width * phases) + norm.logpdf(phases)
    mean, sigma = moments(values, np.log(np.exp(log - log.max()).sum(axis=1)))
    certain = moments(values, plain(values, data))[1]
    assert known.mean == pytest.approx(mean, abs=5e-3 * sigma)
    assert known.sigma == pytest.approx(sigma, rel=5e-3)
    assert known.sigma > 1.2 * certain


def test_likely_values_hold_all_that_matters():
    known = Following("frequency", 0.0, 1e6, count=801)
    known.add(Binomial(lambda theta, time: share(theta["frequency"], time), SHOTS), 4e-7, 100)
    values, mass = known.likely()
    assert mass.sum() == pytest.approx(1)
    assert np.dot(mass, values["frequency"]) == pytest.approx(known.mean, rel=1e-5)


def test_an_impossible_outcome_is_refused():
    class Never:
        """A likelihood under which nothing could have been seen."""

        def log(self, theta, setting, outcome):
            return np.full_like(theta["frequency"], -np.inf)

    with pytest.raises(UsageError):
        Following("frequency", 0.0, 1e6).add(Never(), 1e-6, 5)


def test_normal_gain_is_the_mutual_information_of_normal_variables():
    # theta normal of unit variance, y = a theta + noise: -1/2 ln(1 - rho^2), rho^2 = a^2/(a^2 + v).
    theta = np.linspace(-9, 9, 4001)
    weights = norm.pdf(theta) / norm.pdf(theta).sum()
    steep, noise = np.array([0.1, 1.0, 5.0]), 0.7
    found = normal_information_gain(steep[:, None] * theta, np.full((3, len(theta)), noise), weights)
    rho2 = steep**2 / (steep**2 + noise)
    np.testing.assert_allclose(found, -0.5 * np.log(1 - rho2), rtol=1e-9)
    assert normal_information_gain(np.ones((1, 9)), np.ones((1, 9)), np.full(9, 1 / 9)) == pytest.approx(0)


def test_normal_gain_is_near_that_of_many_counts():
    theta = np.linspace(-5, 5, 201)
    weights = norm.pdf(theta) / norm.pdf(theta).sum()
    mean = 2000 + 40 * theta
    counts = np.arange(1500, 2500)
    p = poisson.pmf(counts[:, None], mean)  # the mutual information written out, every outcome of weight
    mixed = p @ weights
    exact = np.sum(
        weights * np.sum(p * np.log(np.maximum(p, 1e-300) / np.maximum(mixed, 1e-300)[:, None]), axis=0)
    )
    found = normal_information_gain(mean[None], mean[None], weights)[0]
    assert found == pytest.approx(exact, rel=1e-3)
    ours = expected_information_gain(
        Poisson(lambda values, _: 2000 + 40 * values["x"]), {"x": theta}, weights, [0.0]
    )
    assert ours[0] == pytest.approx(exact, rel=1e-6)
