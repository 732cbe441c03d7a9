"""The window against a session that plays a simulated Ramsey."""

import gc
import json
import sys
import time

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from qlab.grid import MemoryRows
from qlab.live import LiveTable
from qlab.settings import Settings, config_folder
from qlab_ui.app import make_window
from qlab_ui.badge import SimBadge
from qlab_ui.dialogs.error import ErrorDialog
from qlab_ui.panels.runs_model import EXPERIMENT, RUN
from tests.ui.fakes import CATALOGUE, FakeSession, FakeWorker, ramsey_record, ramsey_rows, summary
from tests.ui.steps import finish, frames, until


def shown(app, session, settings, worker=None):
    made = make_window(session, settings, worker or FakeWorker())
    made.show()
    made.timer.stop()
    app.processEvents()
    made.tick()
    return made


def test_first_paint_is_a_welcome(window):
    assert window.centre.currentWidget() is window.welcome
    assert window.welcome.run_button.text() == "Run Ramsey"
    assert "Simulated" in window.welcome.hint.text()
    assert window.windowTitle().endswith("(SIM)")
    assert window.bars.sim.isVisible()
    assert window.form.experiment == "nv.ramsey"


def test_a_run_grows_and_ends(window):
    window.call("run")
    frames(window, 4)
    page = window.centre.current()
    assert page.live()
    assert 0 < len(page.view.curve.x) < 201
    assert "Running Ramsey" in window.status.state.text()
    assert window.status.bar.isVisible()
    finish(window)
    assert page.record.state == "finished"
    assert isinstance(page.rows, MemoryRows)
    assert len(page.rows) == 2010
    assert len(page.view.curve.x) == 201
    assert not window.status.bar.isVisible()
    assert window.runs.model.lines[0].state == "finished"


def test_simulated_data_say_so_everywhere(window):
    window.call("run")
    finish(window)
    page = window.centre.current()
    assert "SIM" in page.view.mark.text
    assert page.findChild(SimBadge).isVisible()
    assert "simulated" in page.view.accessibleName()
    assert "SIM" in window.windowTitle()
    assert "simulated" in window.centre.tabs.tabToolTip(0)
    index = window.runs.model.index(0, RUN)
    assert "SIM" in window.runs.model.data(index)


def test_measured_data_do_not_say_sim(app, settings, tmp_path):
    settings.bench = "nv-setup-2"
    window = shown(app, FakeSession(tmp_path), settings)
    assert "SIM" not in window.windowTitle()
    assert not window.bars.sim.isVisible()
    record = ramsey_record(state="finished").model_copy(update={"simulated": False})
    page = window.centre.open(record, MemoryRows(ramsey_rows(record.axes[0].values)), None)
    app.processEvents()
    assert "SIM" not in page.view.mark.text
    assert not page.findChild(SimBadge).isVisible()
    window.close()


def test_the_fit_comes_and_is_shown_with_its_errors(window, worker):
    window.call("run")
    finish(window)
    page = window.centre.current()
    assert page.fitted is not None
    texts = [value.text() for _, value in window.result._values._labels]
    assert "500.2(4) kHz" in texts
    assert "1.81(3) µs" in texts
    assert "500 kHz" not in texts  # the truth is shown when it is asked for
    assert window.result._figures._labels[0][1].text() == "12.3(4) nT/√Hz"
    window.result.copy()
    assert "frequency\t500200.0\t420.0\tHz".casefold() in QApplication.clipboard().text().casefold()


def test_refits_are_at_most_two_a_second(window, worker):
    began = time.monotonic()
    window.call("run")
    until(window, lambda: not window.at_work.busy)
    fits = [name for name, _ in worker.asked if name == "fit"]
    assert len(fits) <= 2 * (time.monotonic() - began) + 2  # far fewer than the frames that passed


