"""XY8, Qdyne and vector magnetometry on their benches: truth recovered, bounds reached, knobs that act right."""

import numpy as np
import pytest

import qlab
from qlab.bench import Bench
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.nv_axes import AXES, axis_frame, lines
from qlab.physics.systems.nv_levels import COUPLINGS
from qlab.pulses import Program, compile_program
from qlab.registry import load
from qlab.scan import Linear, Values
from qlab_instruments.benches import sim_nv_ac, sim_nv_vector
from qlab_instruments.worlds.nv import NVWorld
from tests.experiments.whole import seeds, whole

BENCHES = {"nv.xy8": "sim-nv-ac", "nv.qdyne": "sim-nv-ac", "nv.vector": "sim-nv-vector"}
BARE = {"A_parallel": 0.0, "A_perpendicular": 0.0, "quadrupole": 0.0}
GAMMA = 28.03e9
FRINGE = {"tau": Values((0.5e-6,)), "amplitude": Linear(0, 8e-6, 41), "quadrature": "sine"}
BUILDUP = {"tau": Values((1 / (2 * 1.003217e6),)), "frequency": 1.003217e6, "repeats": Linear(1, 12, 12)}


def found_of(run, fit, experiment):
    """Return name -> (value, error), from the fit or else from the figures."""
    if fit is not None:
        return {name: (fit.values[name], fit.errors[name]) for name in fit.values if fit.errors[name] > 0}
    return {f.name: (f.value, f.error) for f in experiment.analyse(run, None) if f.error}


@pytest.mark.parametrize("name", BENCHES)
def test_a_run_recovers_the_truth(name, tmp_path):
    run = qlab.run(name, Bench.load(BENCHES[name], seed=21), out=tmp_path)
    experiment = load("experiments", name).read(run.parameters)
    fit = run.record.fits[0] if run.record.fits else None
    assert run.state == "finished"
    assert fit is None or fit.success, fit.message
    seen = found_of(run, fit, experiment)
    checked = [n for n in run.record.expected if n in seen]
    assert len(checked) >= 2
    for key in checked:
        value, error = seen[key]
        assert abs(value - run.record.expected[key]) < 3 * error, key
    limits = [f for f in run.record.figures if f.limit_of]
    assert limits
    for limit in limits:
        assert run.figures[limit.limit_of].value > 0.97 * limit.value, limit.name
    if name == "nv.qdyne":
        assert len(experiment.readouts(run)) == 1_000_000
        (curve,) = experiment.curves(run)
        assert curve.x[int(np.argmax(curve.y))] == pytest.approx(run.figures["alias"].value, abs=0.05)


@pytest.mark.nightly
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    ("name", "given"), [*((n, {}) for n in BENCHES), ("nv.xy8", FRINGE), ("nv.xy8", BUILDUP)]
)
def test_error_bars_are_honest_and_near_the_bound(name, given):
    pulls, ratios, failed = {}, [], 0
    for seed in seeds(pulls):
        run, fit, experiment = whole(BENCHES[name], name, seed, **given)
        failed += fit is not None and not fit.success
        seen = found_of(run, fit, experiment)
        for key, true in run.record.expected.items():
            if key in seen:
                pulls.setdefault(key, []).append((seen[key][0] - true) / seen[key][1])
        figures = {f.name: f for f in experiment.analyse(run, fit)}
        bounds = [f for n, f in figures.items() if n.startswith("cramer_rao")]
        ratios += [figures[f.limit_of].value / f.value for f in bounds]
    assert failed <= 2
    for key, values in pulls.items():
        assert 0.8 < np.sqrt(np.mean(np.square(values))) < 1.2, key
    assert 0.95 < np.median(ratios) < 1.5


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_s6_scatter_of_records():
    """100 records each of 2e5 and 8e5 readouts, a line of 0.02 of the noise: the scatter is the bound's, M^-1.5."""
    rms = {}
    for readouts in (200_000, 800_000):
        errors, bounds = [], []
        for seed in range(23_000, 23_100):
            run, _, experiment = whole("sim-nv-ac", "nv.qdyne", seed, shots=readouts)
            found = {f.name: f for f in experiment.analyse(run, None)}
            errors.append(found["frequency"].value - run.record.expected["frequency"])
            bounds.append(found["cramer_rao"].value)
        rms[readouts] = np.sqrt(np.mean(np.square(errors)))
        assert rms[readouts] == pytest.approx(np.median(bounds), rel=0.15)
    assert np.log(rms[800_000] / rms[200_000]) / np.log(4) == pytest.approx(-1.5, abs=0.1)


