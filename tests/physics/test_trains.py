"""Pulse trains under an AC signal against mesolve, and against the accumulated phase (P11)."""

import numpy as np
import pytest
import qutip as qt

from qlab.errors import UsageError
from qlab.physics.trains import Pulse, Signal, train
from tests.physics.judge import solve, value

TAU = 2 * np.pi
X, Z = np.array([[0, 1], [1, 0]]), np.diag([1.0, -1.0])


def judged(h, signal, pulses, end, rho, observable, jumps):
    """Segment by segment, with the wave as QuTiP's own coefficient."""
    args = {"w": signal.omega, "p": signal.phase}
    wave = [qt.Qobj(signal.coupling), lambda t, w, p: np.cos(w * t + p)]
    state, now = qt.Qobj(rho), 0.0

    def go(state, start, stop, generator):
        if stop <= start:
            return state
        here = {**args, "p": args["p"] + args["w"] * start}
        return solve([qt.Qobj(generator), wave], state, stop - start, jumps, args=here,
                     max_step=(stop - start) / 3)  # fmt: skip

    for pulse, start in pulses:
        state = go(state, now, start, h)
        now = start + pulse.seconds
        state = go(state, start, now, h + pulse.drive)
    return value(observable, go(state, now, end, h))


@pytest.mark.parametrize("strength", [0.05, 1.5])
@pytest.mark.parametrize("commuting", [True, False])
def test_a_train_of_finite_pulses(strength, commuting):
    h = 0.4 * Z + (0 if commuting else 0.3) * X
    signal = Signal(strength * (Z if commuting else Z + 0.2 * X), 2.1, 0.4)
    half, whole = Pulse(2.5 * X, 0.3), Pulse(2.5 * np.array([[0, -1j], [1j, 0]]), 0.6)
    jumps = [0.2 * np.array([[0, 0], [1, 0]]), 0.1 * Z]
    for tau in (1.1, 1.9):
        pulses = [(half, 0.0), (whole, tau), (whole, 2 * tau), (whole, 3.5 * tau), (half, 5 * tau)]
        rho, seen = np.diag([0.0, 1.0]), np.array([[1, 0.2], [0.2, 0]])
        found = train(h, signal, pulses, 5 * tau + 0.5, rho, seen, jumps)
        exact = judged(h, signal, pulses, 5 * tau + 0.5, rho, seen, jumps)
        assert found[0] == pytest.approx(exact, abs=3e-9)


def test_points_are_played_together_and_levels_in_sectors():
    spin, one = np.diag([1.0, 0, -1]), np.eye(2)
    h = np.kron(spin @ spin, one) + 0.7 * np.kron(spin, np.diag([1.0, -1]))
    drive = np.kron(np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0]]), one)
    pulse = Pulse(2.0 * drive, 0.35)
    taus, phases = np.array([0.6, 0.9, 1.3]), np.array([0.0, 1.0, 2.0])
    rho = np.kron(np.diag([0, 1.0, 0]), one) / 2
    seen, jumps = 2 * rho, [0.15 * np.kron(spin, one)]
    signal = Signal(0.3 * np.kron(spin, one), 4.0, phases)
    starts = [0 * taus, taus, 2.5 * taus]
    found = train(h, signal, [(pulse, s) for s in starts], 3 * taus + 1, rho, seen, jumps)
    for k in range(3):
        alone = Signal(signal.coupling, 4.0, phases[k])
        pulses = [(pulse, s[k]) for s in starts]
        exact = judged(h, alone, pulses, 3 * taus[k] + 1, rho, seen, jumps)
        assert found[k] == pytest.approx(exact, abs=3e-9)


def test_p11_phase_of_a_resonant_signal():
    # XY8-2: 100 nT at 1 MHz, 16 pulses 0.5 us apart, nearly instantaneous: phi = (2/pi) gamma B T.
    gamma, length = TAU * 28.03e9, 1e-13
    turn = Pulse(np.pi / length / 2 * X, length)
    first = Pulse(np.pi / 2 / length / 2 * X, length)
    last = Pulse(np.pi / 2 / length / 2 * np.array([[0, -1j], [1j, 0]]), length)
    starts = [(0.5e-6) * (k + 0.5) - length / 2 for k in range(16)]
    pulses = [(first, 0.0), *((turn, s) for s in starts), (last, 8e-6)]
    signal = Signal(gamma * 100e-9 * np.diag([1.0, 0]), TAU * 1e6, 0.0)
    found = train(np.zeros((2, 2)), signal, pulses, 8e-6 + length, np.array([0, 1.0]), np.diag([1.0, 0]))[0]
    assert min(abs(found - p) for p in (0.544787888, 1 - 0.544787888)) < 2e-6


def test_hostile_trains():
    pulse, signal = Pulse(X, 0.5), Signal(Z, 1.0)
    start, seen = np.array([1.0, 0]), np.diag([1.0, 0])
    with pytest.raises(UsageError, match="overlap"):
        train(Z, signal, [(pulse, 0.0), (pulse, 0.2)], 2.0, start, seen)
    with pytest.raises(UsageError, match="frequency"):
        train(Z, Signal(Z, 0.0), [(pulse, 0.0)], 2.0, start, seen)
    with pytest.raises(UsageError, match="not Hermitian"):
        train(Z, Signal(np.array([[0, 1], [0, 0]]), 1.0), [(pulse, 0.0)], 2.0, start, seen)
    with pytest.raises(UsageError, match="phase"):
        train(Z, Signal(Z, 1.0, np.nan), [(pulse, 0.0)], 2.0, start, seen)
    with pytest.raises(UsageError, match="lengths"):
        train(Z, signal, [(pulse, np.zeros(2))], np.full(3, 2.0), start, seen)
    lower = np.array([[0, 0], [1.0, 0]])
    with pytest.raises(UsageError, match="exceptional"):
        train(X / 8, Signal(0 * Z, 1.0), [(pulse, 0.0)], 2.0, start, seen, [lower])