def test_no_fit_and_next_fit(window):
    window.bars.show_models(["line", "lorentzian"])
    window.call("run")
    finish(window)
    window.bars.fit_box.setCurrentIndex(window.bars.fit_box.count() - 1)
    window.bars.fit_box.activated.emit(window.bars.fit_box.currentIndex())
    frames(window, 2)
    strip = window.centre.current().view.residuals.plot
    assert window.centre.current().fitted is None
    assert not strip.isVisible()
    window.call("next_fit")
    assert strip.isVisible()
    window.call("next_fit")
    window.fitting._due = 0.0
    frames(window, 3)
    assert window.centre.current().fitted.result.model == "line"


def test_a_fit_of_a_model_that_has_changed_since_shows_its_values_and_no_curve():
    from qlab.grid import grid
    from qlab.record import FitParameter, FitResult
    from qlab_ui import work

    record = ramsey_record(21, state="finished")
    view = grid(record, MemoryRows(ramsey_rows(record.axes[0].values)), "contrast")
    known = (
        FitParameter(name="slope", value=1.0, error=0.1),
        FitParameter(name="offset", value=0.0, error=0.1),
    )
    now = FitResult(model="line", signal="contrast", success=True, parameters=known)
    old = FitResult(model="line", signal="contrast", success=True, parameters=known[:1])
    assert len(work.drawn(record, view, now).x) > len(record.axes[0].values)
    assert not len(work.drawn(record, view, old).x)
    assert work.drawn(record, view, old).result.values == {"slope": 1.0}


def test_a_failed_fit_is_doubted_in_words(window):
    from qlab.record import FitResult

    record = ramsey_record(state="finished")
    bad = FitResult(model="line", signal="contrast", success=False, message="No minimum was found.")
    window.result.show_result(record, bad, ())
    assert "Not to be believed" in window.result._doubt.text()
    worse = FitResult(model="line", signal="contrast", success=True, chi2=900, degrees_of_freedom=100)
    window.result.show_result(record, worse, ())
    assert "does not describe" in window.result._doubt.text()


def test_the_cursor_reads_the_nearest_point(window):
    window.call("run")
    finish(window)
    view = window.centre.current().view
    where = QPointF(view.curve.x[20], view.curve.y[20])
    view._mouse = view.plot.getViewBox().mapViewToScene(where)
    view.tick()
    assert "400 ns," in view.readout.text


def test_a_failed_run_tells_what_to_do_and_keeps_its_points(app, settings, tmp_path):
    window = shown(app, FakeSession(tmp_path, fail_at=80), settings)
    window.call("run")
    until(window, lambda: not window.at_work.busy)
    assert len(window.centre.current().rows) == 80
    assert "did not answer" in window.log.lines()[-1]
    assert window.status.warnings.text() >= "1"
    toast = window.toasts.pile()[-1]
    QTest.mouseClick(toast.findChildren(type(window.welcome.run_button))[0], Qt.MouseButton.LeftButton)
    dialog = window.findChild(ErrorDialog)
    assert not dialog.isModal()
    assert "Switch it on" in dialog._report
    dialog.close()
    window.close()


def test_closing_during_a_run_lets_go_and_a_new_window_attaches(app, settings, tmp_path):
    session = FakeSession(tmp_path, step=5)
    window = shown(app, session, settings)
    window.call("run")
    frames(window, 5)
    live = session._run
    session.close = lambda: None
    window.close()
    assert live.record.state == "running"
    session._events = [
        {"event": "ready", "catalogue": CATALOGUE},
        {"event": "started", "run": live.record.id, "record": live.record.model_dump(mode="json"),
         "table": str(live.table.path), "path": "x.part.h5"},
        {"event": "state", "run": live.record.id, "state": "running"},
    ]  # fmt: skip
    session.step = 200
    second = shown(app, session, settings)
    frames(second, 2)
    assert second.centre.current().record.id == live.record.id
    assert len(second.centre.current().rows) > 0
    until(second, lambda: not second.at_work.busy)
    second.close()


