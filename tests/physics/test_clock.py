"""Clock formulas, the noise of a free oscillator, and one cycle of the simulated clock against QuTiP."""

import allantools
import numpy as np
import pytest
import qutip as qt

from qlab.physics.oscillator import OscillatorCycles, OscillatorNoise
from qlab.physics.systems.clock import ClockAtoms, dick_limit, projection_noise
from qlab.registry import load

SR = 429.228e12


def test_p15_projection_noise():
    assert projection_noise(SR, 1.0, 0.9, 1e4, 2.0) == pytest.approx(5.8264574e-18, rel=1e-5)


def test_p17_dick_effect_of_white_noise():
    assert dick_limit(1e-30, 0.0, 0.4, 1.0) == pytest.approx(8.66025404e-16, rel=1e-4)


def test_p20_allan_deviations_of_power_laws():
    assert OscillatorNoise(white=2e-28).allan(10) == pytest.approx(3.16227766e-15, rel=1e-5)
    assert OscillatorNoise(flicker=3e-30).allan(10) == pytest.approx(2.03933398e-15, rel=1e-5)
    assert OscillatorNoise(walk=1e-32).allan(10) == pytest.approx(8.11155735e-16, rel=1e-5)
    assert OscillatorNoise(2e-28, 3e-30, 1e-32).allan(10) == pytest.approx(3.84926704e-15, rel=1e-5)


@pytest.mark.parametrize(
    ("noise", "within"),
    [
        (OscillatorNoise(white=2e-28), 0.1),
        (OscillatorNoise(flicker=3e-30), 0.15),
        (OscillatorNoise(walk=1e-32), 0.1),
    ],
)
def test_s3_generated_noise_has_its_allan_deviation(noise, within):
    # Cycles of two unequal stretches, 2^16 of them in all; several oscillators, since one alone scatters more.
    found = []
    for seed in range(6):

        def stream(chunk, seed=seed):
            return np.random.default_rng([seed, chunk])

        made = OscillatorCycles(noise, np.array([0.3, 0.7]), stream)
        y = np.array([made.means(k) for k in range(2**14)]) @ np.array([0.3, 0.7])
        tau, sigma, _, _ = allantools.oadev(y, rate=1.0, data_type="freq", taus=[1, 4, 16, 64, 256])
        found.append(sigma**2)
    expected = [noise.allan(t) for t in tau]
    np.testing.assert_allclose(np.sqrt(np.mean(found, axis=0)), expected, rtol=within)


def test_a_cycle_depends_on_its_number_alone():
    noise = OscillatorNoise(1e-28, 1e-30, 1e-33)
    one, two = (OscillatorCycles(noise, np.array([0.3, 0.7]), np.random.default_rng) for _ in range(2))
    whole = [one.means(k) for k in range(5000)]
    np.testing.assert_array_equal(whole[4321], two.means(4321))


def test_one_cycle_is_that_of_mesolve():
    world = load("worlds", "clock")(
        {"T1": 1.5, "Tphi": 2.5, "contrast": 1.0, "white": 0.0, "flicker": 0.0, "walk": 0.0}
    )
    world.begin(1, None)
    from qlab.pulses import Acquire, Align, Delay, Play, Program, compile_program

    body = Delay(0.5) + Play("mw", 0.05, 5.0, 0.3) + Delay(0.2) + Play("mw", 0.08, 4.0, 1.1) + Align()
    timeline = compile_program(Program(body + Acquire("camera", 0.1, "atoms", "image")))
    offset = 0.6

    def ends(world):
        stretches = world._stretches(timeline)[0]
        return next(iter(world._excited([(stretches, world._detunings(stretches, offset))])))

    ours = ends(world)
    atoms = ClockAtoms(shift=world.hidden.shift, T1=1.5, Tphi=2.5)
    state = qt.fock_dm(2, 1)
    detuning = offset + world.hidden.laser_offset
    for seconds, rabi, phase in ((0.05, 5.0, 0.3), (0.2, 0.0, 0.0), (0.08, 4.0, 1.1)):
        h = atoms.hamiltonian(0.0, detuning)
        h = h + np.pi * rabi * (np.cos(phase) * qt.sigmax() + np.sin(phase) * qt.sigmay())
        jumps = [np.sqrt(1 / 1.5) * qt.sigmam(), np.sqrt(1 / 5.0) * qt.sigmaz()]
        options = {"atol": 1e-12, "rtol": 1e-10, "max_step": seconds / 4}
        state = qt.mesolve(h, state, [0, seconds], jumps, options=options).final_state
    # The closed form lets turning and damping take turns in a pulse: to 1e-4 at most.
    assert ours == pytest.approx(qt.expect(qt.fock_dm(2, 0), state), abs=1e-4)
    world.solver = "qutip"
    assert ends(world) == pytest.approx(qt.expect(qt.fock_dm(2, 0), state), abs=1e-8)
    # Without damping both are exact.
    free = load("worlds", "clock")({"T1": 1e12, "Tphi": 1e12, "white": 0.0, "flicker": 0.0, "walk": 0.0})
    free.begin(1, None)
    batched = ends(free)
    free.solver = "qutip"
    assert batched == pytest.approx(ends(free), abs=1e-7)
