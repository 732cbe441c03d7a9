"""What measures in plots: cursors, cuts, regions and histograms, against numbers computed apart."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from qlab.grid import MemoryRows
from qlab.record import Axis, Column, Signal
from qlab_ui.plots.curve import CurveView
from qlab_ui.plots.data import Label
from qlab_ui.plots.map import MapView
from qlab_ui.plots.tools import inverse_unit, lines_of
from tests.ui.fakes import ramsey_record, ramsey_rows
from tests.ui.steps import frames


@pytest.fixture
def curve(app):
    record = ramsey_record(state="finished")
    view = CurveView()
    view.resize(900, 560)
    view.show_record(record)
    view.draw(MemoryRows(ramsey_rows(np.tile(record.axes[0].values, 10))), "contrast")
    view.show()
    view.fit_view()
    QTest.qWait(30)
    yield view
    view.close()
    view.deleteLater()


@pytest.fixture
def picture(app):
    """A map whose value tells where it is: 100 times the row plus the column."""
    ys, xs = np.linspace(1e9, 2e9, 11), np.linspace(0, 4e-6, 21)
    up, across = np.meshgrid(ys, xs, indexing="ij")
    value = 100.0 * np.arange(11)[:, None] + np.arange(21)[None, :]
    record = ramsey_record(state="finished").model_copy(update={
        "columns": (Column(name="f", unit="Hz", role="setpoint"), Column(name="t", unit="s", role="setpoint"),
                    Column(name="v", unit="V", role="raw")),
        "axes": (Axis(name="f", unit="Hz", values=tuple(ys)), Axis(name="t", unit="s", values=tuple(xs))),
        "signals": (Signal(name="mean_v", unit="V", of="v"),),
    })  # fmt: skip
    view = MapView()
    view.resize(900, 640)
    view.show_record(record)
    view.draw(MemoryRows({"f": up.ravel(), "t": across.ravel(), "v": value.ravel()}), "mean_v")
    view.show()
    view.fit_view()
    QTest.qWait(30)
    yield view
    view.close()
    view.deleteLater()


def test_two_cursors_say_distance_and_its_inverse_with_units():
    said = lines_of(
        np.array([1e-6, 3e-6]), np.array([0.5, 0.9]), np.array([0.03, 0.04]), Label("t", "s"), Label("y")
    )
    assert said[0] == "A  1 µs   0.50(3)"
    assert said[2] == "Δx 2 µs   1/Δx 500 kHz   Δy 0.40(5)"
    assert [inverse_unit(u) for u in ("s", "Hz", "T", "V/√Hz", "")] == ["Hz", "s", "1/T", "1", "1"]


def test_a_cursor_is_dragged_with_the_mouse_and_measures_again(curve):
    curve.toggle_tool("measure")
    tool = curve.tools["measure"]
    before = tool.words.text
    box = curve.plot.getViewBox()
    line = tool.lines[0]
    middle = box.viewRange()[1][0] + 0.5 * np.ptp(box.viewRange()[1])
    start = box.mapViewToScene(QPointF(line.value(), middle)).toPoint()
    end = box.mapViewToScene(QPointF(0.5e-6, middle)).toPoint()
    port = curve.graphics.viewport()
    QTest.mouseMove(port, start)
    QTest.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    for share in np.linspace(0.1, 1, 8):
        QTest.mouseMove(port, start + (end - start) * float(share))
        QTest.qWait(15)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, pos=end)
    curve.tick()
    assert line.value() == pytest.approx(0.5e-6, abs=0.05e-6)
    assert tool.words.text != before
    curve.toggle_tool("measure")
    assert not curve.tools
    assert line not in curve.plot.items


def test_cursors_stand_on_a_logarithmic_axis_too(curve):
    curve.toggle_log(0)
    curve.plot.setXRange(-7, -5.4)
    curve.toggle_tool("measure")
    curve.tools["measure"].lines[0].setValue(-6.0)
    curve.tick()
    assert "A&nbsp;&nbsp;1&nbsp;µs" in curve.tools["measure"].words.text


def test_the_histogram_counts_every_point(curve, picture):
    for view, count in ((curve, 201), (picture, 231)):
        assert view.toggle_tool("histogram")
        bars = view.tools["histogram"].bars.opts
        sizes = bars["width"] if view is curve else bars["height"]
        assert int(np.sum(sizes)) == count
        assert f"N&nbsp;{count}" in view.tools["histogram"].words.text


def test_cuts_follow_the_cursor(picture):
    assert picture.toggle_tool("cuts")
    QTest.qWait(50)  # the map makes room for the cuts
    tool = picture.tools["cuts"]
    ys, xs = picture.grid.axes[0][1], picture.grid.axes[1][1]
    at = picture.plot.getViewBox().mapViewToScene(QPointF(float(xs[5]), float(ys[3]))).toPoint()
    QTest.mouseMove(picture.graphics.viewport(), at)
    QTest.qWait(60)
    picture.tick()
    assert tool.place == (3, 5)
    assert tool.curves[0].getData()[1] == pytest.approx(300 + np.arange(21))
    assert tool.curves[1].getData()[0] == pytest.approx(100 * np.arange(11) + 5)
    picture.toggle_tool("cuts")
    assert not picture.tools


def test_a_region_says_the_mean_of_its_pixels(picture):
    assert picture.toggle_tool("measure")
    tool = picture.tools["measure"]
    ys, xs = picture.grid.axes[0][1], picture.grid.axes[1][1]
    tool.roi.setPos((xs[4] - 1e-9, ys[2] - 1e3))
    tool.roi.setSize((xs[7] - xs[4] + 2e-9, ys[5] - ys[2] + 2e3))
    picture.tick()
    inside = (100.0 * np.arange(2, 6)[:, None] + np.arange(4, 8)[None, :]).ravel()
    assert "16&nbsp;pixels" in tool.words.text
    assert f"{inside.min():g}&nbsp;V" in tool.words.text


def test_a_curve_has_no_cuts_and_says_so(window):
    window.call("run")
    frames(window, 60)
    window.call("cuts")
    assert "maps" in "\n".join(window.log.lines())
    window.call("histogram")
    window.tick()
    assert window.centre.current().view.tools


def test_tools_follow_a_map_that_grows(picture):
    for name in ("measure", "cuts", "histogram"):
        assert picture.toggle_tool(name)
    before = picture.tools["histogram"].words.text
    grid = picture.grid
    rows = {"f": np.repeat(grid.axes[0][1], 21), "t": np.tile(grid.axes[1][1], 11), "v": np.full(231, 5.0)}
    first = {"f": rows["f"], "t": rows["t"], "v": (100.0 * np.arange(11)[:, None] + np.arange(21)).ravel()}
    picture.draw(MemoryRows({name: np.concatenate([first[name], rows[name]]) for name in rows}), "mean_v")
    picture._next_tools = 0.0
    picture.tick()
    assert picture.tools["histogram"].words.text != before
    assert picture.tools["cuts"].curves[0].getData()[1] == pytest.approx(
        (100 * picture.tools["cuts"].place[0] + np.arange(21) + 5) / 2
    )