def test_a_bench_that_dies_leaves_the_window_alive(window, session):
    window.call("run")
    frames(window, 4)
    session._events.append({"event": "bench", "state": "restarting", "message": "The bench process died."})
    session._run.record = session._run.record.model_copy(update={"state": "paused"})
    frames(window, 2)
    assert window.centre.current().record.state == "interrupted"
    assert not window.bench.ready
    session._events.append({"event": "ready", "catalogue": CATALOGUE})
    frames(window, 1)
    assert window.bench.ready


def test_what_could_not_be_made_safe_is_said_aloud(window, session):
    session._events.append({"event": "safe", "report": {"laser": "safe", "coil": "NOT REACHED within 5 s."}})
    frames(window, 1)
    assert "error: Not everything is safe: coil." in window.log.lines()[-1]
    assert len(window.toasts.pile()) == 1
    session._events.append({"event": "safe", "report": {"laser": "safe"}})
    frames(window, 1)
    assert len(window.toasts.pile()) == 1  # after each run it goes to the log only
    window.call("make_safe")
    frames(window, 1)
    assert len(window.toasts.pile()) == 2


def test_the_catalogue_is_remembered_and_heals(app, settings, tmp_path, window):
    assert json.loads((config_folder() / "catalogue.json").read_text())
    later = make_window(FakeSession(tmp_path, catalogue=None), settings, FakeWorker())
    assert later.form.experiment == "nv.ramsey"
    later.close()
    (config_folder() / "catalogue.json").write_text('[{"name": 3}, "x", {"fields": 1, "name": "a"}]')
    empty = make_window(FakeSession(tmp_path, catalogue=None), settings, FakeWorker())
    assert "starting" in empty.form.summary.text()
    empty.close()


@pytest.mark.parametrize("garbage", ["!!", "AAAA", "c29tZXRoaW5n", "ü", "A" * 4001])
def test_a_damaged_layout_heals(app, tmp_path, garbage):
    settings = Settings(data_folder=str(tmp_path), window_layout=garbage, window_geometry=garbage)
    window = shown(app, FakeSession(tmp_path), settings)
    assert all(dock.isVisible() for name, dock in window.docks.items() if name not in {"log", "help"})
    assert any("layout" in line for line in window.log.lines())
    window.close()
    assert settings.window_layout != garbage


def test_layout_is_kept_and_reset(app, settings, tmp_path):
    window = shown(app, FakeSession(tmp_path), settings)
    window.docks["metadata"].close()
    window.close()
    again = shown(app, FakeSession(tmp_path), settings)
    assert not again.docks["metadata"].isVisible()
    again.call("reset_layout")
    assert again.docks["metadata"].isVisible()
    again.close()


def test_values_are_remembered(app, settings, tmp_path, window):
    window.form.row("shots").setValue(777)
    window.close()
    again = shown(app, FakeSession(tmp_path), settings)
    assert again.form.values()["shots"] == 777
    again.close()


