"""Collective spins against QuTiP on all N spins and in the Dicke basis, P22, P23, and N = 1000."""

import numpy as np
import pytest
import qutip as qt

from qlab.errors import UsageError
from qlab.physics.collective import coherent, evolved, kitagawa, moments, operators, twisting, wineland
from qlab.physics.ising import twisting_with_local_noise

OPTIONS = {"atol": 1e-13, "rtol": 1e-11, "nsteps": 100_000}


def all_spins(count):
    def on(op, k):
        return qt.tensor([op if i == k else qt.qeye(2) for i in range(count)])

    j = [sum(on(s, k) for k in range(count)) / 2 for s in (qt.sigmax(), qt.sigmay(), qt.sigmaz())]
    return on, j


def judged(count, chi, jumps, times):
    _, (jx, jy, jz) = all_spins(count)
    start = qt.tensor([(qt.basis(2, 0) + qt.basis(2, 1)).unit()] * count)
    seen = [jx, jy, jz, jx * jx, jy * jy, jz * jz]
    seen += [(a * b + b * a) / 2 for a, b in ((jx, jy), (jy, jz), (jz, jx))]
    return qt.mesolve(chi * jz * jz, start, times, jumps, e_ops=seen, options=OPTIONS).expect


@pytest.mark.parametrize("count", [1, 2, 4])
def test_collective_dephasing(count):
    times = np.array([0.0, 0.3, 0.9])
    _, (_, _, jz) = all_spins(count)
    exact = judged(count, 1.3, [np.sqrt(0.3) * jz], times)
    for found, value in zip(vars(twisting(count, times, 1.3, dephasing=0.3)).values(), exact, strict=True):
        assert found == pytest.approx(value, abs=1e-8)


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize(("dephasing", "down", "up"), [(0.2, 0.35, 0.15), (0.0, 0.6, 0.0), (0.4, 0.0, 0.0)])
def test_local_noise(count, dephasing, down, up):
    on, _ = all_spins(count)
    times = np.array([0.0, 0.4, 1.1])
    jumps = []
    for k in range(count):
        jumps += [np.sqrt(dephasing) / 2 * on(qt.sigmaz(), k), np.sqrt(down) * on(qt.sigmam(), k)]
        jumps += [np.sqrt(up) * on(qt.sigmap(), k)]
    exact = judged(count, 0.8, jumps, times)
    found = twisting_with_local_noise(count, times, 0.8, dephasing=dephasing, down=down, up=up)
    for value, right in zip(vars(found).values(), exact, strict=True):
        assert value == pytest.approx(right, abs=1e-8)


def test_p22_optimum_of_one_axis_twisting():
    times = np.linspace(0.13, 0.14, 4001)
    seen = wineland(20, twisting(20, times, 1.0))
    best = int(np.argmin(seen))
    assert seen[best] == pytest.approx(0.197896569, rel=1e-7)
    assert times[best] == pytest.approx(0.134157366, rel=1e-4)
    there = twisting(20, times[best : best + 1], 1.0)
    assert kitagawa(20, there)[0] == pytest.approx(0.140435456, rel=1e-4)


def test_p23_fisher_information_of_reference_states():
    def information(psi, axis):
        seen = moments(psi)
        variance = {"z": seen.zz - seen.z**2, "x": seen.xx - seen.x**2}[axis]
        return 4 * float(variance)

    ghz, dicke = np.zeros(13, dtype=complex), np.zeros(13, dtype=complex)
    ghz[[0, -1]], dicke[6] = np.sqrt(0.5), 1
    assert information(coherent(12, np.pi / 2, 0.0), "z") == pytest.approx(12, rel=1e-10)
    assert information(ghz, "z") == pytest.approx(144, rel=1e-10)
    assert information(dicke, "x") == pytest.approx(84, rel=1e-10)


def test_coherent_states_point_where_they_should():
    for polar, azimuth in ((0.0, 0.0), (np.pi, 0.4), (0.7, 1.9), (2.5, -1.0)):
        seen = moments(coherent(1000, polar, azimuth))
        along = [np.sin(polar) * np.cos(azimuth), np.sin(polar) * np.sin(azimuth), np.cos(polar)]
        assert [seen.x, seen.y, seen.z] == pytest.approx(500 * np.array(along), abs=1e-8)
        assert wineland(1000, seen) == pytest.approx(1, rel=1e-8)


def test_even_times_and_odd_ones_agree_with_sesolve():
    jz = qt.jmat(10, "z")
    start = qt.spin_coherent(10, 0.9, 0.4)
    for times in (np.linspace(0.1, 0.9, 40), np.sort(np.random.default_rng(1).random(40))):
        exact = qt.sesolve(jz**2, start, np.concatenate([[0], times]),
                           e_ops=[qt.jmat(10, "x"), qt.jmat(10, "y") ** 2], options=OPTIONS).expect  # fmt: skip
        found = twisting(20, times, 1.0, start=start.full()[:, 0])
        assert found.x == pytest.approx(exact[0][1:], abs=1e-6)
        assert found.yy == pytest.approx(exact[1][1:], abs=1e-6)


def test_two_axis_twisting_at_a_thousand_spins():
    _, jy, jz = operators(1000)
    seen = moments(evolved(jy @ jz + jz @ jy, coherent(1000, np.pi / 2, 0.0), 3.2e-3))
    best = wineland(1000, twisting(1000, np.linspace(5e-3, 2e-2, 100), 1.0)).min()
    assert wineland(1000, seen) < best / 2
    assert seen.xx + seen.yy + seen.zz == pytest.approx(500 * 501, rel=1e-10)
    small = evolved(sum(op @ op for op in operators(6)[:1]), coherent(6, 0.5, 0.3), 0.7)
    exact = (-0.7j * qt.jmat(3, "x") ** 2).expm().full() @ coherent(6, 0.5, 0.3)
    assert np.abs(small - exact).max() < 1e-12


def test_hostile_spins():
    for spins in (0, -3, 2.5):
        with pytest.raises(UsageError, match="spins"):
            twisting(spins, np.zeros(1), 1.0)
        with pytest.raises(UsageError, match="spins"):
            twisting_with_local_noise(spins, np.zeros(1), 1.0)
    with pytest.raises(UsageError, match="finite"):
        twisting(4, np.array([np.nan]), 1.0)
    with pytest.raises(UsageError, match="finite"):
        twisting_with_local_noise(4, np.ones(1), 1.0, down=-1.0)
    with pytest.raises(UsageError, match="N \\+ 1"):
        twisting(4, np.ones(1), 1.0, start=np.ones(4))
    with pytest.raises(UsageError, match="not Hermitian"):
        evolved(1j * operators(4)[0], coherent(4, 0.1, 0.0), 1.0)
    with pytest.raises(UsageError, match="vanishes"):
        wineland(4, moments(np.array([0, 0, 1, 0, 0], dtype=complex)))
