"""What stands beside the rows: streams, time tags, upkeep, calibrations, curves."""

import json
import subprocess
import sys
from typing import Annotated

import h5py
import numpy as np
import pytest

import qlab
from qlab import registry
from qlab.bench import Bench
from qlab.cli.reproduce import compare
from qlab.errors import QlabError, UsageError
from qlab.experiment import Blocks, Experiment
from qlab.metrology.curves import Curve
from qlab.parameters import Parameters
from qlab.record import Column, Signal, StoredCurve, StoredLimit, Stream
from qlab.store import RunWriter, check_file, open_run, recover
from qlab.tags import tagged, tags_of, timetag_stream
from qlab.units import Unit

LOST = 3  # the row in which no photon comes


class Settings(Parameters):
    """Settings of a detector that tags photons."""

    rate: Annotated[float, Unit("Hz")] = 2e5
    fault: str = ""


def photons(row):
    """The truth: arrival times of one row, in ps since the start of the run, from 10 s after the row before."""
    random = np.random.default_rng(row)
    count = 0 if row == LOST else int(random.integers(500, 1500))
    return np.sort(random.integers(0, 10**12, count)) + row * 10**13, random.integers(0, 4, count)


class Tagging(Experiment[Settings]):
    """Counts photons row by row and keeps when each came; a slow thermometer has a stream of its own."""

    title = "Tagging"

    def streams(self):
        slow = Stream(name="slow", axis="reading", columns=(Column(name="temperature", unit="K"),))
        return (timetag_stream(10_000), slow)

    def axes(self):
        return ()

    def measured(self):
        return (Column(name="counts", dtype="i8"),)

    def signals(self):
        return (Signal(name="counts_mean", of="counts"),)

    def estimate(self):
        return 8, 0.0

    def run(self) -> Blocks:
        for row in range(8):
            times, channels = photons(row)
            half = len(times) // 2
            yield tagged(times[:half], channels[:half], row)  # entries alone are no row
            given = {"counts": [len(times)], "time": [row * 10.0], "valid": [1]}
            block = {name: np.array(values) for name, values in given.items()}
            if self.parameters.fault == "name":
                block["nothing.time"] = np.zeros(3)
            slow = np.full(2, 4.3) if self.parameters.fault == "warm" else np.array([4.2])
            yield {**block, **tagged(times[half:], channels[half:], row), "slow.temperature": slow}


@pytest.fixture
def tagging():
    registry.offer("experiments", "tests.tagging", Tagging)
    yield "tests.tagging"
    registry._OFFERED.pop(("experiments", "tests.tagging"))
    registry.plugins.cache_clear()


def test_an_experiment_yields_time_tags_and_a_slow_channel(tmp_path, tagging):
    run = qlab.run(tagging, Bench.load("sim-nv", seed=1), out=tmp_path)
    assert check_file(run.path) == []
    assert len(run) == 8
    truth = [photons(row) for row in range(8)]
    np.testing.assert_array_equal(run["counts"], [len(times) for times, _ in truth])
    tags = tags_of(run)
    np.testing.assert_array_equal(tags.time, np.concatenate([times for times, _ in truth]))
    np.testing.assert_array_equal(tags.channel, np.concatenate([channels for _, channels in truth]))
    np.testing.assert_array_equal(np.bincount(tags.row, minlength=8), run["counts"])
    assert len(tags_of(run, LOST)) == 0
    np.testing.assert_array_equal(tags_of(run, 5).time, truth[5][0])
    np.testing.assert_array_equal(run.streams["slow"].column("temperature"), np.full(8, 4.2))
    with h5py.File(run.path) as file:
        group = file["entry/timetags"]
        assert (group.attrs["NX_class"], group.attrs["signal"]) == ("NXdata", "time")
        assert (group["time"].attrs["units"], group["time"].dtype) == ("ps", np.dtype("<i8"))
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(run.path, engine="h5netcdf", group="/entry/timetags") as data:
        assert data["time"].dims == ("event",)
        np.testing.assert_array_equal(data["time"].values, tags.time)  # picoseconds stay whole numbers


