"""S5 for every model of the catalogue: error bars that hold the truth as often as they say."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from qlab.fits import fit_curve, fit_many
from tests.fits.catalogue import CATALOGUE, draw


def measured(name, count, seed=0):
    """Return (pulls by parameter, share believed) of many drawn data sets."""
    model, x, y, error = draw(name, count, seed)
    truth = CATALOGUE[name].truth
    if x.ndim == 2:
        results = [fit_curve(model, *one) for one in zip(x, y, error, strict=True)]
        pulls = {n: np.array([(r.values[n] - t) / r.errors[n] for r in results]) for n, t in truth.items()}
        return pulls, np.mean([r.success for r in results])
    fits = fit_many(model, x, y, error)
    return {n: (fits.values[n] - t) / fits.errors[n] for n, t in truth.items()}, fits.success.mean()


def shares(name, pulls):
    """Return how often the truth lies within one error bar; a spread near zero has an error bar down to zero."""
    return {n: np.mean(np.abs(p) < 1) for n, p in pulls.items() if n != "sigma_detuning"}


# Too slow for hundreds of data sets: their pulls are measured with their experiments, in test_worlds_recovery.
# Their pulls are those of tests/experiments: test_worlds_recovery, test_light_recovery, test_sensing.
WITH_THEIR_EXPERIMENT = {
    "clock_line", "one_axis_twisting", "readout_error", "parity_fringe", "rydberg_lines", "mach_zehnder",
    "gravity_fringe", "ac_buildup", "ac_fringe", "ac_spectrum", "nv_vector",
}  # fmt: skip


def test_every_installed_model_is_in_the_catalogue():
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(CATALOGUE) | WITH_THEIR_EXPERIMENT == set(project["entry-points"]["qlab.fits"])


@pytest.mark.parametrize("name", CATALOGUE)
def test_coverage_of_100(name):
    pulls, believed = measured(name, 100)
    assert believed >= 0.93
    inside = shares(name, pulls)
    # A share of 100 scatters by 0.047, an rms by 0.07, a mean by 0.1.
    assert all(0.51 < share < 0.85 for share in inside.values()), inside
    assert 0.58 < np.mean(list(inside.values())) < 0.79, inside
    assert all(0.7 < np.sqrt(np.mean(p**2)) < 1.3 for p in pulls.values())
    assert all(abs(p.mean()) < 0.42 for p in pulls.values())


@pytest.mark.nightly
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", CATALOGUE)
def test_s5_coverage_of_500(name):
    pulls, believed = measured(name, 500, seed=1)
    assert believed >= 0.95
    inside = shares(name, pulls)
    assert all(0.61 < share < 0.755 for share in inside.values()), inside
    assert 0.63 < np.mean(list(inside.values())) < 0.73, inside
