"""Hostile input to every public function of the engine: a clear refusal or the right limit, never a silent number.

The functions are listed by walking the package: in the rooms of the engine and of its first systems (`ROOMS`) one that
is neither tried here nor named as inner (called with what another has checked) fails. Systems that come later bring
tests of their own.
"""

import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import qlab.physics
from qlab.errors import QlabError
from qlab.physics import (
    collective,
    dispersive,
    exponential,
    filters,
    frechet,
    gaussian,
    ising,
    judge,
    magnus,
    periodic,
    processes,
    propagate,
    resonance,
    sweeps,
    trains,
)
from qlab.physics.fock import TwoModes
from qlab.physics.oscillator import OscillatorNoise
from qlab.physics.systems import clock, transmon
from qlab.physics.systems import collective as cards
from qlab.physics.systems.carbon import with_carbon
from qlab.physics.systems.clock import ClockAtoms
from qlab.physics.systems.custom import UserSystem
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.optics import OpticalCycle

NAN, INF = float("nan"), float("inf")
X, Z = np.array([[0, 1], [1, 0]], dtype=complex), np.diag([1.0, -1.0]).astype(complex)
KET, SEEN = np.array([0, 1.0]), np.diag([1.0, 0])
LOWER = np.array([[0, 0], [1.0, 0]], dtype=complex)
SKEW = np.array([[0, 1], [0, 0]], dtype=complex)
BAD = X * NAN
THREE = np.eye(3)
T = np.linspace(0, 1, 5)
DEFECTIVE = np.array([[0.0, 1.0], [0.0, 0.0]])

# Called by the functions that people call, with what those have checked.
INNER = {
    "engine": {"check_solver"}, "given": {"array", "square", "hermitian", "jumps", "density", "seconds"},
    "noise": {"normal_nodes", "gauss_hermite", "hermite_table", "ou_phase_covariance", "ou_point_covariance",
              "slow_drift"},
    "pathways": {"contracted"}, "quantum": {"qutip"}, "rates": {"rate_matrix", "once", "expm_by_duration", "windows"},
    "sectors": {"linked", "sectors", "hilbert_sectors", "seen_parts", "block_parts"}, "segments": {"cut"},
    "signals": {"series", "through", "frame"}, "stack": {"stacks"}, "steady": {"continuous", "node_rates"},
    "superoperator": {"liouvillian", "hermitian_basis", "real_form", "parts", "matrices", "generators"},
    "magnus": {"exponents", "product", "interpolated"}, "gaussian": {"form"}, "propagate": {"even_step"},
    "judge": {"safe_options"}, "resonance": {"rational"}, "processes": {"generator"},
}  # fmt: skip