def test_reproducing_compares_the_streams_too(tmp_path, tagging):
    old, new = (qlab.run(tagging, Bench.load("sim-nv", seed=1), out=tmp_path / name) for name in "ab")
    assert compare(old, new) == []
    warm = qlab.run(tagging, Bench.load("sim-nv", seed=1), out=tmp_path / "c", fault="warm")
    assert [line.partition(":")[0] for line in compare(old, warm)] == ["slow", "slow.temperature"]


def test_a_stream_nobody_declared_fails_the_run_and_keeps_its_rows(tmp_path, tagging):
    with pytest.raises(QlabError, match="no stream 'nothing'") as caught:
        qlab.run(tagging, Bench.load("sim-nv", seed=1), out=tmp_path, fault="name")
    kept = open_run(caught.value.final_path)
    assert kept.state == "failed"
    assert len(tags_of(kept)) > 0


def test_time_tags_of_a_dead_run_are_recovered_to_the_last_one_handed_over(tmp_path, new_record, block):
    record = new_record(streams=(timetag_stream(),))
    writer = RunWriter.create(tmp_path, record)
    times, channels = photons(0)
    writer.write(block())
    for name, entries in {"timetags": tagged(times, channels, np.zeros(len(times), int))}.items():
        writer.write_stream(name, {key.partition(".")[2]: values for key, values in entries.items()})
    writer.close()
    (path,) = recover(tmp_path)
    np.testing.assert_array_equal(tags_of(open_run(path)).time, times)


@pytest.mark.parametrize("times", [[0.5, 1.5], [[1, 2]], ["a"]])
def test_times_that_are_no_whole_picoseconds_are_refused(times):
    with pytest.raises(UsageError) as caught:
        tagged(np.array(times))
    assert caught.value.hint


def test_a_run_without_time_tags_says_so(finished):
    with pytest.raises(UsageError, match="no time tags"):
        tags_of(open_run(finished))


BENCH = """
roles = {player = "player", microwave = "source", laser = "laser", counter = "counter"}
[world]
kind = "nv"
[instruments]
player = {driver = "sim.pulse_player"}
source = {driver = "sim.microwave"}
laser = {driver = "sim.laser"}
counter = {driver = "sim.photon_counter"}
coil = {driver = "sim.field_coil"}
[[calibrations]]
name = "pi_pulse"
value = 5.0e-8
error = 2e-10
unit = "s"
label = "π pulse"
knob = "source.power"
date = "2026-01-05"
valid_until = "2026-01-12"
run = "64fb52c9"
[[calibrations]]
name = "coil_constant"
value = 1.2e-3
unit = "T/A"
knob = "coil.bz"
[[calibrations]]
name = "depth"
value = 7e-9
error = 1e-9
unit = "m"
valid_until = "2999-01-01"
"""


def test_calibrations_of_what_the_run_uses_are_in_its_file(tmp_path):
    path = tmp_path / "setup.toml"
    path.write_text(BENCH)
    run = qlab.run("nv.ramsey", Bench.load(path, seed=1), out=tmp_path, tau="0us:2us:11", shots=100)
    assert check_file(run.path) == []
    # The coil is no instrument of this run; the depth is one of the bench as a whole.
    assert [item["name"] for item in run.record.calibrations] == ["pi_pulse", "depth"]
    with h5py.File(run.path) as file:
        group = file["entry/calibrations"]
        assert set(group) == {"pi_pulse", "depth"}
        assert group["pi_pulse/value"][()] == 5.0e-8
        assert group["pi_pulse/value_errors"][()] == 2e-10
        assert group["pi_pulse/value"].attrs["units"] == "s"
        assert group["pi_pulse/valid_until"].asstr()[()] == "2026-01-12"
        assert [group[name].attrs["expired"] for name in ("pi_pulse", "depth")] == [1, 0]
    said = subprocess.run([sys.executable, "-m", "qlab", "show", run.path], capture_output=True, text=True)
    assert "calibration π pulse: 50.0(2) ns, valid until 2026-01-12, EXPIRED" in said.stdout
    assert "calibration depth: 7.0(10) nm, valid until 2999-01-01\n" in said.stdout


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('knob = "coil.bz"', 'knob = "magnet.bz"', "no instrument"),
        ('name = "depth"', 'name = "pi_pulse"', "two calibrations"),
        ('valid_until = "2999-01-01"', 'valid_until = "soon"', "no day"),
        ('name = "depth"', 'name = "the depth"', "name"),
        ("error = 1e-9", "error = -1e-9", "error"),
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(tmp_path, old, new, part):
    path = tmp_path / "setup.toml"
    path.write_text(BENCH.replace(old, new))
    with pytest.raises(UsageError, match=part):
        Bench.load(path)


