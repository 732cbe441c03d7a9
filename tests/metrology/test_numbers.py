"""Metrology against the numbers of physics.md, and statistics against simulation."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.fits.damped_cosine import DampedCosineTriplet
from qlab.fits.lines import Lorentzian
from qlab.metrology import (
    axial_field,
    best_working_point,
    binomial_information,
    cramer_rao,
    cw_odmr_sensitivity,
    field_from_pair,
    gaussian_information,
    jacobian,
    poisson_information,
    ramsey_dc_sensitivity,
    readout_noise_factor,
    resonance_frequency,
    sensitivity,
    spin_projection_limit,
)

P07 = {"precession": 0.5e-6, "T2_star": 1e-6, "overhead": 3e-6}


def test_p02_field_and_angle_from_a_pair():
    field, angle = field_from_pair(2795.9548977917925e6, 2957.7220512701324e6)
    assert field.value == pytest.approx(5e-3, rel=1e-6)
    assert np.degrees(angle.value) == pytest.approx(54.7356103, abs=1e-3)


def test_p04_cw_odmr():
    assert cw_odmr_sensitivity(1e6, 0.02, 1e6) == pytest.approx(1.37317224e-6, rel=1e-4)


def test_p07_ramsey_with_overhead():
    assert ramsey_dc_sensitivity(**P07, contrast=0.2, photons=0.03) == pytest.approx(1.01176136e-6, rel=1e-4)


def test_p08_readout():
    noise = readout_noise_factor(0.040, 0.028)
    assert noise.sigma_R == pytest.approx(30.7480803, rel=1e-5)
    assert noise.fidelity == pytest.approx(0.0325223555, rel=1e-5)
    assert readout_noise_factor(0.03, 0.03).fidelity == 0


def test_readout_factor_is_the_ratio_to_projection_noise():
    noise = readout_noise_factor(0.036, 0.024)
    ideal = spin_projection_limit(**P07)
    real = ramsey_dc_sensitivity(**P07, contrast=noise.contrast, photons=noise.photons)
    assert real / ideal == pytest.approx(noise.sigma_R, rel=1e-12)


def test_axial_field_and_back():
    for branch in ("lower", "upper"):
        frequency = resonance_frequency(2e-3, branch)
        measured = axial_field(frequency, 2.803e3, branch)
        assert measured.value == pytest.approx(2e-3, rel=1e-9)
        assert measured.error == pytest.approx(1e-7, rel=1e-9)


@pytest.mark.parametrize("degrees", [1.0, 30.0, 60.0, 89.0])
@pytest.mark.parametrize("field", [1e-4, 5e-3, 50e-3])
def test_pair_inverts_the_exact_spectrum(degrees, field):
    low, high = _pair(field, np.radians(degrees))
    found, angle = field_from_pair(low, high)
    assert found.value == pytest.approx(field, rel=1e-6)
    assert np.degrees(angle.value) == pytest.approx(degrees, abs=2e-3)


def _pair(field, angle):
    sz, sx = np.diag([1.0, 0, -1]), np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / np.sqrt(2)
    energy = np.linalg.eigvalsh(
        2.870e9 * sz @ sz + 28.03e9 * field * (np.cos(angle) * sz + np.sin(angle) * sx)
    )
    return energy[1] - energy[0], energy[2] - energy[0]


def test_pair_errors_match_the_scatter():
    rng = np.random.default_rng(5)
    low, high = _pair(5e-3, 0.9)
    field, angle = field_from_pair(low, high, 3e4, 5e4)
    drawn = np.array([
        [m.value for m in field_from_pair(low + rng.normal(0, 3e4), high + rng.normal(0, 5e4))]
        for _ in range(2000)
    ])  # fmt: skip
    assert drawn.std(axis=0) == pytest.approx([field.error, angle.error], rel=0.08)


def test_pair_refuses_what_no_field_gives():
    with pytest.raises(UsageError):
        field_from_pair(2.6e9, 2.7e9)
    field, _ = field_from_pair(2.870e9, 2.870e9)
    assert field.value == pytest.approx(0, abs=1e-6)


def test_sensitivity_includes_all_time():
    assert sensitivity(1e-9, 100.0) == pytest.approx(1e-8)


def test_s1_scatter_of_ramsey_estimates_is_the_formula():
    """300 estimates of B at fixed phase, 1e5 shots each, photons from a spin that is projected first."""
    rng = np.random.default_rng(1)
    shots, bright, dark = 100_000, 0.036, 0.024
    gamma, tau, decay = 2 * np.pi * 28.03e9, 0.5e-6, np.exp(-0.5)
    ones = rng.binomial(shots, 0.5, 300)
    photons = rng.poisson(ones * bright + (shots - ones) * dark)
    slope = shots * (bright - dark) * decay / 2 * gamma * tau
    scatter = np.std(photons / slope) * np.sqrt(shots * 3.5e-6)
    assert scatter == pytest.approx(ramsey_dc_sensitivity(**P07, contrast=0.2, photons=0.03), rel=0.1)


def test_jacobian_of_a_line_is_the_analytic_one():
    x = np.linspace(2.86e9, 2.88e9, 101)
    theta = {"frequency": 2.87e9, "fwhm": 1e6, "amplitude": -0.02, "offset": 1.0}
    slopes = jacobian(Lorentzian(), x, theta, ["frequency", "amplitude", "offset"])
    half, d = 0.5e6, x - 2.87e9
    shape = half**2 / (d**2 + half**2)
    expected = np.stack([-0.02 * shape**2 * 2 * d / half**2, shape, np.ones_like(x)], axis=-1)
    assert np.abs(slopes - expected).max(axis=0) == pytest.approx(0, abs=1e-6)
    assert slopes[:, 0] == pytest.approx(expected[:, 0], rel=1e-3, abs=1e-13)


def test_jacobian_of_a_vanishing_value():
    x = np.linspace(0, 4e-6, 51)
    model = DampedCosineTriplet(context={"fringe_frequency": 4e6})
    theta = {
        "frequency": 0.0,
        "hyperfine": 2.14e6,
        "T2_star": 2e-6,
        "exponent": 2.0,
        "contrast": 0.3,
        "level": 1.0,
    }
    step = 10.0
    by_hand = (
        model.evaluate(x, {**theta, "frequency": step}) - model.evaluate(x, {**theta, "frequency": -step})
    ) / (2 * step)
    assert jacobian(model, x, theta, ["frequency"])[:, 0] == pytest.approx(by_hand, rel=1e-4, abs=1e-12)


def test_informations_agree_where_they_must():
    slopes = np.array([[1.0, 0.2], [0.3, 2.0], [1.5, -0.4]])
    mean = np.array([100.0, 225.0, 400.0])
    assert poisson_information(slopes, mean) == pytest.approx(gaussian_information(slopes, np.sqrt(mean)))
    p, shots = np.array([0.2, 0.5, 0.9]), 50.0
    assert binomial_information(slopes, p, shots) == pytest.approx(
        gaussian_information(slopes, np.sqrt(p * (1 - p) / shots))
    )


def test_bound_of_a_poisson_rate_is_reached_by_the_mean():
    bound = cramer_rao(poisson_information(np.ones((20, 1)), np.full(20, 7.0)), ["rate"])
    assert bound.sigma["rate"] == pytest.approx(np.sqrt(7 / 20))
    assert bound.rank == 1


def test_bound_reports_what_is_not_determined():
    slopes = np.array([[1.0, 1.0, 0.0], [2.0, 2.0, 1.0], [3.0, 3.0, 5.0]])
    bound = cramer_rao(gaussian_information(slopes, np.ones(3)), ["a", "b", "c"])
    assert bound.rank == 2
    assert np.isinf(bound.sigma["a"])
    assert np.isinf(bound.sigma["b"])
    assert np.isfinite(bound.sigma["c"])


def test_best_working_point_is_that_of_the_formula():
    """A Lorentzian at its steepest point, with photon noise, gives P04 to first order in the contrast."""
    x = np.linspace(2.868e9, 2.872e9, 4001)
    theta = {"frequency": 2.87e9, "fwhm": 1e6, "amplitude": -1e-4, "offset": 1.0}
    rate, shot = 1e6, 1e-3
    point = best_working_point(Lorentzian(), theta, x, 1 / np.sqrt(rate * shot), shot, "frequency")
    assert point.sensitivity / 28.03e9 == pytest.approx(cw_odmr_sensitivity(1e6, 1e-4, rate), rel=1e-3)
    assert abs(point.x - 2.87e9) == pytest.approx(1e6 / (2 * np.sqrt(3)), rel=5e-3)


def test_best_working_point_counts_the_time():
    model = DampedCosineTriplet(context={"fringe_frequency": 4e6})
    theta = {
        "frequency": 0.0,
        "hyperfine": 0.0,
        "T2_star": 2e-6,
        "exponent": 2.0,
        "contrast": 0.3,
        "level": 1.0,
    }
    x = np.linspace(0, 4e-6, 4001)
    short = best_working_point(model, theta, x, 0.1, x + 1e-9, "frequency")
    long = best_working_point(model, theta, x, 0.1, x + 1e-3, "frequency")
    # Without overhead half of T2*, with nothing but overhead T2*/√2: here for exponent 2.
    assert short.x == pytest.approx(1e-6, abs=0.13e-6)
    assert long.x == pytest.approx(np.sqrt(2) * 1e-6, abs=0.13e-6)