REFUSED = {
    "collective.count": [
        lambda: collective.count(0),
        lambda: collective.count(2.5),
        lambda: collective.count(INF),
    ],
    "collective.levels": [lambda: collective.levels(0), lambda: collective.levels(NAN)],
    "collective.ladder": [lambda: collective.ladder(0), lambda: collective.ladder(-3)],
    "collective.coherent": [lambda: collective.coherent(0, 1, 1), lambda: collective.coherent(4, NAN, 0)],
    "collective.twisting": [
        lambda: collective.twisting(0, T, 1.0),
        lambda: collective.twisting(4, T * NAN, 1.0),
        lambda: collective.twisting(4, T, INF),
        lambda: collective.twisting(4, T, 1.0, dephasing=-1),
        lambda: collective.twisting(4, T, 1.0, dephasing=NAN),
        lambda: collective.twisting(4, T, 1.0, start=np.ones(4)),
        lambda: collective.twisting(4, T, 1.0, start=np.full(5, NAN)),
    ],
    "collective.moments": [
        lambda: collective.moments(np.zeros(0)),
        lambda: collective.moments(np.full(3, NAN)),
    ],
    "collective.wineland": [
        lambda: collective.wineland(2, collective.moments(np.array([1, 0, 1]) / np.sqrt(2))),
        lambda: collective.wineland(0, collective.moments(np.array([1.0, 0]))),
    ],
    "collective.kitagawa": [lambda: collective.kitagawa(0, collective.moments(np.array([1.0, 0])))],
    "collective.operators": [lambda: collective.operators(0)],
    "collective.evolved": [
        lambda: collective.evolved(collective.operators(4)[0], np.ones(3), 1.0),
        lambda: collective.evolved(collective.operators(2)[0] * NAN, np.ones(3), 1.0),
        lambda: collective.evolved(collective.operators(2)[0] * 1j, np.ones(3), 1.0),
        lambda: collective.evolved(collective.operators(2)[0], np.ones(3), INF),
    ],
    "dispersive.assignment_error": [
        lambda: dispersive.assignment_error(NAN),
        lambda: dispersive.assignment_error(-1),
    ],
    "exponential.expm": [
        lambda: exponential.expm(BAD),
        lambda: exponential.expm(np.ones((2, 3))),
        lambda: exponential.expm(np.array([[0, -1e30], [1e30, 0]])),
    ],
    "filters.edges": [
        lambda: filters.edges("xy8", -1, 1.0),
        lambda: filters.edges("none", 1, 1.0),
        lambda: filters.edges("cpmg", 4, NAN),
        lambda: filters.edges("cpmg", 4, -1.0),
    ],
    "filters.transform": [
        lambda: filters.transform(np.array([NAN]), np.array([0, 1.0])),
        lambda: filters.transform(np.ones(1), np.array([1.0, 0.5])),
        lambda: filters.transform(np.ones(1), np.array([0, 1.0]), -1.0),
    ],
    "filters.train_transform": [
        lambda: filters.train_transform(np.array([NAN]), np.ones(1), 8, 0.0, 0.0),
        lambda: filters.train_transform(np.ones(1), np.ones(1), 8, 2.0, 0.0),
        lambda: filters.train_transform(np.ones(1), np.ones(1), -8, 0.0, 0.0),
        lambda: filters.train_transform(np.ones(1), np.ones(1), 8, 0.0, -1.0),
    ],
    "filters.exponent": [
        lambda: filters.exponent(lambda w: w * NAN, np.array([0, 1.0])),
        lambda: filters.exponent(lambda w: 1 + 0 * w, np.array([0, NAN])),
    ],
    "filters.exponent_ou": [
        lambda: filters.exponent_ou(NAN, 1.0, np.array([0, 1.0])),
        lambda: filters.exponent_ou(1.0, 0.0, np.array([0, 1.0])),
    ],
    "frechet.frechet": [
        lambda: frechet.frechet(BAD, X),
        lambda: frechet.frechet(X, THREE),
        lambda: frechet.frechet(X, BAD),
    ],
    "frechet.with_derivatives": [
        lambda: frechet.with_derivatives([frechet.Varied(SKEW, [Z], 1.0)], KET),
        lambda: frechet.with_derivatives([frechet.Varied(Z, [THREE], 1.0)], KET),
        lambda: frechet.with_derivatives([frechet.Varied(Z, [Z], -1.0)], KET),
        lambda: frechet.with_derivatives([], KET),
    ],
    "gaussian.vacuum": [lambda: gaussian.vacuum(0)],
    "gaussian.thermal": [lambda: gaussian.thermal(-1.0), lambda: gaussian.thermal(NAN)],
    "ising.twisting_with_local_noise": [
        lambda: ising.twisting_with_local_noise(0, T, 1.0),
        lambda: ising.twisting_with_local_noise(4, T * NAN, 1.0),
        lambda: ising.twisting_with_local_noise(4, T, 1.0, dephasing=-1.0),
    ],
    "judge.propagators": [
        lambda: judge.propagators(X, BAD[None], T),
        lambda: judge.propagators(SKEW, LOWER[None], T),
        lambda: judge.propagators(X, THREE[None], T),
        lambda: judge.propagators(X, LOWER[None], -T),
    ],
    "magnus.propagate": [
        lambda: magnus.propagate(BAD, X[None], lambda t: np.ones((len(t), 1)), 1.0),
        lambda: magnus.propagate(X, X[None], lambda t: np.ones((len(t), 1)), NAN),
        lambda: magnus.propagate(X, X[None], lambda t: np.full((len(t), 1), NAN), 1.0),
    ],
    "magnus.held": [
        lambda: magnus.held(X, X[None], np.full((1, 3), NAN), 1.0),
        lambda: magnus.held(X, THREE[None], np.ones((1, 3)), 1.0),
    ],
    "periodic.counterrotation": [
        lambda: periodic.counterrotation(NAN, 1.0),
        lambda: periodic.counterrotation(1.0, 0.0),
    ],
    "periodic.driven_expectation": [
        lambda: periodic.driven_expectation(SKEW, X, 1.0, T, KET, SEEN),
        lambda: periodic.driven_expectation(Z, X, INF, T, KET, SEEN),
        lambda: periodic.driven_expectation(Z, X, 1.0, -T, KET, SEEN),
        lambda: periodic.driven_expectation(Z, THREE, 1.0, T, KET, SEEN),
        lambda: periodic.driven_expectation(Z, X, 1.0, T, KET, SEEN, phase=NAN),
    ],
    "processes.ornstein_uhlenbeck": [
        lambda: processes.ornstein_uhlenbeck(NAN, 1.0, 1.0, 4, seed=1),
        lambda: processes.ornstein_uhlenbeck(1.0, 1.0, 0.0, 4, seed=1),
        lambda: processes.ornstein_uhlenbeck(1.0, 1.0, 1.0, -4, seed=1),
    ],
    "processes.telegraph": [lambda: processes.telegraph(-1.0, 1.0, 1.0, 4, seed=1)],
    "processes.white": [
        lambda: processes.white(NAN, 1.0, 4, seed=1),
        lambda: processes.white(1.0, 0.0, 4, seed=1),
    ],
    "processes.random_walk": [lambda: processes.random_walk(-1.0, 1.0, 4, seed=1)],
    "processes.flicker": [lambda: processes.flicker(1.0, NAN, 4, seed=1)],
    "processes.from_spectrum": [
        lambda: processes.from_spectrum(lambda f: -1 + 0 * f, 1.0, 8, seed=1),
        lambda: processes.from_spectrum(lambda f: f * NAN, 1.0, 8, seed=1),
    ],
    "processes.sum_of_ou": [
        lambda: processes.sum_of_ou(1.0, 0.5, 1.0),
        lambda: processes.sum_of_ou(0.0, 1.0, 1.0),
    ],
    "propagate.durations": [
        lambda: propagate.durations(BAD, T, KET.astype(complex)),
        lambda: propagate.durations(X, T * NAN, KET.astype(complex)),
    ],
    "propagate.pairings": [
        lambda: propagate.pairings(BAD, T, KET, KET),
        lambda: propagate.pairings(X, T * NAN, KET, KET),
    ],
    "propagate.propagators": [
        lambda: propagate.propagators(BAD, T),
        lambda: propagate.propagators(X, T * NAN),
    ],
    "propagate.steady_state": [
        lambda: propagate.steady_state(np.zeros((4, 4))),
        lambda: propagate.steady_state(np.full((4, 4), NAN)),
    ],
    "propagate.stationary": [lambda: propagate.stationary(np.zeros((4, 4)), 2)],
    "resonance.steady_expectation": [
        lambda: resonance.steady_expectation(0 * X, [], SEEN),
        lambda: resonance.steady_expectation(SKEW, [LOWER], SEEN),
        lambda: resonance.steady_expectation(X, [LOWER], THREE),
        lambda: resonance.steady_expectation(BAD, [LOWER], SEEN),
        lambda: resonance.steady_expectation(X, [LOWER], SEEN, Z, np.array([INF])),
    ],
    "sweeps.expectation": [
        lambda: sweeps.expectation([], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(SKEW, 1.0)], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(BAD, 1.0)], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(X, -1.0)], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(X, INF)], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(X, np.zeros(0))], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(THREE, 1.0)], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(X, 1.0)], KET, THREE),
        lambda: sweeps.expectation([sweeps.Step(X, 1.0)], KET * 2, SEEN),
        lambda: sweeps.expectation([sweeps.Step(X, 1.0)], KET, SEEN, [THREE]),
        lambda: sweeps.expectation([sweeps.Step(X, 1.0)], KET, SEEN, [BAD]),
        lambda: sweeps.expectation([sweeps.Step(X, 1e30)], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(X, T), sweeps.Step(X, T[:3])], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Repeat(-1, (sweeps.Step(X, 1.0),))], KET, SEEN),
        lambda: sweeps.expectation([sweeps.Step(np.zeros((0, 0)), 1.0)], np.zeros(0), np.zeros((0, 0))),
    ],
    "systems.carbon.with_carbon": [
        lambda: with_carbon(NVCentre(), NAN, 0.0),
        lambda: with_carbon(NVCentre(), 0.0, INF),
    ],
    "systems.clock.projection_noise": [
        lambda: clock.projection_noise(1e15, 1.0, 0.9, 0.0, 1.0),
        lambda: clock.projection_noise(NAN, 1.0, 0.9, 1e4, 1.0),
        lambda: clock.projection_noise(1e15, 2.0, 0.9, 1e4, 1.0),
    ],
    "systems.clock.dick_limit": [
        lambda: clock.dick_limit(1e-30, 0.0, 0.0, 1.0),
        lambda: clock.dick_limit(-1.0, 0.0, 0.5, 1.0),
        lambda: clock.dick_limit(NAN, 0.0, 0.5, 1.0),
    ],
    "systems.clock.lock_variance": [lambda: clock.lock_variance(2.0), lambda: clock.lock_variance(NAN)],
    "systems.collective.best_twist": [lambda: cards.best_twist(0), lambda: cards.best_twist(1)],
    "systems.transmon.perturbative_shift": [
        lambda: transmon.perturbative_shift(1e8, 0.0, -2e8),
        lambda: transmon.perturbative_shift(1e8, 2e8, -2e8),
        lambda: transmon.perturbative_shift(NAN, 1e9, -2e8),
    ],
    "systems.transmon.purcell_time": [
        lambda: transmon.purcell_time(1e8, 1e9, -1.0),
        lambda: transmon.purcell_time(NAN, 1e9, 1.0),
    ],
    "trains.train": [
        lambda: trains.train(SKEW, trains.Signal(Z, 1.0), [(trains.Pulse(X, 0.1), 0.0)], 1.0, KET, SEEN),
        lambda: trains.train(Z, trains.Signal(Z, NAN), [(trains.Pulse(X, 0.1), 0.0)], 1.0, KET, SEEN),
        lambda: trains.train(Z, trains.Signal(Z, 1.0), [(trains.Pulse(X, -0.1), 0.0)], 1.0, KET, SEEN),
        lambda: trains.train(Z, trains.Signal(THREE, 1.0), [(trains.Pulse(X, 0.1), 0.0)], 1.0, KET, SEEN),
    ],
}
ROOMS = {*INNER, *(name.rpartition(".")[0] for name in REFUSED)}
CLASSES = [
    lambda: TwoModes(-1),
    lambda: gaussian.GaussianState(np.zeros(2), -np.eye(2)),
    lambda: OscillatorNoise(-1.0),
    lambda: OscillatorNoise(NAN),
    lambda: ClockAtoms(T1=0.0),
    lambda: ClockAtoms(shift=NAN),
    lambda: NVCentre(field=(NAN, 0, 0)),
    lambda: NVCentre(T1=-1.0),
    lambda: NVCentre(nitrogen=13),
    lambda: OpticalCycle(radiative=-1.0),
    lambda: transmon.Transmon(EJ=NAN),
    lambda: transmon.Transmon(EC=-1.0),
    lambda: cards.CollectiveSpin(0),
    lambda: cards.CollectiveSpin(10, dephasing=NAN),
    lambda: UserSystem(SKEW, KET, SEEN),
    lambda: dispersive.Resonator(0.0, np.zeros(2), 1.0, 0.5),
    lambda: dispersive.Resonator(1.0, np.zeros(2), NAN, 0.5),
]


