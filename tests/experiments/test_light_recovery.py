"""Photons, ions, falling atoms and vapour: the truth of each preset is recovered, and its error bars are honest."""

import math

import numpy as np
import pytest

import qlab
from qlab.bench import Bench
from qlab.errors import UsageError
from qlab.fits import load_model
from qlab.metrology.fisher import (
    binomial_information,
    cramer_rao,
    gaussian_information,
    jacobian,
    poisson_information,
)  # fmt: skip
from qlab.physics.systems.atom_interferometer import ThreePulse
from qlab.pulses import Program, compile_program
from qlab.registry import load
from tests.experiments.whole import seeds, whole

MZ, SQUEEZED = "photon.mach_zehnder", {"light": "squeezed", "photons": 20.0, "readout": "homodyne"}
CASES = {
    "mz-noon": (MZ, "sim-photonics", {}),
    "mz-four": (MZ, "sim-photonics", {"photons": 4.0, "readout": "clicks"}),
    "mz-squeezed": (MZ, "sim-photonics", SQUEEZED),
    "mz-coherent": (MZ, "sim-photonics", {"light": "coherent", "photons": 1.0, "readout": "clicks"}),
    "hom": ("photon.hom", "sim-photonics", {}),
    "ghz": ("ion.ghz", "sim-ion", {}),
    "gravimeter": ("atom.gravimeter", "sim-atoms", {}),
    "rydberg": ("atom.rydberg", "sim-rydberg", {}),
    "rydberg-probe": ("atom.rydberg", "sim-rydberg", {"scanned": "probe"}),
}
SMALLER = {"ghz": {"passes": 2}, "rydberg": {"detuning": qlab.Linear(-15e6, 15e6, 46)}}
QUICK = ("mz-noon", "mz-squeezed", "hom", "ghz", "gravimeter", "rydberg")


@pytest.mark.parametrize("case", QUICK)
def test_a_run_recovers_the_truth(case, tmp_path):
    name, bench, given = CASES[case]
    run = qlab.run(name, Bench.load(bench, seed=5), out=tmp_path, **given, **SMALLER.get(case, {}))
    fit = run.record.fits[0]
    assert run.state == "finished"
    assert fit.success, fit.message
    assert run.record.expected
    for parameter, true in run.record.expected.items():
        error = fit.errors["shift"] if parameter == "gravity" else fit.errors[parameter]
        assert abs(fit.values[parameter] - true) < 3 * error, parameter
    limits = [f for f in run.record.figures if f.limit_of]
    assert limits
    for limit in limits:
        assert limit.limit_of in run.figures
    rows, seconds = load("experiments", name).read({**given, **SMALLER.get(case, {})}).estimate()
    assert rows >= len(run)
    assert seconds == pytest.approx(float(np.max(run["time"])), rel=0.02)


def photon_bound(experiment, truth, run, fit):
    p = experiment.parameters
    theta = {**fit.values, **experiment.expected(truth)}
    curve, x = load_model(fit.model, fit.context), p.phase.values()
    noise = experiment.system(theta).noise(theta["scale"] * x + theta["phase"], p.readout)
    slopes = jacobian(curve, x, theta, fit.free)
    if p.readout in {"parity", "clicks"}:
        return binomial_information(slopes, curve.evaluate(x, theta), p.shots * p.passes)
    return gaussian_information(slopes, noise / math.sqrt(p.shots * p.passes))


def pair_bound(experiment, truth, run, fit):
    p = experiment.parameters
    theta = {**fit.values, "centre": truth["delay_offset"], "fwhm": truth["dip_width"]}
    curve, x = load_model(fit.model, fit.context), p.delay.values()
    counted = p.dwell * p.passes
    return poisson_information(
        jacobian(curve, x, theta, fit.free) * counted, curve.evaluate(x, theta) * counted
    )


def ion_bound(experiment, truth, run, fit):
    p = experiment.parameters
    theta = {**fit.values, **experiment.expected(truth)}
    curve, x = load_model(fit.model, fit.context), p.phase.values()
    slopes = jacobian(curve, x, theta, fit.free)
    return binomial_information(slopes, experiment.model(truth)["parity"], p.shots * p.passes)