@pytest.mark.parametrize("quadrature", ["cosine", "sine"])
def test_p11_through_the_model(quadrature):
    # Everything ideal: no nucleus, pulses of 0.1 ns, light that polarises at once, the other transition far away.
    system = NVCentre(field=(0, 0, 2e5), D=2.87e16, polarisation=1.0, pump_rate=1e9, **BARE)
    experiment = load("experiments", "nv.xy8").read({
        "microwave_frequency": system.resonance(), "rabi_frequency": 5e9, "tau": Values((0.5e-6,)),
        "repeats": Values((2,)),
        "amplitude": Values((100e-9,)), "quadrature": quadrature,
    })  # fmt: skip
    kept = 1 - experiment.model(system)["transfer"][0]
    expected = {"cosine": 0.997990005, "sine": 1 - 0.544787888}[quadrature]
    assert min(abs(kept - expected), abs(1 - kept - expected)) < 1e-6


def test_p01_p03_through_the_model():
    model = load("experiments", "nv.vector").read({"frequency": Values((2.8e9,))}).model
    along, across = 5e-3 / np.sqrt(3), 5e-3 * np.sqrt(2 / 3)
    lower, upper = model([NVCentre(field=(across, 0, along), mixed_nucleus=True, **BARE)])["lines"][0]
    assert lower == pytest.approx(2795.9549e6, abs=1e3)
    assert upper == pytest.approx(2957.72205e6, abs=1e3)
    size, angle = qlab.metrology.field_from_pair(lower, upper)  # P02
    assert size.value == pytest.approx(5e-3, rel=1e-6)
    assert np.degrees(angle.value) == pytest.approx(54.7356103, abs=1e-3)
    where, strength = NVCentre(field=(0, 0, 2e-3), **COUPLINGS[14]).spectrum()
    strong = np.sort(where[strength > 0.1])
    np.testing.assert_allclose(strong, [2811.80259e6, 2813.94767e6, 2816.08508e6], atol=1e3)


def test_the_lines_of_the_fit_are_those_of_the_centres():
    field = np.array([1.3e-3, -0.4e-3, 3.9e-3])
    for nitrogen in (14, 15):
        where, strength = lines(field, nitrogen=nitrogen)
        for axis in range(4):
            x, y, z = axis_frame(axis) @ field
            centre = NVCentre((x, y, z), nitrogen=nitrogen, **COUPLINGS[nitrogen])
            both = sorted((centre.spectrum(m) for m in (-1, 1)), key=lambda found: found[0] @ found[1])
            for side in range(2):
                np.testing.assert_allclose(np.sort(where[axis, side]), np.sort(both[side][0]), atol=1.0)
                assert (where[axis] * strength[axis]).sum(1)[side] == pytest.approx(
                    both[side][0] @ both[side][1]
                )
    np.testing.assert_allclose([axis_frame(a).T @ [0, 0, 1] for a in range(4)], AXES, atol=1e-12)


def kept(system, **given):
    """Return K of a locked XY8, from the two readouts without noise, and the bright photons of a shot."""
    parameters = {
        "tau": Values((0.5e-6,)),
        "repeats": Values((2,)),
        "amplitude": Values((0.8e-6,)),
        "quadrature": "sine",
        **given,
    }
    shown = load("experiments", "nv.xy8").read(parameters).model(system)
    return (shown["ratio"][0] - 1) / (shown["ratio"][0] + 1), shown["photons"][0]


