"""Spectra against scipy, Parseval and simulation."""

import numpy as np
import pytest
import scipy.signal

from qlab.errors import UsageError
from qlab.metrology.stability import (
    deviation_from_psd,
    deviations,
    fit_power_laws,
    sample_power_law,
    spectrum,
)


def test_welch_is_scipys():
    y = np.random.default_rng(1).normal(size=10_000) + 4
    ours = spectrum(y, 0.01, segment=1000)
    f, density = scipy.signal.welch(y, 100.0, nperseg=1000, detrend="constant")
    assert ours.frequency == pytest.approx(f)
    assert ours.density == pytest.approx(density, rel=1e-10)
    assert ours.bandwidth == pytest.approx(1.5 * 100.0 / 1000, rel=1e-9)


@pytest.mark.parametrize("method", ["welch", "multitaper"])
def test_one_sided_integral_is_the_variance(method):
    y = np.random.default_rng(2).normal(0, 3, 1 << 14)
    found = spectrum(y, 0.1, method=method, unit="T")
    assert np.trapezoid(found.density, found.frequency) == pytest.approx(9, rel=0.03)
    assert found.density_unit == "(T)^2/Hz"
    assert found.curve(amplitude=True).unit == "T/sqrt(Hz)"
    # White noise of variance v sampled at interval τ0: 2 v τ0.
    assert np.median(found.density) == pytest.approx(2 * 9 * 0.1, rel=0.15)


@pytest.mark.parametrize("method", ["welch", "multitaper"])
def test_bands_cover_white_noise(method):
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(60):
        found = spectrum(rng.normal(size=2048), 1.0, method=method, segment=256)
        middle = slice(10, -10)
        inside.append(np.mean((found.low[middle] <= 2) & (found.high[middle] >= 2)))
    assert np.mean(inside) == pytest.approx(0.683, abs=0.03)


def test_freedom_is_the_scatter():
    rng = np.random.default_rng(4)
    found = [spectrum(rng.normal(size=2048), 1.0, segment=256) for _ in range(1500)]
    bins = np.array([f.density[20] for f in found])
    assert 2 * bins.mean() ** 2 / bins.var() == pytest.approx(found[0].freedom[20], rel=0.12)


def test_power_law_coefficients_come_back_within_their_errors():
    rng = np.random.default_rng(5)
    pulls, errors = [], []
    for _ in range(40):
        y = sample_power_law(1 << 13, 0.1, {0: 1e-2, -2: 1e-4}, rng)
        found = fit_power_laws(spectrum(y, 0.1, segment=1 << 10), (0, -2))
        pulls.append([(found.h[a] - t) / found.error[a] for a, t in ((0, 1e-2), (-2, 1e-4))])
        errors.append(found.error[0] / 1e-2)
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.8
    assert np.std(pulls, axis=0) == pytest.approx([1, 1], abs=0.35)
    assert np.mean(errors) < 0.05


def test_from_spectrum_to_deviation():
    rng = np.random.default_rng(6)
    y = sample_power_law(1 << 16, 1.0, {0: 1.0}, rng)
    found = spectrum(y, 1.0, segment=1 << 13)
    taus = [16.0, 64.0]
    measured = deviations(y, 1.0, taus=taus).deviation
    assert deviation_from_psd(found.frequency, found.density, taus) == pytest.approx(measured, rel=0.08)


def test_gaps_are_stated():
    y = np.random.default_rng(7).normal(size=4096)
    y[1000] = np.nan
    found = spectrum(y, 1.0, segment=256)
    assert "2 of 31 segments" in found.statements[0]
    assert "1 missing" in spectrum(y, 1.0, method="multitaper").statements[0]
    with pytest.raises(UsageError, match="without a gap"):
        spectrum(np.where(np.arange(64) % 4 == 0, np.nan, 1.0), 1.0, segment=16)