def fall_bound(experiment, truth, run, fit):
    """Two directions; projection, detection, and the mirror's phase to second order."""
    p = experiment.parameters
    theta = {**fit.values, "shift": truth["gravity"] - p.nominal}
    curve, x = load_model(fit.model, fit.context), p.chirp.values()
    share = curve.evaluate(x, theta)
    rms = math.hypot(p.system.vibration_phase(truth["vibration"]), truth["phase_noise"])
    swing = theta["level"] * theta["contrast"]
    cosine = (theta["level"] - share) / swing
    sine = np.sqrt(np.maximum(1 - cosine**2, 0.0))
    variance = share * (1 - share) / truth["atoms"] + truth["detection_noise"] ** 2 / truth["atoms"] ** 2 / 2
    # phi_0 moves each direction off the extremum of the mean.
    shifted = swing**2 * (
        sine**2 * math.cos(truth["phase_shift"]) ** 2 + cosine**2 * math.sin(truth["phase_shift"]) ** 2
    )
    variance = variance + shifted * rms**2 + (swing * cosine * rms**2) ** 2 / 2
    return gaussian_information(jacobian(curve, x, theta, fit.free), np.sqrt(variance / (2 * p.passes)))


def vapour_bound(experiment, truth, run, fit):
    p = experiment.parameters
    theta = {**fit.values, **{k: v for k, v in experiment.expected(truth).items() if k in fit.free}}
    curve, x = load_model(fit.model, fit.context), p.detuning.values()
    error = truth["diode_noise"] / math.sqrt(2 * p.dwell * p.passes)
    return gaussian_information(jacobian(curve, x, theta, fit.free), np.full_like(x, error))


BOUNDS = {MZ: photon_bound, "photon.hom": pair_bound, "ion.ghz": ion_bound, "atom.gravimeter": fall_bound,
          "atom.rydberg": vapour_bound}  # fmt: skip
# The scatter of 20 rows is a rough measure of an error: more of them where it is the only one.
LONGER = {
    "gravimeter": {"passes": 60}, "rydberg": {"passes": 40}, "rydberg-probe": {"passes": 40},
    "mz-squeezed": {"shots": 50, "passes": 60},
}  # fmt: skip


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("case", CASES)
def test_error_bars_are_honest_and_near_the_bound(case):
    name, bench, given = CASES[case]
    pulls, errors, reached, closed = {}, {}, [], []
    for seed in seeds(pulls):
        run, fit, experiment = whole(bench, name, seed, **given, **LONGER.get(case, {}))
        for parameter, true in run.record.expected.items():
            if parameter in fit.free:
                pulls.setdefault(parameter, []).append((fit.values[parameter] - true) / fit.errors[parameter])
                errors.setdefault(parameter, []).append(fit.errors[parameter])
        figures = {f.name: f for f in experiment.analyse(run, fit)}
        if "closed_form" in figures:
            reached.append(figures["phase_resolution"])
            closed.append(figures["closed_form"].value)
    best = cramer_rao(BOUNDS[name](experiment, run.record.truth, run, fit), fit.free).sigma
    print(
        case, {k: (np.sqrt(np.mean(np.square(v))), np.median(errors[k]) / best[k]) for k, v in pulls.items()}
    )
    for parameter, values in pulls.items():
        assert 0.8 < np.sqrt(np.mean(np.square(values))) < 1.2, parameter
        assert 0.8 < np.median(errors[parameter]) / best[parameter] < 1.5, parameter
    if reached:
        off = np.array([(f.value - c) / f.error for f, c in zip(reached, closed, strict=True)])
        assert np.sqrt(np.mean(off**2)) < 1.4


def test_a_seed_says_everything():
    few = {
        "mz-noon": ("parity", {"phase": qlab.Linear(-1, 1, 7)}),
        "hom": ("clicks", {"delay": qlab.Linear(-5e-13, 5e-13, 7)}),
        "ghz": ("ghz", {"phase": qlab.Linear(0, 1, 7)}), "gravimeter": ("atoms", {"chirp": qlab.Linear(-60, 60, 9)}),
        "rydberg": ("voltage", {"detuning": qlab.Linear(-1e7, 1e7, 9)}),
    }  # fmt: skip
    for case, (column, scan) in few.items():
        name, bench, given = CASES[case]
        rows = []
        for seed in (3, 3, 4):
            made = Bench.load(bench, seed=seed)
            experiment = load("experiments", name).read({**given, **scan, "passes": 2})
            experiment.bind(made)
            made.open()
            made.begin(seed)
            rows.append(np.concatenate([block[column] for block in experiment.run() if block]))
            made.close()
        np.testing.assert_array_equal(rows[0], rows[1])
        assert np.any(rows[0] != rows[2])


@pytest.mark.parametrize("case", CASES)
def test_a_program_is_the_same_edges_from_its_file(case):
    name, bench, given = CASES[case]
    program = load("experiments", name).read(given).program()
    here, there = compile_program(program), compile_program(Program.from_dict(program.to_dict()))
    assert len(here.events) == len(there.events)
    for one, other in zip(here.events, there.events, strict=True):
        assert one.start.dtype == np.int64
        np.testing.assert_array_equal(one.start, other.start)
        np.testing.assert_array_equal(one.stop, other.stop)
    made = Bench.load(bench, seed=1)
    made.open()
    try:
        player = made.role("player")
        player.load(there)
        player.start()
        assert made.world.timeline.events is there.events
    finally:
        made.close()


