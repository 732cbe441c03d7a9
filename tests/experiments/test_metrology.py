"""Experiments that ask for a physics: adaptive Ramsey and Fisher information, on benches of several kinds."""

import numpy as np
import pytest
import qutip as qt

import qlab
from qlab.analysis import experiment_of
from qlab.bayes import Binomial, uniform_particles
from qlab.design import expected_curve
from qlab.errors import UsageError
from qlab.metrology.quantum import system_fisher
from qlab.physics.systems.custom import UserSystem
from qlab.registry import load, offer
from qlab_experiments.metrology.reading import Clicks
from qlab_instruments.benches import own
from qlab_instruments.worlds.user import UserWorld

TRANSMON = {
    "microwave_frequency": 5.0747e9, "hyperfine": 0.0, "T2_star": 20e-6, "exponent": 1.0, "reach": 2e5,
    "shortest": 2e-7, "longest": 40e-6, "shots": 20,
}  # fmt: skip
# S4: visibility 0.9, single shots, T2 so long that the longest time does not see it.
CLICKS = {
    "hyperfine": 0.0, "T2_star": 1.0, "reach": 1e5, "shortest": 1e-6, "longest": 1e-4, "times": 12, "phases": 8,
    "rabi_frequency": 20e6, "shots": 1, "calibration": 10_000, "passes": 200,
}  # fmt: skip
OFFSET = 31_700.0


def qubit(detuning):
    g, e = qt.basis(2, 1), qt.basis(2, 0)
    return UserSystem(
        H0=qt.qzero(2), terms={"detuning": -2 * np.pi * qt.sigmaz() / 2}, parameters={"detuning": detuning},
        drives={"mw": e * g.dag()}, initial=g, measure=0.95 * qt.ket2dm(e) + 0.05 * qt.ket2dm(g),
    )  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _worlds():
    offer("worlds", "adaptive-qubit", UserWorld.of(qubit, detuning=OFFSET, units={"detuning": "Hz"}))
    offer("benches", "sim-adaptive-qubit", lambda: own("adaptive-qubit"))


def adaptive(bench, seed, out, **values):
    return qlab.run("metrology.adaptive_phase", qlab.Bench.load(bench, seed=seed), out=out, **values)


def pull(run, truth=None):
    found = run.figures["frequency"]
    return (found.value - (run.record.expected["frequency"] if truth is None else truth)) / found.error


@pytest.mark.parametrize(
    ("bench", "values", "truth"),
    [
        ("sim-nv", {"passes": 16}, None),
        ("sim-transmon", {**TRANSMON, "passes": 16}, None),
        ("sim-adaptive-qubit", {**CLICKS, "passes": 40}, OFFSET),
    ],
)
def test_it_finds_the_offset_on_every_kind_of_bench(bench, values, truth, tmp_path):
    run = adaptive(bench, 11, tmp_path, **values)
    assert run.state == "finished"
    assert abs(pull(run, truth)) < 3
    figures = run.figures
    assert (
        figures["heisenberg_limit"].value
        < figures["standard_quantum_limit"].value
        < figures["frequency"].error
    )
    assert run["sigma"][-1] < run["sigma"][2] / 3
    # The posterior of the file alone is that of the run.
    known = experiment_of(run).knowledge(run)
    assert known.following.mean == pytest.approx(run["estimate"][-1], rel=1e-9)
    # After few single shots a hump far off still counts in σ, not in the central interval.
    low, high = known.following.posterior.interval("frequency")
    assert 0.6 < (high - low) / 2 / figures["bound"].value < 1.35
    uncertainty, posterior = experiment_of(run).curves(run)
    assert {limit.label for limit in uncertainty.limits} == {"standard quantum limit", "Heisenberg limit"}
    assert np.trapezoid(posterior.y, posterior.x) == pytest.approx(1, abs=1e-3)


