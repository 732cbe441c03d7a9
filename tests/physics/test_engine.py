"""The engine against closed forms (P05, P06, P10, P12, P37, P48), sampled noise, and hostile input."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.physics.engine import play
from qlab.physics.levels import Block
from qlab.physics.noise import normal_nodes, ou_phase_covariance, slow_drift
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, SetFrequency, Symbol, compile_program
from qlab.scan import Linear, Values
from tests.physics.independent import ou_paths, rotate
from tests.physics.toys import Toy, read_out

TAU = 2 * np.pi
# A pulse of one picosecond, the shortest that a timeline knows, is nearly instantaneous.
PS = 1e-12


def ideal(angle, phase=0.0, length=PS):
    return Play("mw", length, angle / (TAU * length), phase)


def test_p05_detuned_rabi_flop():
    for side in (1, -1):
        toy = Toy(detunings=(side * TAU * 3e6,))
        assert read_out(toy, Play("mw", 130e-9, 5e6)).transfer()[0] == pytest.approx(0.349120099, abs=1e-8)


def test_p06_ramsey_of_a_triplet_with_gaussian_decay():
    toy = Toy(
        detunings=tuple(TAU * (1e6 + m * 2.14e6) for m in (-1, 0, 1)), sigma_detuning=np.sqrt(2) / 1.5e-6
    )
    one, two = (
        read_out(toy, ideal(np.pi / 2, 0.0, t) + Delay(0.7e-6) + ideal(np.pi / 2, 0.0, t)).transfer()[0]
        for t in (PS, 2 * PS)
    )
    # To first order in the pulses' duration, extrapolated to none.
    assert 2 * one - two == pytest.approx(0.541417401, abs=1e-6)


def test_p10_ornstein_uhlenbeck_exponents():
    toy = Toy(sigma_detuning=0.2e6, tau_c=5e-6)
    ramsey = read_out(toy, ideal(np.pi / 2) + Delay(8e-6) + ideal(np.pi / 2)).transfer()[0]
    hahn = read_out(
        toy, ideal(np.pi / 2) + Delay(4e-6) + ideal(np.pi) + Delay(4e-6) + ideal(np.pi / 2)
    ).transfer()[0]
    assert 2 * ramsey - 1 == pytest.approx(0.448477611, abs=1e-5)
    assert 1 - 2 * hahn == pytest.approx(0.822489684, abs=1e-5)


def test_p12_relaxation_of_a_spin_one():
    single, double = 60.0, 117.0
    jumps = np.zeros((6, 3, 3), dtype=complex)
    hops = [(0, 1, single), (1, 0, single), (1, 2, single), (2, 1, single), (0, 2, double), (2, 0, double)]
    for jump, (f, i, rate) in zip(jumps, hops, strict=True):
        jump[f, i] = np.sqrt(rate)

    def after(start):
        block = Block(1.0, np.zeros(3), np.array([1, 0, 1]), np.zeros((3, 3), complex), np.array([1, 0, -1]), jumps,
                      np.array(start, dtype=float), np.array([0, 1, 2]))  # fmt: skip
        toy = Toy(blocks_given=(block,), rates=(0.0, 0.0, 0.0))
        return read_out(toy, Delay(3e-3), window=PS).probability[0]

    bright, dark = after([0, 1, 0]), after([0, 0, 1])
    assert bright[1] - bright[2] == pytest.approx(0.582748252, abs=1e-6)
    assert bright[1] == pytest.approx(0.721832168, abs=1e-6)
    assert dark[2] - dark[0] == pytest.approx(0.413954175, abs=1e-6)


def test_p37_coherence_under_relaxation_and_dephasing():
    t1, t_phi = 40e-6, 60e-6
    jumps = (np.array([[0, 0], [1, 0]]) / np.sqrt(t1), np.diag([1, -1]) / np.sqrt(2 * t_phi))
    toy = Toy(jumps=jumps)
    low, high = (
        read_out(toy, ideal(np.pi / 2) + Delay(20e-6) + ideal(np.pi / 2, phase)).transfer()[0]
        for phase in (np.pi, 0.0)
    )
    assert (high - low) / 2 == pytest.approx(0.279017573, abs=1e-6)


def test_p48_no_pulse_is_skipped():
    toy = Toy()
    pulse = Play("mw", 20e-9, 25e6)
    assert read_out(toy, pulse + Delay(50e-6)).transfer()[0] == pytest.approx(1, abs=1e-9)
    assert read_out(toy, pulse + Delay(100e-6) + pulse).transfer()[0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("tau_c", [0.5e-6, 5e-6, 200e-6])
@pytest.mark.parametrize("kind", ["ramsey", "hahn"])
def test_the_noise_average_is_that_of_sampled_paths(kind, tau_c):
    sigma, rabi, detuning, arm = 0.5e6, TAU * 10e6, TAU * 0.2e6, 1.5e-6
    quarter = 25e-9
    phase = 0.7
    toy = Toy(detunings=(detuning,), sigma_detuning=sigma, tau_c=tau_c)
    flip = Play("mw", 2 * quarter, 10e6)
    half, last = Play("mw", quarter, 10e6), Play("mw", quarter, 10e6, phase)
    middle = Delay(arm) + flip + Delay(arm) if kind == "hahn" else Delay(2 * arm)
    found = read_out(toy, half + middle + last).transfer()[0]

    dt, paths = 12.5e-9, 20_000
    free = [(0.0, 0.0)] * round(arm / dt)
    turn = [(rabi, 0.0)] * 2
    steps = [*turn, *free, *(turn * 2 if kind == "hahn" else []), *free, *[(rabi, phase)] * 2]
    x = ou_paths(np.random.default_rng(7), sigma, tau_c, dt, len(steps), paths)
    a, b = np.zeros(paths, dtype=complex), np.ones(paths, dtype=complex)
    for noise, (drive, at) in zip(x, steps, strict=True):
        a, b = rotate(a, b, drive, at, detuning + noise, dt)
    seen = np.abs(a) ** 2
    assert abs(found - seen.mean()) < 4 * seen.std() / np.sqrt(paths)


def test_static_noise_is_exact_even_in_long_weak_pulses():
    sigma = TAU * 0.1e6
    toy = Toy(detunings=(TAU * 0.05e6,), sigma_detuning=sigma)
    z = np.linspace(-8, 8, 4001)
    w = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    detuning = TAU * 0.05e6 + sigma * z
    for seconds, rabi in ((2e-6, 0.25e6), (20e-6, 0.1e6), (200e-6, 0.02e6)):
        a, _ = rotate(0j, 1 + 0j, TAU * rabi, 0.0, detuning, seconds)
        assert read_out(toy, Play("mw", seconds, rabi)).transfer()[0] == pytest.approx(
            w @ np.abs(a) ** 2, abs=1e-8
        )
    for gap in (0.0, 3e-6, 50e-6):
        quarter, rabi = 1e-6, 0.25e6
        a, b = rotate(0j, 1 + 0j, TAU * rabi, 0.0, detuning, quarter)
        a, b = rotate(a, b, 0.0, 0.0, detuning, gap)
        a, b = rotate(a, b, TAU * rabi, 0.4, detuning, quarter)
        sequence = Play("mw", quarter, rabi) + Delay(gap) + Play("mw", quarter, rabi, 0.4)
        assert read_out(toy, sequence).transfer()[0] == pytest.approx(w @ np.abs(a) ** 2, abs=1e-8)


def test_nodes_and_covariances():
    for turn, phases in ((0.03, True), (0.7, False), (2.0, True), (3.9, False), (30.0, False)):
        z, w = normal_nodes(turn, phases=phases)
        assert w @ np.exp(1j * turn * z) == pytest.approx(np.exp(-(turn**2) / 2), abs=1e-9)
    start, stop = np.array([0.0, 0.0, 0.0]), np.array([1e-9, 1e-6, 1.0])
    same = ou_phase_covariance(start, stop, start, stop, 1e-3)
    assert same[0] == pytest.approx(1e-18, rel=1e-6)
    assert same[2] == pytest.approx(2e-6 * (1e3 - 1), rel=1e-9)
    half = stop / 2
    # An echo of slow noise is a cancellation: sigma^2 t^3/(6 tau_c) out of sigma^2 t^2.
    echo = (ou_phase_covariance(start, half, start, half, 40e-3) + ou_phase_covariance(half, stop, half, stop, 40e-3)
            - 2 * ou_phase_covariance(start, half, half, stop, 40e-3))  # fmt: skip
    assert echo[1] == pytest.approx(1e-18 / (6 * 40e-3), rel=1e-3)


def test_slow_drift_walks_one_per_root_second_and_has_no_memory():
    moments = np.array([0.0, 10.0, 110.0, 1010.0])
    walks = np.array([slow_drift(moments, seed, 11) for seed in range(400)])
    assert np.all(walks[:, 0] == 0)
    for k, lapse in ((2, 100.0), (3, 900.0)):
        assert np.std(walks[:, k] - walks[:, k - 1]) == pytest.approx(np.sqrt(lapse), rel=0.15)
    assert slow_drift(np.array([110.0]), 5, 11)[0] == slow_drift(moments, 5, 11)[2]


def test_points_with_their_own_order_of_edges():
    # The window opens before, in, and after the pulse's place: three groups, each as if it were alone.
    places = (0.0, 30e-9, 80e-9)
    wait = Symbol("wait", Values(places))
    body = Delay(wait, ("mw",)) + Play("mw", 20e-9, 10e6) + Gate("laser", 300e-9)
    body = body + Delay(120e-9, ("counter",)) + Acquire("counter", 100e-9, "counts")
    toy = Toy(rates=(1e6, 3e6), dark_rate=1e3)
    together = play(toy, compile_program(Program(body, setpoints={"laser.power": 1.0}))).expected("counts")
    for k, place in enumerate(places):
        alone = Delay(place, ("mw",)) + Play("mw", 20e-9, 10e6) + Gate("laser", 300e-9)
        alone = alone + Delay(120e-9, ("counter",)) + Acquire("counter", 100e-9, "counts")
        single = play(toy, compile_program(Program(alone, setpoints={"laser.power": 1.0})))
        assert together[k] == pytest.approx(single.expected("counts")[0], rel=1e-12)


def test_large_sweeps_are_played_in_parts_that_fit():
    tau = Symbol("tau", Linear(0, 4e-6, 2501))
    toy = Toy(detunings=(TAU * 1e6,), sigma_detuning=1e5)
    whole = read_out(toy, ideal(np.pi / 2) + Delay(tau) + ideal(np.pi / 2)).transfer()
    few = Symbol("tau", Values((0.0, 1.6e-6, 4e-6)))
    some = read_out(toy, ideal(np.pi / 2) + Delay(few) + ideal(np.pi / 2)).transfer()
    assert whole[[0, 1000, 2500]] == pytest.approx(some, abs=1e-12)


def test_zero_and_very_long_durations():
    tau = Symbol("tau", Values((0.0, 1e-6, 1.0, 1e6)))
    jumps = (np.diag([1, -1]) / np.sqrt(2 * 1e-3),)
    toy = Toy(jumps=jumps, sigma_detuning=1e6, tau_c=1e-3)
    found = read_out(toy, ideal(np.pi / 2) + Delay(tau) + ideal(np.pi / 2)).transfer()
    assert found[0] == pytest.approx(1, abs=1e-6)
    assert found[2:] == pytest.approx([0.5, 0.5], abs=1e-9)
    assert read_out(toy, Play("mw", 0.0, 10e6)).transfer()[0] == 0


def test_an_offset_frame_is_a_shifted_carrier():
    toy = Toy(detunings=(TAU * 2e6,))
    offset = (
        SetFrequency("mw", 1.3e6) + Play("mw", 40e-9, 10e6) + Delay(0.9e-6) + Play("mw", 40e-9, 10e6, 0.3)
    )
    plain = Play("mw", 40e-9, 10e6) + Delay(0.9e-6) + Play("mw", 40e-9, 10e6, 0.3)
    shifted = read_out(Toy(detunings=(TAU * 0.7e6,)), plain).transfer()
    assert read_out(toy, offset).transfer() == pytest.approx(shifted, abs=1e-10)


def test_what_the_engine_cannot_play_it_refuses():
    pulse = Play("mw", 20e-9, 10e6)
    read = Align() + Gate("laser", 1e-6) + Acquire("counter", 1e-6, "a")

    def attempt(body, system=None, **setpoints):
        return play(
            system or Toy(), compile_program(Program(body, setpoints={"laser.power": 1.0, **setpoints}))
        )

    with pytest.raises(UsageError, match="settle"):  # a second readout in the same shot
        attempt(pulse + read + Align() + pulse + Align() + Gate("laser", 1e-6) + Acquire("counter", 1e-6, "b"),
                Toy(rates=(1e6, 2e6), jumps=(np.array([[0, 0], [3e3, 0]]),)))  # fmt: skip
    with pytest.raises(UsageError, match="settle"):  # nothing settles at all
        attempt(Play("mw", 1e-6, 1e6) + Delay(0.0) + read + pulse, Toy(rates=(1e6, 2e6)))
    with pytest.raises(UsageError, match="no drive channel but"):
        attempt(pulse + Play("other", 20e-9, 10e6) + read)
    with pytest.raises(UsageError, match="during a pulse"):
        attempt(Play("mw", 2e-6, 0.25e6) + read, Toy(sigma_detuning=1e6, tau_c=1e-6))
    with pytest.raises(UsageError, match="select no resonance"):
        attempt(
            Play("mw", 20e-6, 25e3) + Delay(1e-6) + Play("mw", 20e-6, 25e3) + read, Toy(sigma_detuning=1e6)
        )
    with pytest.raises(UsageError, match="swept"):
        attempt(pulse + read, **{"laser.power": Symbol("p", Values((0.1, 0.2)))})
    for name, value in (("microwave.frequency", np.nan), ("laser.power", np.inf), ("laser.power", -1.0)):
        with pytest.raises(UsageError):
            attempt(pulse + read, **{name: value})
    for amplitude in (np.nan, np.inf, 1e30):
        with pytest.raises(UsageError):
            attempt(Play("mw", 20e-9, amplitude) + read)