def test_three_pulses_stand_where_they_should():
    p = load("experiments", "atom.gravimeter").read({"T": 0.05, "pulse": 2e-5}).program()
    pulses = [e for e in compile_program(p).events if e.kind == "play"]
    assert [int(e.start[0]) for e in pulses] == [350_000_000_000, 400_020_000_000, 450_060_000_000]
    assert [int(e.duration[0]) for e in pulses] == [20_000_000, 40_000_000, 20_000_000]


def light(truth, **given):
    return (
        load("experiments", MZ)
        .read({"phase": qlab.Linear(-math.pi, math.pi, 33), **given})
        .model(truth)["fringe"]
    )


def test_what_disturbs_light_moves_it_as_the_closed_forms_say():
    clean = {"arm_a": 1.0, "arm_b": 1.0, "spread": 0.0}
    for photons in (2.0, 4.0):

        def visibility(truth, photons=photons):
            fringe = light({**clean, **truth}, photons=photons, dark_rate=0.0)
            return float(np.ptp(fringe))

        assert visibility({}) == pytest.approx(1, abs=1e-9)
        assert visibility({"arm_a": 0.8, "arm_b": 0.9}) == pytest.approx(0.72 ** (photons / 2), rel=1e-9)
        assert visibility({"efficiency": 0.7}) == pytest.approx(0.7**photons, rel=1e-9)
        assert visibility({"spread": 0.1}) == pytest.approx(math.exp(-((photons * 0.1) ** 2) / 2), rel=1e-9)
    exact = {"dark_rate": 1e5, "phase": qlab.Linear(-math.pi, math.pi, 61)}
    dark = load("experiments", MZ).read(exact).model(clean)["fringe"]
    assert float(np.ptp(dark)) == pytest.approx(math.exp(-0.2), rel=1e-9)
    # Parity of coherent light: exp(-2 n sin^2(phi/2)).
    x = np.linspace(-math.pi, math.pi, 33)
    given = {"light": "coherent", "photons": 3.0, "dark_rate": 0.0}
    np.testing.assert_allclose(1 - 2 * light(clean, **given), np.exp(-6 * np.sin(x / 2) ** 2), rtol=1e-9)
    # Squeezing behind loss: variance eta e^-2r + (1 - eta), over the vacuum's.
    squeezed = load("experiments", MZ).read({**SQUEEZED, "phase": qlab.Values((0.0,)), "dark_rate": 0.0})
    noise = squeezed.model({**clean, "efficiency": 0.8})["noise"][0]
    assert noise**2 == pytest.approx((0.8 * 10**-0.6 + 0.2) / 2, rel=1e-9)


@pytest.mark.parametrize(
    ("case", "truth", "figure", "factor"),
    [
        ("mz-noon", {"efficiency": 0.7}, "phase_resolution", None),
        ("hom", {"overlap": 0.6}, "visibility", 0.6 / 0.96),
        ("ghz", {"dephasing": 22.0}, "contrast", math.exp(-4 * 20 * 4e-3)),
        ("ghz", {"bright_missed": 0.03}, "contrast", ((1 - 0.032) / (1 - 0.005)) ** 4),
        ("gravimeter", {"coherence": 0.3}, "contrast", 0.5),
        ("gravimeter", {"vibration": 1e-6}, "shot_resolution", None),
        ("rydberg", {"dephasing": 1e6}, "sensitivity", None),
        ("rydberg", {"field_at_0dbm": 0.275}, "electric_field", 0.5),
    ],
)  # fmt: skip
def test_what_disturbs_a_bench_shows_in_its_figures(case, truth, figure, factor):
    name, bench, given = CASES[case]
    fewer = {**given, **SMALLER.get(case, {})}
    found = []
    for change in ({}, truth):
        run, fit, experiment = whole(bench, name, 7, change, **fewer)
        found.append({f.name: f for f in experiment.analyse(run, fit)}[figure])
    before, after = found
    if factor is None:
        assert after.value > 1.15 * before.value
        return
    error = after.value * math.hypot(after.error / after.value, before.error / before.value)
    assert abs(after.value - factor * before.value) < 4 * error


def test_long_pulses_cost_warm_atoms_contrast():
    contrasts = []
    for pulse in (10e-6, 50e-6):
        _, fit, _ = whole("sim-atoms", "atom.gravimeter", 3, pulse=pulse)
        made = ThreePulse(0.1, pulse, math.pi / 2 / pulse, velocity=1.5e-3)
        level, cosine, _ = (part[0] for part in made.fringe(np.array([0.0])))
        mirror = math.hypot(made.vibration_phase(2e-7), 5e-3)
        expected = -cosine / level * 0.6 * math.cos(0.03) * math.exp(-(mirror**2) / 2)
        assert fit.values["contrast"] == pytest.approx(expected, abs=5 * fit.errors["contrast"])
        contrasts.append(fit.values["contrast"])
    assert contrasts[1] < 0.8 * contrasts[0]