def test_every_public_function_is_tried():
    missing = []
    for found in pkgutil.walk_packages(qlab.physics.__path__, "qlab.physics."):
        short = found.name.removeprefix("qlab.physics.")
        if short not in ROOMS:
            continue
        module = importlib.import_module(found.name)
        for name, thing in vars(module).items():
            own = getattr(thing, "__module__", "") == found.name and not name.startswith("_")
            if own and inspect.isroutine(thing) and name not in INNER.get(short, set()):
                missing.append(f"{short}.{name}")
    untried = set(missing) - set(REFUSED) - {"engine.play", "collective.smallest_variance"}
    assert not untried, f"nobody tries {sorted(untried)} with hostile input"
    assert not set(REFUSED) - set(missing), "tried here and gone from the engine"


@pytest.mark.parametrize(
    ("name", "index"), [(n, i) for n, calls in REFUSED.items() for i in range(len(calls))]
)
def test_hostile_input_is_refused(name, index):
    with pytest.raises(QlabError) as caught:
        REFUSED[name][index]()
    assert str(caught.value)


@pytest.mark.parametrize("index", range(len(CLASSES)))
def test_impossible_systems_are_refused(index):
    with pytest.raises(QlabError):
        CLASSES[index]()


def test_limits_are_right():
    # No time at all, a state at rest for ever, a Jordan block, one spin.
    assert sweeps.expectation([sweeps.Step(X, 0.0)], KET, SEEN) == 0
    assert sweeps.expectation([sweeps.Step(X, 1e9)], KET, SEEN, [LOWER * 1e3]) == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose(exponential.expm(DEFECTIVE * 1e6), [[1, 1e6], [0, 1]], rtol=1e-12)
    made = propagate.pairings(
        DEFECTIVE, np.array([0.0, 0.3, 1e3, 2.5]), np.array([1.0, 0]), np.array([0, 1.0])
    )
    np.testing.assert_allclose(made, [0, 0.3, 1e3, 2.5], rtol=1e-10)
    assert collective.wineland(1, collective.twisting(1, np.array([0.0, 0.7]), 0.0)) == pytest.approx([1, 1])
    # Nothing relaxes, but all that rests shows the same; noise without memory is white.
    assert resonance.steady_expectation(X, [], SEEN) == pytest.approx(0.5)
    assert np.std(processes.ornstein_uhlenbeck(2.0, 0.0, 1.0, 4000, seed=1)) == pytest.approx(2.0, rel=0.05)
    # Critical damping: the Liouvillian has no basis of eigenvectors there.
    gamma = 1.0
    t = np.array([0.0, 0.4, 3.0, 7.7])
    critical = sweeps.expectation([sweeps.Step(X * gamma / 8, t)], KET, SEEN, [np.sqrt(gamma) * LOWER])
    near = sweeps.expectation(
        [sweeps.Step(X * gamma / 8 * (1 + 1e-7), t)], KET, SEEN, [np.sqrt(gamma) * LOWER]
    )
    np.testing.assert_allclose(critical, near, atol=1e-7)
