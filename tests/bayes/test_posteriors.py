"""Posteriors against closed forms and against each other; coverage; evidence."""

import numpy as np
import pytest
from scipy import stats

from qlab.bayes import (
    Binomial,
    CurveResponse,
    Normal,
    Poisson,
    SpinPhotons,
    compare,
    grid_prior,
    normal_particles,
    ramsey_probability,
    uniform_particles,
)
from qlab.errors import UsageError
from qlab.fits.lines import Lorentzian


def identity(theta, setting):
    del setting
    return theta["p"]


def test_coin_is_the_beta_distribution():
    grid = grid_prior({"p": np.linspace(0, 1, 4001)})
    likelihood = Binomial(identity, shots=40)
    after = grid.update(likelihood.log(grid.theta, None, 13))
    beta = stats.beta(14, 28)
    assert after.mean["p"] == pytest.approx(beta.mean(), abs=1e-6)
    assert after.sigma["p"] == pytest.approx(beta.std(), rel=1e-5)
    assert after.interval("p", 0.9) == pytest.approx(beta.interval(0.9), abs=1e-4)
    # With a flat prior every count of 40 shots is as likely as any other.
    assert after.log_evidence == pytest.approx(-np.log(41), abs=1e-6)
    low, high = after.highest("p", 0.9)[0]
    assert beta.cdf(high) - beta.cdf(low) == pytest.approx(0.9, abs=2e-3)
    assert beta.pdf(low) == pytest.approx(beta.pdf(high), rel=0.02)


def test_counts_with_a_gamma_prior():
    rates = np.linspace(0.01, 60, 6000)
    grid = grid_prior({"rate": rates}, lambda theta: stats.gamma(3, scale=5).logpdf(theta["rate"]))
    poisson = Poisson(lambda theta, t: theta["rate"] * t)
    for k, t in ((31, 2.0), (7, 0.5)):
        grid = grid.update(poisson.log(grid.theta, t, k))
    after = stats.gamma(3 + 38, scale=1 / (1 / 5 + 2.5))
    assert grid.mean["rate"] == pytest.approx(after.mean(), rel=1e-5)
    assert grid.sigma["rate"] == pytest.approx(after.std(), rel=1e-4)


def test_two_dimensions_and_a_straight_line():
    rng = np.random.default_rng(1)
    x = np.linspace(-1, 2, 25)
    y = 1.5 + 0.7 * x + rng.normal(0, 0.2, 25)
    grid = grid_prior({"a": np.linspace(1, 2, 201), "b": np.linspace(0, 1.4, 203)})
    line = Normal(lambda theta, at: theta["a"] + theta["b"] * at, 0.2)
    for at, value in zip(x, y, strict=True):
        grid = grid.update(line.log(grid.theta, at, value))
    design = np.stack([np.ones(25), x], axis=1)
    covariance = 0.04 * np.linalg.inv(design.T @ design)
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    assert list(grid.mean.values()) == pytest.approx(best, abs=1e-4)
    assert grid.covariance == pytest.approx(covariance, rel=1e-3)
    assert grid.density("a").sum() * 0.005 == pytest.approx(1, rel=1e-3)


def ramsey_data(truth, count, rng, visibility=0.9):
    times = 1e-6 * rng.uniform(0.1, 10, count)
    p = 0.5 * (1 + visibility * np.cos(2 * np.pi * truth * times))
    return [(t, int(rng.random() < q)) for t, q in zip(times, p, strict=True)]


def likelihood():
    return Binomial(lambda theta, t: ramsey_probability(theta, t, visibility=0.9))


@pytest.mark.parametrize("kernel", ["move", "liu-west"])
def test_s7_particles_are_the_grid(kernel):
    data = ramsey_data(0.31e6, 150, np.random.default_rng(2))
    grid = grid_prior({"frequency": np.linspace(0, 1e6, 20_001)})
    particles = uniform_particles({"frequency": (0.0, 1e6)}, 2000, np.random.default_rng(3), kernel=kernel)
    bits = likelihood()
    for t, bit in data:
        grid = grid.update(bits.log(grid.theta, t, bit))
        particles.update(lambda theta, t=t, bit=bit: bits.log(theta, t, bit))
    assert particles.resamplings > 2
    assert particles.mean["frequency"] == pytest.approx(grid.mean["frequency"], rel=0.02)
    assert particles.sigma["frequency"] == pytest.approx(
        grid.sigma["frequency"], rel=0.05 if kernel == "move" else 0.25
    )
    assert particles.log_evidence == pytest.approx(grid.log_evidence, abs=0.5)
    assert particles.interval("frequency") == pytest.approx(grid.interval("frequency"), rel=0.01)


def test_two_humps_stay_two():
    """±f cannot be told apart without a phase: particles keep both, in their shares."""
    rng = np.random.default_rng(4)
    particles = uniform_particles({"frequency": (-1e6, 1e6)}, 3000, rng)
    bits = likelihood()
    for t, bit in ramsey_data(0.31e6, 120, rng):
        particles.update(lambda theta, t=t, bit=bit: bits.log(theta, t, bit))
    upper = particles.values["frequency"] > 0
    assert 0.3 < particles.weights[upper].sum() < 0.7
    assert abs(particles.values["frequency"][upper].mean() - 0.31e6) < 0.02e6


