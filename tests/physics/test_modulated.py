"""Long trains on a timeline under tones, against a mesolve written on its own, the exact player, and trajectories."""

import numpy as np
import pytest
import qutip as qt

from qlab.physics import engine, modulated
from qlab.physics.engine import play
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.nv_levels import COUPLINGS
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, Repeat, compile_program
from qlab.scan import Linear, Values

TAU = 2 * np.pi
GAMMA = 28.03e9
BARE = {"A_parallel": 0.0, "A_perpendicular": 0.0, "quadrupole": 0.0}
XY8 = (0, 1, 0, 1, 1, 0, 1, 0)


def program(tau, repeats=1, rabi=10e6, carrier=2.8139e9, end=0.0, phases=XY8, **generator):
    """A train of XY8 (or other phases, in quarter turns) between light, in pieces of `tau` around each pulse."""
    pulse = 1 / (2 * rabi)
    around = Delay(tau / 2 - pulse / 2)
    body = Align()
    for quarter in phases:
        body = body + around + Play("mw", pulse, rabi, quarter * np.pi / 2) + around
    ends = [Play("mw", pulse / 2, rabi, phase) for phase in (0.0, end)]
    return Program(
        Gate("laser", 30e-6) + Delay(1e-6) + ends[0] + Repeat(repeats, body.operations) + Align() + ends[1] + Align()
        + Gate("laser", 3e-6) + Acquire("counter", 300e-9, "counts"),
        setpoints={"laser.power": 1e-3, "microwave.frequency": carrier, "generator.on": 1.0,
                   **{f"generator.{name}": value for name, value in generator.items()}},
    )  # fmt: skip


def by_hand(system, tau, rabi, carrier, end, amplitude, frequency, phase):
    """m_S = 0 lost in one XY8, in QuTiP alone: spin 1 in the frame of the carrier, one ODE for each piece."""
    up, low = system.D + GAMMA * system.field[2] - carrier, system.D - GAMMA * system.field[2] - carrier
    plus, zero, minus = (qt.basis(3, i) for i in range(3))
    h0 = TAU * (up * plus.proj() + low * minus.proj())
    sz = plus.proj() - minus.proj()
    rates = 1 / (3 * system.T1)
    hops = [
        np.sqrt(rates) * a * b.dag() for a in (plus, zero, minus) for b in (plus, zero, minus) if a is not b
    ]
    jumps = [*hops, np.sqrt(2 / system.Tphi) * sz]
    pulse = 1 / (2 * rabi)
    pieces = [(pulse / 2, 0.0)]
    for quarter in XY8:
        pieces += [(tau / 2 - pulse / 2, None), (pulse, quarter * np.pi / 2), (tau / 2 - pulse / 2, None)]
    pieces.append((pulse / 2, end))
    # The light leaves m_S = 0; the wait of 1 us after it mixes the levels at once.
    state = qt.mesolve(0 * sz, zero.proj(), [0, 1e-6], c_ops=jumps, options={"atol": 1e-13}).states[-1]
    now = 31e-6
    for seconds, angle in pieces:
        h = h0
        if angle is not None:
            raising = np.exp(-1j * angle) * (plus + minus) * zero.dag()
            h = h0 + TAU * rabi / 2 * (raising + raising.dag())

        def wave(t, start=now):
            return TAU * GAMMA * amplitude * np.cos(TAU * frequency * (start + t) + phase)

        state = qt.mesolve([h, [sz, wave]], state, [0, seconds], c_ops=jumps, options={
            "atol": 1e-12, "rtol": 1e-10, "max_step": seconds / 4, "nsteps": 10**7}).states[-1]  # fmt: skip
        now += seconds
    return 1 - float((zero.proj() * state).tr().real)


@pytest.mark.parametrize(("amplitude", "close"), [(0.0, 1e-7), (0.3e-6, 2e-7), (4e-6, 1e-4)])
def test_a_train_is_what_a_mesolve_written_on_its_own_gives(amplitude, close):
    # Kicks in a pulse are right to first order in what the signal does there, and miss about a tenth of its square.
    system = NVCentre(field=(0, 0, 2e-3), T1=60e-6, Tphi=40e-6, polarisation=1.0, pump_rate=1e12, **BARE)
    carrier = system.D - GAMMA * 2e-3 + 0.6e6
    for tau in (0.47e-6, 0.55e-6):
        asked = {"amplitude": amplitude, "frequency": 0.93e6, "phase": 0.7}
        seen = play(system, compile_program(program(tau, carrier=carrier, end=1.2, **asked))).transfer()[0]
        assert seen == pytest.approx(
            by_hand(system, tau, 10e6, carrier, 1.2, amplitude, 0.93e6, 0.7), abs=close
        )
        assert 0.02 < seen < 0.98


