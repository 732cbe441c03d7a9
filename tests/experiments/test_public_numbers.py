"""Public numbers through the models of the experiments themselves: what a user computes, not what a library can."""

import math

import numpy as np
import pytest
import qutip as qt

import qlab
from qlab.fits import fit_curve, load_model
from qlab.physics.constants import TWO_PI
from qlab.physics.systems.clock import ClockAtoms
from qlab.physics.systems.custom import UserSystem
from qlab.physics.systems.pairs import PhotonPairs, spectral_width
from qlab.physics.systems.transmon import Transmon
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


def test_p21_p23_entangled_ions():
    # P21: N = 8, 0.1 1/s; the limit is that of one second, and there are 100 of them.
    ions = read("ion.ghz", ions=8).model({"dephasing": 0.1})
    assert (ions["limit"] / 10, ions["best_time_ghz"], ions["best_time_product"]) == pytest.approx(
        (0.0260685722, 0.625, 5.0), rel=1e-6
    )
    # P23: N^2 of a GHZ state and N of a product state of 12, seen in the fringes of both.
    twelve = read("ion.ghz", ions=12, wait=0.0).model({})
    assert twelve["fisher"] == pytest.approx(144, rel=1e-6)
    assert twelve["product_fisher"] == pytest.approx(12, rel=1e-6)


def information(initial, generator, measure=None):
    """Return both informations on an angle about `generator`, by `metrology.fisher` on a system of one's own."""
    size = generator.shape[0]
    system = UserSystem(
        H0=qt.qzero(generator.dims[0]), terms={"angle": generator}, parameters={"angle": 0.0}, initial=initial,
        measure=qt.ket2dm(qt.basis(size, 0)) if measure is None else measure,
    )  # fmt: skip
    shown = read("metrology.fisher", parameter="angle", duration=qlab.Values((1.0,))).model(system)
    return shown["quantum_information"][0], shown["information"][0]


def test_p23_p24_p34_of_states_of_ones_own():
    jx, _, jz = qt.jmat(6)
    dicke = qt.basis(13, 6)  # P23
    assert information(dicke, jx)[0] == pytest.approx(84, rel=1e-6)
    assert information(qt.spin_coherent(6, np.pi / 2, 0), jz)[0] == pytest.approx(12, rel=1e-6)
    # P24: four ions, one by one; a share of 0.8 of a GHZ state in white noise.
    four = [qt.basis([2] * 4, [k] * 4) for k in (0, 1)]
    whole = 0.8 * qt.ket2dm((four[0] + four[1]).unit()) + 0.2 * qt.qeye([2] * 4) / 16
    about = sum(qt.tensor([qt.sigmaz() / 2 if k == i else qt.qeye(2) for k in range(4)]) for i in range(4))
    seen = information(whole, about, measure=qt.ket2dm(four[0]))
    assert seen[0] == pytest.approx(12.4121212, rel=1e-6)
    # P34: the image of two spots of width 1 is the mode 0 of Hermite and Gauss, moved to either side by half the
    # separation; counting photons in that mode (SPADE) has 1/4 where the spots are closest, and none have more.
    side = qt.tensor(qt.sigmaz(), (qt.destroy(16) - qt.create(16)) / 4j)
    start = qt.tensor(qt.qeye(2) / 2, qt.ket2dm(qt.basis(16, 0)))
    near = (
        qt.tensor(qt.basis(2, 0), qt.coherent(16, 0.0025)),
        qt.tensor(qt.basis(2, 1), qt.coherent(16, -0.0025)),
    )
    moved = (qt.ket2dm(near[0]) + qt.ket2dm(near[1])) / 2
    sorted_modes = qt.tensor(qt.qeye(2), qt.ket2dm(qt.basis(16, 0)))
    quantum, counted = information(moved, side, sorted_modes)
    assert (quantum, counted) == pytest.approx((0.25, 0.25), rel=1e-4)
    assert information(start, side, sorted_modes)[0] == pytest.approx(0.25, rel=1e-4)


def test_p25_p26_falling_atoms():
    fall = read("atom.gravimeter", pulse=1e-9, nominal=9.80665)
    seen = fall.model({"atoms": 1e6, "contrast": 0.5})
    assert (seen["k"], seen["phase"], seen["projection"]) == pytest.approx(
        (16105751, 1579434.63, 1.24179245e-08), rel=1e-6
    )
    assert fall.parameters.resting / 1e6 == pytest.approx(25.1374828, rel=1e-7)
    short = read("atom.gravimeter", pulse=1e-12, T=0.05)
    assert short.model({"frequency": 13.0})["transfer"] == pytest.approx(10.084248029589881, rel=1e-6)


def test_p28_field_of_a_splitting():
    assert read("atom.rydberg").model({"splitting": 10e6})["field"] == pytest.approx(0.541430551, rel=1e-7)


