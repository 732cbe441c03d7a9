"""The Mølmer–Sørensen gate and its parity fringe against QuTiP, ion by ion; P21, P23, P24, P29."""

import math

import numpy as np
import pytest
import qutip as qt

from qlab.metrology.limits import dephased_frequency_limits
from qlab.physics.systems.ions import (
    IonChain,
    Look,
    SidebandGate,
    all_down,
    closed_gate,
    depolarised_fisher,
    parity,
    thermal_flop,
)  # fmt: skip

OPTIONS = {"atol": 1e-10, "rtol": 1e-8, "nsteps": 100_000}


def each(operator, ions):
    return [qt.tensor(*[operator if i == k else qt.qeye(2) for i in range(ions)]) for k in range(ions)]


def dicke(ions):
    """Return the symmetric states by ascending Jz."""
    jm = sum(each(qt.sigmap(), ions))
    kets = [qt.tensor(*[qt.basis(2, 1)] * ions)]
    for _ in range(ions):
        kets.append((jm * kets[-1]).unit())
    return kets


def test_the_gate_with_a_warm_and_heating_mode():
    levels, ions = 14, 2
    jx = qt.tensor(sum(each(qt.sigmax(), ions)) / 2, qt.qeye(levels))
    a = qt.tensor(*[qt.qeye(2)] * ions, qt.destroy(levels))
    g, delta, time, heating, thermal = 1.1, 2.0, 2.8, 0.08, 0.2
    h = [
        [g * jx * a, lambda t: np.exp(1j * delta * t)],
        [g * jx * a.dag(), lambda t: np.exp(-1j * delta * t)],
    ]
    rho = qt.tensor(dicke(ions)[0].proj(), qt.thermal_dm(levels, thermal))
    jumps = [math.sqrt(heating) * a, math.sqrt(heating) * a.dag()]
    end = qt.mesolve(h, rho, [0, time], jumps, options=OPTIONS).states[-1].ptrace(range(ions))
    exact = np.array([[x.dag() * end * y for y in dicke(ions)] for x in dicke(ions)])
    mine = all_down(ions).entangled(SidebandGate(g, delta, time, thermal, heating)).rho
    np.testing.assert_allclose(mine, exact, atol=3e-5)  # of the mode's cut-off


@pytest.mark.parametrize("ions", [2, 3, 4, 7, 12])
def test_a_closed_loop_makes_a_ghz_state(ions):
    chain = all_down(ions).entangled(closed_gate(2 * math.pi * 20e3))
    chain = chain if ions % 2 == 0 else chain.turned(math.pi / 2)
    assert chain.rho[0, 0].real == pytest.approx(0.5, abs=1e-9)
    assert abs(chain.rho[0, -1]) == pytest.approx(0.5, abs=1e-9)
    phase = np.linspace(0, 2 * math.pi, 4 * ions + 1)[:-1]
    seen = parity(Look.after(0.0, math.pi / 2, phase, 0.0, 0.0).counts(chain))
    wave = np.abs(np.fft.rfft(seen)) / len(phase) * 2
    assert wave[ions] == pytest.approx(1, abs=1e-9)
    assert wave.sum() - wave[ions] == pytest.approx(0, abs=1e-9)
    # P23: four times the variance of Jz is N^2.
    m = np.arange(ions + 1) - ions / 2
    assert 4 * float(np.diag(chain.rho).real @ m**2) == pytest.approx(ions**2, rel=1e-9)


