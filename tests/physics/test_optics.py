"""The seven-level optical cycle against QuTiP's steadystate and mesolve."""

import numpy as np
import pytest
import qutip as qt

from qlab.physics.systems.optics import EXCITED, OpticalCycle

KR, K47, K57, K71, K72 = 65.9e6, 7.9e6, 53.3e6, 0.98e6, 0.73e6


def written_anew(pump, mixing=0.0):
    def jump(rate, start, end):
        return np.sqrt(rate) * qt.projection(7, end, start)

    made = []
    for k in range(3):
        made += [jump(pump, k, 3 + k), jump(KR, 3 + k, k), jump(K57 if k else K47, 3 + k, 6)]
        made += [jump(K72 if k else K71, 6, k)]
    return made + ([jump(mixing, 0, 1), jump(mixing, 1, 0)] if mixing else [])


@pytest.mark.parametrize("pump", [1e5, 5e6, 8e7])
def test_settled_light(pump):
    for mixing in (0.0, 2e6):
        made = OpticalCycle(mixing=mixing)
        theirs = qt.steadystate(qt.qzero(7), written_anew(pump, mixing), method="direct").diag()
        np.testing.assert_allclose(made.steady(pump), theirs, rtol=0, atol=1e-9)
    assert made.cw_contrast(pump) > 0.01


def test_the_flash_after_switching_on():
    pump, times = 2e7, np.linspace(0, 1e-6, 6)
    for start in (0, 1):
        solved = qt.mesolve(
            qt.qzero(7), qt.fock_dm(7, start), times, written_anew(pump),
            options={"atol": 1e-12, "rtol": 1e-10, "nsteps": 10**6},
        ).states  # fmt: skip
        theirs = [0.005 * KR * sum(state.diag()[k] for k in EXCITED) for state in solved]
        np.testing.assert_allclose(OpticalCycle().response(start, pump, times), theirs, rtol=1e-7, atol=1e-3)


def test_light_polarises_and_reads():
    made = OpticalCycle()
    # Weak light: branching alone, 0.107*0.6 out of m_S = 0 against 0.447*0.4 into it, 0.736 of polarisation; strong
    # light leaves more in the singlet, which falls back with no memory (Robledo et al., NJP 13, 025013 (2011)).
    out, into = K47 / (KR + K47) * 2 * K72, K57 / (KR + K57) * K71
    assert made.polarisation(1e4) == pytest.approx(into / (into + out), abs=2e-3)
    assert 0.5 < made.polarisation(2e7) < made.polarisation(1e6) < 0.75
    # Both start bright: what tells them apart comes with the singlet. Photons of the flash, summed finely.
    times = np.linspace(0, 300e-9, 4001)
    counted = [np.trapezoid(made.response(start, 2e7, times), times) for start in (0, 1)]
    assert made.readout_contrast(2e7, 300e-9) == pytest.approx(1 - counted[1] / counted[0], abs=1e-6)
    # Saturation: photons level off, and contrast of a fixed window passes a best power.
    rate = [float(made.brightness(made.steady(p))) for p in (1e6, 1e7, 1e8, 1e9)]
    assert rate[1] > 4 * rate[0]
    assert rate[3] < 1.3 * rate[2]
    assert (made.hamiltonian()).norm() == 0
    assert len(made.collapse_operators(1e6)) == 12
