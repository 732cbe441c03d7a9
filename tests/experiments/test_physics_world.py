"""The simulated NV bench as a physicist would probe it: seeds, fields, detuning, darkness, counting statistics."""

import numpy as np
import pytest

import qlab
from qlab.bench import Bench
from qlab.physics.engine import Readout
from qlab.physics.systems.nv import NVCentre
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, Symbol, compile_program
from qlab_instruments.worlds.nv import NVWorld
from tests.experiments.quick import quick, take

GAMMA = 28.03e9  # Hz/T


def test_a_seed_says_everything():
    # S10: the same seed gives the same rows, another seed other rows of the same statistics.
    one, same, other = (take("nv.ramsey", seed, shots=2000)[2] for seed in (5, 5, 6))
    for key in one:
        np.testing.assert_array_equal(one[key], same[key])
    assert np.mean(one["counts"] == other["counts"]) < 0.3
    total, again = one["reference"].sum(), other["reference"].sum()
    assert abs(total - again) < 5 * np.sqrt(total + again)


def test_pacing_and_pausing_change_no_row(tmp_path):
    parameters = {"shots": 300, "passes": 3, "tau": qlab.Linear(0, 1e-6, 11)}
    at_once = qlab.run("nv.ramsey", Bench.load("sim-nv", seed=8), out=tmp_path / "a", **parameters)
    paced = qlab.run("nv.ramsey", Bench.load("sim-nv", seed=8), out=tmp_path / "b", pace=0.4, **parameters)
    for key in ("tau", "counts", "reference", "time"):
        np.testing.assert_array_equal(at_once[key], paced[key])


def test_grouping_of_points_changes_no_count():
    # The same points in one timeline, or in one timeline for each: rows are keyed by their place in the run.
    frequencies = 2.814e9 + np.linspace(-3e6, 3e6, 7)
    body = Gate("laser", 3e-6) + Delay(1e-6) + Play("mw", 1e-6, 0.5e6) + Align() + Gate("laser", 3e-6)
    body = body + Acquire("counter", 300e-9, "counts")

    def world():
        made = NVWorld({"field_drift": 0.0, "laser_drift": 0.0})
        made.begin(3, None)
        made.lines.update({"laser.power": 1e-3})
        return made

    timeline = compile_program(Program(body, shots=5000))
    swept = compile_program(
        Program(
            body, shots=5000, setpoints={"microwave.frequency": Symbol("f", qlab.Values(tuple(frequencies)))}
        )
    )
    together = world()
    together.lists["microwave.frequency"] = frequencies
    together.timeline = swept
    whole = together.take()["counts"]
    apart = world()
    parts = []
    for frequency in frequencies:
        apart.lines["microwave.frequency"] = frequency
        apart.timeline = timeline
        parts.append(apart.take()["counts"][0])
    np.testing.assert_array_equal(whole, parts)


def test_a_list_of_the_wrong_length_is_refused():
    world = NVWorld({})
    world.begin(1, None)
    world.lists["microwave.frequency"] = np.full(3, 2.8e9)
    body = Play("mw", 1e-6, 1e6) + Align() + Gate("laser", 1e-6) + Acquire("counter", 1e-6, "counts")
    world.timeline = compile_program(Program(body))
    with pytest.raises(qlab.QlabError, match=r"list of microwave\.frequency"):
        world.take()


def test_both_spectroscopies_see_the_same_field():
    # S9: 20 uT along the axis, from the coil, moves each by 560.6 kHz; without it neither moves.
    step = 20e-6
    for name, sign, parameters in (
        ("nv.pulsed_odmr", -1, {"shots": 400_000}),
        ("nv.ramsey", +1, {"shots": 200_000}),
    ):
        before = quick(name, 1, **parameters)
        still = quick(name, 2, **parameters)
        moved = quick(name, 3, knobs={"coil.bz": step}, **parameters)
        error = np.hypot(before.fit.errors["frequency"], moved.fit.errors["frequency"])
        shift = moved.fit.values["frequency"] - before.fit.values["frequency"]
        assert abs(shift) > 10 * error
        assert abs(shift - sign * GAMMA * step) < 3 * error
        assert abs(still.fit.values["frequency"] - before.fit.values["frequency"]) < 3 * error


def test_detuned_rabi_is_faster_and_shallower():
    # 20 MHz off with 10 MHz of drive: sqrt(500) = 22.36 MHz, contrast 100/500.
    near = quick("nv.rabi", 4, shots=300_000)
    far = quick("nv.rabi", 5, shots=2_000_000, microwave_frequency=near.truth["resonance"] - 20e6)
    value, error = far.fit.values, far.fit.errors
    # The light shift of the upper transition, 0.2 MHz, comes on top of the 20 MHz.
    assert abs(value["effective_rate"] - np.sqrt(500) * 1e6) < 3 * error["effective_rate"] + 0.2e6
    assert abs(value["transfer"] - 0.20) < 3 * error["transfer"] + 0.004
    depth = value["contrast"] / near.fit.values["contrast"]
    assert abs(depth - 1) < 3 * np.hypot(error["contrast"] / value["contrast"],
                                         near.fit.errors["contrast"] / near.fit.values["contrast"])  # fmt: skip