def test_the_model_is_ramsey_as_mesolve_has_it():
    """Chance of being turned against QuTiP, pulses of finite length and all."""
    experiment = load("experiments", "metrology.adaptive_phase").read({**CLICKS, "times": 3, "phases": 4})
    experiment.__dict__["reading"] = Clicks()
    shown = experiment.model({"frequency": OFFSET})
    rabi, half = 2 * np.pi * CLICKS["rabi_frequency"], 1 / (4 * CLICKS["rabi_frequency"])
    detuned = -np.pi * OFFSET * qt.sigmaz()  # (ground, excited) = (|1>, |0>), drive above the resonance
    options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 10**6}

    def after(psi, h, seconds):
        return qt.sesolve(h, psi, [0, seconds], options=options).states[-1]

    for i, tau in enumerate(shown["tau"]):
        for k, phase in enumerate(shown["phase"]):
            axis = np.cos(phase) * qt.sigmax() + np.sin(phase) * qt.sigmay()
            psi = after(qt.basis(2, 1), detuned + rabi / 2 * qt.sigmax(), half)
            psi = after(after(psi, detuned, tau), detuned + rabi / 2 * axis, half)
            assert shown["transfer"][i, k] == pytest.approx(abs(psi[0, 0]) ** 2, abs=2e-5)


def test_it_stops_once_enough_is_known(tmp_path):
    run = adaptive("sim-adaptive-qubit", 3, tmp_path, **{**CLICKS, "until": "3 kHz"})
    assert run.state == "finished"
    assert run["sigma"][-1] < 3e3 < run["sigma"][-2]
    assert len(run) < 202


def test_a_bench_that_cannot_read_is_refused(tmp_path):
    with pytest.raises(UsageError, match="reads a two-level system"):
        adaptive("sim-clock", 1, tmp_path)


@pytest.mark.nightly
@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    ("bench", "values"), [("sim-nv", {"passes": 30}), ("sim-transmon", {**TRANSMON, "passes": 40})]
)
def test_pulls_over_50_seeds(bench, values, tmp_path):
    runs = [adaptive(bench, seed, tmp_path, **values) for seed in range(23_000, 23_050)]
    assert 0.8 < np.sqrt(np.mean(np.square([pull(run) for run in runs]))) < 1.2
    ratios = [run.figures["frequency"].error / run.figures["bound"].value for run in runs]
    assert np.median(ratios) < 1.5


@pytest.mark.nightly
@pytest.mark.timeout(3000)
def test_s4_two_hundred_single_shots(tmp_path):
    """Median error of 100 runs at most 1.3 times the van Trees bound of the times chosen; few far off."""
    runs = [adaptive("sim-adaptive-qubit", seed, tmp_path, **CLICKS) for seed in range(23_000, 23_100)]
    off = np.array([abs(run.figures["frequency"].value - OFFSET) for run in runs])
    # An error is normal: the median of its modulus is 0.6745 of the root mean square.
    bound = np.array([run.figures["bound"].value for run in runs])
    assert np.median(off / 0.6745 / bound) <= 1.3
    sigma = np.array([run.figures["frequency"].error for run in runs])
    assert np.mean(off > 5 * sigma) <= 0.02


def test_s7_particles_see_in_a_record_what_the_run_saw(tmp_path):
    """The posterior of a stored run, by its own grid, against 2000 particles; no hump is left far off."""
    run = adaptive("sim-adaptive-qubit", 6, tmp_path, **{**CLICKS, "passes": 40, "shots": 20})
    known = experiment_of(run).knowledge(run)
    particles = uniform_particles(
        {"frequency": (-CLICKS["reach"], CLICKS["reach"])}, 2000, np.random.default_rng(6)
    )

    def clicking(theta, setting):
        given = known.given
        return given.low + (given.high - given.low) * known.transfer(theta["frequency"], setting)

    bits = Binomial(clicking, 20)
    for setting, row in known.taken:
        particles.update(lambda theta, s=setting, k=int(row["clicks"][0]): bits.log(theta, s, k))
    assert len(known.taken) == 40
    assert particles.mean["frequency"] == pytest.approx(known.following.mean, rel=0.02)
    assert particles.sigma["frequency"] == pytest.approx(known.following.sigma, rel=0.05)
    every = np.linspace(-CLICKS["reach"], CLICKS["reach"], 40_001)
    log = sum(bits.log({"frequency": every}, setting, int(row["clicks"][0])) for setting, row in known.taken)
    mass = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    spread = np.sqrt(mass @ (every - mass @ every) ** 2)
    assert known.following.sigma == pytest.approx(spread, rel=2e-3)


def test_p40_through_a_run(tmp_path):
    run = qlab.run("metrology.fisher", qlab.Bench.load("sim-nv"), out=tmp_path, duration="25s:50s:2")
    assert run["quantum"][-1] == pytest.approx(16.8448675, rel=1e-7)
    assert run["classical"][-1] == pytest.approx(1.16693153, rel=1e-4)
    assert run["best"] == pytest.approx(run["quantum"], rel=1e-9)
    assert list(run["rank"]) == [2, 2]


