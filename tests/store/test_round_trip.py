"""What is written comes back: record, rows, grid, journal; and what does not fit is refused."""

import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qlab.errors import FileError, RecordingError, UsageError
from qlab.record import Axis, Column, Signal
from qlab.store import RunWriter, open_run
from qlab.store.document import dump, load


def write(folder, record, blocks):
    writer = RunWriter.create(folder, record)
    for block in blocks:
        writer.write(block)
    return writer.finish(record.model_copy(update={"state": "finished", "ended": record.started}))


def test_a_finished_run_comes_back_whole(tmp_path, record, end, block):
    writer = RunWriter.create(tmp_path, record)
    assert writer.path.name.endswith(".part.h5")
    assert writer.path.parent.parent == tmp_path
    blocks = [block(51 * i) for i in range(10)]
    for one in blocks:
        writer.write(one)
    final = end(record)
    path = writer.finish(final)
    assert path == writer.final
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]
    run = open_run(path)
    assert dump(run.record) == dump(final)
    assert len(run) == 510
    for name, values in blocks[0].items():
        column = run[name]
        assert column.dtype == values.dtype
        np.testing.assert_array_equal(column, np.concatenate([b[name] for b in blocks]))
    assert run.grid().value.shape == (51,)
    assert run.figures["sensitivity"].unit == "T/√Hz"
    assert run.path == path


def test_numbers_that_json_lacks_and_odd_text_come_back(tmp_path, record, end):
    odd = end(record, bench={"readback": math.nan, "limits": [-math.inf, math.inf], "name": "µ-\udc80-∑"})
    path = RunWriter.create(tmp_path, record).finish(odd)
    back = open_run(path).record
    assert math.isnan(back.bench["readback"])
    assert back.bench["limits"] == [-math.inf, math.inf]
    assert back.bench["name"] == "µ-\udc80-∑"
    assert math.isnan(back.fits[0].chi2)


@pytest.mark.parametrize("text", ["{", "NaN", "1" * 5000, "[" * 50_000, b"\xff"])
def test_a_document_that_is_no_json_is_refused(text):
    with pytest.raises(FileError):
        load(text)


def test_per_shot_arrays_complex_and_boolean_columns(tmp_path, new_record):
    record = new_record(
        columns=(
            Column(name="phase", unit="rad", role="setpoint"),
            Column(name="iq", unit="V", dtype="c16", dims=("shot",), shape=(7,)),
            Column(name="image", dtype="u2", dims=("y", "x"), shape=(400, 900)),
            Column(name="locked", dtype="b1"),
        ),
        axes=(),
        signals=(),
    )
    random = np.random.default_rng(0)
    block = {
        "phase": np.arange(3.0),
        "iq": random.normal(size=(3, 7)) + 1j * random.normal(size=(3, 7)),
        "image": random.integers(0, 65535, (3, 400, 900)),
        "locked": np.array([True, False, True]),
    }
    run = open_run(write(tmp_path, record, [block, block]))
    assert run["locked"].dtype == bool
    for name, values in block.items():
        np.testing.assert_array_equal(run[name], np.concatenate([values, values]))


def test_a_run_without_rows_and_one_without_axes(tmp_path, new_record, block):
    empty = open_run(write(tmp_path, new_record(), []))
    assert len(empty) == 0
    assert np.isnan(empty.grid().value).all()
    bare = new_record(axes=(), signals=(Signal(name="mean_counts", of="counts"),))
    run = open_run(write(tmp_path, bare, [block()]))
    assert run.grid().value.shape == (1,)
    planless = new_record(axes=(Axis(name="tau", unit="s"),))
    assert len(open_run(write(tmp_path, planless, []))) == 0


def test_names_that_need_another_in_the_file(tmp_path, new_record, block):
    signals = (
        Signal(name="photons", of="counts"),
        Signal(name="shots", of="counts"),
        Signal(name="title", of="counts"),
    )
    path = write(tmp_path, new_record(signals=signals), [block()])
    with h5py.File(path) as file:
        assert {"data", "shots_view", "title_view"} <= set(file["entry"])
    assert open_run(path).grid("title").value.shape == (51,)


def test_the_growing_file_shows_rows_journal_and_state(tmp_path, record, block):
    writer = RunWriter.create(tmp_path, record)
    writer.write(block())
    writer.note("program", {"operations": []})
    writer.note("log", {"level": "info", "message": "begun"})
    writer.set_state("paused")
    run = open_run(writer.path)
    assert (run.state, len(run)) == ("paused", 51)
    assert run.record.programs == ({"operations": []},)
    assert run.record.log[0]["message"] == "begun"
    writer.write(block(51))
    writer.flush()
    assert len(run) == 102
    np.testing.assert_array_equal(run["counts"][51:], block(51)["counts"])
    path = writer.finish(record.model_copy(update={"state": "stopped", "ended": record.started}))
    assert len(run) == 102  # the same object goes on with the finished file
    assert open_run(writer.path).path == path


def test_runs_of_the_same_name_do_not_meet(tmp_path, record, block):
    first, second = RunWriter.create(tmp_path, record), RunWriter.create(tmp_path, record)
    assert first.path != second.path
    first.write(block())
    final = record.model_copy(update={"state": "finished"})
    assert (
        len({first.finish(final), second.finish(final), RunWriter.create(tmp_path, record).finish(final)})
        == 3
    )


def test_a_writer_that_is_closed_leaves_its_rows(tmp_path, record, block):
    writer = RunWriter.create(tmp_path, record)
    writer.write(block())
    writer.write(block(51))
    writer.close()
    writer.close()
    run = open_run(writer.path)
    assert (run.state, len(run)) == ("interrupted", 102)


