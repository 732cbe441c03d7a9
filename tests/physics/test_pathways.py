"""Contracted sequences against the player that carries every point, node and branch along."""

import numpy as np
import pytest

from qlab.physics import player
from qlab.pulses import Delay, Play, Symbol
from qlab.scan import Linear
from tests.physics.toys import Toy, read_out

TAU = 2 * np.pi
JUMPS = (
    np.array([[0, 0], [1, 0]]) / np.sqrt(3e-6),
    np.array([[0, 1], [0, 0]]) / np.sqrt(9e-6),
    np.diag([1, -1]) / 3e-3,
)


@pytest.mark.parametrize("tau_c", [0.4e-6, 40e-3, np.inf])
@pytest.mark.parametrize("pulses", [2, 3])
def test_nothing_is_lost_by_contracting(monkeypatch, tau_c, pulses):
    tau = Symbol("tau", Linear(0.0, 3e-6, 31))
    quarter, flip = Play("mw", 25e-9, 10e6), Play("mw", 50e-9, 10e6, 0.3)
    last = Play("mw", 25e-9, 10e6, TAU * 1e6 * tau)
    middle = Delay(tau) if pulses == 2 else Delay(tau) + flip + Delay(0.7e-6)
    system = Toy(detunings=(TAU * 0.4e6, -TAU * 1.2e6), sigma_detuning=TAU * 0.2e6, tau_c=tau_c, jumps=JUMPS)
    seen = read_out(system, quarter + middle + last, **{"microwave.frequency": 3e5}).probability
    monkeypatch.setattr(player, "contracted", lambda *given: None)
    carried = read_out(system, quarter + middle + last, **{"microwave.frequency": 3e5}).probability
    assert np.abs(seen - carried).max() < 1e-12
    assert np.ptp(carried[:, 1]) > 0.1
