"""Adaptive measurements: information gain against its definition, and estimates at their bounds."""

import numpy as np
import pytest

from qlab.bayes import (
    Binomial,
    Poisson,
    choose,
    expected_information_gain,
    grid_prior,
    particle_guess_time,
    ramsey_probability,
    uniform_particles,
)

VISIBILITY, T2 = 0.9, 20e-6


def likelihood(shots=1):
    return Binomial(lambda theta, t: ramsey_probability(theta, t, visibility=VISIBILITY, T2=T2), shots)


@pytest.mark.parametrize("shots", [1, 3])
def test_gain_is_the_mean_fall_of_entropy(shots):
    grid = grid_prior({"frequency": np.linspace(0, 1e6, 501)})
    bits = likelihood(shots)
    gain = expected_information_gain(bits, grid.theta, grid.mass, [0.7e-6])[0]
    p = bits.outcomes(grid.theta, 0.7e-6) @ grid.mass
    falls = [grid.entropy - grid.update(bits.log(grid.theta, 0.7e-6, k)).entropy for k in range(shots + 1)]
    assert gain == pytest.approx(float(np.dot(p, falls)), rel=1e-6)


def test_gain_of_counts():
    grid = grid_prior({"rate": np.linspace(5, 20, 201)})
    counts = Poisson(lambda theta, t: theta["rate"] * t)
    gains = expected_information_gain(counts, grid.theta, grid.mass, [0.5, 2.0])
    assert gains[1] > gains[0] > 0
    falls = [grid.entropy - grid.update(counts.log(grid.theta, 2.0, k)).entropy for k in range(90)]
    shares = [float(np.dot(np.exp(counts.log(grid.theta, 2.0, k)), grid.mass)) for k in range(90)]
    assert gains[1] == pytest.approx(np.dot(falls, shares), rel=1e-4)


def test_choice_may_count_its_cost():
    grid = grid_prior({"frequency": np.linspace(0, 1e6, 301)})
    times = [0.1e-6, 0.5e-6, 5e-6]
    free = choose(likelihood(), grid.theta, grid.mass, times)
    assert free.setting == times[int(np.argmax(free.gains))]
    assert choose(likelihood(), grid.theta, grid.mass, times, costs=[1e-6, 1.0, 1.0]).setting == 0.1e-6


def test_guesses_grow_as_the_posterior_narrows():
    rng = np.random.default_rng(1)
    wide = uniform_particles({"frequency": (0.0, 1e6)}, 1000, rng)
    narrow = uniform_particles({"frequency": (4e5, 4.1e5)}, 1000, rng)
    guesses = [np.median([particle_guess_time(p) for _ in range(300)]) for p in (wide, narrow)]
    assert guesses[1] / guesses[0] == pytest.approx(100, rel=0.3)
    assert particle_guess_time(narrow, longest=1e-9) == 1e-9


def adaptive(truth, shots, rng):
    """Return the estimate, its σ and the information of the chosen times."""
    grid = grid_prior({"frequency": np.linspace(0, 1e6, 4001)})
    bits, information = likelihood(), 0.0
    ladder = np.geomspace(0.25e-6, 20e-6, 12)
    for _ in range(shots):
        # Candidates are judged on a coarser copy of the posterior: a tenth of the work, the same choice.
        coarse = {"frequency": grid.theta["frequency"][::10]}
        mass = grid.mass.reshape(-1)[:4000].reshape(-1, 10).sum(axis=1)
        t = float(choose(bits, {"frequency": coarse["frequency"][:400]}, mass, list(ladder)).setting)
        t *= rng.uniform(0.9, 1.1)
        p = 0.5 * (1 + VISIBILITY * np.exp(-t / T2) * np.cos(2 * np.pi * truth * t))
        grid = grid.update(bits.log(grid.theta, t, int(rng.random() < p)))
        v = VISIBILITY * np.exp(-t / T2)
        phase = 2 * np.pi * np.linspace(0, 1e6, 2001) * t
        # Averaged over the prior: 4π²t² ⟨v² sin²/(1 − v² cos²)⟩.
        information += (2 * np.pi * t) ** 2 * np.mean(
            v**2 * np.sin(phase) ** 2 / (1 - v**2 * np.cos(phase) ** 2)
        )
    return grid.mean["frequency"], grid.sigma["frequency"], information


def campaign(runs, shots):
    rng = np.random.default_rng(2)
    errors, pulls, bounds = [], [], []
    for _ in range(runs):
        truth = rng.uniform(0.02e6, 0.98e6)
        found, sigma, information = adaptive(truth, shots, rng)
        errors.append(abs(found - truth))
        pulls.append(abs(found - truth) / sigma)
        bounds.append(information**-0.5)
    return np.array(errors), np.array(pulls), np.array(bounds)


def test_s4_adaptive_ramsey_is_near_its_bound():
    errors, pulls, bounds = campaign(7, 120)
    # The median of |x| of a normal x of the bound's σ is 0.674 of it.
    assert np.median(errors) < 1.3 * np.median(bounds)
    assert pulls.max() < 5


@pytest.mark.nightly
def test_s4_adaptive_ramsey_hundred_runs():
    errors, pulls, bounds = campaign(100, 200)
    assert np.sqrt(np.median(errors**2)) / 0.6745 < 1.3 * np.median(bounds)
    assert np.mean(pulls > 5) <= 0.02