def test_runs_are_listed_searched_opened_and_loaded(app, settings, tmp_path):
    old = ramsey_record(state="finished").model_copy(
        update={"parameters": {"shots": 321, "fringe_frequency": 1e6}}
    )
    rows = MemoryRows(ramsey_rows(old.axes[0].values))
    one = summary("Ramsey", "nv.ramsey", path="/data/r.h5", run=old.id, figures={"sensitivity": 1.2e-8})
    worker = FakeWorker([one, summary("Rabi")], {"/data/r.h5": (old, rows, "/data/r.h5")})
    window = shown(app, FakeSession(tmp_path), settings, worker)
    app.processEvents()
    frames(window, 3)
    assert len(window.runs.model.lines) == 2
    window.runs.search.setText("ramsey")
    QTest.qWait(300)
    frames(window, 2)
    assert [line.title for line in window.runs.model.lines] == ["Ramsey"]
    where = window.runs.table.visualRect(window.runs.model.index(0, EXPERIMENT)).center()
    QTest.mouseClick(window.runs.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    QTest.mouseDClick(window.runs.table.viewport(), Qt.MouseButton.LeftButton, pos=where)
    frames(window, 3)
    assert window.centre.current().record.id == old.id
    assert len(window.centre.current().view.curve.x) == 201
    window.call("again")
    assert window.feed.session.orders[0].parameters["shots"] == 321
    window.close()


def test_compare_draws_runs_over_each_other(app, settings, tmp_path):
    records = [ramsey_record(state="finished") for _ in range(3)]
    files = {f"/d/{r.id}.h5": (r, MemoryRows(ramsey_rows(r.axes[0].values, seed)), f"/d/{r.id}.h5")
             for seed, r in enumerate(records)}  # fmt: skip
    worker = FakeWorker([summary(path=path, run=got[0].id) for path, got in files.items()], files)
    window = shown(app, FakeSession(tmp_path), settings, worker)
    frames(window, 2)
    window.runs.table.selectAll()
    window.tick()
    assert window.bars.actions["compare"].isEnabled()
    window.call("compare")
    frames(window, 4)
    assert len(window.centre.current().view._behind) == 2
    assert sum(bool(line.colour) for line in window.runs.model.lines) == 3
    window.close()


def test_export_writes_what_is_drawn(window, tmp_path):
    window.call("run")
    finish(window)
    commands = window._commands[0]
    commands.save_as(tmp_path / "values.csv")
    lines = (tmp_path / "values.csv").read_text(encoding="utf-8").splitlines()
    assert "simulated" in lines[0]
    assert lines[1].startswith("precession time (s),normalised fluorescence")
    assert len(lines) == 203
    commands.save_as(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000
    for name in ("x.csv", "x.png"):
        commands.save_as(tmp_path / "nowhere" / name)
        assert "cannot be written" in window.log.lines()[-1]
    assert sorted(path.name for path in tmp_path.glob("[!.]*.*") if path.is_file()) == [
        "picture.png",
        "values.csv",
    ]


def test_tabs_close_to_the_welcome(window):
    window.call("run")
    finish(window)
    window.call("close_tab")
    assert window.centre.currentWidget() is window.welcome


def test_a_folder_can_be_dropped(window, worker, tmp_path):
    from PySide6.QtCore import QMimeData, QUrl
    from PySide6.QtGui import QDropEvent

    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    keys, buttons = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, buttons, keys)
    window.dropEvent(event)
    assert ("list_folder", (str(tmp_path), "")) in [(name, given[:2]) for name, given in worker.asked[-2:]]


def test_recent_files_are_offered(window, tmp_path):
    there = tmp_path / "a.h5"
    there.write_bytes(b"")
    window.settings.recent_files = [str(there), "/nowhere/b.h5"]
    menu = next(
        m for m in window.findChildren(type(window.bars.menus["File"])) if m.objectName() == "menu_recent"
    )
    menu.aboutToShow.emit()
    assert [action.isEnabled() for action in menu.actions()] == [True, False]


def test_much_that_happens_at_once_leaves_frames_in_between(window, session, monkeypatch):
    monkeypatch.setattr("qlab_ui.feed._SHARE", 0.005)
    taken = []
    window.feed.on("slow", lambda event: (time.sleep(0.004), taken.append(event["number"])))
    session._events += [{"event": "slow", "number": number} for number in range(5)]
    counts = []
    while len(taken) < 5:
        window.tick()
        counts.append(len(taken))
    assert taken == list(range(5))
    assert counts[0] <= 2
    assert len(counts) >= 3


def test_text_of_files_is_never_read_as_html(window):
    record = ramsey_record(state="finished").model_copy(
        update={"title": "<b>x</b><img src='file:///etc/passwd'>"}
    )
    page = window.centre.open(record, MemoryRows(ramsey_rows(record.axes[0].values)), None)
    assert page._title.textFormat() == Qt.TextFormat.PlainText
    frames(window, 1)


def test_none_keeps_its_references(window, app):
    window.resize(800, 500)
    window.call("run")
    finish(window)
    window.bars.fit_box.setCurrentIndex(window.bars.fit_box.count() - 1)
    window.call("close_tab")
    page = window.centre.open(
        ramsey_record(21, state="finished"), MemoryRows(ramsey_rows(np.linspace(0, 4e-6, 21))), None
    )
    page.frame()
    for _ in range(2):  # the spare view and its strip, which would be made while the references are counted
        window.centre.prepare()
    for _ in range(50):
        window.repaint()
        window.centre.current().view.graphics.viewport().repaint()
    app.processEvents()
    gc.collect()  # the closed page goes now, not while the references are counted
    before = sys.getrefcount(None)
    for _ in range(1000):
        window.centre.current().view.graphics.viewport().repaint()
        app.processEvents()
    assert abs(sys.getrefcount(None) - before) < 200


def test_names_are_there_for_those_who_listen(window):
    from PySide6.QtWidgets import QAbstractItemView, QComboBox, QLineEdit, QToolButton

    window.call("run")
    finish(window)
    for kind in (QLineEdit, QComboBox, QToolButton, QAbstractItemView):
        for widget in window.findChildren(kind):
            inner = widget.objectName().startswith(
                "qt_"
            ) or widget.parent().metaObject().className().startswith("Q")
            if widget.isVisible() and not inner and isinstance(widget, QLineEdit | QComboBox):
                assert widget.accessibleName(), widget.objectName()


def test_a_map_is_drawn_for_two_axes(window):
    from qlab.record import Axis, Column, Record, Signal

    ys, xs = np.linspace(0, 1e-6, 21), np.linspace(2.8e9, 2.9e9, 31)
    record = Record(
        id="m" * 8, experiment="nv.chevron", title="Chevron", parameters={}, state="running", simulated=True,
        columns=(Column(name="t", unit="s", role="setpoint"), Column(name="f", unit="Hz", role="setpoint"),
                 Column(name="p", role="reduced")),
        axes=(Axis(name="t", unit="s", values=tuple(ys)), Axis(name="f", unit="Hz", values=tuple(xs))),
        signals=(Signal(name="p", of="p"),),
    )  # fmt: skip
    t, f = (a.ravel() for a in np.meshgrid(ys, xs, indexing="ij"))
    p = np.sin(t * 1e7) * np.cos((f - 2.85e9) / 2e7)
    half = MemoryRows({"t": t[:300], "f": f[:300], "p": p[:300]})
    page = window.centre.open(record, half, None)
    page.frame()
    assert (page.view.picture._pixels > 0).sum() == 300
    page.take(record, MemoryRows({"t": t, "f": f, "p": p}))
    page._next = 0.0
    page.frame()
    assert (page.view.picture._pixels > 0).all()
    frames(window, 2)
    drawn = page.view.picture.mapRectToView(page.view.picture.boundingRect())
    assert drawn.left() == pytest.approx(2.8e9, rel=1e-3)
    assert drawn.right() == pytest.approx(2.9e9, rel=1e-3)
    assert drawn.bottom() == pytest.approx(1e-6, rel=0.05)
    where = page.view.plot.getViewBox().mapViewToScene(QPointF(2.85e9, 0.5e-6))
    assert page.view.nearest(where)[2].startswith("2.85 GHz,  500 ns:")
    assert len(page.view.table()[0][1]) == t.size


def test_a_sweep_by_factors_is_shown_on_a_logarithmic_axis(window):
    from qlab.record import Axis
    from qlab.scan import Log

    values = Log(1e-6, 1e-2, 41).values()
    record = ramsey_record(state="finished").model_copy(
        update={"axes": (Axis(name="tau", unit="s", values=tuple(values)),)}
    )
    page = window.centre.open(record, MemoryRows(ramsey_rows(values)), None)
    page.frame()
    assert page.view._logs == [True, False]
    (low, high), _ = page.view.plot.viewRange()
    assert -6.5 < low < -5.9
    axis = page.view.plot.getAxis("bottom")
    decades = axis.tickValues(low, high, 700)[0][1]
    assert axis.tickStrings(decades, 1e3, 1.0) == ["0.001", "0.01", "0.1", "1", "10"]
    assert -2.1 < high < -1.5


def test_a_long_trace_is_drawn_as_a_line(window):
    record = ramsey_record(20_000, state="finished")
    page = window.centre.open(record, MemoryRows(ramsey_rows(record.axes[0].values)), None)
    page.frame()
    assert page.view.points.opts["symbol"] is None


def test_a_layout_leaves_the_window_as_large_as_it_is(window):
    for _ in range(2):
        for name in ("analyse", "teach", "measure"):
            window.call(f"layout_{name}")
            frames(window, 3)
            assert (window.width(), window.height()) == (1440, 900)


def test_layouts_show_what_each_way_of_working_needs(window):
    window.call("layout_analyse")
    assert not window.docks["parameters"].isVisible()
    assert window.docks["runs"].isVisible()
    window.call("layout_teach")
    frames(window, 2)
    assert window.docks["parameters"].isVisible()
    assert not window.docks["metadata"].isVisible()
    assert window.docks["help"].isVisible()
    assert window.playing._seen
    window.call("layout_measure")
    assert all(dock.isVisible() for name, dock in window.docks.items() if name != "help")


def test_a_run_that_outgrows_its_live_table_is_followed_to_the_larger_one(window, session):
    window.call("run")
    frames(window, 6)
    run = window.at_work.current
    page = window.centre.page(run)
    before = len(page.rows)
    assert before > 0
    old = session._run.table
    larger = LiveTable.create(session.folder / f"{run}.larger.live", page.record.columns, 10_000)
    larger.append({name: old.column(name).copy() for name in old.names})
    session._run.table, session._run.record = larger, page.record
    session._events.append(
        {"event": "started", "run": run, "record": page.record.model_dump(mode="json"),
         "table": str(larger.path), "path": str(page.path)}
    )  # fmt: skip
    frames(window, 3)
    assert page.rows.path == larger.path
    assert len(page.rows) > before
    finish(window)
    assert len(window.centre.page(run).rows) == 2010
    old.close(remove=True)


def test_an_experiment_of_another_platform_brings_its_simulated_bench_along(app, settings, tmp_path):
    from tests.ui.fakes import entry

    catalogue = [
        {**entry("nv.ramsey", "Ramsey", "Coherence", "NV."), "preset": "sim-nv"},
        {**entry("clock.servo", "Clock lock", "Clocks", "A clock."), "preset": "sim-clock"},
    ]
    session = FakeSession(tmp_path, catalogue=catalogue)
    session._events[0]["benches"] = [
        {"name": "sim-nv", "title": "Simulated NV", "simulated": True, "roles": ["player"]},
        {"name": "sim-clock", "title": "Simulated clock", "simulated": True, "roles": ["player"]},
        {"name": "/lab/setup.toml", "title": "Setup 2", "simulated": False, "roles": ["player"]},
    ]
    window = shown(app, session, settings)
    window.experiments.choose("clock.servo")
    frames(window, 2)
    assert window.settings.bench == "sim-clock"
    assert window.bars.bench_box.currentText() == "Simulated clock"
    window.bench.use("/lab/setup.toml")  # a real bench is never left behind anybody's back
    frames(window, 1)
    assert not window.bars.sim.isVisible()
    window.experiments.choose("nv.ramsey")
    frames(window, 2)
    assert window.settings.bench == "/lab/setup.toml"
    window.close()