def test_the_allan_deviation_of_a_run_is_a_plot_in_its_file(tmp_path):
    run = qlab.run("clock.servo", Bench.load("sim-clock", seed=2), out=tmp_path, cycles=2000)
    assert check_file(run.path) == []
    stored = run.record.curves[0]
    curve = Curve.of(stored)
    assert curve.stored() == stored
    with h5py.File(run.path) as file:
        group = file["entry/oadev"]
        np.testing.assert_array_equal(group["y"][:], curve.y)
        np.testing.assert_array_equal(group["x"][:], curve.x)
        assert group["x"].attrs["units"] == "s"
        assert group["y"].attrs["definition"] == curve.definition
        limit = curve.limits[0]
        assert limit.label in group["limit_1"].attrs["long_name"]
        np.testing.assert_allclose(group["limit_1"][:] / group["limit_1"][0], (curve.x / curve.x[0]) ** -0.5)
        assert group["limit_1"].attrs["source"] == limit.source
    silx = pytest.importorskip("silx.io")
    from silx.io.nxdata import NXdata

    with silx.open(str(run.path)) as file:
        plot = NXdata(file["entry/oadev"])
        assert plot.is_valid
        assert not plot.issues
        np.testing.assert_array_equal(plot.errors, (curve.high - curve.low) / 2)
        assert len(plot.auxiliary_signals) == 4
    xarray = pytest.importorskip("xarray")
    with xarray.open_dataset(run.path, engine="h5netcdf", group="/entry/oadev") as data:
        np.testing.assert_array_equal(data["y"].sel(x=curve.x[3]), curve.y[3])
    # The reference: another program's deviation of the same rows, over the times that the file names.
    allantools = pytest.importorskip("allantools")
    y = run["clock"][len(run) - _used(run, curve) :]
    _, theirs, *_ = allantools.oadev(y, rate=1 / curve.x[0], data_type="freq", taus=curve.x)
    np.testing.assert_allclose(theirs, curve.y[: len(theirs)], rtol=1e-9)


def _used(run, curve):
    """How many rows the servo has been settled for, as the experiment says it."""
    return len(run) - int(30 / run.parameters["gain"])


def test_qlab_fit_computes_the_curves_again(tmp_path):
    run = qlab.run("clock.servo", Bench.load("sim-clock", seed=2), out=tmp_path, cycles=2000)
    said = subprocess.run(
        [sys.executable, "-m", "qlab", "fit", run.path, "--json"], capture_output=True, text=True
    )
    assert said.returncode == 0, said.stderr
    again = json.loads(said.stdout)
    assert again["curves"]["oadev"]["y"] == list(run.record.curves[0].y)
    assert set(again["figures"]) == set(run.figures)


def test_a_density_in_half_powers_is_stored_squared(tmp_path, new_record, end, block):
    """And a band, a limit on linear axes, a name that is taken."""
    x = (1.0, 2.0, 4.0)
    curve = StoredCurve(
        name="data", label="noise", x=x, y=(1e-9, 2e-9, 3e-9), low=(0.5e-9, 1e-9, 2e-9), high=(2e-9, 3e-9, 4e-9),
        x_label="frequency", x_unit="Hz", unit="T/√Hz",
        limits=(StoredLimit(label="floor", x=(1.0, 2.0), y=(1e-10, 3e-10)),),
    )  # fmt: skip
    record = new_record(curves=(curve,))
    writer = RunWriter.create(tmp_path, record)
    writer.write(block())
    path = writer.finish(end(record))
    assert check_file(path) == []
    with h5py.File(path) as file:
        group = file["entry/data_curve"]
        assert group["y"].attrs["units"] == "T2/Hz"
        np.testing.assert_allclose(group["y"][:], [1e-18, 4e-18, 9e-18])
        np.testing.assert_allclose(group["low"][:], [2.5e-19, 1e-18, 4e-18])
        np.testing.assert_allclose(group["limit_1"][:], [1e-20, 9e-20, np.nan])
    assert open_run(path).record.curves == (curve,)
