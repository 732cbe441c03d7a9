"""Errors from what a model knows of its noise: sizes of sources from scatter, and pulls where scatter misleads."""

import numpy as np
import pytest
from scipy.stats import poisson

from qlab.bench import Bench
from qlab.fits import load_model
from qlab.fits.engine import fit_grid
from qlab.fits.spread import sizes
from qlab.grid import MemoryRows, grid
from qlab.provenance import new_record
from qlab.registry import load


def test_sizes_of_two_sources_come_out_of_their_scatter():
    rng = np.random.default_rng(1)
    x = np.linspace(0, 1, 60)
    shapes = np.array([np.ones(60), x**2])
    freedom = np.full(60, 19.0)
    found = []
    for _ in range(40):
        seen = (0.3 + 2.0 * x**2) * rng.chisquare(19, 60) / 19
        found.append(sizes(shapes, seen, freedom))
    np.testing.assert_allclose(np.mean(found, axis=0), [0.3, 2.0], rtol=0.05)
    assert sizes(shapes, 0 * x, freedom) == pytest.approx([0, 0], abs=0)


@pytest.mark.parametrize("count", [40, pytest.param(600, marks=pytest.mark.nightly)])
def test_pulls_of_a_clock_line_from_few_repetitions(count):
    # Laser noise that is independent from shot to shot: 20 repetitions of 49 points, the errors of their own scatter.
    experiment = load("experiments", "clock.rabi").read({})
    p = experiment.parameters
    curve = load_model(experiment.fit, experiment.fit_context())
    plain = load_model(experiment.fit, {**experiment.fit_context(), "laser_noise": 0.0})
    truth = {"centre": -0.26, "rabi_frequency": 1 / 0.6, "contrast": 0.85, "floor": 0.075}
    record = new_record(experiment, "clock.rabi", Bench.load("sim-clock", seed=1), 0, 1, "", "")
    rng, x, pulls, quality = np.random.default_rng(3), np.sort(p.offset.values()), [], []
    refused = 0
    assert curve.spread(x, truth).shape == (2, 49)
    fine = np.linspace(-8, 8, 3201)
    line = plain.evaluate(fine, truth)
    for _ in range(count):
        share = np.interp(x + p.laser_noise * rng.normal(size=(20, 49)), fine, line)
        rows = {
            "offset": np.tile(x, 20),
            "excited": rng.binomial(5000, share).ravel() / 5000,
            "valid": np.ones(980),
        }
        fit = fit_grid(record, grid(record, MemoryRows(rows)))
        refused += not fit.success
        pulls.append((fit.values["rabi_frequency"] - truth["rabi_frequency"]) / fit.errors["rabi_frequency"])
        quality.append(fit.reduced_chi2)
    assert np.sqrt(np.mean(np.square(pulls))) == pytest.approx(1, abs=4 / np.sqrt(2 * count))
    assert abs(np.mean(pulls)) < 4 / np.sqrt(count)
    # A right fit is refused once in a thousand: more than this many have a chance of 1e-3 themselves.
    assert refused <= poisson.isf(1e-3, 1e-3 * count)
    assert np.mean(quality) == pytest.approx(1, abs=4 * np.sqrt(2 / 45 / count))
