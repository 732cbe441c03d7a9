"""One 13C beside an NV centre: echo modulation and doublet against 18 levels solved by QuTiP."""

from dataclasses import replace

import numpy as np
import pytest
import qutip as qt

import qlab
from qlab.errors import UsageError
from qlab.physics.engine import play
from qlab.physics.systems.carbon import GAMMA_13C, NVWithCarbon, with_carbon
from qlab.physics.systems.nv import NVCentre
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, compile_program
from qlab.registry import load
from tests.experiments.whole import whole

TAU = 2 * np.pi


class Polarised(NVWithCarbon):
    """Starts in m_S = 0, its carbon unpolarised."""

    def blocks(self):
        bright = [block.labels == 0 for block in super().blocks()]
        return tuple(replace(b, initial=x / x.sum()) for b, x in zip(super().blocks(), bright, strict=True))


def transfer(nv, sequence, carrier, solver="batched"):
    body = sequence + Align() + Gate("laser", 3e-6) + Acquire("counter", 3e-7, "counts")
    points = {"microwave.frequency": carrier, "laser.power": 1e-3}
    return play(nv, compile_program(Program(body, setpoints=points)), solver).transfer()[0]


def echo(rabi, tau):
    half, flip = Play("mw", 0.25 / rabi, rabi), Play("mw", 0.5 / rabi, rabi)
    return half + Delay(tau) + flip + Delay(tau) + half


def test_an_echo_is_modulated_as_in_the_rotating_frame_of_qutip():
    # No nitrogen; the lower transition in its own frame, solved by QuTiP with the carbon's full Hamiltonian.
    field, along, across, rabi, tau = 10e-3, 80e3, 60e3, 20e6, 7e-6
    plain = {"A_parallel": 0.0, "A_perpendicular": 0.0, "quadrupole": 0.0, "field": (0.0, 0.0, field)}
    nv = Polarised(**plain, carbon_parallel=along, carbon_perpendicular=across)
    carrier = nv.resonance(-1)
    found = transfer(nv, echo(rabi, tau), carrier)

    # m_S = 1, 0, -1 in the frame of the drive: both others turn with the carrier.
    energy = TAU * np.array([NVCentre(**plain).resonance(1) - carrier, 0.0, 0.0])
    ops = [qt.jmat(0.5, axis) for axis in "xyz"]
    h = qt.tensor(qt.Qobj(np.diag(energy)), qt.qeye(2)) - TAU * GAMMA_13C * field * qt.tensor(
        qt.qeye(3), ops[2]
    )
    h = h + TAU * qt.tensor(qt.jmat(1, "z"), along * ops[2] + across * ops[0])
    x = np.zeros((3, 3))
    x[0, 1] = x[1, 0] = x[1, 2] = x[2, 1] = 1.0
    drive = TAU * rabi / 2 * qt.tensor(qt.Qobj(x), qt.qeye(2))
    state = qt.tensor(qt.fock_dm(3, 1), qt.qeye(2) / 2)
    for extra, seconds in (
        (drive, 0.25 / rabi),
        (0, tau),
        (drive, 0.5 / rabi),
        (0, tau),
        (drive, 0.25 / rabi),
    ):
        step = (-1j * (h + extra) * seconds).expm()
        state = step * state * step.dag()
    left = 1 - qt.expect(qt.tensor(qt.fock_dm(3, 1), qt.qeye(2)), state)
    assert found == pytest.approx(left, abs=1e-8)
    # And the modulation is there: an echo without a carbon comes back whole.
    bare = transfer(replace(nv, carbon_parallel=0.0, carbon_perpendicular=0.0), echo(rabi, tau), carrier)
    assert abs(found - bare) > 0.02


def test_a_carbon_along_the_axis_is_the_limit_of_one_that_is_turned():
    made = []
    for across in (0.0, 1.0):
        nv = NVWithCarbon(field=(0.0, 0.0, 3e-3), carbon_parallel=700e3, carbon_perpendicular=across)
        start = Gate("laser", 5e-6) + Delay(1e-6)
        pulses = Play("mw", 25e-9, 10e6) + Delay(0.6e-6) + Play("mw", 25e-9, 10e6)
        made.append(transfer(nv, start + pulses, nv.resonance() + 0.3e6))
    assert made[0] == pytest.approx(made[1], abs=1e-8)


def test_both_solvers_agree_with_relaxation_and_noise():
    nv = Polarised(field=(0.0, 0.0, 5e-3), T1=1e-3, Tphi=50e-6, noise_hz=20e3, tau_c=1e-3,
                   carbon_parallel=200e3, carbon_perpendicular=90e3, nitrogen=15, A_parallel=3.03e6,
                   A_perpendicular=3.65e6, quadrupole=0.0)  # fmt: skip
    made = [transfer(nv, echo(10e6, 3e-6), nv.resonance(), solver) for solver in ("batched", "qutip")]
    assert made[0] == pytest.approx(made[1], abs=1e-7)


def test_levels_are_those_of_the_whole_hamiltonian():
    nv = NVWithCarbon(field=(0.0, 0.0, 3e-3), carbon_parallel=400e3, carbon_perpendicular=150e3)
    whole = np.sort(nv.hamiltonian().eigenenergies())
    blocks = np.sort(np.concatenate([block.energies for block in nv.blocks()]))
    np.testing.assert_allclose(blocks - blocks[0], whole - whole[0], atol=TAU * 20)
    assert with_carbon(NVCentre(), 0.0, 0.0) == NVCentre()


def test_the_world_has_a_carbon():
    world = load("worlds", "nv")({"carbon_parallel": 400e3, "carbon_perpendicular": 0.0})
    world.begin(1, None)
    up, down = (block.energies for block in world.centre(0.0).blocks()[:2])
    lines = [(energies[2] - energies[1]) / TAU for energies in (up, down)]
    # The doublet of a coupled carbon: the nucleus keeps its direction, so that the lines differ by the coupling.
    assert abs(lines[0] - lines[1]) == pytest.approx(400e3, abs=1)


def test_experiments_run_beside_a_carbon():
    given = {"tau": qlab.Linear(0, 2e-6, 4), "shots": 2000, "passes": 1}
    truth = {"carbon_parallel": 1.3e6, "carbon_perpendicular": 0.4e6}
    made = [
        whole("sim-nv", "nv.ramsey", 5, truth, solver=s, **given)[0]["counts"] for s in ("batched", "qutip")
    ]
    np.testing.assert_array_equal(*made)
    # Under steady light a carbon that is turned settles too slowly for a line; one that is not shows two.
    lines = {"frequency": qlab.Centre(2.8139e9, 8e6, 9), "shots": 50}
    run, _, _ = whole("sim-nv", "nv.cw_odmr", 5, {"carbon_parallel": 1.3e6}, **lines)
    assert np.asarray(run["counts"]).min() > 0
    with pytest.raises(UsageError, match="settles"):
        whole("sim-nv", "nv.cw_odmr", 5, truth, **lines)
