"""The NV centre: levels (P01, P03), and the engine on it against nine levels computed independently."""

from dataclasses import replace

import numpy as np
import pytest
import qutip as qt

from qlab.errors import UsageError
from qlab.physics.engine import play
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.nv_levels import COUPLINGS
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, SetFrequency, Symbol, compile_program
from qlab.scan import Values
from tests.physics.independent import TAU, NineLevels, lab_frame, lindblad, normal, nv_hamiltonian, nv_jumps

FIELD = (0.0, 0.0, 2e-3)


class Polarised(NVCentre):
    """Starts in m_S = 0, so that no light is needed before the pulses."""

    def blocks(self):
        return tuple(replace(block, initial=np.array([0.0, 1.0, 0.0])) for block in super().blocks())


def transfer(nv, sequence, carrier, **setpoints):
    body = sequence + Align() + Gate("laser", 3e-6) + Acquire("counter", 3e-7, "counts")
    points = {"microwave.frequency": carrier, "laser.power": 1e-3, **setpoints}
    return play(nv, compile_program(Program(body, setpoints=points))).transfer()


def test_p01_lines_in_a_field_across_the_axis():
    angle = np.arccos(1 / np.sqrt(3))
    field = (5e-3 * np.sin(angle), 0.0, 5e-3 * np.cos(angle))
    nv = NVCentre(field=field, A_parallel=0.0, A_perpendicular=0.0, quadrupole=0.0)
    assert nv.resonance(-1) / 1e6 == pytest.approx(2795.9549, abs=1e-3)
    assert nv.resonance(+1) / 1e6 == pytest.approx(2957.72205, abs=1e-3)
    energy = np.linalg.eigvalsh(nv_hamiltonian(field))
    assert (
        np.abs(np.sort(np.linalg.eigvalsh(NVCentre(field=field).hamiltonian().full())) - energy).max() < 1e-3
    )


def test_p03_hyperfine_triplet():
    nv = NVCentre(field=FIELD)
    lines = [nv.transition(-1, m) / 1e6 for m in (1, 0, -1)]
    assert lines == pytest.approx([2816.08508, 2813.94767, 2811.80259], abs=1e-3)
    assert nv.hyperfine() == pytest.approx((lines[0] - lines[2]) / 2 * 1e6)


PULSES = {
    "rabi": lambda t: [(t, 10e6, 0.0)],
    "weak": lambda t: [(1e-6, 0.5e6, 0.0)],
    "ramsey": lambda t: [(25e-9, 10e6, 0.0), (t, 0.0, 0.0), (25e-9, 10e6, TAU * 4e6 * t)],
    "hahn": lambda t: [(25e-9, 10e6, 0), (t, 0, 0), (50e-9, 10e6, 0.3), (t, 0, 0), (25e-9, 10e6, 1.1)],
}


def as_sequence(steps):
    made = Delay(0.0)
    for duration, rabi, phase in steps:
        made = made + (Play("mw", duration, rabi, phase) if rabi else Delay(duration))
    return made


@pytest.mark.parametrize("kind", PULSES)
@pytest.mark.parametrize("offset", [0.0, -1.3e6, 2.2e6])
def test_the_engine_agrees_with_nine_levels(kind, offset):
    # Exactly where the nucleus keeps its projection; with its transverse coupling up to nuclear flips, which
    # the engine leaves out: (A_perp/D)^2 = 1e-6 for each, and their beat with the electron.
    t1, t_phi = 20e-6, 15e-6
    for a_perp, tolerance in ((0.0, 1e-8), (-2.70e6, 2e-5)):
        nv = Polarised(field=FIELD, A_perpendicular=a_perp, T1=t1, Tphi=t_phi)
        carrier = nv.resonance() + offset
        nine = NineLevels(FIELD, carrier, a_perp=a_perp, t1=t1, t_phi=t_phi)
        for t in (0.0, 0.11e-6, 1.7e-6):
            steps = [(0.0, 0, 0), *PULSES[kind](t)]
            found = transfer(nv, as_sequence(steps), carrier)[0]
            assert found == pytest.approx(1 - nine.bright(steps), abs=tolerance)


@pytest.mark.parametrize("kind", PULSES)
@pytest.mark.parametrize(("strength", "angle"), [(2e-3, 0.3), (2e-3, 1.0), (10e-3, 0.3), (5e-3, 0.7)])
def test_fields_across_the_axis_agree_with_nine_levels(kind, strength, angle):
    # Here the nucleus turns with the electron, which the engine takes into account to first order only.
    field = (strength * np.sin(angle), 0.0, strength * np.cos(angle))
    nv = Polarised(field=field, T1=20e-6, Tphi=15e-6)
    carrier = nv.resonance() - 1.3e6
    nine = NineLevels(field, carrier, t1=20e-6, t_phi=15e-6)
    for t in (0.11e-6, 1.7e-6):
        steps = PULSES[kind](t)
        assert transfer(nv, as_sequence(steps), carrier)[0] == pytest.approx(1 - nine.bright(steps), abs=5e-3)


