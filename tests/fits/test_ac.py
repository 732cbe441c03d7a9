"""AC fits and the toggling frame: against ideal pulses in closed form, sampled states, and noisy curves."""

import numpy as np
import pytest
from scipy.special import j0

from qlab.fits import fit_curve, load_model
from qlab.fits.vector import _equivalent, voigt
from qlab.physics.filters import train_transform, transform
from qlab.physics.toggling import Step, toggling

TAU = 2 * np.pi
KNOWN = {
    "blocks": 2.0,
    "rabi_frequency": 2e9,
    "ends": 1.25e-10,
    "hyperfine": 0.0,
    "T2": np.inf,
    "last": np.pi,
}


def test_the_filter_of_a_train_is_the_general_one():
    w, spacing, pulses = TAU * np.array([0.3e6, 1e6, 3.1e6]), 0.47e-6, 8
    moments = np.concatenate([[0], (np.arange(pulses) + 0.5) * spacing, [pulses * spacing]])
    np.testing.assert_allclose(
        train_transform(w, np.asarray(spacing), pulses, 40e-9, 0.0), transform(w, moments, 40e-9)
    )
    # Pulses of pi/2 add what the sine of their turn does, integrated here point by point.
    ends, t = 30e-9, np.linspace(0, 30e-9, 20001)
    rise = np.trapezoid(np.sin(np.pi * t / (2 * ends)) * np.exp(1j * w[:, None] * (t - ends)), t)
    fall = np.trapezoid(np.cos(np.pi * t / (2 * ends)) * np.exp(1j * w[:, None] * (t + pulses * spacing)), t)
    whole = train_transform(w, np.asarray(spacing), pulses, 40e-9, ends)
    np.testing.assert_allclose(whole, transform(w, moments, 40e-9) + rise + fall, rtol=1e-8)


@pytest.mark.parametrize("random", [0.0, 1.0])
def test_ideal_pulses_give_the_textbook_phase(random):
    x = np.linspace(430e-9, 570e-9, 15)
    model = load_model("ac_spectrum", {**KNOWN, "random": random, "phase": 0.4})
    field, frequency = 7e-7, 1.02e6
    y = train_transform(np.asarray(TAU * frequency), x, 16, 0.0, 0.0)
    phi = TAU * 28.03e9 * field
    expected = j0(phi * np.abs(y)) if random else np.cos(phi * np.real(y * np.exp(0.4j)))
    ratio = model.evaluate(x, {"amplitude": field, "frequency": frequency, "T2": np.inf, "contrast": 0.1})
    np.testing.assert_allclose((ratio - 1) / (ratio + 1) / 0.1, expected, atol=2e-3)
    on = load_model("ac_spectrum", {**KNOWN, "phase": 0.0})
    at = on.evaluate(np.array([0.5e-6]), {"amplitude": 1e-7, "frequency": 1e6, "T2": np.inf, "contrast": 0.1})
    assert (at - 1) / (at + 1) / 0.1 == pytest.approx(np.cos(0.089696), abs=1e-6)  # P11


def test_the_toggling_frame_of_bad_pulses_against_states_in_time():
    # A weak signal through pulses 8 % too strong and 10 % detuned; two-level states, stepped by 0.25 ns.
    rabi, delta, signal, omega = TAU * 20e6, TAU * 2e6, TAU * 30e3, TAU * 1e6
    around = Step(np.array([0.25e-6 - 12.5e-9]))
    steps = [Step(np.asarray(12.5e-9), rabi, 0.0)]
    for quarter in (0, 1, 0, 1):
        steps += [around, Step(np.asarray(25e-9), rabi * 1.08, quarter * np.pi / 2), around]
    steps.append(Step(np.asarray(12.5e-9), rabi, 1.0))
    frame = toggling(steps, np.array([delta]))
    turn = signal * np.real(frame.response(omega) * np.exp(0.7j))
    now, psi = 0.0, np.array([1.0, 0.0], dtype=complex)
    sx, sy, sz = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
    for step in steps:
        seconds = float(np.ravel(step.seconds)[0])
        count = max(1, round(seconds / 0.25e-9))
        for k in range(count):
            t = now + (k + 0.5) * seconds / count
            z = delta + signal * np.cos(omega * t + 0.7)
            h = step.rabi * (np.cos(step.phase) * sx + np.sin(step.phase) * sy) + z * sz
            size = np.sqrt(step.rabi**2 + z**2) or 1.0
            angle = size * seconds / count / 2
            psi = (np.cos(angle) * np.eye(2) - 1j * np.sin(angle) * h / size) @ psi
        now += seconds
    left = abs(psi[0]) ** 2 - abs(psi[1]) ** 2
    assert frame.kept(turn)[0] == pytest.approx(left, abs=3e-4)
    assert abs(frame.kept(np.zeros_like(turn))[0] - left) > 0.05  # the signal is seen


@pytest.mark.parametrize("name", ["ac_spectrum", "ac_buildup", "ac_fringe"])
def test_noisy_curves_give_the_truth_back(name):
    x, truth, more = {
        "ac_spectrum": (np.linspace(430e-9, 570e-9, 41), {"amplitude": 9e-7, "frequency": 1.003e6}, {"random": 1.0}),
        "ac_buildup": (np.arange(1.0, 17.0), {"amplitude": 4e-7, "decay_rate": 1 / 1.2e-4},
                       {"random": 1.0, "spacing": 0.5e-6, "frequency": 1e6}),
        "ac_fringe": (np.linspace(0, 8e-6, 31), {"gain": 0.94}, {"spacing": 0.5e-6, "frequency": 1e6}),
    }[name]  # fmt: skip
    known = {
        "blocks": 4.0 if name == "ac_spectrum" else 2.0,
        "rabi_frequency": 20e6,
        "ends": 12.5e-9,
        "last": np.pi,
    }
    model = load_model(name, {**known, "T2": 2.8e-4, **more})
    theta = {"T2": 2.8e-4, "contrast": 0.13, **truth}
    y = model.evaluate(x, theta) + np.random.default_rng(4).normal(0, 0.004, len(x))
    fit = fit_curve(model, x, y, np.full(len(x), 0.004), counting=False)
    assert fit.success, fit.message
    for key in (*truth, "contrast"):
        assert abs(fit.values[key] - theta[key]) < 3.5 * fit.errors[key], key
    flat = fit_curve(model, x, 1 + np.random.default_rng(5).normal(0, 0.004, len(x)), np.full(len(x), 0.004))
    assert not flat.success


def test_a_voigt_line_is_the_convolution():
    d, half, sigma = np.linspace(-6e6, 6e6, 101), 3e5, 1.5e5
    z = np.linspace(-8, 8, 4001)
    weight = np.exp(-(z**2) / 2)
    whole = (half**2 / ((d[:, None] - sigma * z) ** 2 + half**2)) @ weight / weight.sum()
    np.testing.assert_allclose(voigt(d, half, sigma), whole, rtol=1e-4, atol=1e-9)


def test_of_48_fields_the_one_near_the_bias_is_taken():
    field = np.array([3.0, -1.0, 2.0])
    for near in ([1.0, 2.0, 3.0], [-1.0, -2.0, -3.0], [2.0, 3.0, -1.0]):
        found = _equivalent(field, np.array(near))
        assert np.allclose(np.abs(np.sort(np.abs(found))), [1, 2, 3])
        assert np.allclose(found, near)
