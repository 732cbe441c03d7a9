"""The models of the catalogue against the numbers of physics.md, against QuTiP, and against their own slopes."""

import numpy as np
import pytest
from scipy.linalg import expm

from qlab.fits import FitModel
from qlab.fits.echo import EchoModulation, EchoPowerLaw, LorentzianNoise, power_law_integral
from qlab.fits.light import HongOuMandel
from qlab.fits.lines import AutlerTownes
from qlab.fits.resonator import ResonatorNotch, ResonatorReflection
from qlab.fits.torrey import inversion
from qlab.fits.transparency import Transparency
from tests.fits.catalogue import CATALOGUE, model_of, theta_of

PLAIN = {"amplitude": 1.0, "offset": 0.0}


CLOSED = [name for name in CATALOGUE if FitModel.slopes is not type(model_of(name)).slopes]


@pytest.mark.parametrize("name", CLOSED)
def test_slopes_in_closed_form_are_those_of_the_curve(name):
    case, model = CATALOGUE[name], model_of(name)
    theta = theta_of(model, case)
    many = {n: np.array([[v], [v * 1.01 if n in case.truth else v]]) for n, v in theta.items()}
    known = model.slopes(case.x, many)
    assert known is not None
    curve = model.evaluate(case.x, many)
    assert known[0] == pytest.approx(curve, abs=1e-12 * np.abs(curve).max())
    for n, slope in known[1].items():
        step = 1e-5 * abs(theta[n]) or 1e-5
        sides = [model.evaluate(case.x, {**many, n: many[n] + s}) for s in (step, -step)]
        told = (sides[0] - sides[1]) / (2 * step)
        assert np.broadcast_to(slope, told.shape) == pytest.approx(told, abs=1e-6 * np.abs(told).max()), n


@pytest.mark.parametrize("name", CATALOGUE)
def test_many_curves_at_once_are_the_curves_one_by_one(name):
    case, model = CATALOGUE[name], model_of(name)
    theta = theta_of(model, case)
    both = {n: np.array([[v], [v * 1.02]]) for n, v in theta.items()}
    whole = model.evaluate(case.x, both)
    for k in range(2):
        one = model.evaluate(case.x, {n: float(v[k, 0]) for n, v in both.items()})
        assert one.shape == case.x.shape
        # Averages over static detuning take as many nodes as the widest needs.
        assert np.abs(whole[k] - one).max() < 1e-7 * np.abs(one).max()


def test_p09_echo_modulation_by_a_13c():
    # H/h = f_L I_z in m_S = 0, (f_L + A_par) I_z + A_perp I_x in m_S = +1.
    larmor, along, across = 107.084e3, 80e3, 60e3
    other = np.hypot(larmor + along, across)
    theta = {"T2": 1e9, "exponent": 1.0, "depth": (across / other) ** 2, "lower": larmor}
    theta["splitting"] = other - larmor
    found = EchoModulation().evaluate(np.array([14e-6]), PLAIN | theta)
    assert found == pytest.approx(0.920128743, abs=1e-6)


def test_p10_dephasing_by_lorentzian_noise():
    theta = PLAIN | {"sigma": 0.2e6 / (2 * np.pi), "tau_c": 5e-6}
    for pulses, expected in ((0, 0.448477611), (1, 0.822489684)):
        model = LorentzianNoise({"pulses": float(pulses)})
        assert model.evaluate(np.array([8e-6]), theta) == pytest.approx(expected, abs=1e-5)


def test_cpmg_under_lorentzian_noise_is_the_double_integral():
    t, tau_c, sigma, pulses = 9e-6, 2e-6, 1e5, 4
    grid = (np.arange(4000) + 0.5) / 4000 * t
    sign = (-1.0) ** np.searchsorted((np.arange(pulses) + 0.5) / pulses * t, grid)
    correlation = (2 * np.pi * sigma) ** 2 * np.exp(-np.abs(grid[:, None] - grid) / tau_c)
    chi = 0.5 * float(sign @ correlation @ sign) * (t / 4000) ** 2
    found = LorentzianNoise({"pulses": 4.0}).evaluate(np.array([t]), PLAIN | {"sigma": sigma, "tau_c": tau_c})
    assert -np.log(found[0]) == pytest.approx(chi, rel=1e-3)