def test_static_noise_agrees_with_nine_levels():
    sigma = 112.5e3
    nv = Polarised(field=FIELD, A_perpendicular=0.0, noise_hz=sigma)
    carrier = nv.resonance() - 0.4e6
    nine = NineLevels(FIELD, carrier, a_perp=0.0)
    for kind, t in (("weak", 0.0), ("ramsey", 1.3e-6), ("hahn", 1.9e-6)):
        steps = PULSES[kind](t)
        values, weights = normal(TAU * sigma, 41)
        expected = 1 - sum(w * nine.bright(steps, x) for x, w in zip(values, weights, strict=True))
        assert transfer(nv, as_sequence(steps), carrier)[0] == pytest.approx(expected, abs=1e-6)


def test_pulses_and_their_phases_hold_in_the_laboratory_frame():
    # No rotating wave here: signs of detuning, phase and offset, and the Rabi frequency's definition, are tested.
    nv = Polarised(field=FIELD, A_parallel=0.0, A_perpendicular=0.0, quadrupole=0.0)
    carrier, rabi, offset = nv.resonance() + 1.7e6, 5e6, -0.9e6
    length, gap, phase = 50e-9, 140e-9, 0.8
    for shift in (0.0, offset):

        def drive(extra, shift=shift):
            return lambda t: TAU * (carrier + shift) * t + extra

        pulses = [(0, length, rabi, drive(0.0)), (length + gap, 2 * length + gap, rabi, drive(phase))]
        exact = 1 - lab_frame(FIELD[2], pulses, 2 * length + gap)
        body = (
            SetFrequency("mw", shift)
            + Play("mw", length, rabi)
            + Delay(gap)
            + Play("mw", length, rabi, phase)
        )
        body = body + Align() + Gate("laser", 3e-6) + Acquire("counter", 3e-7, "counts")
        made = compile_program(Program(body, setpoints={"microwave.frequency": carrier, "laser.power": 1e-3}))
        found = play(nv, made).transfer()[0]
        assert found == pytest.approx(exact, abs=4e-3)  # Omega/(4 D) of counter-rotating terms


def test_above_the_level_crossing_the_lower_level_is_driven_too():
    nv = Polarised(field=(0.0, 0.0, 0.15), A_perpendicular=0.0)
    assert nv.resonance() < 0
    carrier = abs(nv.transition(-1, 0))
    found = transfer(nv, Play("mw", 1e-6, 0.5e6), carrier)[0]
    assert 1 - found == pytest.approx(1 - 1 / 3, abs=0.06)


def test_levels_that_mix_are_refused():
    for field in ((0, 0, 0), (2e-3, 0, 0), (0, 0, 0.1024), (0.05, 0, 0.08), (0, 0, 1e-9)):
        with pytest.raises(UsageError, match="mix"):
            NVCentre(field=field).blocks()
    for field in ((0, 0, 2e-3), (0, 0, -2e-3), (1e-3, 0, 2e-3), (0, 0, 0.05), (4e-3, 2e-3, 5e-3)):
        NVCentre(field=field).blocks()


