"""The System itself as a fit model: runs of the simulated bench give back what was hidden in it."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.fits import fit_curve
from qlab.fits.twin import Unknown, along, together, twin_of
from qlab.physics.systems.nv import NVCentre
from qlab_instruments.worlds.nv import NVWorld
from tests.experiments.quick import take

TRUTH = {
    "B": 2.02e-3,
    "drive_gain": 0.97,
    "sigma_detuning": 130e3,
    "fluorescence_contrast": 0.32,
    "field_drift": 0.0,
}
HIDDEN = {"B": 2.02e-3, "drive_gain": 0.97, "noise_hz": 130e3, "fluorescence_contrast": 0.32}
B = Unknown("B", [1.98e-3, 2e-3, 2.02e-3, 2.04e-3], "T", "field", scale=2e-7, change=along((0, 0, 1)))
NOISE = Unknown("noise_hz", [112e3], "Hz", "detuning noise", 0, 1e6, 1e4)
GAIN = Unknown("drive_gain", [1.0], "1", "drive gain", 0, 2, 0.01)
CONTRAST = Unknown("fluorescence_contrast", [0.35], "1", "contrast", 0, 1, 0.01)


def nominal() -> NVCentre:
    return NVWorld({}).centre(0.0)


def measured(name, seed, **parameters):
    _, experiment, rows = take(name, seed, TRUTH, None, **parameters)
    axis, signal = experiment.axes()[0], experiment.signals()[0]
    x, where = np.unique(rows[axis.name], return_inverse=True)
    of, per = (np.bincount(where, weights=rows[column]) for column in (signal.of, signal.per))
    y = of / per * signal.scale
    return experiment, x, y, y * np.sqrt(1 / of + 1 / per)


def close(fit):
    for name in fit.free:
        assert abs(fit.values[name] - HIDDEN[name]) < 4 * fit.errors[name], name


def test_a_ramsey_run_gives_back_field_noise_and_contrast():
    experiment, x, y, error = measured("nv.ramsey", 3, tau="0us:3us:61")
    system = NVWorld({"drive_gain": 0.97}).centre(0.0)
    fit = fit_curve(twin_of(experiment, system, [B, NOISE, CONTRAST]), x, y, error)
    assert fit.success, fit.message
    close(fit)
    assert fit.errors["B"] < 2e-6
    assert {p.name: p.unit for p in fit.parameters}["B"] == "T"


def test_a_rabi_run_gives_back_the_strength_of_the_drive():
    experiment, x, y, error = measured("nv.rabi", 4, duration="0us:0.5us:41", microwave_frequency=2.8134e9)
    system = NVWorld({"B": 2.02e-3, "sigma_detuning": 130e3}).centre(0.0)
    fit = fit_curve(twin_of(experiment, system, [GAIN, CONTRAST]), x, y, error)
    assert fit.success, fit.message
    close(fit)


@pytest.mark.nightly
def test_rabi_and_ramsey_together_share_their_unknowns():
    pulls = []
    for seed in range(6):
        ramsey, rabi = measured("nv.ramsey", seed), measured("nv.rabi", seed)
        twins = [twin_of(one[0], nominal(), [B, NOISE, GAIN, CONTRAST]) for one in (ramsey, rabi)]
        model = together(twins, [ramsey[1], rabi[1]])
        y, error = (np.concatenate([ramsey[i], rabi[i]]) for i in (2, 3))
        fit = fit_curve(model, model.x, y, error)
        assert fit.success, fit.message
        pulls.append([(fit.values[n] - HIDDEN[n]) / fit.errors[n] for n in fit.free])
    assert np.sqrt(np.mean(np.square(pulls))) < 1.6


def test_a_twin_is_the_curve_of_its_system_at_any_points():
    experiment, x, _, _ = measured("nv.ramsey", 5, tau="0us:2us:21")
    twin = twin_of(experiment, nominal(), [B])
    theta = {"B": 2e-3, "level": 1.0}
    from dataclasses import replace

    whole = experiment.model(replace(nominal(), field=(0.0, 0.0, 2e-3)))["fluorescence"]
    assert twin.evaluate(x, theta) == pytest.approx(whole, abs=1e-12)
    assert twin.evaluate(x[::-1][:3], theta) == pytest.approx(whole[::-1][:3], abs=1e-12)


def test_what_cannot_be_a_twin_says_so():
    experiment, *_ = measured("nv.ramsey", 5, tau="0us:2us:21", shots=5000)
    with pytest.raises(UsageError, match="no 'Bz' to fit"):
        twin_of(experiment, nominal(), [Unknown("Bz", [1.0])])
    with pytest.raises(UsageError, match="No start"):
        twin_of(experiment, nominal(), [])
