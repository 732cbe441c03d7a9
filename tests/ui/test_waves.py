"""Waveforms of an AWG in the window: opened like any file, looked at from the whole shot to a sample."""

import time

import h5py
import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtTest import QTest

from qlab.errors import FileError
from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, compile_program
from qlab.pulses.wavefile import read_waves
from qlab.scan import Linear
from qlab.store import holds_waves
from qlab_instruments.file.awg import FileAWG
from qlab_ui.worker import ProcessWorker
from tests.ui.steps import frames


def until(window, condition):
    """Wait for the worker process, which is a real one."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        QTest.qWait(10)
        frames(window)


def program(points=4):
    tau = Linear(0.1e-6, 1e-6, points).symbol("tau")
    body = Gate("laser", 2e-6) + Delay(0.4e-6) + Play("mw", 50e-9, 5e6) + Delay(tau)
    body = body + Play("mw", 50e-9, 5e6, np.pi / 2) + Align() + Gate("laser", 1e-6)
    return compile_program(Program(body + Acquire("counter", 0.3e-6, "counts"), shots=7))


@pytest.fixture
def played(tmp_path):
    awg = FileAWG(
        str(tmp_path),
        drives={"mw": {"i": 1, "q": 2}},
        markers={"laser": 1, "counter": 2},
        outputs=2,
        volts=1.0,
    )
    awg.open()
    awg.load(program())
    awg.start()
    return tmp_path / "played-0001.h5"


def test_a_stretch_is_read_at_any_magnification(played):
    assert holds_waves(played)
    whole = read_waves(played, 1, columns=100_000)
    assert whole.whole
    assert (whole.points, whole.repeats, whole.point) == (4, 7, 1)
    assert whole.outputs == ("mw, in phase", "mw, quadrature")
    assert whole.lines == ("laser", "counter")
    assert whole.time[1] == pytest.approx(1e-9)
    with h5py.File(played) as file:
        wave, bits = file["waveform_1/outputs"][:], file["waveform_1/markers"][:]
        assert file["waveform_1/outputs"].attrs["units"] == "V"
    np.testing.assert_array_equal(whole.high, wave)
    np.testing.assert_array_equal(whole.lit[0], bits & 1)
    coarse = read_waves(played, 1, columns=50)
    assert not coarse.whole
    assert len(coarse.time) <= 51
    # Nothing that is short is lost where samples are drawn together.
    assert coarse.high.max() == wave.max()
    step = -(-wave.shape[1] // 50)
    for k in range(len(coarse.time)):
        part = slice(k * step, (k + 1) * step)
        assert coarse.low[0, k] == wave[0, part].min()
        assert coarse.lit[1, k] == bool(np.any(bits[part] & 2))
        assert coarse.dark[1, k] == bool(np.any(~bits[part] & 2))
    near = read_waves(played, 1, 2.39e-6, 2.46e-6, 200)
    assert near.whole
    assert near.time[0] == pytest.approx(2.39e-6)
    assert np.array_equal(near.high, wave[:, 2390 : 2390 + len(near.time)])


def test_what_holds_no_waveforms_says_so(tmp_path, played):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["x"] = np.arange(3)
    assert not holds_waves(other)
    assert not holds_waves(tmp_path / "missing.h5")
    with pytest.raises(FileError, match="holds no waveforms"):
        read_waves(other)
    with h5py.File(played, "r+") as file:
        del file["waveform_2"]
    with pytest.raises(FileError, match="cannot be read"):
        read_waves(played, 2)


@pytest.fixture
def worker():
    return ProcessWorker()  # the real one: files are read in a process of their own


def test_the_window_shows_them_and_reads_more_where_somebody_looks(window, played):
    window.files.open(played)
    until(window, lambda: window.centre.drawn() is not None)
    page = window.centre.drawn()
    view = page.view
    assert "4 waveforms" in page.about()
    assert "point 1 of 4" in page.where.text()
    assert "7 shots" in page.where.text()
    assert [lane.getAxis("left").labelText for lane in view.plots()[:2]] == ["mw, in phase", "mw, quadrature"]
    first = view.waves
    assert view.plot.viewRange()[0][1] >= first.seconds
    page.slider.setValue(3)
    until(window, lambda: "point 4 of 4" in page.where.text())
    assert view.waves.point == 3
    # The second pulse of the last point: 2 + 0.4 + 0.05 + 1 µs.
    quadrature = view.waves.high[1]
    on = view.waves.time[np.abs(quadrature) > 1e-3]
    assert on[0] == pytest.approx(3.45e-6, abs=2e-9)
    assert on[-1] == pytest.approx(3.499e-6, abs=2e-9)
    where = view.plots()[0].getViewBox().mapViewToScene(QPointF(2.425e-6, 0.2))
    _, _, words = view.nearest(where)
    assert "2.425 µs" in words
    assert "mw, in phase 500 mV" in words
    names = [name for name, _ in view.table()]
    assert names[0] == "time (s)"
    assert {"laser", "counter"} <= set(names)


def test_a_long_shot_is_drawn_coarsely_and_read_again_where_it_is_magnified(window, tmp_path):
    awg = FileAWG(str(tmp_path), drives={"mw": {"i": 1, "q": 2}}, markers={"laser": 1}, outputs=2)
    awg.open()
    body = Gate("laser", 2e-6) + Delay(200e-6) + Play("mw", 50e-9, 5e6) + Delay(100e-6)
    awg.load(compile_program(Program(body, shots=1)))
    awg.start()
    window.files.open(tmp_path / "played-0001.h5")
    until(window, lambda: window.centre.drawn() is not None)
    view = window.centre.drawn().view
    assert not view.waves.whole
    assert view.waves.high[0].max() == pytest.approx(0.5)  # 50 ns of 300 µs are still seen
    view.plot.setXRange(201.9e-6, 202.2e-6, padding=0)
    until(window, lambda: view.waves.whole)
    assert view.waves.time[0] <= 201.9e-6
    assert view.waves.time[-1] >= 202.2e-6
    low, high = view.plot.viewRange()[0]
    assert (low, high) == pytest.approx((201.9e-6, 202.2e-6))  # the range stays where it was put


def test_a_file_that_only_claims_to_be_one_is_looked_over_first(window, played):
    """It is opened by its structure in a process of its own before the window's worker reads anything of it."""
    with h5py.File(played, "r+") as file:
        file["waveform_0"]["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(FileError, match="played-0001"):
        holds_waves(played)
    window.files.open(played)
    until(window, lambda: any("played-0001" in line for line in window.log.lines()))
    assert window.centre.drawn() is None


def test_a_damaged_one_says_so_and_leaves_the_window_as_it_was(window, played):
    size = played.stat().st_size
    with played.open("r+b") as file:
        file.truncate(size // 2)
    window.files.open(played)
    until(window, lambda: any("played-0001" in line for line in window.log.lines()))
    assert window.centre.drawn() is None
