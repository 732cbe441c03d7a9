"""Stability: published numbers, allantools, simulation; gaps, outliers and drift."""

import allantools
import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.metrology.stability import (
    ESTIMATORS,
    LiveDeviations,
    degrees_of_freedom,
    deviation_from_psd,
    deviations,
    find_outliers,
    identify,
    power_law_deviation,
    sample_power_law,
    series,
    stability_figures,
)

NBS14 = [892.0, 809, 823, 798, 671, 644, 883, 903, 677]
# Riley, NIST SP1065 (2008), table 31: at 1 and 2 s.
PUBLISHED = {
    "adev": (91.22945, 115.8082), "oadev": (91.22945, 85.95287), "mdev": (91.22945, 74.78849),
    "tdev": (52.67135, 86.35831), "hdev": (70.80607, 116.7980), "ohdev": (70.80607, 85.61487),
    "totdev": (91.22945, 93.90379),
}  # fmt: skip


def of_noise(alpha, count, rng, interval=1.0):
    return sample_power_law(count, interval, {alpha: 1.0}, rng)


@pytest.mark.parametrize("kind", PUBLISHED)
@pytest.mark.parametrize("as_phase", [False, True])
def test_p19_nbs14(kind, as_phase):
    data = np.concatenate(([0.0], np.cumsum(NBS14))) if as_phase else NBS14
    found = deviations(data, 1.0, kind, kind="phase" if as_phase else "frequency", taus=[1, 2])
    value = found.deviation
    if kind == "totdev":
        # Published without the correction of its bias, which is ours to undo.
        from qlab.metrology.stability.freedom import total_bias

        value = value * np.sqrt(
            [total_bias(n.alpha, m, 10) for m, n in zip((1, 2), found.noise, strict=True)]
        )
    assert value == pytest.approx(PUBLISHED[kind], rel=2e-6)


@pytest.mark.parametrize("alpha", [2, 1, 0, -1, -2])
def test_allantools_agrees(alpha):
    rng = np.random.default_rng(alpha + 5)
    y = of_noise(alpha, 6001, rng, 0.25)
    taus = 0.25 * np.array([1, 2, 3, 7, 16, 64, 250, 1000])
    data = series(y, 0.25)
    from qlab.metrology.stability.estimators import variance

    for kind, estimator in ESTIMATORS.items():
        told, theirs, _, _ = getattr(allantools, kind)(y, rate=4.0, data_type="freq", taus=taus)
        ours = [np.sqrt(variance(data, estimator, round(t / 0.25)).value) for t in told]
        assert len(told) >= 7
        assert ours == pytest.approx(theirs, rel=1e-10), kind


def test_phase_and_frequency_are_one_record():
    y = np.random.default_rng(1).normal(size=500) + 3
    x = np.concatenate(([0.0], np.cumsum(y))) * 0.1
    for kind in ESTIMATORS:
        one = deviations(y, 0.1, kind)
        other = deviations(x, 0.1, kind, kind="phase")
        assert one.deviation == pytest.approx(other.deviation, rel=1e-9)


@pytest.mark.parametrize(
    ("order", "kind"), [(2, "oadev"), (2, "adev"), (2, "mdev"), (3, "ohdev"), (3, "hdev")]
)
@pytest.mark.parametrize("alpha", [2, 1, 0, -1, -2])
def test_degrees_of_freedom_are_those_of_the_tables(order, kind, alpha):
    """Against Greenhall and Riley's algorithm in allantools, which interpolates tables where there are many lags."""
    e = ESTIMATORS[kind]
    for m, count in ((1, 101), (4, 101), (20, 1001), (100, 100_001)):
        theirs = allantools.edf_greenhall(alpha, order, m, count, e.overlapping, e.modified)
        assert degrees_of_freedom(e, alpha, m, count) == pytest.approx(theirs, rel=0.013)


def test_degrees_of_freedom_are_the_scatter():
    """2⟨V⟩²/var V over 2000 simulated records of white and random-walk frequency."""
    from qlab.metrology.stability.estimators import variance

    rng = np.random.default_rng(3)
    for alpha, walk in ((0, False), (-2, True)):
        y = rng.normal(size=(2000, 256))
        y = np.cumsum(y, axis=1) if walk else y
        for kind, m in (("oadev", 16), ("mdev", 8), ("ohdev", 16)):
            v = np.array([variance(series(row, 1.0), ESTIMATORS[kind], m).value for row in y])
            told = degrees_of_freedom(ESTIMATORS[kind], alpha, m, 257)
            # The relative error of a variance of 2000 values is 3 % and more where few degrees make it skew.
            assert 2 * v.mean() ** 2 / v.var() == pytest.approx(told, rel=0.2), (alpha, kind)


@pytest.mark.parametrize("alpha", [2, 1, 0, -1, -2])
def test_noise_is_told(alpha):
    rng = np.random.default_rng(11)
    told = [identify(series(of_noise(alpha, 2048, rng), 1.0), 1).alpha for _ in range(40)]
    assert told.count(alpha) >= 38
    # Averaged, as the method itself tells: flicker leans to its neighbour, in allantools' version too.
    for _ in range(10):
        data = series(of_noise(alpha, 4096, rng), 1.0)
        theirs = allantools.autocorr_noise_id(data.phase, 16, data_type="phase", dmax=2)[0]
        assert identify(data, 16).alpha == max(theirs, -2)


