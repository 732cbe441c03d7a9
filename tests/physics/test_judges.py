"""Light, ions, falling atoms and vapour: the closed forms beside QuTiP's own evolution of the same systems."""

import math

import numpy as np
import pytest

from qlab.physics.judges import ions as judge
from qlab.physics.judges.atoms import SolvedThreePulse
from qlab.physics.judges.light import SolvedInterferometer
from qlab.physics.judges.vapour import SolvedLadder
from qlab.physics.systems.atom_interferometer import ThreePulse
from qlab.physics.systems.interferometer import Interferometer
from qlab.physics.systems.ions import Look, SidebandGate, all_down
from qlab.physics.systems.rydberg import RydbergLadder

TABLE = {"arms": (0.97, 0.9), "spread": 0.05, "efficiency": 0.92, "dark": 0.01}


@pytest.mark.parametrize(("light", "within"), [
    ({"noon": 2}, 1e-12), ({"noon": 3}, 1e-12), ({"photons": 1.0}, 1e-8),
    ({"photons": 0.2, "squeezing": 1.5}, 1e-8),
])  # fmt: skip
@pytest.mark.parametrize("phase", [0.0, 0.7, 2.0])
def test_numbers_of_photons_behind_a_lossy_interferometer(light, phase, within):
    closed, solved = Interferometer(**light, **TABLE), SolvedInterferometer(**light, **TABLE)
    first, second = closed.shares(phase), solved.shares(phase)
    k = min(len(first), len(second))
    np.testing.assert_allclose(first[:k, :k], second[:k, :k], rtol=0, atol=within)
    np.testing.assert_allclose(closed.clicks(phase), solved.clicks(phase), rtol=0, atol=within)


def test_three_pulses_on_warm_atoms():
    given = {"T": 1e-3, "pulse": 2e-5, "rabi": 2 * np.pi * 1.25e4, "velocity": 1.5e-3}
    # A detuning that runs is cut into slices in closed form: 2e5 rad/s^2 is fifty times what a scan asks for.
    for slope, within in ((0.0, 1e-10), (3e3, 1e-8), (-2e5, 1e-6)):
        for first, second in zip(
            ThreePulse(**given).fringe(np.array([slope])),
            SolvedThreePulse(**given).fringe(np.array([slope])),
            strict=True,
        ):
            np.testing.assert_allclose(first, second, rtol=0, atol=within)


@pytest.mark.parametrize("temperature", [0.0, 295.0])
def test_a_warm_vapour_under_a_weak_probe(temperature):
    given = {"coupling": 4.2e6, "radio": 8e6, "radio_detuning": 1e6, "decay": 6.07e6, "dephasing": 0.25e6}
    probe, coupling = np.array([0.0, 0.0, 1e6]), np.array([0.0, 5e6, -3e6])
    first = RydbergLadder(**given, temperature=temperature).averaged(probe, coupling)
    second = SolvedLadder(**given, temperature=temperature).averaged(probe, coupling)
    np.testing.assert_allclose(first, second, rtol=1e-6)


@pytest.mark.parametrize("ions", [2, 3])
def test_a_gate_with_its_mode_and_every_ion_afterwards(ions):
    gate = SidebandGate(2 * np.pi * 5e3 / 2 * 1.01, 2 * np.pi * 5e3 * 0.98, 1 / 5e3, 0.05, 60.0)
    chain = all_down(ions).turned(0.3, 0.2)
    np.testing.assert_allclose(judge.turned(chain, 1.1, 0.7).rho, chain.turned(1.1, 0.7).rho, atol=1e-9)
    after = chain.entangled(gate)
    np.testing.assert_allclose(judge.entangled(chain, gate).rho, after.rho, atol=1e-8)
    look = Look.after(0.02, math.pi / 2, np.array([0.4]), 2.0, 1.168).read(0.003, 0.002)
    seen = look.counts(after.phased(1.3), 0.5)[0]
    solved = judge.counted(after, 1.3, 0.02, (math.pi / 2, 0.4), (2.0, 1 / 1.168, 0.5), 0.003, 0.002)
    np.testing.assert_allclose(solved, seen, atol=1e-9)