def test_both_directions_leave_no_light_shift():
    for shift in (0.0, 0.2):
        run, fit, _ = whole("sim-atoms", "atom.gravimeter", 4, {"phase_shift": shift}, passes=10)
        assert abs(fit.values["shift"] - run.record.expected["shift"]) < 4 * fit.errors["shift"]


def test_the_lock_holds_g_at_its_limits():
    run, _, experiment = whole("sim-atoms", "atom.gravity_lock", 6, {"phase_shift": 0.0}, cycles=1000)
    figures = {f.name: f for f in experiment.analyse(run, None)}
    limits = experiment.model({"atoms": 2e5, "contrast": 0.58, "vibration": 2e-7})
    assert figures["stability"].value == pytest.approx(limits["total"], rel=0.15)
    assert abs(figures["gravity"].value - run.record.expected["gravity"]) < 4 * figures["gravity"].error
    assert experiment.curves(run)[0].limits
    # Every shot counts: no more noise from cycle to cycle than the same atoms have at mid-fringe.
    g = np.asarray(run["gravity"])[100:]
    assert g.std(ddof=1) * math.sqrt(experiment.parameters.cycle) == pytest.approx(limits["total"], rel=0.15)


def test_the_lock_follows_a_tide():
    truth = {"tide": 1e-6, "vibration": 2e-8, "phase_noise": 0.0}
    run, _, _ = whole("sim-atoms", "atom.gravity_lock", 2, truth, cycles=1000, vibration=2e-8, load_time=10.0)
    g, time = np.asarray(run["gravity"])[100:], np.asarray(run["time"])[100:]
    exact = 9.81261234 + 1e-6 * np.sin(2 * math.pi * time / 44714.16)
    left = (g - exact)[: len(g) // 4 * 4].reshape(-1, 4).mean(axis=1)
    assert abs(left.mean()) < 3e-9
    assert np.ptp(exact) > 5e-7


@pytest.mark.parametrize("given", [
    {"light": "noon", "readout": "homodyne"}, {"light": "noon", "photons": 2.5},
    {"light": "noon", "readout": "difference"},
])  # fmt: skip
def test_light_without_a_fringe_is_refused(given):
    experiment = load("experiments", MZ).read(given)
    experiment.bind(Bench.load("sim-photonics", seed=1))
    with pytest.raises(UsageError):
        experiment.preflight()


@pytest.mark.parametrize("case", ["mz-squeezed", "hom"])
def test_a_bench_says_where_qutip_does_not_solve_it(case, tmp_path):
    name, bench, given = CASES[case]
    with pytest.raises(UsageError, match="QuTiP"):
        qlab.run(name, Bench.load(bench, seed=1, solver="qutip"), out=tmp_path, **given)


def test_light_that_is_too_bright_for_qutip_is_refused():
    with pytest.raises(UsageError, match="number states"):
        whole("sim-photonics", MZ, 1, solver="qutip", light="coherent", photons=30.0, readout="clicks")


@pytest.mark.parametrize(("case", "given", "within"), [
    ("mz-noon", {"phase": qlab.Linear(0.0, 6.0, 3), "passes": 2}, 0.0),
    ("mz-coherent", {"phase": qlab.Linear(0.0, 6.0, 5), "passes": 2}, 0.0),
    ("ghz", {"ions": 3, "passes": 1, "shots": 50}, 0.0),
    ("gravimeter", {"chirp": qlab.Linear(-40.0, 40.0, 4), "passes": 2}, 3.0),  # of 2e5 atoms
    ("rydberg", {"detuning": qlab.Linear(-9e6, 9e6, 4), "passes": 2}, 1e-7),
])  # fmt: skip
def test_benches_of_light_and_atoms_are_the_same_by_qutip(case, given, within):
    """The whole measurement, the same random numbers, every pulse and wait solved by QuTiP."""
    name, bench, usual = CASES[case]
    runs = [whole(bench, name, 3, solver=solver, **usual, **given)[0] for solver in ("batched", "qutip")]
    assert [run.record.solver for run in runs] == ["batched", "qutip"]
    for column in runs[0].record.columns:
        first, second = (np.asarray(run[column.name], dtype=float) for run in runs)
        np.testing.assert_allclose(first, second, rtol=0, atol=within, err_msg=column.name)


def test_qutip_says_how_many_ions_it_can_follow():
    with pytest.raises(UsageError, match="4\\^8 numbers"):
        whole("sim-ion", "ion.ghz", 1, solver="qutip", ions=8, passes=1, shots=10)
