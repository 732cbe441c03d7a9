"""The state along a sequence, against QuTiP written out by itself."""

import numpy as np
import pytest
import qutip as qt

from qlab.errors import UsageError
from qlab.physics.path import STATIC, path_of
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.transmon import Transmon
from qlab.pulses import Delay, Play, Program, compile_program

RABI = 8e6
FAST = {"atol": 1e-11, "rtol": 1e-9, "nsteps": 100_000}


def nv(**more):
    return NVCentre(field=(0.0, 0.0, 2e-3), T1=50e-6, Tphi=20e-6, noise_hz=150e3, **more)


def echo(carrier, tau=0.8e-6, phase=0.0):
    half, whole = 1 / (4 * RABI), 1 / (2 * RABI)
    body = Play("mw", half, RABI) + Delay(tau / 2) + Play("mw", whole, RABI, phase) + Delay(tau / 2)
    return Program(body + Play("mw", half, RABI) + Delay(0.2e-6), setpoints={"microwave.frequency": carrier})


def reference(nv, carrier, moments, tau=0.8e-6):
    """Populations (3, n) and <sigma> of the pair 0, -1 (3, n): an average of mesolves over nucleus and detuning."""
    z, w = np.polynomial.hermite_e.hermegauss(8)
    w = w / w.sum()
    up, zero, down = (qt.basis(3, i) for i in range(3))
    half, whole = 1 / (4 * RABI), 1 / (2 * RABI)
    plan = [(half, True), (tau / 2, False), (whole, True), (tau / 2, False), (half, True), (0.2e-6, False)]
    sx = down * zero.dag() + zero * down.dag()
    sy = -1j * down * zero.dag() + 1j * zero * down.dag()
    sz = down * down.dag() - zero * zero.dag()
    jumps = [
        np.sqrt(1 / (3 * nv.T1)) * a * b.dag() for a in (up, zero, down) for b in (up, zero, down) if a != b
    ]
    jumps.append(np.sqrt(2 / nv.Tphi) * (up * up.dag() - down * down.dag()))
    watched = [s * s.dag() for s in (up, zero, down)] + [sx, sy, sz]
    total = np.zeros((6, len(moments)))
    for m_i in (1, 0, -1):
        lower, upper = nv.transition(-1, m_i), nv.transition(1, m_i)
        for node, weight in zip(z, w, strict=True):
            x = 2 * np.pi * nv.noise_hz * node
            still = (2 * np.pi * (lower - carrier) - x) * down * down.dag()
            still += (2 * np.pi * (upper - carrier) + x) * up * up.dag()
            drive = 2 * np.pi * RABI / 2 * (down * zero.dag() + up * zero.dag())
            drive = still + drive + drive.dag()
            state, start = zero * zero.dag(), 0.0
            for seconds, on in plan:
                inside = np.flatnonzero((moments >= start - 1e-15) & (moments < start + seconds - 1e-13))
                times = np.concatenate([[0.0], moments[inside] - start, [seconds]])
                times = np.maximum.accumulate(np.clip(times, 0, seconds))
                scale = 1e6
                l0 = qt.liouvillian((drive if on else still), jumps) / scale
                found = qt.mesolve(
                    l0, state, times * scale, options={**FAST, "max_step": seconds * scale / 2}
                )
                for k, i in enumerate(inside):
                    total[:, i] += weight / 3 * np.real(qt.expect(watched, found.states[k + 1]))
                state, start = found.states[-1], start + seconds
    return total


def test_an_echo_with_hyperfine_lines_and_noise_is_that_of_an_average_of_mesolves():
    made = nv(polarisation=1.0)
    carrier = made.transition(-1, 0) + 0.4e6
    timeline = compile_program(echo(carrier))
    path = path_of(_Polarised(made), timeline)
    chosen = np.array([10, 60, 120, 170, 230, 260])
    found = reference(made, carrier, path.times[chosen])
    np.testing.assert_allclose(path.populations[:, chosen], found[:3], atol=2e-5)
    np.testing.assert_allclose(path.bloch[:, chosen], found[3:], atol=2e-5)
    assert path.names[path.pair[0]] == "mₛ = −1"
    assert not path.note