def test_filter_functions_of_power_laws():
    assert power_law_integral(0.0, 1) == pytest.approx(0.5, rel=2e-3)
    assert power_law_integral(2.0, 1) == pytest.approx(1 / 24, rel=2e-3)
    # A random walk of the detuning under N pulses: 1/N² of the echo's dephasing.
    assert power_law_integral(2.0, 4) == pytest.approx(1 / 24 / 16, rel=5e-3)
    derived = EchoPowerLaw().derive({"T2": 3e-5, "alpha": 2.0, **PLAIN})
    # S(1/T2) = A T2² with A = 24/T2³.
    assert derived["noise_at_T2"][0] == pytest.approx(24 / 3e-5, rel=2e-3)


@pytest.mark.parametrize(("rabi", "detuning", "rest"), [(3e6, 0.0, -1.0), (3e6, 2e6, -1.0), (1e5, 0.0, 0.0)])
def test_torrey_is_the_exponential_of_the_bloch_matrix(rabi, detuning, rest):
    t, g1, g2 = np.linspace(0, 2e-6, 7), 4e5, 9e5
    omega, delta = 2 * np.pi * rabi, 2 * np.pi * detuning
    m = np.zeros((4, 4))
    m[0, :3], m[1, :3], m[2, 1:] = (-g2, delta, 0), (-delta, -g2, -omega), (omega, -g1, g1 * rest)
    exact = [(expm(m * one) @ [0, 0, -1, 1])[2] for one in t]
    assert inversion(t, rabi, detuning, g1, g2, rest) == pytest.approx(exact, abs=1e-7)


def test_transparency_is_the_steady_state_of_three_levels():
    import qutip as qt

    fwhm, coupling, dark, probe = 6e6, 4e6, 0.4e6, 1e3
    g, e, s = (qt.basis(3, k) for k in range(3))
    two_pi = 2 * np.pi
    # The probed line decays at fwhm, and the dark state dephases at 2γ₂ = `dark`: γ₂ on its coherence.
    jumps = [np.sqrt(two_pi * fwhm) * g * e.dag(), np.sqrt(two_pi * dark) * s.proj()]
    jumps.append(np.sqrt(two_pi * 1e2) * g * s.dag())
    x = np.array([-7e6, -2e6, -0.3e6, 0.0, 1e6, 4e6])
    seen = []
    for delta in x:
        h = -two_pi * delta * (e.proj() + s.proj())
        h += np.pi * probe * (e * g.dag() + g * e.dag()) + np.pi * coupling * (e * s.dag() + s * e.dag())
        rho = qt.steadystate(h, jumps)
        seen.append(complex(g.dag() * rho * e).imag)
    seen = np.abs(np.array(seen)) * fwhm / probe
    theta = PLAIN | {
        "frequency": 0.0,
        "fwhm": fwhm,
        "coupling": coupling,
        "dark_width": dark,
        "detuning": 0.0,
    }
    assert seen == pytest.approx(Transparency().evaluate(x, theta), abs=2e-3)


def test_p28_electric_field_of_an_autler_townes_splitting():
    dipole = 1443.45 * 1.602176634e-19 * 5.29177210903e-11
    derived = AutlerTownes({"dipole": dipole}).derive({"splitting": 10e6})
    assert derived["electric_field"][0] == pytest.approx(0.541430551, rel=1e-5)


def test_p33_width_of_a_hong_ou_mandel_dip():
    derived = HongOuMandel().derive({"fwhm": 455.248645e-15})
    assert derived["sigma"][0] == pytest.approx(3.65758194e12, rel=1e-5)


@pytest.mark.parametrize(("kind", "expected"), [(ResonatorNotch, 0.8), (ResonatorReflection, 0.6)])
def test_quality_factors_follow_from_the_circle(kind, expected):
    """κ_i = 4 κ_c: past it 1 − Q_l/Q_c = 0.8 is left on resonance, in reflection 1 − 2Q_l/Q_c = 0.6."""
    internal, coupling = 5e3, 2e4
    loaded = 1 / (1 / internal + 1 / coupling)
    theta = {"frequency": 5e9, "loaded_q": loaded, "depth": kind.parts * loaded / coupling, "asymmetry": 0.0,
             "amplitude": 1.0, "phase": 0.0, "delay": 0.0}  # fmt: skip
    assert kind({"centre": 5e9}).evaluate(np.array([5e9]), theta) == pytest.approx(expected)
    derived = kind().derive(theta)
    assert derived["internal_q"][0] == pytest.approx(internal)
    assert derived["coupling_q"][0] == pytest.approx(coupling)
