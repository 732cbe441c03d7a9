"""Loss, dephasing, detuning, finite pulses and imperfect detection, switched on in every protocol: closed forms hold.

Each row changes the hidden truth of a bench (or, where said, a setting) and says what that does to a number of the
run: a factor, a difference, or that it grows or falls. What a protocol shows elsewhere, or cannot have, is said too.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
import qutip as qt

import qlab
from qlab.physics.systems.custom import UserSystem
from qlab.registry import load
from tests.experiments.test_metrology import TRANSMON
from tests.experiments.test_sensing import FRINGE
from tests.experiments.whole import whole

EFFECTS = ("loss", "dephasing", "detuning", "pulses", "detection")
BENCHES = {
    "nv.xy8": ("sim-nv-ac", FRINGE), "nv.qdyne": ("sim-nv-ac", {"shots": 400_000}), "nv.vector": ("sim-nv-vector", {}),
    "clock.servo": ("sim-clock", {"cycles": 6000}), "ion.ghz": ("sim-ion", {"passes": 5}),
    "atom.squeezing": ("sim-squeezing", {"passes": 8}), "atom.gravimeter": ("sim-atoms", {}),
    "atom.rydberg": ("sim-rydberg", {"detuning": qlab.Linear(-15e6, 15e6, 61)}),
    "photon.mach_zehnder": ("sim-photonics", {}), "photon.hom": ("sim-photonics", {}),
    "transmon.ramsey": ("sim-transmon", {}),
    "transmon.readout": ("sim-transmon", {"window": qlab.Linear(0.2e-6, 4e-6, 12)}),
    "metrology.adaptive_phase": ("sim-transmon", {}), "metrology.fisher": ("sim-nv", {}),
}  # fmt: skip
LIGHT = "test_light_recovery.test_what"
# Where an effect is met by another test, or what the physics has instead.
ELSEWHERE = {
    **{("nv.xy8", effect): "test_sensing.test_what_can_be_switched_on_moves_the_signal_as_it_should"
       for effect in EFFECTS},
    ("atom.gravimeter", "dephasing"): f"{LIGHT}_disturbs_a_bench_shows_in_its_figures",
    ("atom.gravimeter", "pulses"): "test_light_recovery.test_long_pulses_cost_warm_atoms_contrast",
    **{("photon.mach_zehnder", effect): f"{LIGHT}_disturbs_light_moves_it_as_the_closed_forms_say"
       for effect in ("dephasing", "detection")},
    **{("metrology.fisher", effect): "test_switches.test_what_information_is_left" for effect in EFFECTS},
    **{("metrology.adaptive_phase", effect): "test_switches.test_what_an_adaptive_run_loses" for effect in EFFECTS},
}  # fmt: skip
SERVO = {
    "white": 0.0,
    "flicker": 0.0,
    "walk": 0.0,
    "comb_noise": 0.0,
    "atom_fluctuation": 0.0,
    "detection_noise": 0.0,
}
QUIET = {"detection_noise": 0.0, "collective_dephasing": 0.0}


@dataclass(frozen=True)
class Switch:
    """What is switched on and does to `quantity`: times `factor`, plus `shift`, or just up (1) or down (-1)."""

    experiment: str
    effect: str
    quantity: str
    truth: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)
    factor: float = 1.0
    shift: float = 0.0
    sign: int = 0
    before: dict = field(default_factory=dict)  # truth of both runs
    both: dict = field(default_factory=dict)  # settings of both runs


def ringing(error, turn=math.pi):
    """The share that a pulse of `turn` leaves behind whose strength is off by a part `error`."""
    return math.sin(turn / 2 * error) ** 2


TABLE = [
    # A heterodyne line falls with the coherence of one block, T = 16·repeats spacings of 498 ns.
    Switch("nv.qdyne", "loss", "line", {"T1": 30e-6}, sign=-1),
    Switch("nv.qdyne", "dephasing", "line", {"Tphi": 12e-6}, sign=-1),
    Switch("nv.qdyne", "detuning", "frequency", {"D": 2.8702e9}),
    Switch("nv.qdyne", "pulses", "line", {"drive_gain": 1.15}, sign=-1),
    Switch("nv.qdyne", "detection", "line", {"background_rate": 8e5}, sign=-1),
    # Four times fewer emitters: photon noise, twice the error.
    Switch("nv.vector", "loss", "sensitivity_z", {"emitters": 1000.0}, factor=2.0),
    Switch("nv.vector", "dephasing", "fwhm", {"sigma_detuning": 4.5e5}, sign=1),
    Switch("nv.vector", "detuning", "D", {"D": 2.8703e9}, shift=3e5),
    Switch("nv.vector", "pulses", "fwhm", {"drive_gain": 1.5}, sign=1),  # continuous: a stronger drive broadens
    Switch("nv.vector", "detection", "contrast_1", {"background_rate": 3e7}, sign=-1),
    Switch("clock.servo", "loss", "stability", {"atoms": 1250}, factor=2.0, before=SERVO),
    Switch("clock.servo", "dephasing", "stability", {"contrast": 0.425}, {"contrast": 0.425}, factor=2.0, before=SERVO),
    Switch("clock.servo", "detuning", "frequency", {"laser_offset": 0.6}, before=SERVO),
    # Pulses of finite length count with 4/π of each in T: σ goes as √Tc/T.
    Switch("clock.servo", "pulses", "stability", {}, {"half_pi": 0.1, "dark_time": 0.05}, before=SERVO,
           factor=(0.29 + 0.02 / math.pi) / (0.05 + 0.4 / math.pi) * math.sqrt(1.05 / 1.1)),
    # Shares scatter by 1/4N of projection and s²/2N² of the camera.
    Switch("clock.servo", "detection", "stability", {"detection_noise": 100.0}, before=SERVO,
           factor=math.sqrt((0.25 / 5000 + 100**2 / 5000**2 / 2) / (0.25 / 5000))),
    # A coherence of four ions loses with the decay of each during the wait.
    Switch("ion.ghz", "loss", "contrast", {"T1": 0.08}, factor=math.exp(-4 * 4e-3 / 2 * (1 / 0.08 - 1 / 1.168))),
    Switch("ion.ghz", "dephasing", "contrast", {"dephasing": 22.0}, factor=math.exp(-4 * 20 * 4e-3)),
    Switch("ion.ghz", "detuning", "phase", {"qubit_offset": 13.0}, shift=-4 * 2 * math.pi * 5 * 4e-3),
    Switch("ion.ghz", "pulses", "contrast", {"drive_gain": 1.12}, factor=math.sin(math.pi / 2 * 1.12) ** 4),
    Switch("ion.ghz", "detection", "contrast", {"bright_missed": 0.03}, factor=((1 - 0.032) / (1 - 0.005)) ** 4),
    # Collective dephasing and a light shift shorten what is left of the spin along x.
    Switch("atom.squeezing", "dephasing", "best_squeezing", {"collective_dephasing": 2.0}, {"dephasing": 2.0}, sign=1),
    Switch("atom.squeezing", "detection", "detection_noise", {"detection_noise": 4.0}, shift=2.5),
    Switch("atom.gravimeter", "loss", "projection_limit", {"atoms": 5e4}, factor=2.0),
    Switch("atom.gravimeter", "detuning", "contrast", {"velocity": 6e-3}, sign=-1),
    Switch("atom.gravimeter", "detection", "shot_resolution", {"detection_noise": 3000.0}, sign=1),
    Switch("atom.rydberg", "loss", "level", {"efficiency": 0.4}, factor=0.5),
    Switch("atom.rydberg", "dephasing", "dephasing", {"dephasing": 1e6}, shift=7.5e5),
    Switch("atom.rydberg", "detuning", "splitting", {"radio_line": 17.0455e9}, {"radio_line": 17.0455e9},
           factor=math.hypot(10.158, 4.0) / 10.158),
    Switch("atom.rydberg", "pulses", "coupling", {"coupling_rabi": 8.4e6}, factor=2.0),  # continuous: its strength
    Switch("atom.rydberg", "detection", "sensitivity", {"diode_noise": 1.6e-3}, factor=4.0),
    # Two photons in two lossy arms: V = η_a η_b.
    Switch("photon.mach_zehnder", "loss", "closed_form", {"arm_a": 0.6}, {"arm_a": 0.6}, sign=1),
    Switch("photon.mach_zehnder", "detuning", "phase", {"phase_offset": 0.35}, shift=0.2),
    Switch("photon.mach_zehnder", "pulses", "closed_form", {"dark_rate": 1e5}, {"window": 1e-6, "dark_rate": 1e5},
           sign=1),  # a longer pulse of light holds more dark counts
    Switch("photon.hom", "loss", "level", {"path_1": 0.225}, factor=0.5),
    Switch("photon.hom", "dephasing", "visibility", {"overlap": 0.6}, factor=0.6 / 0.96),
    Switch("photon.hom", "detuning", "centre", {"delay_offset": 1e-13}, shift=8e-14,
           before={"delay_offset": 2e-14}),
    Switch("photon.hom", "pulses", "fwhm", {"bandwidth": 6e-9}, factor=0.5),
    Switch("photon.hom", "detection", "level", {"click_efficiency": 0.3}, factor=0.25),
    # 1/T2 = 1/(2 T1) + 1/Tphi.
    Switch("transmon.ramsey", "loss", "T2", {"T1": 1e-5}, before={"flux_noise": 0.0},
           factor=(1 / 80 + 1 / 80) / (1 / 20 + 1 / 80)),
    Switch("transmon.ramsey", "dephasing", "T2", {"Tphi": 2e-5}, before={"flux_noise": 0.0},
           factor=(1 / 80 + 1 / 80) / (1 / 80 + 1 / 20)),
    Switch("transmon.ramsey", "detuning", "frequency", {}, {"microwave_frequency": 5.0747e9 + 1e5}, shift=1e5),
    # A fringe begins where two quarter turns have precessed, 4/π of each: φ = 2πΔ·(4/π)·t.
    Switch("transmon.ramsey", "pulses", "phase", {}, {"rabi_frequency": 2.5e6},
           both={"microwave_frequency": 5.0747e9 + 1e5},
           shift=2 * math.pi * 1.623e5 * 4 / math.pi * (1 / (4 * 2.5e6) - 1 / (4 * 10e6))),
    Switch("transmon.ramsey", "detection", "amplitude", {"efficiency": 0.02}, sign=-1),
    Switch("transmon.readout", "loss", "T1", {"T1": 1e-5}, factor=0.25),
    Switch("transmon.readout", "dephasing", "assignment_fidelity", {"Tphi": 5e-6}),
    Switch("transmon.readout", "detuning", "preparation", {}, {"microwave_frequency": 5.0747e9 + 8e6}, sign=1),
    Switch("transmon.readout", "pulses", "preparation", {"drive_gain": 0.75}, shift=ringing(0.25) / 2),
    Switch("transmon.readout", "detection", "separation", {"efficiency": 0.075}, factor=0.5),
]  # fmt: skip


def number(run, fit, experiment, name):
    """Return the value and error of a figure or fit parameter."""
    figures = {f.name: f for f in experiment.analyse(run, fit)}
    if name in figures:
        return figures[name].value, figures[name].error or 0.0
    return fit.values[name], fit.errors[name]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.experiment}-{row.effect}")
def test_what_is_switched_on_moves_the_figures(row):
    bench, given = BENCHES[row.experiment]
    found = []
    for truth, asked in (({}, {}), (row.truth, row.given)):
        run, fit, experiment = whole(
            bench, row.experiment, 7, {**row.before, **truth}, **{**given, **row.both, **asked}
        )
        assert fit is None or fit.success, fit.message
        found.append(number(run, fit, experiment, row.quantity))
    (before, wrong), (after, error) = found
    if row.sign:
        assert row.sign * (after - before) > 3 * math.hypot(error, wrong)
        assert row.sign * (after - before) > 0.02 * abs(before)
        return
    spread = math.hypot(error, row.factor * wrong)
    assert abs(after - (row.factor * before + row.shift)) < 4 * spread + 1e-3 * abs(after)
    assert spread < 0.5 * abs(after - before) or (row.factor == 1.0 and not row.shift)


def squeezed(truth, **given):
    run, _, _ = whole("sim-squeezing", "atom.squeezing", 7, {**QUIET, **truth}, passes=30, **given)
    values, which = np.unique(run["twist_time"], return_inverse=True)
    mean = {
        name: np.bincount(which, np.asarray(run[name])) / np.bincount(which)
        for name in ("wineland", "contrast")
    }
    return values, 10 ** (mean["wineland"] / 10), mean["contrast"]


def test_lost_atoms_take_squeezing():
    """A share η left: ξ² → ηξ² + (1 − η)/C² (binomial loss)."""
    scan = {"twist_time": qlab.Linear(1e-3, 5e-3, 3)}
    _, clean, contrast = squeezed({}, **scan)
    _, lossy, _ = squeezed({"loss": 0.3}, **scan)
    np.testing.assert_allclose(lossy, 0.7 * clean + 0.3 / contrast**2, rtol=0.05)


def test_a_light_shift_turns_the_spin_away():
    """The length along x falls as cos(2πδt)."""
    scan = {"twist_time": qlab.Linear(1e-3, 5e-3, 3)}
    times, _, clean = squeezed({}, **scan)
    _, _, turned = squeezed({"light_shift": 30.0}, **scan)
    np.testing.assert_allclose(turned / clean, np.cos(2 * np.pi * 30 * times), atol=0.01)


def test_wrong_pulses_miss_the_quiet_quadrature():
    scan = {"twist_time": qlab.Linear(3e-3, 5e-3, 2)}
    _, clean, _ = squeezed({}, **scan)
    _, missed, _ = squeezed({"drive_gain": 1.1}, **scan)
    assert (missed > 1.2 * clean).all()


def information(jumps=(), probe=math.pi / 2, error=0.0, frequency=0.0):
    """Return both informations on the frequency of a qubit after 2 s, as `metrology.fisher` computes them."""
    z, seconds = qt.sigmaz(), 2.0
    left = qt.Qobj([[math.cos(probe / 2)], [math.sin(probe / 2)]])
    sideways = qt.ket2dm((qt.basis(2, 0) + 1j * qt.basis(2, 1)).unit())
    system = UserSystem(
        H0=qt.qzero(2), terms={"frequency": z / 2}, parameters={"frequency": frequency}, collapse=list(jumps),
        initial=left, measure=error + (1 - 2 * error) * sideways,
    )  # fmt: skip
    asked = load("experiments", "metrology.fisher").read({"duration": qlab.Values((seconds,))})
    shown = asked.model(system)
    return shown["quantum_information"][0], shown["information"][0]


def test_what_information_is_left():
    """F_Q = t² of a free qubit; each effect takes its factor of it."""
    assert information() == pytest.approx((4.0, 4.0), rel=1e-9)
    rate = 0.3
    assert information([math.sqrt(rate) * qt.sigmam()])[0] == pytest.approx(4 * math.exp(-rate * 2), rel=1e-9)
    dephased = information([math.sqrt(rate / 2) * qt.sigmaz()])[0]
    assert dephased == pytest.approx(4 * math.exp(-2 * rate * 2), rel=1e-9)
    # Detuned, the quantum information stays; a measurement that knows the decayed fringe only from its side does not.
    quantum, seen = information([math.sqrt(rate / 2) * qt.sigmaz()], frequency=0.4)
    fringe, swing = math.exp(-rate * 2) * math.sin(0.8), math.exp(-rate * 2) * math.cos(0.8) * 2
    assert (quantum, seen) == pytest.approx((dephased, swing**2 / (1 - fringe**2)), rel=1e-9)
    # A first pulse that turns by less than π/2 leaves sin² of it; a detector that errs in ε of all looks, (1 − 2ε)².
    assert information(probe=1.1)[0] == pytest.approx(4 * math.sin(1.1) ** 2, rel=1e-9)
    assert information(error=0.1)[1] == pytest.approx(4 * 0.8**2, rel=1e-9)


def adaptive(truth=None, **given):
    asked = {**TRANSMON, "passes": 16, **given}
    run, _, experiment = whole("sim-transmon", "metrology.adaptive_phase", 7, truth or {}, **asked)
    figures = {f.name: f for f in experiment.analyse(run, None)}
    found = figures["frequency"]
    return found.value - run.record.expected["frequency"], found.error, figures["bound"].value


def test_what_an_adaptive_run_loses():
    off, sigma, bound = adaptive()
    assert abs(off) < 4 * sigma
    short = 1 / (1 / 20e-6 + 1 / 80e-6)
    for truth, given in (
        ({"T1": 1e-5}, {"T2_star": short}), ({"Tphi": 2e-5}, {"T2_star": 1 / (1 / 80e-6 + 1 / 20e-6)}),
        ({"efficiency": 0.02}, {}),
    ):  # fmt: skip
        wrong, spread, least = adaptive({"flux_noise": 0.0, **truth}, **given)
        assert abs(wrong) < 4 * spread
        assert least > 1.15 * bound
    # Off by more, and with pulses four times as long, it still finds the offset that is there.
    for given in ({"microwave_frequency": TRANSMON["microwave_frequency"] + 6e4}, {"rabi_frequency": 2.5e6}):
        wrong, spread, _ = adaptive(**given)
        assert abs(wrong) < 4 * spread


def test_every_effect_is_met_in_every_protocol():
    said = {(row.experiment, row.effect) for row in TABLE}
    said |= {("atom.squeezing", effect) for effect in ("loss", "detuning", "pulses")}  # above, in closed form
    missing = {(name, effect) for name in BENCHES for effect in EFFECTS} - said - set(ELSEWHERE)
    assert not missing