def test_what_can_be_switched_on_moves_the_signal_as_it_should():
    world = {**sim_nv_ac()["world"]["truth"], "signal_amplitude": 0.0}
    quiet = NVWorld({**world, "Tphi": 1e3, "T1": 1e3, "sigma_detuning": 0.0}).centre(0.0)
    full, _ = kept(quiet)
    lasts = 16 * 0.5e-6
    # Dephasing and loss: e^{-T/Tphi} and e^{-2T/(3 T1)} of the coherence; what lies along z in a pulse is spared.
    slow, _ = kept(NVWorld({**world, "Tphi": 20e-6, "T1": 1e3, "sigma_detuning": 0.0}).centre(0.0))
    assert slow / full == pytest.approx(np.exp(-lasts / 20e-6), rel=0.02)
    lossy, _ = kept(NVWorld({**world, "Tphi": 1e3, "T1": 100e-6, "sigma_detuning": 0.0}).centre(0.0))
    polar, _ = kept(NVWorld({**world, "Tphi": 1e3, "T1": 1e3, "sigma_detuning": 0.0}).centre(0.0))
    early = np.exp(-1e-6 / 100e-6)  # T1 before the first pulse
    assert lossy / polar == pytest.approx(early * np.exp(-2 * lasts / (3 * 100e-6)), rel=0.02)
    # Imperfect detection: background adds to both readouts, contrast falls by the share that is signal.
    dim, photons = kept(
        NVWorld({**world, "Tphi": 1e3, "T1": 1e3, "sigma_detuning": 0.0, "background_rate": 6e5}).centre(0.0)
    )
    before = kept(quiet)[1]
    assert dim / full == pytest.approx(before / photons, rel=0.15)
    assert abs(dim) < 0.8 * abs(full)
    # Detuned and too strong pulses: the toggling frame of the fit follows the full simulation.
    for given in ({"amplitude_error": 0.1}, {"rabi_frequency": 10e6}):
        seen, _ = kept(quiet, **given)
        experiment = load("experiments", "nv.xy8").read(
            {"tau": Values((0.5e-6,)), "repeats": Values((2,)), "amplitude": Linear(0, 0.8e-6, 2),
             "quadrature": "sine", **given})  # fmt: skip
        from qlab.fits import load_model

        model = load_model("ac_fringe", {**experiment.fit_context(), "T2": np.inf})
        ratio = model.evaluate(np.array([0.8e-6]), {"gain": 0.94, "contrast": 0.1, "T2": np.inf})[0]
        plain = load_model("ac_fringe", {**load("experiments", "nv.xy8").read(
            {"tau": Values((0.5e-6,)), "repeats": Values((2,)), "amplitude": Linear(0, 0.8e-6, 2),
             "quadrature": "sine"}).fit_context(),
            "T2": np.inf}).evaluate(np.array([0.8e-6]), {"gain": 0.94, "contrast": 0.1, "T2": np.inf})[0]  # fmt: skip
        predicted = ((ratio - 1) / (ratio + 1)) / ((plain - 1) / (plain + 1))
        assert seen / full == pytest.approx(predicted, rel=0.02)


def test_the_same_signal_is_seen_by_both_ac_protocols():
    # S9 for AC fields: twice the hidden amplitude, twice the field in either.
    for amplitude in (0.4e-6, 0.8e-6):
        truth = {"signal_amplitude": amplitude}
        run, fit, experiment = whole("sim-nv-ac", "nv.qdyne", 3, truth, shots=300_000)
        value, error = found_of(run, fit, experiment)["amplitude"]
        assert abs(value - amplitude) < 3 * error
        assert error < 0.3 * amplitude


def test_programs_keep_their_edges_as_data():
    for name in BENCHES:
        program = load("experiments", name).read({}).program()
        again = compile_program(Program.from_dict(program.to_dict()))
        for one, other in zip(compile_program(program).events, again.events, strict=True):
            np.testing.assert_array_equal(one.start, other.start)
            np.testing.assert_array_equal(one.duration, other.duration)
            assert one.start.dtype == np.int64


def test_one_orientation_more_is_another_bench_and_no_other_program():
    truth = sim_nv_vector()["world"]["truth"]
    world = NVWorld(truth)
    assert len(world.centres(0.0)) == 4
    assert world.truth()["Bx"] == pytest.approx(4.1e-3 * np.sin(0.345) * np.cos(0.38))
    assert NVWorld({}).centre(0.0).field == (0.0, 0.0, pytest.approx(2e-3))
