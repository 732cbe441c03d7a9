"""Which check of the reference is covered where: spins, clocks, transmons, light, propagation, closed forms.

`REFERENCE` are the published numbers of the verification set with their tolerances; each is met by a test that names
the check and holds the number, here or in the file that `WHERE` names.
"""

import importlib
import inspect
import re

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import jv

from qlab.physics.sweeps import Repeat, Step, expectation
from qlab.physics.systems.clock import lock_variance
from tests.experiments.whole import whole

TAU = 2 * np.pi
X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1.0])
INSTANT = 1e-13  # s
UP, DOWN = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])

PUBLIC = "tests.experiments.test_public_numbers"  # through the models of the experiments
# Where each check is met: through an experiment where one shows it.
WHERE = {
    "P01": "tests.experiments.test_sensing", "P02": "tests.experiments.test_sensing",
    "P03": "tests.experiments.test_sensing", "P04": "tests.metrology.test_numbers",
    "P05": "tests.physics.test_engine", "P06": "tests.physics.test_engine", "P07": "tests.metrology.test_numbers",
    "P08": "tests.experiments.test_physics_world", "P09": "tests.physics.test_checks",
    "P10": "tests.physics.test_engine", "P11": "tests.experiments.test_sensing", "P12": "tests.physics.test_engine",
    "P13": "tests.physics.test_checks", "P15": PUBLIC, "P16": PUBLIC, "P17": PUBLIC,
    "P18": "tests.physics.test_checks", "P19": "tests.metrology.test_stability", "P20": "tests.physics.test_clock",
    "P21": PUBLIC, "P22": PUBLIC, "P23": PUBLIC, "P24": PUBLIC, "P25": PUBLIC, "P26": PUBLIC,
    "P27": "tests.metrology.test_quantum", "P28": PUBLIC, "P29": PUBLIC, "P30": PUBLIC, "P31": PUBLIC, "P32": PUBLIC,
    "P33": PUBLIC, "P34": PUBLIC, "P35": PUBLIC, "P36": PUBLIC, "P37": "tests.physics.test_engine", "P38": PUBLIC,
    "P39": "tests.physics.test_resonance", "P40": "tests.experiments.test_metrology",
    "P41": "tests.metrology.test_quantum", "P42": "tests.metrology.test_quantum",
    "P43": "tests.metrology.test_quantum", "P48": "tests.physics.test_engine",
    "S1": "tests.metrology.test_numbers", "S2": "tests.experiments.test_worlds_recovery",
    "S3": "tests.physics.test_processes", "S4": "tests.experiments.test_metrology",
    "S6": "tests.experiments.test_sensing", "S7": "tests.experiments.test_metrology",
    "S8": "tests.physics.test_propagate", "S9": "tests.experiments.test_physics_world",
    "S10": "tests.experiments.test_physics_world", "S11": "tests.physics.test_checks",
}  # fmt: skip
# What the twelve protocols touch: none of these may go missing above.
TOUCHED = {
    *(f"P{k:02}" for k in (2, 11, *range(15, 19), *range(21, 37), 38, *range(40, 44))), "S2", "S4", "S6", "S7",
}  # fmt: skip
# The first digits of the numbers that the test has to hold, as the verification set prints them.
REFERENCE = {
    "P01": ("2795.9549", "2957.72205"), "P02": ("54.7356103",), "P03": ("2816.08508", "2813.94767", "2811.80259"),
    "P04": ("1.37317224",), "P05": ("0.349120099",), "P06": ("0.541417401",), "P07": ("1.01176136",),
    "P08": ("30.7480803",), "P09": ("0.920128743",), "P10": ("0.448477611", "0.822489684"),
    "P11": ("0.997990005", "0.544787888"), "P12": ("0.582748252", "0.413954175", "0.721832168"),
    "P13": ("0.306727287",), "P15": ("5.8264574",), "P16": ("0.798685355",), "P17": ("8.66025404",),
    "P18": ("0.25",), "P20": ("3.16227766", "2.03933398", "8.11155735", "3.84926704"),
    "P21": ("0.0260685722", "0.625", "5.0"), "P22": ("-7.03561734", "0.134157366"), "P23": ("12", "144", "84"),
    "P24": ("12.4121212",), "P25": ("16105751", "1579434.63", "1.24179245", "25.1374828"), "P26": ("10.084248",),
    "P27": ("41.510834",), "P28": ("0.541430551",), "P29": ("0.946245393",), "P30": ("0.53846153",),
    "P31": ("6.0952381", "4.608"), "P32": ("740.286708", "0.0391603011"), "P33": ("3.65758194", "455.248645"),
    "P34": ("0.25",), "P35": ("5.21416357", "0.282935431"), "P36": ("0.952380952", "56.25", "35.8098622"),
    "P37": ("0.279017573",), "P38": ("0.0227501319",), "P39": ("0.05",), "P40": ("16.8448675", "1.16693153"),
    "P41": ("approx(4", "approx(2"), "P42": ("0.0349437211",), "P43": ("1.961558", "0.0370898"), "P48": ("1", "0"),
}  # fmt: skip


def test_no_check_of_the_protocols_is_missing():
    assert set(WHERE) >= TOUCHED
    assert {check for check in TOUCHED if check[0] == "P"} <= set(REFERENCE)


