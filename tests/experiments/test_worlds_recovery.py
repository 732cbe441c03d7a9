"""Clock, transmon and squeezing: each experiment recovers the truth of its preset, and its error bars are honest."""

import allantools
import numpy as np
import pytest

import qlab
from qlab.bench import Bench
from qlab.fits import fit_curve, load_model
from qlab.metrology.fisher import binomial_information, cramer_rao, gaussian_information, jacobian
from qlab_instruments.worlds.transmon import TransmonWorld
from tests.experiments.whole import seeds, whole

FITTED = {
    "transmon.ramsey": "sim-transmon", "transmon.readout": "sim-transmon", "clock.rabi": "sim-clock",
    "atom.squeezing": "sim-squeezing",
}  # fmt: skip
# Less than the defaults, which `make nightly` takes: a run in a second.
SMALLER = {
    "transmon.readout": {"window": qlab.Linear(0.2e-6, 4e-6, 12)}, "atom.squeezing": {"passes": 8},
    "clock.rabi": {"passes": 12},
}  # fmt: skip


def ramsey_bound(experiment, truth, fit):
    """Return the bound of shots judged with the fidelity of the bench, from the curve of `model()`."""
    world = TransmonWorld({})
    tau = experiment.parameters.tau.values()
    perfect = experiment.model(world.transmon(0.0))["excited"]
    curve = load_model(experiment.fit, experiment.fit_context())
    # Where the readout puts 0 and 1 is seen in the data alone; what T2* and the frequency are is not.
    seen = np.polynomial.Polynomial.fit(perfect, curve.evaluate(tau, fit.values), 1)(perfect)
    theta = fit_curve(curve, tau, seen, np.full_like(tau, 1e-3), counting=False).values
    information = binomial_information(
        jacobian(curve, tau, theta, fit.free), seen, experiment.parameters.shots
    )
    return cramer_rao(information, fit.free).sigma


def readout_bound(experiment, truth, fit):
    """Return the bound of the counts of wrong judgements at the true T1."""
    p = experiment.parameters
    theta = {**fit.values, "T1": truth["T1"]}
    curve = load_model(experiment.fit, experiment.fit_context())
    slopes = jacobian(curve, p.window.values(), theta, fit.free)
    shown = experiment.model(theta)["error"]
    return cramer_rao(binomial_information(slopes, shown, 2 * p.shots * p.repeats), fit.free).sigma


def line_bound(experiment, truth, fit):
    """Return the bound of projection noise, camera noise and a laser that wanders from shot to shot."""
    p = experiment.parameters
    x, step = p.offset.values(), 0.01
    theta = {**fit.values, "rabi_frequency": truth["drive_gain"] / (2 * p.pulse)}
    curve = load_model(experiment.fit, experiment.fit_context())
    share, ahead, behind = (curve.evaluate(x + d, theta) for d in (0.0, step, -step))
    variance = share * (1 - share) / truth["atoms"] + truth["detection_noise"] ** 2 / truth["atoms"] ** 2 / 2
    variance = variance + ((ahead - behind) / (2 * step) * p.laser_noise) ** 2
    variance = variance + ((ahead - 2 * share + behind) / step**2 * p.laser_noise**2) ** 2 / 2
    slopes = jacobian(curve, x, theta, fit.free)
    return cramer_rao(gaussian_information(slopes, np.sqrt(variance / p.passes)), fit.free).sigma


def twisting_bound(experiment, truth, fit):
    """Return the bound of variances of so many shots of normal noise: 10 lg(e) sqrt(2/(n - 1)) each."""
    p = experiment.parameters
    theta = {**fit.values, "chi": truth["chi"], "detection_noise": truth["detection_noise"]}
    curve = load_model(experiment.fit, experiment.fit_context())
    x = p.twist_time.values()
    np.testing.assert_allclose(experiment.model(theta)["squeezing"], curve.evaluate(x, theta))
    error = np.full_like(x, 10 / np.log(10) * np.sqrt(2 / (p.shots - 1) / p.passes))
    return cramer_rao(gaussian_information(jacobian(curve, x, theta, fit.free), error), fit.free).sigma


BOUNDS = {
    "transmon.ramsey": ramsey_bound, "transmon.readout": readout_bound, "clock.rabi": line_bound,
    "atom.squeezing": twisting_bound,
}  # fmt: skip

# The scatter of 20 shots is a rough measure of an error, and at the peak it goes with the mean: more of them.
LONGER = {"clock.rabi": {"passes": 60}}


@pytest.mark.parametrize("name", FITTED)
def test_a_run_recovers_the_truth(name, tmp_path):
    run = qlab.run(name, Bench.load(FITTED[name], seed=5), out=tmp_path, **SMALLER.get(name, {}))
    fit = run.record.fits[0]
    assert run.state == "finished"
    assert run.record.solver == "batched"
    assert fit.success, fit.message
    assert run.record.expected
    for parameter, true in run.record.expected.items():
        assert abs(fit.values[parameter] - true) < 3 * fit.errors[parameter], parameter
    limits = [f for f in run.record.figures if f.limit_of]
    assert limits
    for limit in limits:
        assert limit.limit_of in run.figures