@pytest.mark.parametrize("start", ["ghz", "product"])
def test_dephasing_decay_and_a_bad_pulse_ion_by_ion(start):
    ions, rate, T1, wait, angle, offset = 3, 0.7, 1.9, 0.8, 1.3, 0.9
    up = {
        "ghz": (dicke(ions)[0] + 1j * dicke(ions)[-1]).unit(),
        "product": (0.35j * math.pi * sum(each(qt.sigmax(), ions))).expm() * dicke(ions)[0],
    }[start]
    jumps = [math.sqrt(rate / 2) * z for z in each(qt.sigmaz(), ions)]
    jumps += [math.sqrt(1 / T1) * d for d in each(qt.sigmam(), ions)]
    h = offset * sum(each(qt.sigmaz(), ions)) / 2
    rho = qt.mesolve(h, up.proj(), [0, wait], jumps, options=OPTIONS).states[-1]
    phase = np.array([0.0, 0.4, 1.7, 3.0, 5.1])
    exact = []
    for f in phase:
        axis = math.cos(f) * sum(each(qt.sigmax(), ions)) + math.sin(f) * sum(each(qt.sigmay(), ions))
        turn = (-0.5j * angle * axis).expm()
        shown = np.real(np.diag((turn * rho * turn.dag()).full()))
        bright = np.array([ions - bin(k).count("1") for k in range(2**ions)])
        counts = np.bincount(bright, weights=shown, minlength=ions + 1)
        miss, false = 0.05, 0.02
        table = np.zeros((ions + 1, ions + 1))
        for j in range(ions + 1):
            for lost in range(j + 1):
                for gained in range(ions - j + 1):
                    chance = math.comb(j, lost) * miss**lost * (1 - miss) ** (j - lost)
                    chance *= math.comb(ions - j, gained) * false**gained * (1 - false) ** (ions - j - gained)
                    table[j, j - lost + gained] += chance
        exact.append(counts @ table)
    amplitudes = np.array([complex(k.dag() * up) for k in dicke(ions)])
    chain = IonChain(ions, np.outer(amplitudes, amplitudes.conj())).phased(offset * wait)
    mine = Look.after(wait, angle, phase, rate, T1).read(0.05, 0.02).counts(chain)
    np.testing.assert_allclose(mine, exact, atol=1e-6)


def test_contrast_falls_as_the_closed_forms_say():
    ions, wait, rate, common = 5, 0.02, 4.0, 9.0
    chain = all_down(ions).entangled(closed_gate(1e5)).turned(math.pi / 2)
    phase = np.linspace(0, 2 * math.pi, 65)[:-1]

    def contrast(miss=0.0, false=0.0, common=0.0, rate=0.0):
        look = Look.after(wait, math.pi / 2, phase, rate, 0.0).read(miss, false)
        return abs(np.fft.rfft(parity(look.counts(chain, common)))[ions]) / 32

    assert contrast(rate=rate) == pytest.approx(math.exp(-ions * rate * wait), rel=1e-6)
    assert contrast(common=common * wait) == pytest.approx(
        math.exp(-((ions * common * wait) ** 2) / 2), rel=1e-6
    )
    assert contrast(miss=0.02, false=0.01) == pytest.approx(0.97**ions, rel=1e-6)
    # A coupling that is a little off twists by a little too much.
    strong = all_down(2).entangled(SidebandGate(0.5 * 1.02e5, 1e5, 2 * math.pi / 1e5))
    assert strong.rho[0, 0].real + strong.rho[2, 2].real == pytest.approx(1.0, abs=1e-9)
    assert 2 * abs(strong.rho[0, 2]) == pytest.approx(math.cos(math.pi / 2 * (1.02**2 - 1)), rel=1e-6)


def test_p21_p24_p29():
    found = dephased_frequency_limits(8, 0.1, 100.0)
    assert found.product == pytest.approx(0.0260685722, rel=1e-8)
    assert (found.time_ghz, found.time_product) == pytest.approx((0.625, 5.0))
    # The same from the fringe itself: the best time of 1/(N C sqrt(T t)).
    times = np.linspace(0.3, 1.2, 901)
    error = np.exp(8 * 0.1 * times) / (8 * np.sqrt(100.0 * times))
    assert error.min() == pytest.approx(found.product, rel=1e-5)
    assert depolarised_fisher(4, 0.8) == pytest.approx(12.4121212, rel=1e-7)
    assert thermal_flop(2 * math.pi * 50e3, 0.1, 5.0, np.array([12e-6]))[0] == pytest.approx(
        0.946245393, abs=1e-8
    )
