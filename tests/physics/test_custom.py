"""A system of one's own: closed forms of the public list, both solvers, and refusals in plain words."""

import numpy as np
import pytest
import qutip as qt

from qlab.errors import UsageError
from qlab.physics.systems.custom import UserSystem
from qlab.pulses import Acquire, Align, Delay, Play, Program, Symbol, compile_program
from qlab.scan import Linear

E, G = qt.basis(2, 0), qt.basis(2, 1)
TAU = 2 * np.pi


def two_levels(**given):
    made = {
        "H0": qt.qzero(2), "initial": G, "measure": qt.ket2dm(E), "drives": {"mw": E * G.dag()},
        "terms": {"detuning": -TAU * qt.sigmaz() / 2}, **given,
    }  # fmt: skip
    return UserSystem(**made)


def played(body, **setpoints):
    return compile_program(Program(body + Align() + Acquire("counter", 1e-9, "clicks"), setpoints=setpoints))


@pytest.mark.parametrize("solver", ["batched", "qutip"])
def test_p05_detuned_rabi(solver):
    timeline = played(Play("mw", 130e-9, 5e6), **{"sample.detuning": 3e6})
    assert two_levels().probability(timeline, solver)[0] == pytest.approx(0.349120099, abs=1e-6)


@pytest.mark.parametrize("solver", ["batched", "qutip"])
def test_p37_relaxation_and_dephasing(solver):
    jumps = [np.sqrt(1 / 40e-6) * G * E.dag(), np.sqrt(1 / (2 * 60e-6)) * qt.sigmaz()]
    made = two_levels(collapse=jumps, initial=(E + G).unit(), measure=(qt.qeye(2) + qt.sigmax()) / 2)
    found = made.probability(played(Delay(20e-6)), solver)[0]
    assert found - 0.5 == pytest.approx(0.279017573, abs=1e-6)


def test_three_levels_and_both_solvers_over_a_sweep():
    level = [qt.basis(3, k) for k in range(3)]
    made = UserSystem(
        H0=TAU * 0.4e6 * qt.ket2dm(level[2]),
        initial=level[0],
        measure=qt.ket2dm(level[2]),
        drives={"a": level[1] * level[0].dag(), "b": level[2] * level[1].dag()},
        collapse=[np.sqrt(2e5) * level[0] * level[1].dag()],
    )
    time = Symbol("t", Linear(0, 2e-6, 7))
    timeline = played(Play("a", time, 0.8e6) + Play("b", time, 0.5e6, 0.3))
    both = [made.probability(timeline, solver) for solver in ("batched", "qutip")]
    np.testing.assert_allclose(both[0], both[1], rtol=0, atol=1e-8)
    assert both[0].max() > 0.2
    assert (made.hamiltonian() - made.H0).norm() == 0
    assert len(made.collapse_operators()) == 1


def with_mode(levels, *jumps):
    """Two levels that exchange quanta with a mode: Jaynes and Cummings."""
    lower, one = qt.destroy(levels), qt.qeye(levels)
    swap = qt.tensor(E * G.dag(), lower)
    return UserSystem(
        H0=TAU * 0.2e6 * (swap + swap.dag()),
        initial=qt.tensor(G, qt.coherent(levels, 1.0)),
        measure=qt.tensor(qt.ket2dm(E), one),
        drives={"mw": qt.tensor(E * G.dag(), one)},
        collapse=[np.sqrt(rate) * qt.tensor(*parts) for rate, parts in jumps],
    )


@pytest.mark.parametrize("lossy", [False, True])
def test_many_levels_are_solved_state_by_state(lossy):
    """24 levels: QuTiP's sesolve or mesolve of states beside the batched propagators."""
    made = with_mode(
        12, *([(3e5, (G * E.dag(), qt.qeye(12))), (1e5, (qt.qeye(2), qt.destroy(12)))] if lossy else [])
    )
    time = Symbol("t", Linear(0, 3e-6, 4))
    timeline = played(Play("mw", 0.3e-6, 1e6) + Delay(time))
    both = [made.probability(timeline, solver) for solver in ("batched", "qutip")]
    np.testing.assert_allclose(both[0], both[1], rtol=0, atol=1e-7)
    assert np.ptp(both[0]) > 0.1


def test_more_levels_than_a_density_matrix_should_have_are_followed_by_trajectories(monkeypatch):
    """120 levels: half a decay time after a pi/2 pulse, exp(-1/2)/2 are left, to what the trajectories know."""
    monkeypatch.setattr("qlab.physics.judges.own.TRAJECTORIES", 200)
    idle = qt.qeye(60)
    made = UserSystem(
        H0=0 * qt.tensor(qt.sigmaz(), idle), initial=qt.tensor(G, qt.basis(60, 3)),
        measure=qt.tensor(qt.ket2dm(E), idle), drives={"mw": qt.tensor(E * G.dag(), idle)},
        collapse=[np.sqrt(1e5) * qt.tensor(G * E.dag(), idle)],
    )  # fmt: skip
    timeline = played(Play("mw", 250e-9, 1e6) + Delay(4.875e-6))
    with pytest.raises(UsageError, match="64 levels"):
        made.probability(timeline)
    found, true = made.probability(timeline, "qutip")[0], np.exp(-0.5) / 2
    assert abs(found - true) < 4 * np.sqrt(true * (1 - true) / 200)
    assert made.probability(timeline, "qutip")[0] == found  # the same each time


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"H0": qt.sigmap()}, "H0 is not Hermitian"),
        ({"H0": qt.Qobj(np.diag([np.nan, 1]))}, "not finite"),
        ({"H0": np.eye(2)}, "no square operator"),
        ({"measure": 2 * qt.qeye(2)}, "eigenvalues"),
        ({"measure": qt.qeye(3)}, "3 x 3"),
        ({"initial": qt.basis(3, 0)}, "3 levels"),
        ({"initial": 2 * G}, "not normalised"),
        ({"parameters": {"detuning": np.inf}}, "finite"),
        ({"collapse": [qt.qeye(4)]}, "collapse operator 1"),
    ],
)
def test_what_is_no_physics_is_refused(given, said):
    with pytest.raises(Exception, match=said):
        two_levels(**given)


def test_a_drive_that_is_not_there_is_named():
    with pytest.raises(Exception, match="no drive 'rf'"):
        two_levels().probability(played(Play("rf", 1e-6, 1e6)))