def test_the_caller_may_go_on_with_its_arrays(tmp_path, record, block):
    writer = RunWriter.create(tmp_path, record)
    one = block()
    writer.write(one)
    writer.write(one)
    one["counts"][:] = 0
    run = open_run(writer.finish(record.model_copy(update={"state": "finished"})))
    np.testing.assert_array_equal(run["counts"], np.tile(block()["counts"], 2))


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("u4", -1), ("u4", 2**32), ("u1", 256), ("i1", 128), ("i8", 2**63), ("i8", float(2**63)), ("u8", -1),
        ("u4", 0.5), ("u4", math.nan), ("i4", math.inf), ("f4", 1e300), ("f8", 1j), ("f8", 2**53 + 1), ("b1", 2),
        ("i8", np.uint64(2**64 - 1)), ("u4", "seven"), ("u4", None),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused(tmp_path, new_record, dtype, value):
    record = new_record(columns=(Column(name="n", dtype=dtype),), axes=(), signals=())
    writer = RunWriter.create(tmp_path, record)
    writer.write({"n": np.zeros(2)})
    with pytest.raises(RecordingError, match=r"column|Column"):
        writer.write({"n": np.array([0, value] if not isinstance(value, np.uint64) else [value])})
    run = open_run(writer.finish(record.model_copy(update={"state": "failed"})))
    assert len(run) == 2


def test_a_block_that_is_not_whole_is_refused(tmp_path, record, block):
    writer = RunWriter.create(tmp_path, record)
    for wrong in (
        {k: v for k, v in block().items() if k != "time"},
        {**block(), "strange": np.zeros(51)},
        {**block(), "counts": np.zeros(50, "u4")},
        {**block(), "counts": np.zeros((51, 2), "u4")},
        {**block(), "counts": np.uint32(3)},
    ):
        with pytest.raises(RecordingError):
            writer.write(wrong)
    writer.close()


@pytest.mark.parametrize(
    "column",
    [
        Column(name="scan_point"), Column(name="tau/2"), Column(name="ü"), Column(name="x", dtype="O"),
        Column(name="x", dtype="U5"), Column(name="x", unit="T/√Hz"), Column(name="counts"),
        Column(name="x", dims=("counts",), shape=(3,)), Column(name="x", dims=("s",), shape=(0,)),
        Column(name="x", dtype="no"),
    ],
)  # fmt: skip
def test_a_record_that_no_file_can_carry_is_refused(tmp_path, record, column):
    wrong = record.model_copy(update={"columns": (*record.columns, column)})
    with pytest.raises(UsageError):
        RunWriter.create(tmp_path, wrong)
    assert list(tmp_path.rglob("*.*")) == []


def test_a_folder_that_cannot_be_written_is_refused(tmp_path, record):
    below_a_file = tmp_path / "file"
    below_a_file.write_text("x")
    for folder in (below_a_file / "runs", Path("/proc/qlab-cannot-be")):
        with pytest.raises(UsageError) as caught:
            RunWriter.create(folder, record)
        assert caught.value.exit_code == 2
        assert caught.value.hint
    assert [p.name for p in tmp_path.rglob("*")] == ["file"]


def test_no_address_and_no_home_path_gets_into_the_file(tmp_path, record, end):
    home = str(Path.home())
    bench = {"instruments": {"source": {"driver": "scpi.generic", "address": "TCPIP::192.168.7.77::INSTR"}}}
    final = end(record, bench=bench, reason=f"No such file: {home}/secret/lab.toml")
    path = RunWriter.create(tmp_path, record).finish(final)
    raw = path.read_bytes()
    for leak in (b"192.168.7.77", f"{home}/secret".encode()):
        assert leak not in raw
    assert b"scpi.generic" in raw


def test_a_rewritten_file_is_for_old_readers(finished):
    with h5py.File(finished) as file:
        assert file.id.get_create_plist().get_version()[0] == 0
        assert file.attrs["status"] in (b"finished", "finished")
        assert len(file.attrs["content_sha256"]) == 64
        counts = file["entry/shots/counts"]
        assert (counts.compression, counts.shuffle) == ("gzip", True)
        noise = file["entry/figures/sensitivity/value"]
        assert (float(noise[()]), noise.attrs["units"]) == (pytest.approx(9e-18), "T2/Hz")
        assert noise.attrs["shown_as"] == "3e-09 T/√Hz"
        assert float(file["entry/figures/sensitivity/value_errors"][()]) == pytest.approx(6e-19)


_DTYPES = st.sampled_from(["f8", "f4", "u1", "u4", "i8", "i2", "c16"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_random_blocks_come_back(tmp_path, new_record, data):
    shapes = data.draw(st.lists(st.sampled_from([(), (3,), (2, 2)]), min_size=1, max_size=3))
    columns = tuple(
        Column(
            name=f"c{i}",
            dtype=data.draw(_DTYPES),
            dims=tuple(f"d{i}_{k}" for k in range(len(shape))),
            shape=shape,
        )
        for i, shape in enumerate(shapes)
    )
    blocks = [
        {c.name: data.draw(hnp.arrays(np.dtype(c.dtype), (rows, *c.shape))) for c in columns}
        for rows in data.draw(st.lists(st.integers(0, 5), max_size=4))
    ]
    record = new_record(columns=columns, axes=(), signals=())
    run = open_run(write(tmp_path, record, blocks))
    for column in columns:
        expected = np.concatenate(
            [b[column.name] for b in blocks] or [np.empty((0, *column.shape), column.dtype)]
        )
        np.testing.assert_array_equal(run[column.name], expected)
        assert run[column.name].dtype == expected.dtype
