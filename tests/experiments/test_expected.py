"""What a model expects of a bench's truth is what its data show: the residual is noise and no more."""

import numpy as np
import pytest

import qlab
from qlab.design import expected_curve, kept_curves, residual
from qlab.registry import load

# experiment, its signals, settings beside the default ones; the preset's bench unless another is named
CASES = [
    ("atom.gravimeter", ("fringe",), {}),
    ("atom.rydberg", ("transmitted",), {}),
    ("atom.rydberg", ("transmitted",), {"radio": False}),
    ("clock.rabi", ("excitation",), {"laser_noise": 0}),  # taken in a random order
    ("ion.ghz", ("parity", "product_parity", "population", "single"), {}),
    ("ion.ghz", ("parity", "single"), {"ions": 3, "wait": "2ms"}),
    ("nv.cw_odmr", ("rate",), {}),
    ("nv.hahn_echo", ("fluorescence", "photons"), {}),
    ("nv.pulsed_odmr", ("fluorescence",), {}),
    ("nv.rabi", ("fluorescence",), {}),
    ("nv.ramsey", ("fluorescence", "photons"), {"tau": "0us:4us:81@random=3"}),
    ("nv.t1", ("fluorescence",), {}),
    ("nv.vector", ("rate",), {}),
    ("nv.xy8", ("ratio", "photons"), {}),  # the sample's own signal, at any phase
    ("nv.xy8", ("ratio",), {"amplitude": "0uT:4uT:21", "tau": "500ns"}),
    ("nv.xy8", ("ratio",), {"repeats": "1:6:6", "tau": "500ns"}),
    ("photon.hom", ("rate",), {}),
    ("photon.mach_zehnder", ("fringe",), {}),
    ("photon.mach_zehnder", ("fringe",), {"light": "noon", "photons": 2}),
    ("photon.mach_zehnder", ("fringe",), {"light": "squeezed", "readout": "homodyne"}),
    ("transmon.ramsey", ("excited",), {}),
    ("transmon.ramsey", ("excited",), {"flux_voltage": "0.05V", "microwave_frequency": "4.996GHz"}),
    ("transmon.readout", ("error", "error_ground", "error_excited", "i_ground"), {}),
    ("transmon.readout", ("error",), {"readout_frequency": "7.0035GHz", "rotation": "0.3rad"}),
]
# What wanders by chance in the course of a run no model can know.
STEADY = {
    "clock.rabi": {"white": 1e-45, "flicker": 0, "walk": 0},
    "nv.vector": {"laser_drift": 0, "field_drift": 0},
}


def named(case):
    return " ".join([case[0], *map(str, case[2].values())])


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_residual_is_noise_and_no_more(case, tmp_path):
    name, signals, settings = case
    bench = qlab.Bench.load(load("experiments", name).preset, seed=11, truth=STEADY.get(name, {}))
    run = qlab.run(name, bench, out=tmp_path, **settings)
    for signal in signals:
        found = expected_curve(run.record, signal)
        apart = residual(found, run.grid(signal))
        apart = apart[np.isfinite(apart)]
        count = len(apart)
        assert count >= 0.9 * len(found.x)
        # The mean square of n normal numbers scatters by the root of 2/n, their mean by that of 1/n; errors that are
        # taken from the scatter of few shots scatter themselves.
        assert abs(np.mean(apart**2) - 1) < 5 * np.sqrt(2 / count), signal
        assert abs(np.mean(apart)) < 4 / np.sqrt(count), signal
    assert [curve.name for curve in kept_curves(run)] == [f"expected_{signals[0]}", f"residual_{signals[0]}"]


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
def test_a_bench_that_hides_nothing_has_a_design(name, tmp_path):
    """A real bench has no truth: the curve is that of what the parameters were made for, or there is none."""
    settings = {"shots": 1000} if name.startswith("nv.") and name not in {"nv.cw_odmr", "nv.vector"} else {}
    run = qlab.run(name, qlab.Bench.load(load("experiments", name).preset, seed=1), out=tmp_path, **settings)
    found = expected_curve(run.record.model_copy(update={"truth": {}}))
    if name in {"photon.hom", "transmon.readout"}:  # how much light comes, nobody knows before
        assert found is None
        return
    assert np.all(np.isfinite(found.y))
    assert np.ptp(found.y) > 0 or name == "nv.t1"  # a spin of which nothing is known does not relax
    assert "made for" in found.source


def test_what_a_system_can_tell_is_expected_as_it_is_computed(tmp_path):
    run = qlab.run("metrology.fisher", "sim-nv", out=tmp_path, duration="1s:20s:9")
    found = expected_curve(run.record)
    np.testing.assert_allclose(found.y, run.grid().value, rtol=1e-12)


@pytest.mark.parametrize("name", sorted({case[0] for case in CASES}))
def test_a_part_of_what_there_is_to_know_is_enough(name):
    """Who knows one number of a bench gives that one; the rest is up to the parameters."""
    kind = load("experiments", name)
    experiment = kind.read({})
    truth = qlab.Bench.load(kind.preset, seed=1).world.truth()
    for one, value in truth.items():
        experiment.believed({one: value})
