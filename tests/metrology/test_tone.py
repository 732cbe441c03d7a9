"""A tone in a record: the Cramér–Rao bound reached (S6), aliases unfolded, noise told from a line."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.metrology.tone import aliased, find_tone, frequency_bound, spectrum_curve, tone_spectrum, unfolded

STEP = 20e-6


def scatter(samples, ratio, seeds, frequency=4302.8, **within):
    t = np.arange(samples) * STEP
    wave = ratio * np.cos(2 * np.pi * frequency * t + 0.3)
    found = [
        find_tone(wave + np.random.default_rng(seed).normal(size=samples), STEP, **within) for seed in seeds
    ]
    errors = np.array([tone.frequency - frequency for tone in found])
    return errors, found


def test_the_bound_is_reached():
    errors, found = scatter(20_000, 0.1, range(60))
    bound = frequency_bound(20_000, STEP, 0.1)
    assert errors.std() == pytest.approx(bound, rel=0.3)
    assert np.median([t.frequency_error for t in found]) == pytest.approx(bound, rel=0.1)
    for name, true in (("amplitude", 0.1), ("phase", 0.3)):
        pulls = [(getattr(t, name) - true) / getattr(t, f"{name}_error") for t in found]
        assert 0.75 < np.sqrt(np.mean(np.square(pulls))) < 1.25, name


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_s6_scatter_and_scaling():
    """A line 20 times above the mean of the noise within 10 Hz: elsewhere noise is as high now and then."""
    rms = {}
    for samples, seeds in ((200_000, 200), (3_200_000, 60)):
        errors, _ = scatter(samples, 0.02, range(seeds), low=4297.0, high=4307.0)
        rms[samples] = np.sqrt(np.mean(errors**2))
    assert rms[200_000] == pytest.approx(frequency_bound(200_000, STEP, 0.02), rel=0.15)
    slope = np.log(rms[3_200_000] / rms[200_000]) / np.log(16)
    assert slope == pytest.approx(-1.5, abs=0.1)


def test_aliases():
    for frequency in (1.003217e6, 0.98e6, 1.024e6):
        alias = aliased(frequency, STEP)
        assert 0 <= alias <= 0.5 / STEP
        assert unfolded(alias, STEP, frequency + 700) == pytest.approx(frequency, abs=1e-6)
    record = np.cos(2 * np.pi * 1.003217e6 * STEP * np.arange(4000))
    noise = 1e-3 * np.random.default_rng(1).normal(size=4000)
    assert find_tone(record + noise, STEP).frequency == pytest.approx(aliased(1.003217e6, STEP), abs=1e-2)


def test_noise_alone_is_told_by_its_chance():
    chances = [find_tone(np.random.default_rng(seed).normal(size=4096), STEP).chance for seed in range(60)]
    assert np.mean(np.array(chances) < 0.05) < 0.2
    assert 0.2 < np.median(chances) < 0.95
    _, found = scatter(20_000, 0.1, range(3))
    assert max(tone.chance for tone in found) < 1e-6


def test_a_drawn_spectrum_keeps_its_line_and_its_noise_floor():
    rng = np.random.default_rng(2)
    record = 0.1 * np.cos(2 * np.pi * 4302.8 * STEP * np.arange(200_000)) + rng.normal(size=200_000)
    tone = find_tone(record, STEP)
    curve = spectrum_curve(record, STEP, tone)
    assert len(curve.x) < 5000
    top = int(np.argmax(curve.y))
    assert curve.x[top] == pytest.approx(4302.8, abs=1 / (200_000 * STEP))
    _, height = tone_spectrum(rng.normal(size=50_000), STEP)
    floor = spectrum_curve(rng.normal(size=50_000), STEP, None).limits[0].y[0]
    assert np.sqrt(np.mean(height**2)) == pytest.approx(floor, rel=0.05)
    with pytest.raises(UsageError):
        find_tone(np.ones(100), STEP)
