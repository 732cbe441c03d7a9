"""The whole layout: streams, complex and per-shot columns, thumbnail, overview, calibrations, older files."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from qlab.errors import FileError, RecordingError, UsageError
from qlab.record import Axis, Column, Signal, Stream
from qlab.store import RunWriter, check_file, open_run, recover
from qlab.store.overview import read_overview

TAGS = Stream(
    name="timetags", axis="event", long_name="detected photon",
    columns=(
        Column(name="time_ps", unit="ps", dtype="i8", long_name="arrival"),
        Column(name="channel", dtype="u1", long_name="detector channel"),
    ),
)  # fmt: skip
UPKEEP = Stream(
    name="upkeep_1", axis="step", long_name="tracking of the resonance",
    columns=(Column(name="seconds", unit="s", role="time"), Column(name="offset", unit="Hz", role="reduced")),
)  # fmt: skip


def full_record(new_record):
    base = new_record()
    extra = (
        Column(name="iq", unit="V", dtype="c16", long_name="demodulated"),
        Column(name="counts_shots", dtype="u2", dims=("shot",), shape=(20,)),
    )
    calibration = {"name": "pi_pulse", "value": 5.01e-8, "error": 2e-10, "unit": "s", "date": "2026-11-20",
                   "valid_until": "2026-11-27", "run": "0a1b", "knob": "player.amplitude"}  # fmt: skip
    return base.model_copy(
        update={
            "columns": (*base.columns, *extra), "streams": (TAGS, UPKEEP), "calibrations": (calibration,),
            "bench_after": {**base.bench, "instruments": {"player": {"rate": 1.24e9}}}, "solver": "batched",
            "changes": ({"row": 3, "knob": "player.rate", "value": 1.24e9},),
        }
    )  # fmt: skip


def write_all(writer, block, passes=3):
    random = np.random.default_rng(5)
    tags = []
    for i in range(passes):
        rows = block(51 * i)
        rows["iq"] = random.normal(size=51) + 1j * random.normal(size=51)
        rows["counts_shots"] = random.poisson(3, (51, 20))
        writer.write(rows)
        tags.append(np.sort(random.integers(0, 10**12, 1000 * (i + 1))))
        writer.write_stream("timetags", {"time_ps": tags[-1], "channel": tags[-1] % 4})
        if i:
            writer.write_stream("upkeep_1", {"seconds": [i * 1.0], "offset": [i * 10.0]})
    return np.concatenate(tags)


def test_everything_comes_back_and_the_file_is_good(tmp_path, new_record, end, block):
    record = full_record(new_record)
    writer = RunWriter.create(tmp_path, record)
    tags = write_all(writer, block)
    writer.flush()
    watched = open_run(writer.path)
    assert len(watched.streams["timetags"]) == 6000
    path = writer.finish(end(record))
    assert check_file(path) == []
    run = open_run(path)
    np.testing.assert_array_equal(run.streams["timetags"].column("time_ps"), tags)
    np.testing.assert_array_equal(run.streams["timetags"].column("channel"), tags % 4)
    np.testing.assert_array_equal(run.streams["upkeep_1"].column("offset"), [10.0, 20.0])
    random = np.random.default_rng(5)
    assert run["iq"].dtype == np.complex128
    np.testing.assert_array_equal(run["iq"][:51], random.normal(size=51) + 1j * random.normal(size=51))
    assert run["counts_shots"].dtype == np.uint16
    assert run.record.solver == "batched"
    with h5py.File(path) as file:
        entry = file["entry"]
        assert entry["calibrations/pi_pulse/value"][()] == 5.01e-8
        assert entry["calibrations/pi_pulse/valid_until"].asstr()[()] == "2026-11-27"
        assert b"1.24e9" in entry["bench/data"][()] or b"1240000000.0" in entry["bench/data"][()]
        assert entry["shots/iq_real"].attrs["complex_partner"] == "iq_imag"
        assert entry["shots/counts_shots"].compression == "gzip"
        assert entry["timetags/time_ps"].dims[0][0] == entry["timetags/event"]
        assert entry["preview/image"].shape == (100, 160)


def test_other_programs_open_the_streams(tmp_path, new_record, end, block):
    xarray = pytest.importorskip("xarray")
    netcdf = pytest.importorskip("netCDF4")
    record = full_record(new_record)
    writer = RunWriter.create(tmp_path, record)
    tags = write_all(writer, block)
    path = writer.finish(end(record))
    with xarray.open_dataset(path, engine="h5netcdf", group="/entry/timetags") as dataset:
        assert dataset["time_ps"].dims == ("event",)
        np.testing.assert_array_equal(dataset["channel"], tags % 4)
    with netcdf.Dataset(path) as dataset:
        assert dataset["entry/upkeep_1/offset"].dimensions == ("step",)
        assert dataset["entry/preview/image"][:].shape == (100, 160)
    assert open_run(path).to_xarray("timetags")["time_ps"].attrs["units"] == "ps"


def test_streams_of_a_dead_run_are_recovered(tmp_path, new_record, block):
    writer = RunWriter.create(tmp_path, full_record(new_record))
    tags = write_all(writer, block)
    writer.close()
    (path,) = recover(tmp_path)
    run = open_run(path)
    assert run.state == "interrupted"
    np.testing.assert_array_equal(run.streams["timetags"].column("time_ps"), tags)


def test_a_stream_that_was_not_declared_or_does_not_fit_is_refused(tmp_path, new_record):
    writer = RunWriter.create(tmp_path, full_record(new_record))
    with pytest.raises(RecordingError, match="no stream"):
        writer.write_stream("other", {})
    with pytest.raises(RecordingError, match="does not fit"):
        writer.write_stream("timetags", {"time_ps": [1], "channel": [256]})
    writer.close()
    for name in ("shots", "metadata", "no name", "data"):
        with pytest.raises(UsageError, match="stream"):
            RunWriter.create(tmp_path, new_record(streams=(TAGS.model_copy(update={"name": name}),)))


def test_the_thumbnail_shows_the_curve(tmp_path, new_record, end):
    rows = 101
    record = new_record(
        columns=(Column(name="x", role="setpoint"), Column(name="y")),
        axes=(Axis(name="x", values=tuple(float(i) for i in range(rows))),), signals=(Signal(name="mean", of="y"),),
    )  # fmt: skip
    writer = RunWriter.create(tmp_path, record)
    x = np.arange(rows, dtype=float)
    writer.write({"x": x, "y": np.where(x < 50, 0.0, 1.0)})
    with h5py.File(writer.finish(end(record))) as file:
        picture = file["entry/preview/image"][:]
    dark = picture < 100
    assert dark[-8:, 10:70].any(axis=0).all()  # low on the left,
    assert dark[:8, 90:150].any(axis=0).all()  # high on the right,
    assert not dark[10:-10, 10:70].any()  # and nothing elsewhere


def test_the_overview_of_a_large_run_is_its_least_and_greatest(tmp_path, new_record, end):
    count = 1_300_003
    record = new_record(
        columns=(Column(name="y"), Column(name="wide", dims=("k",), shape=(2,))), axes=(), signals=()
    )
    random = np.random.default_rng(0)
    y, wide = random.normal(size=count), random.normal(size=(count, 2))
    y[777_777], y[5], wide[count - 1, 1] = 99.0, np.nan, -77.0
    writer = RunWriter.create(tmp_path, record)
    for start in range(0, count, 333_333):
        writer.write({"y": y[start : start + 333_333], "wide": wide[start : start + 333_333]})
    path = writer.finish(end(record))
    for points in (100, 4000):
        view = read_overview(path, "y", points)
        assert len(view.low) >= points
        edges = view.start
        np.testing.assert_array_equal(view.low, np.fmin.reduceat(y, edges))
        np.testing.assert_array_equal(view.high, np.fmax.reduceat(y, edges))
    assert read_overview(path, "y", 100).high.max() == 99.0
    assert read_overview(path, "wide", 100).low[-1] == -77.0
    with pytest.raises(FileError, match="no overview"):
        read_overview(path, "nothing")
    assert check_file(path) == []


def test_a_file_of_format_1_0_opens(tmp_path):
    """Written by the first version of qlab that wrote files; kept as it was."""
    path = shutil.copy(Path(__file__).parent / "files" / "run-1.0.h5", tmp_path / "old.h5")
    run = open_run(path)
    assert len(run) == 102
    assert run.record.streams == ()
    assert run.record.software == {"python": "3.11", "installation": "unknown"}
    assert np.isfinite(run.grid("contrast").value).sum() == 48  # three points have no accepted row
    assert check_file(path) == []


@pytest.mark.parametrize(("version", "opens"), [("1.7", True), ("2.0", False), ("10.0", False), ("", False)])
def test_a_later_minor_opens_and_a_later_major_says_why_not(finished, version, opens):
    with h5py.File(finished, "r+") as file:
        file.attrs["format_version"] = version
    if opens:
        assert len(open_run(finished)) == 510
    else:
        with pytest.raises(FileError, match=r"reads up to 1\.1"):
            open_run(finished)