def test_cw_rate_agrees_with_the_steady_state_of_nine_levels():
    power, rabi, t1, t_phi = 20e-6, 0.2e6, 5e-3, 5e-3
    nv = NVCentre(field=FIELD, A_perpendicular=0.0, T1=t1, Tphi=t_phi, noise_hz=112.5e3, polarisation=0.95,
                  saturated_rate=4e5, background_rate=2e3, dark_rate=200.0)  # fmt: skip
    frequencies = nv.resonance() + np.array([-6e6, -2.3e6, -0.2e6, 0.05e6, 2.14e6])
    body = Gate("laser", 1.5e-3) + Play("mw", 1.5e-3, rabi) + Delay(0.5e-3, ("counter",))
    body = body + Acquire("counter", 1e-3, "counts")
    carrier = Symbol("f", Values(tuple(frequencies)))
    program = Program(body, setpoints={"microwave.frequency": carrier, "laser.power": power})
    found = play(nv, compile_program(program)).expected("counts") / 1e-3

    share = 0.02 / 1.02
    pump = 5e6 * share
    back = pump * 0.05 / (2 * 0.95)
    light = []
    for f, i, rate in ((1, 0, pump), (1, 2, pump), (0, 1, back), (2, 1, back)):
        c = np.zeros((3, 3))
        c[f, i] = np.sqrt(rate)
        light.append(np.kron(c, np.eye(3)))
    light.append(np.sqrt(2 * 8e7 * share) * np.kron(np.diag([1.0, 0, -1]), np.eye(3)))
    dim = 4e5 * share * np.array([0.65, 1.0, 0.65]) + 2e3 * 0.02
    for k in (0, 2, 4):
        nine = NineLevels(FIELD, frequencies[k], a_perp=0.0)
        rate = 0.0
        # Nothing here mixes the nuclear projections: each is settled alone, with weight 1/3.
        for m in range(3):
            mine = np.arange(3) * 3 + m
            jumps = [c[np.ix_(mine, mine)] for c in (*light, *nv_jumps(t1, t_phi))]
            drive = TAU * rabi / 2 * (nine.raising + nine.raising.conj().T)[np.ix_(mine, mine)]
            for x, w in zip(*normal(TAU * 112.5e3, 41), strict=True):
                h = nine.frame[np.ix_(mine, mine)] + x * np.diag([1.0, 0, -1]) + drive
                generator = lindblad(h, jumps)
                trace = np.eye(3).reshape(-1)[None] * np.abs(generator).max()
                rho = np.linalg.lstsq(
                    np.vstack([generator, trace]), np.eye(10)[-1] * trace.max(), rcond=None
                )[0]
                rate += w * (np.diag(rho.reshape(3, 3, order="F")).real @ dim) / 3
        assert found[k] == pytest.approx(rate + 200.0, rel=1e-7)


def test_t1_decays_every_population_difference():
    nv = Polarised(field=FIELD, T1=1e-3)
    tau = Symbol("tau", Values((0.0, 0.4e-3, 1e-3, 5e-3)))
    found = transfer(nv, Delay(tau), nv.resonance())
    assert found == pytest.approx(2 / 3 * (1 - np.exp(-np.array([0.0, 0.4, 1.0, 5.0]))), abs=1e-7)


def test_decay_times_are_those_of_the_envelopes():
    nv = NVCentre(field=FIELD, T1=5e-3, Tphi=5e-3, noise_hz=112.5e3, tau_c=40e-3)
    assert nv.free_decay_time() == pytest.approx(np.sqrt(2) / (TAU * 112.5e3), rel=2e-3)

    def echo(t):
        x = t / 40e-3
        return (
            (TAU * 112.5e3 * 40e-3) ** 2 * (x - 3 - np.exp(-x) + 4 * np.exp(-x / 2))
            + t / 5e-3
            + 2 * t / 15e-3
        )

    assert echo(nv.echo_decay_time()) == pytest.approx(1, rel=1e-4)


def test_source_power_scales_the_drive_point_by_point():
    nv = Polarised(field=FIELD, A_parallel=0.0, A_perpendicular=0.0, quadrupole=0.0)
    power = Symbol("p", Values((0.0, -20 * np.log10(2), -np.inf)))
    found = transfer(nv, Play("mw", 0.5e-6, 1e6), nv.resonance(), **{"microwave.power": power})
    assert found == pytest.approx([1, 0.5, 0], abs=1e-3)


def test_hostile_centres_are_refused():
    nan, inf = np.nan, np.inf
    wrong = [
        ("T1", -1.0),
        ("T1", nan),
        ("Tphi", 0.0),
        ("tau_c", 0.0),
        ("noise_hz", -1.0),
        ("polarisation", 1.2),
    ]
    wrong += [("saturation_power", 0.0), ("field", (0.0, inf, 0.0)), ("D", nan), ("saturated_rate", inf)]
    for name, value in wrong:
        with pytest.raises(UsageError, match="cannot have"):
            NVCentre(**{name: value})


def test_fifteen_nitrogen_splits_each_line_in_two():
    nv = NVCentre(field=(0.0, 0.0, 5e-3), nitrogen=15, **COUPLINGS[15])
    s, i = qt.spin_J_set(1), qt.spin_J_set(0.5)
    h = 2.87e9 * qt.tensor(s[2] ** 2, qt.qeye(2)) + 28.03e9 * 5e-3 * qt.tensor(s[2], qt.qeye(2))
    h = h + 3.03e6 * qt.tensor(s[2], i[2]) + 3.65e6 * (qt.tensor(s[0], i[0]) + qt.tensor(s[1], i[1]))
    h = h + 4.316e6 * 5e-3 * qt.tensor(qt.qeye(3), i[2])
    levels = h.eigenenergies()  # two of m_S = 0 below two of -1 below two of +1
    assert nv.resonance() == pytest.approx(levels[2:4].mean() - levels[:2].mean(), rel=1e-10)
    assert nv.hyperfine() == pytest.approx(3.03e6, rel=5e-3)
    assert len(nv.blocks()) == 2
    assert sum(block.weight for block in nv.blocks()) == pytest.approx(1)