class _Polarised:
    """An NV centre that begins in mₛ = 0, so that the sequence needs no light."""

    def __init__(self, nv):
        self._nv = nv

    def __getattr__(self, name):
        return getattr(self._nv, name)

    def blocks(self):
        from dataclasses import replace

        return tuple(replace(b, initial=np.array([0.0, 1.0, 0.0])) for b in self._nv.blocks())


def test_a_transmon_without_noise_is_that_of_mesolve():
    made = Transmon(flux=0.2, flux_noise=0.0, T1=3e-6, Tphi=2e-6, excited=0.0)
    carrier = made.qubit_frequency() + 1e6
    body = Play("mw", 30e-9, RABI, 0.3) + Delay(400e-9) + Play("mw", 30e-9, RABI, 1.1)
    timeline = compile_program(Program(body, setpoints={"microwave.frequency": carrier}))
    path = path_of(made, timeline)
    a = qt.destroy(3)
    energies = made.blocks()[0].energies
    still = qt.Qobj(np.diag([energies[k] - 2 * np.pi * k * carrier for k in range(3)]))
    # One jump for each rung; dephasing by the number.
    jumps = [np.sqrt(k / made.T1) * qt.basis(3, k - 1) * qt.basis(3, k).dag() for k in (1, 2)]
    jumps.append(np.sqrt(2 / made.Tphi) * qt.num(3))
    rho = qt.basis(3, 0).proj()
    for seconds, phase in ((30e-9, 0.3), (400e-9, None), (30e-9, 1.1)):
        drive = 0 * a
        if phase is not None:
            raising = 2 * np.pi * RABI / 2 * a.dag() * np.exp(-1j * phase)
            drive = raising + raising.dag()
        h = (still + drive) * 1e-9
        options = {**FAST, "max_step": seconds * 1e9 / 8}
        rho = qt.mesolve(
            h, rho, [0, seconds * 1e9], [c * 10**-4.5 for c in jumps], options=options
        ).final_state
    end = rho.full()
    np.testing.assert_allclose(path.populations[:, -1], np.diag(end).real, atol=1e-6)
    x, y = 2 * end[1, 0].real, -2 * end[1, 0].imag
    np.testing.assert_allclose(path.bloch[:2, -1], [x, y], atol=1e-6)


def test_a_pulse_turns_about_the_axis_of_its_phase():
    made = Transmon(flux=0.0, flux_noise=0.0, excited=0.0)
    for phase in (0.0, np.pi / 2, 1.0):
        body = Play("mw", 1 / (4 * RABI), RABI, phase) + Delay(0.0)
        program = Program(body, setpoints={"microwave.frequency": made.qubit_frequency()})
        x, y, z = path_of(made, compile_program(program)).bloch[:, -1]
        # From -z about (cos, sin, 0): to (sin, -cos)... the cross product of the axis and -z.
        turned = np.cross([np.cos(phase), np.sin(phase), 0], [0, 0, -1])
        np.testing.assert_allclose([x, y], turned[:2], atol=0.1)
        assert abs(z) < 0.1


def test_many_free_intervals_take_the_noise_as_constant():
    made = nv()
    carrier = made.transition(-1, 0)
    body = Play("mw", 1 / (4 * RABI), RABI)
    for _ in range(8):
        body = body + Delay(0.2e-6) + Play("mw", 1 / (2 * RABI), RABI, np.pi / 2) + Delay(0.2e-6)
    timeline = compile_program(Program(body, setpoints={"microwave.frequency": carrier}))
    path = path_of(_Polarised(made), timeline)
    assert path.note == STATIC
    np.testing.assert_allclose(path.populations.sum(axis=0), 1, atol=1e-9)
    # The echoes refocus: the length is back where the noise alone had taken it.
    length = np.hypot(path.bloch[0], path.bloch[1])
    assert length[-1] > 0.7


def test_what_cannot_be_driven_is_said():
    body = Play("laser2", 1e-6, RABI) + Delay(1e-6)
    with pytest.raises(UsageError, match="mw"):
        path_of(nv(), compile_program(Program(body, setpoints={"microwave.frequency": 2.8e9})))
