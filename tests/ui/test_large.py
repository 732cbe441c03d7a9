"""Large records: what is drawn is right, however it was summed up."""

import numpy as np
import pytest

from qlab.grid import MemoryRows
from qlab.record import Axis, Column, Record, Signal
from qlab_ui.plots.choose import view_for
from qlab_ui.plots.map import MapView
from qlab_ui.plots.pyramid import Pyramid
from qlab_ui.plots.slices import SliceView
from qlab_ui.plots.trace import TraceView


def record(**more):
    about = {
        "id": "1",
        "experiment": "x",
        "title": "Record",
        "parameters": {},
        "bench": {"name": "b"},
        "simulated": True,
    }
    return Record.model_validate({**about, **more})


@pytest.mark.parametrize("steps", [[1, 7, 8, 9, 100], [100_000], [63, 64, 65, 5000, 70_001]])
def test_a_pyramid_holds_the_extremes_of_what_is_seen(steps):
    rng = np.random.default_rng(sum(steps))
    values = rng.normal(size=sum(steps))
    values[rng.integers(0, len(values), len(values) // 50)] = np.nan
    made, count = Pyramid(), 0
    for step in steps:
        count += step
        made.take(values[:count])
    for _ in range(30):
        first, last = np.sort(rng.integers(0, count + 1, 2))
        x, y = made.seen(values[:count], int(first), int(last), 50)
        if last - first < 64:
            continue
        assert len(y) <= 2 * 8 * 50 + 4
        assert np.all(np.diff(x) >= 0)
        # Steps at both ends may reach a little outside, never the other way round.
        inside = values[first:last]
        assert np.nanmin(y) <= np.nanmin(inside)
        assert np.nanmax(y) >= np.nanmax(inside)
        reach = 8 ** int(np.ceil(np.log(max((last - first) / 50, 1)) / np.log(8)) + 1)
        around = values[max(first - reach, 0) : last + reach]
        assert np.nanmin(y) >= np.nanmin(around)
        assert np.nanmax(y) <= np.nanmax(around)


@pytest.fixture
def trace(app):
    made = TraceView()
    made.resize(800, 500)
    made.show()
    yield made
    made.close()


def test_a_long_record_without_axes_is_a_trace(trace):
    columns = [Column(name="counts", unit="1", role="raw")]
    long = record(columns=columns, expected_rows=200_000)
    assert isinstance(view_for(long), TraceView)
    assert not isinstance(view_for(record(columns=columns, expected_rows=200)), TraceView)
    values = np.random.default_rng(1).poisson(50.0, 200_000).astype(float)
    values[123_456] = 900.0
    trace.show_record(long)
    for count in (1000, 50_000, 200_000):
        trace.draw(MemoryRows({"counts": values[:count]}), "counts")
    x, y = trace.line.getData()
    assert len(x) < 20_000
    assert (y.max(), y.min()) == (900.0, values.min())
    assert trace.plot.viewRange()[1][1] > 900
    trace.plot.setXRange(123_400, 123_500, padding=0)
    x, y = trace.line.getData()
    assert len(x) < 120
    assert x[np.argmax(y)] == 123_456
    assert trace.table()[1][1][56] == 900.0


@pytest.fixture
def picture(app):
    made = MapView()
    made.resize(800, 500)
    made.show()
    yield made
    made.close()


def test_a_map_that_grows_has_every_pixel_right(picture):
    ys, xs = np.arange(30.0), np.arange(40.0)
    plan = record(
        axes=[Axis(name="b", values=tuple(ys)), Axis(name="a", values=tuple(xs))],
        columns=[Column(name=n, unit="1", role=r) for n, r in (("b", "setpoint"), ("a", "setpoint"), ("v", "raw"))],
        signals=[Signal(name="v", of="v", rule="mean")],
        expected_rows=1200,
    )  # fmt: skip
    b, a = (part.ravel() for part in np.meshgrid(ys, xs, indexing="ij"))
    values = np.sin(b / 5) * a + 0.01 * b
    picture.show_record(plan)
    for count in (1, 55, 56, 700, 1200):
        picture.draw(MemoryRows({"b": b[:count], "a": a[:count], "v": values[:count]}), "v")
        assert (picture.picture._pixels > 0).sum() == count
        assert f"{count} of 1200 points" in picture.accessibleDescription()
    low, high = picture._levels
    assert low < values.min() < values.max() < high
    table = picture.picture._table
    shade = np.clip((values - low) * (255 / (high - low)), 0, 255).astype(int).reshape(30, 40)
    assert np.array_equal(picture.picture._pixels, table[shade])


def test_a_map_of_many_points_is_coloured_anew_in_parts(picture, monkeypatch):
    """New outermost values change every colour: a part of them with each frame, until all are right."""
    monkeypatch.setattr("qlab_ui.plots.map._PART", 100)
    ys, xs = np.arange(30.0), np.arange(40.0)
    plan = record(
        axes=[Axis(name="b", values=tuple(ys)), Axis(name="a", values=tuple(xs))],
        columns=[Column(name=n, unit="1", role="raw") for n in "bav"],
        signals=[Signal(name="v", of="v", rule="mean")],
        expected_rows=1200,
    )
    b, a = (part.ravel() for part in np.meshgrid(ys, xs, indexing="ij"))
    values = np.arange(1200.0)
    picture.show_record(plan)

    def right(count):
        low, high = picture._levels
        shade = np.clip((values[:count] - low) * (255 / (high - low)), 0, 255).astype(int)
        return picture.picture._pixels.reshape(-1)[:count] == picture.picture._table[shade]

    for count in (500, 900):
        picture.draw(MemoryRows({"b": b[:count], "a": a[:count], "v": values[:count]}), "v")
        picture.tick()
    assert not right(900).all()
    assert right(900)[500:].all()  # what is new is right at once
    for _ in range(15):
        picture.tick()
    assert right(900).all()
    assert (picture.picture._pixels > 0).sum() == 900


def test_a_cube_is_seen_slice_by_slice(app):
    """Three axes: a map of the two longest, the third by a slider; rows come in any order and while it is looked at."""
    axes = [
        Axis(name=n, unit="s", values=tuple(float(v) for v in range(k)))
        for n, k in (("a", 5), ("b", 2), ("c", 7))
    ]
    made = record(
        columns=[Column(name=n, role="raw") for n in "abcv"],
        axes=axes,
        signals=[Signal(name="v", of="v", rule="mean")],
    )
    a, b, c = (
        part.ravel() for part in np.meshgrid(np.arange(5.0), np.arange(2.0), np.arange(7.0), indexing="ij")
    )
    order = np.random.default_rng(3).permutation(len(a))
    rows = {"a": a[order], "b": b[order], "c": c[order], "v": (100 * b + 10 * a + c)[order]}
    view = view_for(made)
    assert isinstance(view, SliceView)
    view.show_record(made)
    for count in (30, 70):
        view.draw(MemoryRows({name: values[:count] for name, values in rows.items()}), "v")
    assert [axis.name for axis, _ in view.grid.axes] == ["a", "c"]
    np.testing.assert_array_equal(view.grid.value, 10 * np.arange(5.0)[:, None] + np.arange(7.0))
    view.sliders["b"].setValue(1)
    np.testing.assert_array_equal(view.grid.value, 100 + 10 * np.arange(5.0)[:, None] + np.arange(7.0))
    assert "1 s" in view._words["b"].text()
    view.close()
