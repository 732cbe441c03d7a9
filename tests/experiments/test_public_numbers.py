"""Public numbers of clocks and squeezing, through the models of the experiments themselves."""

import math

import numpy as np
import pytest
import qutip as qt

import qlab
from qlab.physics.systems.clock import ClockAtoms
from qlab.registry import load


def read(name, **given):
    return load("experiments", name).read(given)


def servo(dark, dead):
    """Return a lock whose π/2 pulses are too short to count."""
    return read(
        "clock.servo", nominal=429.228e12, dark_time=dark, half_pi=1e-9, load_time=dead, detect_time=1e-9
    )


def test_p15_projection_noise_of_the_lock():
    shown = servo(1.0, 1.0).model({"contrast": 0.9, "atoms": 1e4, "white": 0.0, "flicker": 0.0})
    assert shown["projection"] == pytest.approx(5.8264574e-18, rel=1e-5)
    assert shown["total"] == shown["projection"]


def test_p17_dick_effect_of_the_lock():
    shown = servo(0.4, 0.6).model({"contrast": 0.9, "atoms": 1e4, "white": 1e-30, "flicker": 0.0})
    assert shown["dick"] == pytest.approx(8.66025404e-16, rel=1e-4)


def test_p16_width_of_the_clock_line():
    experiment = read("clock.rabi", pulse=1.0, offset=qlab.Linear(-0.6, 0.6, 2401))
    offset, seen = experiment.parameters.offset.values(), experiment.model(ClockAtoms())["excitation"]
    above = offset[seen >= seen.max() / 2]
    assert seen.max() == pytest.approx(1, abs=1e-6)
    assert np.ptp(above) == pytest.approx(0.798685355, abs=1e-3)  # half a step at each end


def test_p22_optimum_of_the_squeezing():
    # The analysis angle is that of the asked rate, which is the true one here.
    times = np.linspace(0.120, 0.148, 281) / (2 * math.pi)
    experiment = read(
        "atom.squeezing", atoms=20, asked_chi=1.0, dephasing=0.0, twist_time=qlab.Values(tuple(times))
    )
    shown = experiment.model({"chi": 1.0, "detection_noise": 0.0, "dephasing": 0.0})["squeezing"]
    assert shown.min() == pytest.approx(-7.03561734, abs=1e-3)
    assert 2 * math.pi * times[int(np.argmin(shown))] == pytest.approx(0.134157366, rel=1e-3)


@pytest.mark.parametrize("rate", [0.0, 2.0, 8.0])
def test_dephasing_takes_from_the_squeezing_what_mesolve_says(rate):
    atoms, seconds = 20, 0.02
    experiment = read("atom.squeezing", atoms=atoms, asked_chi=1.0, twist_time=qlab.Values((seconds,)))
    shown = experiment.model({"chi": 1.0, "detection_noise": 0.0, "dephasing": rate})["squeezing"][0]
    jx, jy, jz = qt.jmat(atoms / 2)
    along_x = qt.spin_coherent(atoms / 2, math.pi / 2, 0.0)
    options = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 10**6}

    def after(shaken):
        jumps = [math.sqrt(2 * shaken) * jz] if shaken else []
        return qt.mesolve(
            2 * math.pi * jz * jz, qt.ket2dm(along_x), [0, seconds], jumps, options=options
        ).states[-1]

    def gain(state, angle):
        turned = math.cos(angle) * jz + math.sin(angle) * jy
        return 10 * math.log10(atoms * qt.variance(turned, state) / qt.expect(jx, state) ** 2)

    # The quadrature is that which is quietest without dephasing.
    clean, angles = after(0.0), np.linspace(0, math.pi, 20001)
    yy, zz, yz = (qt.expect(op, clean) for op in (jy * jy, jz * jz, jy * jz + jz * jy))
    noise = np.cos(angles) ** 2 * zz + np.sin(angles) ** 2 * yy + np.cos(angles) * np.sin(angles) * yz
    assert shown == pytest.approx(gain(after(rate), angles[int(np.argmin(noise))]), abs=2e-3)