def test_the_best_time_of_a_decaying_qubit(tmp_path):
    """F_Q/t = t e^{-γt} is largest at 1/γ; with an overhead later."""
    bench = qlab.Bench.load("sim-nv")
    runs = [qlab.run("metrology.fisher", bench, out=tmp_path, overhead=overhead) for overhead in (0.0, 10.0)]
    at = [run.figures["best_time"].value for run in runs]
    assert at[0] == pytest.approx(10.0, abs=0.5)
    grid = np.linspace(5, 30, 100_001)
    assert at[1] == pytest.approx(grid[np.argmax(grid**2 * np.exp(-0.1 * grid) / (grid + 10))], abs=0.5)


def test_a_users_own_system_against_mesolve():
    """Three levels, two of them decaying; derivatives of mesolve's state by differences."""
    rng = np.random.default_rng(2)
    term = qt.Qobj(np.diag([0.0, 1.0, 2.5]))
    mixing = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    h0 = qt.Qobj(mixing + mixing.conj().T)
    jumps = [0.3 * qt.basis(3, 0) * qt.basis(3, 1).dag(), 0.2 * qt.basis(3, 1) * qt.basis(3, 2).dag()]
    start = (qt.basis(3, 0) + qt.basis(3, 2)).unit()
    system = UserSystem(
        H0=h0, terms={"x": term}, parameters={"x": 0.7}, collapse=jumps, initial=start,
        measure=qt.ket2dm(qt.basis(3, 2)),
    )  # fmt: skip

    def state(x):
        options = {"atol": 1e-13, "rtol": 1e-11, "nsteps": 100_000}
        return qt.mesolve(h0 + x * term, start, [0, 1.3], jumps, options=options).states[-1].full()

    step = 1e-3
    change = sum(
        w * (state(0.7 + k * step) - state(0.7 - k * step)) / step
        for k, w in {1: 3 / 4, 2: -3 / 20, 3: 1 / 60}.items()
    )
    rho = state(0.7)
    p, v = np.linalg.eigh(rho)
    inner = v.conj().T @ change @ v
    fisher = float((2 * np.abs(inner) ** 2 / (p[:, None] + p[None, :])).sum())
    found = system_fisher(system, 1.3)
    assert found.quantum.matrix[0, 0] == pytest.approx(fisher, rel=1e-6)
    click = rho[2, 2].real
    assert found.classical[0, 0] == pytest.approx(change[2, 2].real ** 2 / (click * (1 - click)), rel=1e-6)
    assert found.reached() == pytest.approx(fisher, rel=1e-6)
    assert found.classical[0, 0] <= fisher


def test_an_own_world_by_its_name(tmp_path):
    run = qlab.run(
        "metrology.fisher", qlab.Bench.load("sim-adaptive-qubit"), out=tmp_path, system="adaptive-qubit",
        parameter="detuning", duration="1us:10us:4",
    )  # fmt: skip
    # Prepared in an eigenstate the qubit says nothing of its detuning.
    assert not np.any(np.abs(run["quantum"]) > 1e-20)
    with pytest.raises(UsageError, match="no parameter 'field'"):
        qlab.run("metrology.fisher", qlab.Bench.load("sim-nv"), out=tmp_path, parameter="field")
    with pytest.raises(UsageError, match="not given as QuTiP"):
        qlab.run("metrology.fisher", qlab.Bench.load("sim-nv"), out=tmp_path, system="nv")


def test_a_form_that_asks_again_what_fisher_takes_computes_nothing(monkeypatch):
    kind = load("experiments", "metrology.fisher")
    first = kind.read({"duration": "1s:30s:7", "decay": 0.123})
    rows, seconds = first.estimate()
    assert rows == 7
    assert seconds > 0
    monkeypatch.setattr(kind, "at", lambda *_: pytest.fail("it was computed again"))
    assert kind.read({"duration": "1s:30s:14", "decay": 0.123}).estimate() == (14, 2 * seconds)


def test_an_own_system_is_no_expectation_of_an_experiment_that_plays_another(tmp_path):
    """Only the protocols on own systems take a world as their model; any other has no expected curve there."""
    run = adaptive("sim-adaptive-qubit", 11, tmp_path, **{**CLICKS, "passes": 4})
    assert run.record.axes
    assert expected_curve(run.record) is None