@pytest.mark.parametrize("offset", [-500e6, 500e6])
def test_far_from_every_line_nothing_happens(offset):
    seen = quick("nv.rabi", 6, microwave_frequency=2.814e9 + offset)
    assert np.sum(((seen.y - np.average(seen.y, weights=seen.error**-2)) / seen.error) ** 2) < len(
        seen.y
    ) + 5 * np.sqrt(2 * len(seen.y))
    assert not seen.fit.success


def test_without_light_there_are_only_dark_counts():
    _, _, rows = take("nv.rabi", 7, {"dark_rate": 5e3}, shots=1_000_000, laser_power=0.0)
    expected = 5e3 * 300e-9 * rows["shots"].sum()
    assert abs(rows["counts"].sum() - expected) < 4 * np.sqrt(expected)
    assert rows["counts"].std() == pytest.approx(np.sqrt(rows["counts"].mean()), rel=0.15)
    _, _, rows = take("nv.cw_odmr", 7, {"dark_rate": 5e3}, laser_power=0.0)
    expected = 5e3 * 1e-3 * rows["shots"].sum()
    assert abs(rows["counts"].sum() - expected) < 4 * np.sqrt(expected)


def test_a_source_that_is_off_drives_nothing():
    world = NVWorld({})
    world.begin(1, None)
    world.lines.update({"microwave.frequency": 2.81394e9, "laser.power": 1e-3, "laser.on": 1.0})
    body = Gate("laser", 3e-6) + Delay(1e-6) + Play("mw", 50e-9, 10e6) + Align() + Gate("laser", 3e-6)
    body = body + Acquire("counter", 300e-9, "counts")
    world.timeline = compile_program(Program(body, shots=1_000_000))
    seen = {}
    for on in (1.0, 0.0):
        world.lines["microwave.on"] = on
        seen[on] = world.take()["counts"][0]
    assert seen[0.0] > 1.2 * seen[1.0]


def test_shots_are_a_mixture_of_two_poissonians():
    # P08 and R1: from single shots, sigma_R = sqrt(1 + 2(a0 + a1)/(a0 - a1)^2) = 30.748.
    points, bright, dark = 60_000, 0.040, 0.028
    shares = np.full((points, 2), 0.5)
    shots = NVWorld({})
    shots.begin(9, None)
    drawn = shots._count([Readout(shares, {"counts": np.full((points, 2), (bright, dark))})], 1)["counts"]
    ratio = np.sqrt(drawn.var() / ((bright - dark) ** 2 / 4))
    assert ratio == pytest.approx(30.7480803, rel=4 * 0.5 / np.sqrt(points) * np.sqrt(1 / 0.034 + 2))


def test_windows_of_one_shot_share_its_outcome():
    points, shots, p = 20_000, 40, 0.3
    means = {"counts": (2.0, 0.5), "reference": (5.0, 3.0)}
    shares = np.full((points, 2), (1 - p, p))
    world = NVWorld({})
    world.begin(10, None)
    drawn = world._count([Readout(shares, {k: np.full((points, 2), v) for k, v in means.items()})], shots)
    error = 4 / np.sqrt(points)
    for key, (bright, dark) in means.items():
        mean = shots * ((1 - p) * bright + p * dark)
        variance = mean + shots * p * (1 - p) * (bright - dark) ** 2
        assert drawn[key].mean() == pytest.approx(mean, abs=error * np.sqrt(variance))
        assert drawn[key].var() == pytest.approx(variance, rel=error * np.sqrt(2.2))
    covariance = np.cov(drawn["counts"], drawn["reference"])
    expected = shots * p * (1 - p) * 1.5 * 2.0
    spread = np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert covariance[0, 1] == pytest.approx(expected, abs=error * spread)


def test_the_rate_meter_counts_what_the_light_gives():
    world = NVWorld({})
    world.begin(2, None)
    assert world.rate(0.01) <= 200 + 4 * np.sqrt(200 / 0.01)
    world.lines.update({"laser.power": 1e-3, "laser.on": 1.0})
    rates = [world.rate(0.01) for _ in range(30)]
    nv = NVCentre(polarisation=0.95)
    expected = 400e3 / 2 * (0.95 + 0.05 * (1 - nv.fluorescence_contrast)) + 2e3 + 200
    # Relaxation takes a little of the polarisation away: 1e-4 of it.
    assert np.mean(rates) == pytest.approx(expected, abs=4 * np.sqrt(expected / 0.3) + 1e-3 * expected)


def test_fifteen_nitrogen_shows_its_doublet(tmp_path):
    run = qlab.run("nv.ramsey", Bench.load("sim-nv", seed=4, truth={"nitrogen": 15}), out=tmp_path)
    fit = run.fit("damped_cosine_doublet")
    assert fit.success, fit.message
    assert fit.values["hyperfine"] == pytest.approx(
        run.record.truth["hyperfine"], abs=4 * fit.errors["hyperfine"]
    )
    assert 3.0e6 < run.record.truth["hyperfine"] < 3.06e6
    assert abs(fit.chi2 - fit.degrees_of_freedom) < 4.5 * np.sqrt(2 * fit.degrees_of_freedom)