class Motion:
    """One ion on a thermal mode, on resonance with its carrier (0), red (-1) or blue (1) sideband: each number of
    phonons is a two-level system, driven as QuTiP's displacement operator says.
    """

    def __init__(self, eta, quanta, sideband=0, most=160):
        # A displacement of a cut oscillator is wrong near its last level.
        shift = qt.displace(most + 40, 1j * eta).full()
        self.systems, self.weights = [], []
        for n in range(most):
            reached = n + sideband
            strength = abs(shift[reached, n]) if reached >= 0 else 0.0
            down, up = qt.basis(2, 0), qt.basis(2, 1)
            self.systems.append(
                UserSystem(H0=qt.qzero(2), drives={"mw": strength * up * down.dag()}, initial=down,
                           measure=qt.ket2dm(up))
            )  # fmt: skip
            self.weights.append((quanta / (quanta + 1)) ** n / (quanta + 1))

    def probability(self, timeline):
        return sum(w * s.probability(timeline) for w, s in zip(self.weights, self.systems, strict=True))


def flop(seconds, *motion):
    pulse = read("custom.rabi", rabi_frequency=50e3, duration=qlab.Values((seconds,)))
    return pulse.model(Motion(*motion))["share"][0]


def test_p29_thermal_carrier_flop():
    assert flop(12e-6, 0.1, 5.0) == pytest.approx(0.946245393, abs=1e-6)


def test_p30_sideband_thermometry():
    # Of a thermal state the ratio of the sidebands is n/(n + 1) after any pulse.
    for seconds in (10e-6, 60e-6):
        red, blue = (flop(seconds, 0.1, 0.53846154, side, 40) for side in (-1, 1))
        ratio = red / blue
        assert ratio == pytest.approx(0.35, rel=1e-6)
        assert ratio / (1 - ratio) == pytest.approx(0.5384615384615384, rel=1e-6)


def test_p31_p32_light():
    noon = read("photon.mach_zehnder", photons=3.0)
    assert noon.model({"arm_a": 0.8, "arm_b": 1.0, "spread": 0.0})["quantum_fisher"] == pytest.approx(
        6.0952381, rel=1e-7
    )
    assert noon.model({"arm_a": 0.8, "arm_b": 0.8})["quantum_fisher"] == pytest.approx(4.608, rel=1e-7)
    # P32: r = 1 is 8.686 dB; the steepest point of the difference is at pi/2.
    bright = read(
        "photon.mach_zehnder", light="squeezed", photons=100.0, squeezing=20 / math.log(10), readout="difference",
        phase=qlab.Values((math.pi / 2,)), dark_rate=0.0,
    ).model({"arm_a": 1.0, "arm_b": 1.0, "spread": 0.0})  # fmt: skip
    assert bright["quantum_fisher"] == pytest.approx(740.286708, rel=1e-6)
    assert bright["resolution"][0] == pytest.approx(0.0391603011, rel=1e-6)


def test_p33_the_dip_of_a_filter():
    dip = read("photon.hom").model(PhotonPairs(sigma=spectral_width(810e-9, 3e-9)))
    assert (dip["sigma"] / 1e12, dip["fwhm"] * 1e15) == pytest.approx((3.65758194, 455.248645), rel=1e-6)


def test_p35_frequency_of_a_transmon():
    # Driven where the check has the qubit, the fringe runs as fast as it is programmed to.
    made = Transmon(EJ=15e9, EC=0.25e9, coupling=0.0, T1=1e-3, Tphi=1e-3)
    experiment = read("transmon.ramsey", microwave_frequency=5.21416357e9, fringe_frequency=1e6)
    shown, tau = experiment.model(made)["excited"], experiment.parameters.tau.values()
    fit = fit_curve(load_model(experiment.fit, experiment.fit_context()), tau, shown, np.full(len(tau), 1e-3))
    assert fit.values["frequency"] == pytest.approx(1e6, abs=1e4)
    assert made.anharmonicity() == pytest.approx(-0.282935431e9, abs=1e4)


def test_p36_p38_limits_of_a_readout():
    made = read("transmon.readout", linewidth=1e6).model(
        {"coupling": 100e6, "detuning": -1.5e9, "anharmonicity": -250e6}
    )
    assert made["shift"] == pytest.approx(-0.952380952e6, rel=1e-6)
    assert made["critical_photons"] == pytest.approx(56.25, rel=1e-6)
    assert made["purcell_time"] == pytest.approx(35.8098622e-6, rel=1e-5)
    # P38: so fast a resonator that its ring-up does not count; sigma of the mean field is 1/(2 sqrt(kappa T)).
    kappa, window = TWO_PI * 1e12, 1e-6
    apart = {"separation": 4.0 / (2 * math.sqrt(kappa * window)), "T1": 1e9, "preparation": 0.0}
    shown = read("transmon.readout", linewidth=1e12, shift=0.36e12, window=qlab.Values((window,))).model(
        apart
    )
    assert shown["error"][0] == pytest.approx(0.0227501319, rel=1e-5)
