"""Random processes against their autocovariance, their spectrum, and AllanTools (S3)."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.physics import processes

allantools = pytest.importorskip("allantools")


def test_ornstein_uhlenbeck_has_its_covariance():
    x = processes.ornstein_uhlenbeck(2.0, 1e-3, 3e-4, 60, seed=1, paths=40_000)
    for lag in (0, 1, 5, 20):
        seen = (x[:, : 60 - lag] * x[:, lag:]).mean()
        assert seen == pytest.approx(4 * np.exp(-0.3 * lag), abs=0.04)
    assert x[:, 0].std() == pytest.approx(2, rel=0.02)  # stationary from the first sample on
    rough = processes.ornstein_uhlenbeck(1.0, 1e-3, 1.0, 4, seed=2, paths=40_000)
    assert (rough[:, 0] * rough[:, 1]).mean() == pytest.approx(0, abs=0.02)


def test_telegraph_has_its_mean_and_covariance():
    x = processes.telegraph(2.0, 5.0, 0.1, 60, seed=3, paths=40_000)
    assert set(np.unique(x)) == {-1.0, 1.0}
    assert x.mean() == pytest.approx(-3 / 7, abs=0.01)
    for lag in (0, 1, 4):
        seen = (x[:, : 60 - lag] * x[:, lag:]).mean() - x.mean() ** 2
        assert seen == pytest.approx(40 / 49 * np.exp(-0.7 * lag), abs=0.02)
    assert x[:, 0].mean() == pytest.approx(-3 / 7, abs=0.03)
    runs = np.diff(np.flatnonzero(np.diff(processes.telegraph(50.0, 50.0, 1e-4, 2_000_000, seed=4)[0])))
    assert runs.mean() * 1e-4 == pytest.approx(1 / 50, rel=0.05)


@pytest.mark.parametrize(
    ("make", "level", "within"),
    [
        (lambda s: processes.white(2e-28, 1.0, 1 << 16, seed=s), lambda t: np.sqrt(2e-28 / (2 * t)), 0.10),
        (lambda s: processes.flicker(3e-30, 1.0, 1 << 16, seed=s),
         lambda t: np.sqrt(2 * np.log(2) * 3e-30) + 0 * t, 0.15),
        (lambda s: processes.random_walk(1e-32, 1.0, 1 << 16, seed=s),
         lambda t: np.sqrt(2 * np.pi**2 / 3 * 1e-32 * t), 0.10),
    ],
)  # fmt: skip
def test_s3_allan_deviation_of_each_noise(make, level, within):
    taus = np.array([1.0, 2, 4, 8, 16, 32, 64, 128, 256])
    _, found, _, _ = allantools.oadev(make(11)[0], rate=1.0, data_type="freq", taus=taus)
    assert np.abs(found / level(taus) - 1).max() < within


def test_any_spectrum_is_that_of_the_noise():
    def spectrum(f):
        return 3e-3 / (1 + (f / 20) ** 2)

    step, count = 1e-3, 4096
    x = processes.from_spectrum(spectrum, step, count, seed=5, paths=120)
    density = (np.abs(np.fft.rfft(x, axis=1)) ** 2).mean(axis=0) * 2 * step / count
    f = np.fft.rfftfreq(count, step)
    inside = (f > 2) & (f < 100)
    ratio = density[inside] / spectrum(f[inside])
    assert ratio.mean() == pytest.approx(1, abs=0.02)
    assert np.abs(ratio[: len(ratio) // 8 * 8].reshape(-1, 8).mean(axis=1) - 1).max() < 0.2


def test_a_sum_of_ou_processes_is_one_over_f():
    sigma, tau = processes.sum_of_ou(1.0, 1e3, 2.0)
    f = np.geomspace(1, 1e3, 41)
    total = (4 * sigma**2 * tau / (1 + (2 * np.pi * f[:, None] * tau) ** 2)).sum(axis=1)
    assert np.abs(total * f / 2.0 - 1).max() < 0.05


def test_streams_are_their_own_and_come_again():
    one = processes.flicker(1.0, 1.0, 100, seed=7, stream=1)
    assert np.array_equal(one, processes.flicker(1.0, 1.0, 100, seed=7, stream=1))
    assert not np.array_equal(one, processes.flicker(1.0, 1.0, 100, seed=7, stream=2))
    assert not np.array_equal(one, processes.flicker(1.0, 1.0, 100, seed=8, stream=1))


def test_hostile_noise():
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(UsageError):
            processes.ornstein_uhlenbeck(bad, 1.0, 1.0, 10, seed=1)
        with pytest.raises(UsageError):
            processes.white(1.0, bad, 10, seed=1)
    with pytest.raises(UsageError, match="step"):
        processes.random_walk(1.0, 0.0, 10, seed=1)
    with pytest.raises(UsageError, match="never switches"):
        processes.telegraph(0.0, 0.0, 1.0, 10, seed=1)
    with pytest.raises(UsageError, match="spectrum"):
        processes.from_spectrum(lambda f: -f, 1.0, 16, seed=1)
    with pytest.raises(UsageError, match="band"):
        processes.sum_of_ou(10.0, 1.0, 1.0)
    assert processes.white(1.0, 1.0, 0, seed=1).shape == (1, 0)
    assert processes.ornstein_uhlenbeck(0.0, 1.0, 1.0, 3, seed=1) == pytest.approx(np.zeros((1, 3)))
