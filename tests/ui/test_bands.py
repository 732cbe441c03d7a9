"""Curves with bands and limits: drawn on logarithmic axes, offered beside the signals of their run."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from qlab.metrology.curves import Curve
from qlab_ui.page import RunPage
from qlab_ui.plots.bands import BandsView
from tests.ui.fakes import ramsey_record, ramsey_rows
from tests.ui.steps import finish


@pytest.fixture
def deviation():
    tau = 2.0 ** np.arange(12)
    sigma = 1e-15 / np.sqrt(tau)
    made = Curve("oadev", "overlapping Allan deviation", tau, sigma, sigma * 0.9, sigma * 1.2)
    return made.with_limit("projection noise", tau, 0.5e-15 / np.sqrt(tau))


def test_a_deviation_is_drawn_over_decades_with_its_limit(app, deviation):
    view = BandsView()
    view.resize(640, 420)
    view.show_record(ramsey_record(state="finished"))
    view.show_curve(deviation)
    view.show()
    app.processEvents()
    (x0, x1), (y0, y1) = view.plot.viewRange()
    assert x0 < 0.1
    assert x1 > 3.2  # decades of s
    assert y0 < -16.5
    assert y1 > -15.1
    assert "projection noise" in view.accessibleDescription()
    where = view.plot.getViewBox().mapViewToScene(QPointF(np.log10(8.0), float(np.log10(deviation.y[3]))))
    found = view.nearest(where)
    assert "2 × projection noise" in found[2]
    assert [name for name, _ in view.table()][2:] == ["low", "high"]
    view.close()


def test_curves_are_offered_beside_the_signals(app, deviation):
    from qlab.grid import MemoryRows

    record = ramsey_record(state="finished")
    page = RunPage(record, MemoryRows(ramsey_rows(record.axes[0].values)), None)
    page.take(record)
    page.show()
    page.frame()
    first = page.view
    page.show_curves((deviation,))
    page.signal_box.setCurrentIndex(page.signal_box.findData("curve:oadev"))
    page.signal_box.activated.emit(page.signal_box.currentIndex())
    assert isinstance(page.view, BandsView)
    assert page.signal() == "contrast"
    page.signal_box.setCurrentIndex(0)
    page.signal_box.activated.emit(0)
    assert page.view is first
    page.close()


def test_an_experiment_without_curves_is_never_asked(window, worker):
    window.call("run")
    finish(window)
    assert "curves" not in [name for name, _ in worker.asked]
