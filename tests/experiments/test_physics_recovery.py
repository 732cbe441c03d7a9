"""The oracle: each NV experiment, on its simulated bench, recovers the truth within honest error bars."""

import numpy as np
import pytest

import qlab
from qlab.bench import Bench
from qlab.fits import fit_curve
from qlab_instruments.worlds.nv import NVWorld
from tests.experiments.quick import bound, exact, quick, targets

SHOTS = {
    "nv.rabi": 50_000, "nv.ramsey": 100_000, "nv.pulsed_odmr": 50_000, "nv.cw_odmr": 1000, "nv.hahn_echo": 50_000,
    "nv.t1": 200_000,
}  # fmt: skip
# How far, in standard deviations of a default run, the fit of a noiseless curve lies from the truth, and why.
# Rabi: second-order terms of the upper transition, 0.6 kHz of 10 MHz. Echo: T2 is the 1/e time of a product of
# decays, which a stretched exponential meets to 0.3 %.
BIAS = {"nv.rabi": 0.06, "nv.hahn_echo": 0.07}
SMALL = 0.02


@pytest.mark.parametrize("name", SHOTS)
def test_a_run_recovers_the_truth(name, tmp_path):
    run = qlab.run(name, Bench.load("sim-nv", seed=11), out=tmp_path)
    fit = run.record.fits[0]
    assert run.state == "finished"
    assert fit.success, fit.message
    for parameter, true in targets(name, run.record.truth, run.parameters).items():
        assert abs(fit.values[parameter] - true) < 3 * fit.errors[parameter], parameter
    assert abs(fit.chi2 - fit.degrees_of_freedom) < 4.5 * np.sqrt(2 * fit.degrees_of_freedom)


@pytest.mark.parametrize("name", SHOTS)
def test_the_fit_of_the_noiseless_curve_is_the_truth(name):
    world = NVWorld({})
    x, y, error, model = exact(name, world.centre(0.0), shots=SHOTS[name])
    fit = fit_curve(model, x, y, error / 100, counting=False)
    for parameter, true in targets(name, world.truth(), {}).items():
        bias = (fit.values[parameter] - true) / (100 * fit.errors[parameter])
        assert abs(bias) < BIAS.get(name, SMALL), parameter


def pulls(name, seeds, factor=1, **truth):
    """Return pulls and errors, by parameter, of a run for each seed."""
    found, errors, runs = {}, {}, []
    for seed in seeds:
        seen = quick(name, seed, truth=truth, shots=SHOTS[name] * factor)
        runs.append(seen)
        for parameter, true in targets(name, seen.truth, {}).items():
            # A spread held at zero, where the data show none, has no error to compare with.
            if seen.fit.errors[parameter] > 0:
                found.setdefault(parameter, []).append(seen.pull(parameter, true))
                errors.setdefault(parameter, []).append(seen.fit.errors[parameter])
    return {k: np.array(v) for k, v in found.items()}, errors, runs


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SHOTS)
def test_error_bars_are_honest_and_near_the_bound(name):
    found, errors, runs = pulls(name, range(2000, 2100))
    world = NVWorld({})
    x, y, error, model = exact(name, world.centre(0.0), shots=SHOTS[name])
    theta = fit_curve(model, x, y, error / 100, counting=False).values
    theta.update({k: v for k, v in targets(name, world.truth(), {}).items() if k in theta})
    best = bound(model, x, error, theta, runs[0].fit.free)
    for parameter, values in found.items():
        rms = float(np.sqrt(np.mean(values**2)))
        assert 0.8 < rms < 1.2, (parameter, rms)
        assert np.median(errors[parameter]) < 1.5 * best[parameter], parameter
    assert sum(run.fit.success for run in runs) > 95


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SHOTS)
def test_no_bias_shows_at_a_hundred_times_the_shots(name):
    # Drift off: within so long a run it would move the resonance by more than the error bar.
    found, _, _ = pulls(name, range(3000, 3025), 100, field_drift=0.0, laser_drift=0.0)
    for parameter, values in found.items():
        allowed = 4 / np.sqrt(len(values)) + 10 * BIAS.get(name, SMALL)
        assert abs(values.mean()) < allowed, (parameter, values.mean())
