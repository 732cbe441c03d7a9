"""Single shots in the IQ plane, read from a real file, with the boundary that the run itself found."""

import numpy as np
import pytest

import qlab
from qlab_ui import work
from qlab_ui.page import RunPage
from qlab_ui.plots.clouds import CloudsView


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clouds")
    bench = qlab.Bench.load("sim-transmon", seed=3)
    return qlab.run("transmon.readout", bench, shots=400, repeats=1, out=folder)


def test_the_shots_of_a_row_are_those_of_the_file(run):
    got = work.read_clouds(str(run.path), 20)
    np.testing.assert_array_equal(got.shots["iq_excited"], np.asarray(run["iq_excited"])[20])
    assert got.rows == len(run)
    assert "µs" in got.where or "ns" in got.where
    assert work.read_clouds(str(run.path), 10_000).row == len(run) - 1


def test_the_boundary_parts_the_clouds(app, run):
    view = CloudsView()
    view.resize(640, 520)
    view.show_record(run.record)
    clouds = work.read_clouds(str(run.path), len(run) - 1)
    view.show_clouds(clouds)
    view.show()
    app.processEvents()
    angle, threshold = view._axis()
    sides = {
        name: np.mean(p[:, 0] * np.cos(angle) + p[:, 1] * np.sin(angle) > threshold)
        for name, p in clouds.shots.items()
    }
    assert sides["iq_ground"] < 0.2
    assert sides["iq_excited"] > 0.5  # some have decayed in the longest window
    assert view.boundary.isVisible()
    assert "Ground" in view.accessibleDescription()
    asked = []
    view.rowWanted.connect(asked.append)
    view.slider.setValue(3)
    assert asked == [3]
    view.close()


def test_single_shots_are_offered_where_there_are_any(app, run):
    page = RunPage(run.record, run.rows, run.path)
    page.take(run.record)
    wanted = []
    page.cloudsWanted.connect(wanted.append)
    page.signal_box.setCurrentIndex(page.signal_box.findData("clouds:"))
    page.signal_box.activated.emit(page.signal_box.currentIndex())
    assert isinstance(page.view, CloudsView)
    assert wanted == [0]
    assert page.signal() == "error"
    page.show_clouds(work.read_clouds(str(run.path), 5))
    assert len(page.view.table()) == 4
    page.close()
