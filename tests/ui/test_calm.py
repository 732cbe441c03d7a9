"""The vertical axis of a live curve: calm, but never hiding a point."""

import numpy as np
import pyqtgraph as pg
import pytest

from qlab_ui.plots.calm import Calm


@pytest.fixture
def plot(app):
    widget = pg.GraphicsLayoutWidget()
    yield widget.addPlot()
    widget.close()


def test_it_moves_only_when_data_leave_it_or_fill_too_little(plot):
    calm, box = Calm(plot), plot.getViewBox()
    rng = np.random.default_rng(1)
    data = np.array([0.0, 1.0])
    calm.follow(data)
    first = box.viewRange()[1]
    assert first[0] < 0.0
    assert first[1] > 1.0
    for _ in range(50):
        calm.follow(data + rng.uniform(-0.05, 0.05, 2))
    assert box.viewRange()[1] == first
    calm.follow(np.array([0.0, 1.5]))
    assert box.viewRange()[1][1] > 1.5
    calm.follow(np.array([0.4, 0.6, np.nan, np.inf]))
    low, high = box.viewRange()[1]
    assert 0.3 < low < 0.4
    assert 0.6 < high < 0.7


def test_it_leaves_the_axis_to_whoever_moved_it_until_asked(plot):
    calm, box = Calm(plot), plot.getViewBox()
    calm.follow(np.array([0.0, 1.0]))
    box.setXRange(0, 5)
    box.sigRangeChangedManually.emit([True, True])
    calm.follow(np.array([0.0, 2.0]))
    assert box.viewRange()[1][1] > 2.0  # moving the other axis is not moving this one
    box.setYRange(10, 20, padding=0)
    box.sigRangeChangedManually.emit([True, True])
    calm.follow(np.array([0.0, 1.0]))
    assert box.viewRange()[1] == [10, 20]
    calm.follow(np.array([0.0, 1.0]), again=True)
    assert box.viewRange()[1][0] < 0.0


@pytest.mark.parametrize("value", [0.0, -3.0, 7e9])
def test_a_constant_has_room_around_it(plot, value):
    calm = Calm(plot)
    calm.follow(np.full(5, value))
    low, high = plot.getViewBox().viewRange()[1]
    assert low < value < high