def test_random_walk_of_the_third_kind_needs_hadamard():
    rng = np.random.default_rng(2)
    y = np.cumsum(np.cumsum(rng.normal(size=2000)))
    assert identify(series(y, 1.0), 1, lowest=-4).alpha == -4
    assert identify(series(y, 1.0), 1).alpha == -2


def coverage(alpha, kind, records, count, rng, confidence=0.683):
    inside = total = 0
    taus = [1, 4, 16, 64]
    # The truth is the mean of many records: no closed form shares a mistake with the estimate.
    deviation = [deviations(of_noise(alpha, count, rng), 1.0, kind, taus=taus) for _ in range(records)]
    truth = np.sqrt(np.mean([d.deviation**2 for d in deviation], axis=0))
    for d in deviation:
        inside += int(np.sum((d.low <= truth) & (truth <= d.high)))
        total += len(truth)
    return inside / total


@pytest.mark.parametrize(
    ("alpha", "kind"), [(0, "oadev"), (-1, "oadev"), (-2, "mdev"), (0, "totdev"), (-2, "ohdev")]
)
def test_intervals_cover(alpha, kind):
    assert coverage(alpha, kind, 150, 1024, np.random.default_rng(7)) == pytest.approx(0.683, abs=0.08)


@pytest.mark.nightly
@pytest.mark.parametrize("alpha", [2, 1, 0, -1, -2])
@pytest.mark.parametrize("kind", list(ESTIMATORS))
def test_intervals_cover_for_every_noise(alpha, kind):
    assert coverage(alpha, kind, 1000, 2048, np.random.default_rng(8)) == pytest.approx(0.683, abs=0.06)


def test_p20_power_laws():
    tau = 10.0
    found = [power_law_deviation(h, tau) for h in ({0: 2e-28}, {-1: 3e-30}, {-2: 1e-32})]
    assert found == pytest.approx(
        [3.1622776601683794e-15, 2.039333980337618e-15, 8.111557351947224e-16], rel=1e-5
    )
    assert power_law_deviation({0: 2e-28, -1: 3e-30, -2: 1e-32}, tau) == pytest.approx(
        3.849267035436612e-15, rel=1e-5
    )


@pytest.mark.parametrize("kind", ["adev", "hdev", "mdev"])
@pytest.mark.parametrize("alpha", [2, 1, 0, -1, -2])
def test_closed_forms_are_the_integrals(kind, alpha):
    f = np.concatenate([np.geomspace(1e-8, 1e-3, 20_001), np.linspace(1e-3, 0.5, 200_001)[1:]])
    integral = deviation_from_psd(f, f ** float(alpha), [100.0], kind, interval=1.0)
    assert power_law_deviation({alpha: 1.0}, [100.0], kind, cutoff=0.5) == pytest.approx(integral, rel=2e-3)


@pytest.mark.parametrize(("alpha", "tolerance"), [(0, 0.1), (-1, 0.15), (-2, 0.1)])
def test_s3_generated_noise_has_its_deviation(alpha, tolerance):
    rng = np.random.default_rng(4)
    m = 2.0 ** np.arange(9)
    found = np.sqrt(np.mean([
        deviations(of_noise(alpha, 1 << 16, rng, 0.5), 0.5, taus=0.5 * m).deviation ** 2 for _ in range(4)
    ], axis=0))  # fmt: skip
    # A filter of differences is a power law well below its sampling rate: from the fourth octave on.
    assert found[2:] == pytest.approx(power_law_deviation({alpha: 1.0}, 0.5 * m[2:]), rel=tolerance)


@pytest.mark.parametrize("kind", ["oadev", "mdev", "tdev", "ohdev"])
@pytest.mark.parametrize("data", ["frequency", "phase"])
@pytest.mark.parametrize("gaps", [0, 20])
def test_live_is_the_same_as_at_the_end(kind, data, gaps):
    rng = np.random.default_rng(9)
    v = rng.normal(size=6000) + 1e3
    if data == "phase":
        v = np.cumsum(v)
    v[rng.integers(0, len(v), gaps)] = np.nan
    live, at = LiveDeviations(0.5, kind, data), 0
    while at < len(v):
        step = int(rng.integers(1, 300))
        live.add(v[at : at + step])
        at += step
    ours, whole = live.result(), deviations(v, 0.5, kind, kind=data)
    assert ours.deviation == pytest.approx(whole.deviation, rel=1e-8)
    assert (ours.terms, ours.possible) == (whole.terms, whole.possible)
    assert ours.treatment.gaps == whole.treatment.gaps


def test_live_refuses_what_it_cannot_keep():
    with pytest.raises(UsageError, match="not kept up to date"):
        LiveDeviations(1.0, "totdev")