@pytest.mark.parametrize("check", WHERE)
def test_every_check_of_the_engine_is_covered(check):
    module = importlib.import_module(WHERE[check])
    tests = [t for name, t in inspect.getmembers(module, inspect.isfunction) if name.startswith("test_")]
    named = [t for t in tests if _names(t, check)]
    assert named, f"no test of {WHERE[check]} says that it is {check}"
    text = "".join(inspect.getsource(t) for t in named)
    for number in REFERENCE.get(check, ()):
        assert number in text, f"{check}: no test compares with {number}"


def _names(test, check):
    """Say whether a test's name or first comment names a check: test_p09_..., "# S9: ..."."""
    source = inspect.getsource(test)
    return re.search(rf"_{check.lower()}_", test.__name__) or re.search(rf"\b{check}\b", source)


def turn(matrix, angle):
    """A pulse of no duration: half of `angle` about a spin matrix."""
    return Step(angle / 2 / INSTANT * matrix, INSTANT)


def test_p09_modulation_of_an_echo_by_a_13c():
    # H/h in m_S = 0: f_L Iz; in m_S = +1: (f_L + A_par) Iz + A_perp Ix; 7 us each arm.
    larmor, along, across = 107.084e3, 80e3, 60e3
    free = TAU / 2 * (np.kron(UP, (larmor + along) * Z + across * X) + np.kron(DOWN, larmor * Z))
    one = np.eye(2)
    half, whole_turn = turn(np.kron(X, one), np.pi / 2), turn(np.kron(X, one), np.pi)
    steps = [half, Step(free, 7e-6), whole_turn, Step(free, 7e-6), half]
    back = expectation(steps, np.kron(DOWN, one / 2), np.kron(DOWN, one))
    assert abs(2 * float(back) - 1) == pytest.approx(0.920128743, abs=1e-6)


def test_p13_correlation_of_two_blocks_on_a_signal_of_random_phase():
    # Each block turns the spin by A cos(theta) about z and then onto the axis that shows the sine of it.
    strength, advance = 1.2, 0.9
    theta = np.arange(64) * TAU / 64  # of a smooth periodic function this sum is exact

    def seen(phase):
        steps = [turn(X, np.pi / 2), Step(phase[:, None, None] / 2 * Z, 1.0), turn(-Y, np.pi / 2)]
        return 1 - 2 * expectation(steps, DOWN, DOWN)

    both = seen(strength * np.cos(theta)) * seen(strength * np.cos(theta + advance))
    assert abs(both.mean()) == pytest.approx(0.306727287, abs=1e-6)
    closed = (jv(0, 2 * strength * np.sin(advance / 2)) - jv(0, 2 * strength * np.cos(advance / 2))) / 2
    assert closed == pytest.approx(0.306727287, abs=1e-6)


def test_p16_width_of_a_rabi_line():
    def excited(detuning):
        h = np.pi / 2 * X - TAU * detuning / 2 * Z
        return float(expectation([Step(h, 1.0)], DOWN, UP))

    assert 2 * brentq(lambda d: excited(d) - 0.5, 0.1, 0.6) == pytest.approx(0.798685355, abs=1e-4)


def test_p18_variance_of_an_integrating_lock():
    assert lock_variance(0.4) == pytest.approx(0.25, rel=1e-6)
    # And the simulated servo has it: only projection noise, one integrator.
    quiet = {
        "white": 0.0,
        "flicker": 0.0,
        "walk": 0.0,
        "comb_noise": 0.0,
        "atom_fluctuation": 0.0,
        "detection_noise": 0.0,
    }
    run, _, servo = whole("sim-clock", "clock.servo", 3, quiet, cycles=6000, gain=0.4, drift_gain=0.0)
    step = np.pi * servo.interrogation * servo.parameters.contrast
    of_one = np.sqrt(0.25 / 5000) / step
    seen = np.var(np.asarray(run["correction"])[200:]) / of_one**2
    assert seen == pytest.approx(0.25, rel=0.15)


def test_s11_budget():
    # XY8-16 of 200 spacings with d = 6 and relaxation, ODMR of 2001 points with d = 9, twisting with N = 1000: all
    # are played here; `python -m benchmarks` tells how long they take.
    rng = np.random.default_rng(1)
    levels, one = np.sort(rng.normal(size=6)) * 1e6, np.eye(3)
    drive = np.kron(X, one) * np.pi * 25e6
    jump = np.kron(Z, one) * np.sqrt(1 / 100e-6)
    spacing = np.linspace(0.4e-6, 0.6e-6, 200)
    gap, flip = Step(np.diag(levels), spacing), Step(drive + np.diag(levels), 20e-9)
    rounds = Repeat(128, (gap, flip))
    start = np.kron(DOWN, one / 3)
    seen = expectation([rounds], start, np.kron(DOWN, one), [jump])
    assert seen.shape == (200,)
    assert np.all((seen > -1e-9) & (seen < 1 + 1e-9))
    few = expectation(
        [Repeat(128, (Step(np.diag(levels), spacing[7]), flip))], start, np.kron(DOWN, one), [jump]
    )
    assert seen[7] == pytest.approx(float(few), abs=1e-10)
