"""Filter functions against P10, closed forms, sampled noise and a direct Fourier transform."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.physics.filters import edges, exponent, exponent_ou, transform


def lorentzian(sigma, tau_c):
    return lambda w: 2 * sigma**2 * tau_c / (1 + (w * tau_c) ** 2)


@pytest.mark.parametrize(("kind", "pulses", "exact"), [("ramsey", 0, 0.448477611), ("hahn", 1, 0.822489684)])
def test_p10_from_the_spectrum_and_from_the_covariance(kind, pulses, exact):
    moments = edges(kind, pulses, 8.0)
    assert np.exp(-exponent(lorentzian(0.2, 5.0), moments)) == pytest.approx(exact, abs=1e-8)
    assert np.exp(-exponent_ou(0.2, 5.0, moments)) == pytest.approx(exact, abs=1e-8)


@pytest.mark.parametrize(("kind", "pulses"), [("cpmg", 8), ("pdd", 3), ("udd", 5)])
def test_the_spectrum_and_the_covariance_agree(kind, pulses):
    moments = edges(kind, pulses, 8.0)
    found = exponent(lorentzian(0.7, 0.5), moments)
    assert found == pytest.approx(exponent_ou(0.7, 0.5, moments), rel=1e-7)


def test_one_over_f_under_an_echo():
    # S2 = A^2 2 pi/|w|: a Hahn echo leaves chi = A^2 t^2 ln 2 (Ithier, PRB 72, 134519 (2005)).
    moments = edges("hahn", 1, 3.0)
    found = exponent(lambda w: 0.01 * 2 * np.pi / w, moments)
    assert found == pytest.approx(0.01 * 9 * np.log(2), rel=1e-6)


@pytest.mark.parametrize("pulse", [0.0, 0.4])
def test_the_transform_is_that_of_the_sign(pulse):
    moments = edges("cpmg", 3, 6.0)
    t = (np.arange(600_000) + 0.5) * 1e-5
    sign = np.ones_like(t)
    for m in moments[1:-1]:
        turn = np.clip((t - m) / pulse + 0.5, 0, 1) if pulse else (t >= m).astype(float)
        sign = sign * np.cos(np.pi * turn)
    for w in (0.0, 0.3, 2.0, 7.0, np.pi / 0.4):
        assert transform(np.array(w), moments, pulse) == pytest.approx(
            (sign * np.exp(1j * w * t)).sum() * 1e-5, abs=1e-6
        )


def test_hostile_sequences_and_spectra():
    with pytest.raises(UsageError, match="no sequence"):
        edges("xy9", 1, 1.0)
    with pytest.raises(UsageError, match="duration"):
        edges("hahn", 1, np.nan)
    with pytest.raises(UsageError, match="overlap"):
        transform(np.ones(1), edges("cpmg", 4, 1.0), 0.3)
    with pytest.raises(UsageError, match="infinite"):
        exponent(lambda w: 1 / w, edges("ramsey", 0, 1.0))
    assert exponent(lambda w: 1 / w, edges("ramsey", 0, 1.0), lowest=1e-3) > 0
    with pytest.raises(UsageError, match="not finite"):
        exponent(lambda w: np.nan * w, edges("hahn", 1, 1.0))
    with pytest.raises(UsageError, match="correlation"):
        exponent_ou(1.0, 0.0, edges("hahn", 1, 1.0))
    assert exponent(lorentzian(1.0, 1.0), edges("ramsey", 0, 0.0)) == 0.0