def test_normal_particles_are_the_kalman_filter():
    particles = normal_particles({"x": 1.0}, {"x": 2.0}, 20_000, np.random.default_rng(5))
    value = Normal(lambda theta, _: theta["x"], 0.5)
    for outcome in (1.9, 2.3, 2.1):
        particles.update(lambda theta, outcome=outcome: value.log(theta, None, outcome))
    precision = 1 / 4 + 3 / 0.25
    assert particles.mean["x"] == pytest.approx((1 / 4 + 6.3 / 0.25) / precision, abs=0.01)
    assert particles.sigma["x"] == pytest.approx(precision**-0.5, rel=0.03)


def credible_coverage(runs):
    inside = 0
    rng = np.random.default_rng(6)
    for _ in range(runs):
        truth = rng.uniform(0.05e6, 0.95e6)
        grid = grid_prior({"frequency": np.linspace(0, 1e6, 2001)})
        bits = likelihood()
        for t, bit in ramsey_data(truth, 60, rng):
            grid = grid.update(bits.log(grid.theta, t, bit))
        low, high = grid.interval("frequency", 0.683)
        inside += low <= truth <= high
    return inside / runs


def test_credible_intervals_cover():
    # 120 runs: one standard deviation of the share is 0.042.
    assert credible_coverage(120) == pytest.approx(0.683, abs=0.12)


@pytest.mark.nightly
def test_credible_intervals_cover_closely():
    assert credible_coverage(3000) == pytest.approx(0.683, abs=0.034)


def test_photons_of_one_shot_and_of_many():
    spin = SpinPhotons(lambda theta, _: theta["p"], bright=0.6, dark=0.3)
    theta = {"p": np.array([0.0, 0.4, 1.0])}
    total = sum(np.exp(spin.log(theta, None, k)) for k in range(15))
    assert total == pytest.approx(np.ones(3), rel=1e-9)
    assert np.exp(spin.log(theta, None, 2))[1] == pytest.approx(
        0.6 * stats.poisson(0.6).pmf(2) + 0.4 * stats.poisson(0.3).pmf(2)
    )
    many = SpinPhotons(lambda theta, _: theta["p"], bright=0.6, dark=0.3, shots=500)
    rng = np.random.default_rng(7)
    dark = rng.binomial(500, 0.4, 40_000)
    drawn = rng.poisson(dark * 0.3 + (500 - dark) * 0.6)
    grid = np.arange(100, 400)
    shares = np.exp([many.log({"p": np.array([0.4])}, None, k)[0] for k in grid])
    assert np.sum(shares) == pytest.approx(1, abs=1e-3)
    assert np.dot(shares, (grid - 240) ** 2) == pytest.approx(drawn.var(), rel=0.03)


def test_a_fit_model_is_a_likelihood():
    """Counts over a line: the posterior's σ of its centre is the Cramér–Rao bound of those counts."""
    from qlab.metrology import cramer_rao, jacobian, poisson_information

    fixed = {"fwhm": 1e6, "amplitude": -0.2, "offset": 1.0}
    x = np.linspace(2.868e9, 2.872e9, 41)
    truth = {**fixed, "frequency": 2.87e9}
    counts = np.random.default_rng(8).poisson(5000 * Lorentzian().evaluate(x, truth))
    photons = Poisson(CurveResponse(Lorentzian(), fixed, scale=5000))
    grid = grid_prior({"frequency": 2.87e9 + np.linspace(-1e5, 1e5, 501)})
    for at, count in zip(x, counts, strict=True):
        grid = grid.update(photons.log(grid.theta, at, float(count)))
    slopes = 5000 * jacobian(Lorentzian(), x, truth, ["frequency"])
    bound = cramer_rao(poisson_information(slopes, 5000 * Lorentzian().evaluate(x, truth)), ["frequency"])
    assert grid.sigma["frequency"] == pytest.approx(bound.sigma["frequency"], rel=0.1)
    assert abs(grid.mean["frequency"] - 2.87e9) < 4 * bound.sigma["frequency"]


def test_models_are_compared_as_by_hand():
    """A fair coin against an unknown one, 40 throws: the Bayes factor is C(40, k)/2^40 · 41."""
    grid = grid_prior({"p": np.linspace(0, 1, 4001)})
    coin = Binomial(identity, shots=40)
    for heads, winner in ((21, "fair"), (33, "unknown")):
        unknown = grid.update(coin.log(grid.theta, None, heads)).log_evidence
        fair = stats.binom(40, 0.5).logpmf(heads)
        found = compare({"fair": float(fair), "unknown": unknown})
        factor = stats.binom(40, 0.5).pmf(heads) * 41
        assert found.best == winner
        assert found.probabilities["fair"] == pytest.approx(factor / (1 + factor), rel=1e-4)
    assert found.verdict == "very strong"
    weighted = compare({"a": 0.0, "b": 0.0}, {"a": 3.0, "b": 1.0})
    assert weighted.probabilities["a"] == pytest.approx(0.75)
    assert weighted.verdict == "positive"


def test_what_cannot_be_is_said():
    with pytest.raises(UsageError, match="increasing"):
        grid_prior({"p": [0.0, 0.0, 1.0]})
    grid = grid_prior({"p": np.linspace(0, 1, 5)})
    with pytest.raises(UsageError, match="No value on the grid"):
        grid.update(np.full(5, -np.inf))