def test_few_pulses_without_tones_are_the_exact_players(monkeypatch):
    system = NVCentre(field=(0, 0, 2e-3), T1=5e-3, Tphi=100e-6, noise_hz=60e3, tau_c=300e-6)
    timeline = compile_program(program(Linear(2e-6, 12e-6, 11).symbol("tau"), phases=(0,), end=0.3))
    exact = play(system, timeline).transfer()
    monkeypatch.setattr(modulated, "FEW_PULSES", 1)
    seen = play(system, timeline).transfer()
    # Pulses of 50 ns under 2 MHz of hyperfine splitting leave a few percent on other paths; chi reaches 0.03.
    np.testing.assert_allclose(seen, exact, rtol=0, atol=2e-3)
    still = NVCentre(field=(0, 0, 2e-3), T1=5e-3, Tphi=100e-6, noise_hz=60e3)
    there = play(still, timeline).transfer()
    monkeypatch.setattr(modulated, "FEW_PULSES", 4)
    # The grid of detunings is made for one quantum: what little went through two aliases at the longest tau.
    np.testing.assert_allclose(there, play(still, timeline).transfer(), rtol=0, atol=5e-6)


def test_the_judge_agrees():
    system = NVCentre(
        field=(0, 0, 2e-3), T1=1e-3, Tphi=50e-6, noise_hz=9e3, tau_c=50e-6, nitrogen=15, **COUPLINGS[15]
    )
    asked = {"amplitude": Values((1e-7, 3e-7)).symbol("amplitude"), "frequency": 1.1e6, "phase": 0.4}
    timeline = compile_program(program(0.45e-6, carrier=system.resonance(), end=1.0, phases=XY8[:3], **asked))
    fast, slow = (play(system, timeline, solver) for solver in engine.SOLVERS)
    np.testing.assert_allclose(fast.transfer(), slow.transfer(), rtol=0, atol=1e-7)
    np.testing.assert_allclose(fast.expected("counts"), slow.expected("counts"), rtol=1e-6)


def test_wandering_noise_against_trajectories():
    # A two-level toy with the same pulses under sampled Ornstein-Uhlenbeck noise, 30 ns a step.
    sigma, tau_c, tau, rabi = 80e3, 4e-6, 1.2e-6, 10e6
    system = NVCentre(field=(0, 0, 20.0), D=2.87e12, noise_hz=sigma, tau_c=tau_c, polarisation=1.0, **BARE)
    carrier = system.resonance()
    seen = play(system, compile_program(program(tau, 1, rabi, carrier))).transfer()[0]
    rng = np.random.default_rng(7)
    paths, step = 6000, 10e-9
    x = sigma * TAU * rng.normal(size=paths)
    keep = np.exp(-step / tau_c)
    psi = np.zeros((paths, 2), dtype=complex)
    psi[:, 0] = 1
    pulse = 1 / (2 * rabi)
    pieces = [(pulse / 2, 0.0)]
    for quarter in XY8:
        pieces += [(tau / 2 - pulse / 2, None), (pulse, quarter * np.pi / 2), (tau / 2 - pulse / 2, None)]
    pieces.append((pulse / 2, 0.0))
    for seconds, angle in pieces:
        count = max(1, round(seconds / step))
        dt = seconds / count
        for _ in range(count):
            x = keep ** (dt / step) * x + sigma * TAU * np.sqrt(1 - keep ** (2 * dt / step)) * rng.normal(
                size=paths
            )
            omega = TAU * rabi if angle is not None else 0.0
            hx, hy, hz = omega * np.cos(angle or 0), omega * np.sin(angle or 0), x
            norm = np.sqrt(hx**2 + hy**2 + hz**2)
            c, s = np.cos(norm * dt / 2), np.sin(norm * dt / 2) / np.maximum(norm, 1e-9)
            a, b = psi[:, 0].copy(), psi[:, 1].copy()
            psi[:, 0] = (c - 1j * s * hz) * a - 1j * s * (hx - 1j * hy) * b
            psi[:, 1] = (c + 1j * s * hz) * b - 1j * s * (hx + 1j * hy) * a
    lost = np.abs(psi[:, 1]) ** 2
    assert lost.mean() < 0.97  # the noise is seen
    assert seen == pytest.approx(lost.mean(), abs=4 * lost.std() / np.sqrt(paths) + 1e-3)


@pytest.mark.parametrize("end", [0.0, np.pi / 2])
def test_p11_the_phase_of_a_resonant_signal(end):
    # Everything ideal: no nucleus, pulses of 0.1 ns, the other transition 10 PHz away.
    system = NVCentre(field=(0, 0, 2e5), D=2.87e16, polarisation=1.0, **BARE)
    rabi, tau = 5e9, 0.5e-6
    start = 31e-6 + 1 / (4 * rabi)  # the wave is at its crest where the train begins
    asked = {"amplitude": 100e-9, "frequency": 1e6, "phase": -TAU * 1e6 * start}
    timeline = compile_program(program(tau, 2, rabi, system.resonance(), end + np.pi, **asked))
    kept = 1 - play(system, timeline).transfer()[0]
    expected = {0.0: 0.997990005, np.pi / 2: 1 - 0.544787888}[end]  # m_S = -1: the phase runs backwards
    assert kept == pytest.approx(expected, abs=1e-6)