def test_gaps_leave_the_value_alone_and_are_stated():
    rng = np.random.default_rng(5)
    y = rng.normal(size=20_000)
    holed = y.copy()
    holed[[100, 101, 102, 5000, 12_345]] = np.nan
    full, found = deviations(y, 1.0, taus=[1, 8, 64]), deviations(holed, 1.0, taus=[1, 8, 64])
    assert found.treatment.gaps == (100, 101, 102, 5000, 12_345)
    assert "5 values are missing" in found.statements[0]
    assert found.deviation == pytest.approx(full.deviation, rel=0.02)
    assert all(a < b for a, b in zip(found.terms, found.possible, strict=True))
    # By hand: a frequency difference counts where both averages have all their values.
    pairs = np.diff(holed)
    assert found.terms[0] == np.isfinite(pairs).sum()
    assert found.deviation[0] == pytest.approx(np.sqrt(np.nanmean(pairs**2) / 2), rel=1e-12)


def test_phase_gaps_by_hand():
    x = np.cumsum(np.random.default_rng(6).normal(size=300))
    x[[50, 170]] = np.nan
    d = x[8:] - 2 * x[4:-4] + x[:-8]
    found = deviations(x, 2.0, kind="phase", taus=[8.0])
    assert found.terms == (int(np.isfinite(d).sum()),)
    assert found.deviation[0] == pytest.approx(np.sqrt(np.nanmean(d**2) / (2 * 8.0**2)), rel=1e-9)


def test_outliers_are_found_and_nothing_else():
    rng = np.random.default_rng(8)
    y = rng.normal(size=5000) + 0.01 * np.arange(5000)
    bad = y.copy()
    bad[[17, 2500, 4990]] += [40, -60, 35]
    found = deviations(bad, 1.0, outliers=7.0, taus=[1, 4])
    assert found.treatment.outliers == (17, 2500, 4990)
    assert "robust standard deviations" in found.statements[0]
    assert found.deviation == pytest.approx(deviations(y, 1.0, taus=[1, 4]).deviation, rel=0.01)
    assert deviations(bad, 1.0, taus=[1]).deviation[0] > 1.2 * found.deviation[0]
    assert not find_outliers(np.ones(100)).any()


@pytest.mark.parametrize("how", ["linear", "quadratic", "endpoint"])
@pytest.mark.parametrize("data", ["frequency", "phase"])
def test_drift_is_removed_and_told(how, data):
    rng = np.random.default_rng(10)
    t = np.arange(4001) * 0.5
    noise = rng.normal(size=4001) * 0.01
    y = noise + 3 + 2e-3 * t
    v = y if data == "frequency" else 3 * t + 1e-3 * t**2 + np.concatenate(([0], np.cumsum(noise[:-1]))) * 0.5
    found = deviations(v, 0.5, kind=data, drift=how, taus=[64.0])
    slope = found.treatment.drift[0]
    if how == "quadratic":
        slope += found.treatment.drift[1] * 2000.0
        assert slope == pytest.approx(2e-3, rel=0.02)
        assert found.treatment.drift[1] == pytest.approx(0, abs=2e-8)
    else:
        assert slope == pytest.approx(2e-3, rel=2e-3)
    assert found.deviation[0] < 0.1 * deviations(v, 0.5, kind=data, taus=[64.0]).deviation[0]
    assert any("drift" in s for s in found.statements)


def test_averaging_times():
    y = np.random.default_rng(1).normal(size=100)
    assert deviations(y, 2.0).tau.tolist() == [2, 4, 8, 16, 32, 64]
    assert deviations(y, 2.0, taus="decade").tau.tolist() == [2, 4, 8, 20, 40, 80]
    assert len(deviations(y, 2.0, taus="all").tau) == 50
    assert deviations(y, 2.0, taus=[2.1, 9.0]).tau.tolist() == [2, 8]
    for wrong in ("weekly", "adevv"):
        with pytest.raises(UsageError):
            deviations(y, 2.0, **({"taus": wrong} if wrong == "weekly" else {"estimator": wrong}))
    with pytest.raises(UsageError, match="Fewer than 3"):
        deviations([1.0, np.nan, 2.0], 1.0)


def test_figures_of_a_white_record_give_its_sensitivity():
    rng = np.random.default_rng(3)
    y = rng.normal(0, 2e-9, 20_000)
    figures = {f.name: f for f in stability_figures(y, 0.25, unit="T", limit=5e-10)}
    white = figures["white_noise"]
    assert white.unit == "T/sqrt(Hz)"
    assert abs(white.value - 1e-9) < 4 * white.error
    assert white.error < 0.02 * white.value
    assert figures["white_noise_limit"].limit_of == "white_noise"
    assert figures["deviation_floor"].value < figures["deviation"].value


def test_a_curve_is_compared_with_its_limit():
    y = np.random.default_rng(3).normal(size=4096)
    curve = (
        deviations(y, 1.0).curve().with_limit("half", np.array([1.0, 4096.0]), 0.5 / np.sqrt([1.0, 4096.0]))
    )
    assert curve.ratio_to("half")[:4] == pytest.approx(2, rel=0.1)
    assert (curve.low < curve.y).all()
    assert (curve.y < curve.high).all()