def test_the_same_seed_gives_the_same_rows(tmp_path):
    for name, bench in (("transmon.ramsey", "sim-transmon"), ("clock.servo", "sim-clock")):
        given = {"cycles": 300} if name == "clock.servo" else {"shots": 200, "tau": qlab.Linear(0, 1e-5, 9)}
        one, same, other = (whole(bench, name, seed, **given)[0] for seed in (3, 3, 4))
        for column in one.rows.columns:
            np.testing.assert_array_equal(one[column], same[column])
        measured = "fractional" if name == "clock.servo" else "ones"
        assert np.mean(one[measured] == other[measured]) < 0.5


def test_the_clock_reaches_its_limits():
    run, _, experiment = whole(
        "sim-clock", "clock.servo", 6, {"flicker": 0.0, "walk": 0.0}, cycles=12_000, flicker=0.0
    )
    figures = {f.name: f for f in experiment.analyse(run, None)}
    y = np.asarray(run["clock"])[100:]
    tau, sigma, _, _ = allantools.oadev(y, rate=1 / experiment.cycle, data_type="freq", taus=[110.0])
    predicted = np.hypot(figures["projection_limit"].value, figures["dick_limit"].value)
    assert sigma[0] * np.sqrt(tau[0]) == pytest.approx(predicted, rel=0.25)
    assert figures["stability"].value == pytest.approx(predicted, rel=0.2)
    expected = run.record.expected["frequency"]
    assert abs(figures["frequency"].value - expected) < 3 * figures["frequency"].error


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_the_frequency_of_the_lock_is_honest_and_near_its_limit():
    pulls, ratios = [], []
    for seed in range(23_000, 23_050):
        run, _, experiment = whole("sim-clock", "clock.servo", seed)
        figures = {f.name: f for f in experiment.analyse(run, None)}
        found = figures["frequency"]
        pulls.append((found.value - run.record.expected["frequency"]) / found.error)
        # What atoms and laser leave of the time that was averaged.
        limit = np.hypot(figures["projection_limit"].value, figures["dick_limit"].value)
        ratios.append(found.error / (limit / np.sqrt(float(np.max(run["time"])))))
    assert 0.8 < np.sqrt(np.mean(np.square(pulls))) < 1.2
    assert 0.8 < np.median(ratios) < 1.5


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_s2_the_closed_loop():
    run, _, experiment = whole("sim-clock", "clock.servo", 8, {"atom_fluctuation": 0.0}, cycles=200_000)
    limits = experiment.model({"contrast": 0.85, "atoms": 5000, "white": 4e-33, "flicker": 2.6e-33})
    asked = {"data_type": "freq", "rate": 1 / experiment.cycle, "taus": [11, 33, 110, 330, 1100]}
    tau, sigma, _, _ = allantools.oadev(np.asarray(run["clock"])[200:], **asked)
    np.testing.assert_allclose(sigma * np.sqrt(tau), limits["total"], rtol=0.15)
    assert np.polyfit(np.log(tau), np.log(sigma), 1)[0] == pytest.approx(-0.5, abs=0.05)
    # The laser is steered a cycle late: at ten cycles its own flicker shows, later nothing does.
    tau, sigma, _, _ = allantools.oadev(np.asarray(run["fractional"])[200:], **asked)
    np.testing.assert_allclose(sigma[2:] * np.sqrt(tau[2:]), limits["total"], rtol=0.15)
    assert 1.05 < sigma[0] * np.sqrt(tau[0]) / limits["total"] < 1.25


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", FITTED)
def test_error_bars_are_honest_and_near_the_bound(name):
    pulls, errors = {}, {}
    for seed in seeds(pulls):
        run, fit, experiment = whole(FITTED[name], name, seed, **LONGER.get(name, {}))
        for parameter, true in run.record.expected.items():
            pulls.setdefault(parameter, []).append((fit.values[parameter] - true) / fit.errors[parameter])
            errors.setdefault(parameter, []).append(fit.errors[parameter])
    best = BOUNDS[name](experiment, run.record.truth, fit)
    for parameter, values in pulls.items():
        assert 0.8 < np.sqrt(np.mean(np.square(values))) < 1.2, parameter
        assert 0.8 < np.median(errors[parameter]) / best[parameter] < 1.5, parameter


@pytest.mark.parametrize("name", ["transmon.ramsey", "atom.squeezing"])
def test_a_world_gives_the_same_shares_on_either_solver(name):
    if name == "transmon.ramsey":
        given = {"tau": qlab.Linear(1e-6, 9e-6, 9), "shots": 1000, "passes": 1}
        return_of = {s: whole("sim-transmon", name, 2, solver=s, **given)[0] for s in ("batched", "qutip")}
        np.testing.assert_array_equal(return_of["batched"]["ones"], return_of["qutip"]["ones"])
        assert return_of["qutip"].record.solver == "qutip"
        return
    from qlab.pulses import compile_program
    from qlab.registry import load

    quiet, length = load("experiments", name).read({"atoms": 30}).programs(12e-3)
    for program in (quiet, length):
        timeline = compile_program(program)
        shares = []
        for solver in ("batched", "qutip"):
            world = load("worlds", "squeezing")({"atoms": 30})
            world.solver = solver
            shares.append(world.shares(timeline))
        np.testing.assert_allclose(shares[0], shares[1], rtol=0, atol=1e-7)
