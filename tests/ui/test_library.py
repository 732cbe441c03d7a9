"""The runs: as a table and as pictures, searched, dragged, deleted and put back, subtracted, plotted, fitted again."""

import json
import shutil

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton

import qlab
from qlab.errors import UsageError
from qlab.examples import EXAMPLES, make_example, missing
from qlab_ui import library
from qlab_ui.app import make_window
from qlab_ui.panels.runs_model import RUNS_MIME
from qlab_ui.plots.data import Curve, Label
from qlab_ui.plots.subtract import subtract
from tests.ui.fakes import FakeSession, FakeWorker, summary
from tests.ui.steps import frames, until


class RealWorker(FakeWorker):
    """Answers at the next poll, with the real functions: files are those of the disk."""

    def ask(self, done, failed, function, *arguments):
        self._answers.append((done, failed, function, arguments))


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Three short simulated runs at three fields; copied for each test, never changed here."""
    folder = tmp_path_factory.mktemp("runs")
    for place, tesla in enumerate((1.99e-3, 2.00e-3, 2.01e-3)):
        bench = qlab.Bench.load("sim-nv", seed=place, truth={"B": tesla})
        qlab.run("nv.ramsey", bench, out=folder, seed=place, title=f"Ramsey {place}", tau="0us:2us:81",
                 shots=100_000, laser_power=(5 + place) * 1e-4)  # fmt: skip
    return folder


@pytest.fixture
def listed(app, tmp_path, settings, measured, monkeypatch):
    """A window that lists copies of the runs, with the real functions behind it."""
    import shutil

    monkeypatch.setenv("QLAB_CACHE", str(tmp_path / "cache"))
    shutil.copytree(measured, settings.folder())
    made = make_window(FakeSession(tmp_path), settings, RealWorker())
    made.resize(1440, 900)
    made.show()
    made.timer.stop()
    made.activateWindow()
    frames(made, 2)
    made.files.refresh()
    until(made, lambda: len(made.runs.model.lines) == 3)
    yield made
    made.close()
    made.deleteLater()


def dropped(target, data):
    """Drag something onto the middle of a widget, as Qt does it: enter, then drop."""
    where = QPoint(target.width() // 2, target.height() // 2)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where, Qt.DropAction.CopyAction, data, buttons, keys)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(target, QDropEvent(QPointF(where), Qt.DropAction.CopyAction, data, buttons, keys))


def test_a_dragged_run_overlays_the_one_in_front(listed):
    lines = listed.runs.model.lines
    listed.files.open_line(lines[0])
    until(listed, lambda: listed.centre.current() is not None)
    data = listed.runs.model.mimeData([listed.runs.model.index(1, 0), listed.runs.model.index(1, 3)])
    assert json.loads(data.data(RUNS_MIME).data()) == [lines[1].run]
    dropped(listed.centre, data)
    frames(listed, 3)
    assert [other.run for other in listed.centre.current().view.overlays] == [lines[1].run]
    dropped(listed.centre, listed.runs.model.mimeData([listed.runs.model.index(2, 0)]))
    frames(listed, 3)
    assert len(listed.centre.current().view.overlays) == 2


def test_a_run_dragged_onto_the_form_loads_its_values(listed):
    listed.experiments.choose("nv.ramsey")
    dropped(listed.form, listed.runs.model.mimeData([listed.runs.model.index(0, 0)]))
    frames(listed, 3)
    assert "81" in str(listed.form.row("tau").editor.value())
    stranger = QMimeData()
    stranger.setData(RUNS_MIME, b"not json")
    dropped(listed.form, stranger)  # is nothing, and raises nothing


def test_the_pictures_come_from_the_files_and_the_choice_is_kept(listed, settings):
    QTest.mouseClick(listed.runs.as_grid, Qt.MouseButton.LeftButton)
    assert settings.runs_shown == "grid"
    QTest.qWait(150)
    until(listed, lambda: len(listed.runs.gallery.pictures._grey) == 3)
    before = listed.runs.gallery.grab().toImage()
    listed.runs.gallery.pictures.put([str(line.path) for line in listed.runs.model.lines], {})
    assert listed.runs.gallery.grab().toImage() != before  # the curves were in the picture


def test_a_search_completes_and_a_bad_one_says_why_and_keeps_the_list(listed):
    line = listed.runs.search
    until(listed, lambda: any(word.startswith("experiment:nv.r") for word in line.list.stringList()))
    line.setFocus()
    QTest.keyClicks(line, "-experiment:nv.r")
    popup = line.completion.popup()
    assert popup.isVisible()
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert line.text() == "-experiment:nv.ramsey "
    line.setText("date:someday")
    listed.files.refresh()
    frames(listed, 2)
    assert "not a date" in listed.runs.finder.problem.text()
    assert len(listed.runs.model.lines) == 3
    line.setText("laser_power>0.55mW")
    listed.files.refresh()
    frames(listed, 2)
    assert len(listed.runs.model.lines) == 2
    assert listed.runs.finder.problem.isHidden()


def test_deleted_runs_are_in_the_trash_and_undo_brings_them_back(listed, settings):
    first = listed.runs.model.lines[0]
    listed.runs.choose({first.run})
    frames(listed)
    listed.runs.table.setFocus()
    QTest.keyClick(listed.runs.table, Qt.Key.Key_Delete)
    until(listed, lambda: not first.path.exists())
    frames(listed, 2)
    assert first.run not in {line.run for line in listed.runs.model.lines}
    assert list((settings.folder() / ".trash").glob("*/*.h5"))
    listed.call("undo")
    until(listed, first.path.exists)
    until(listed, lambda: len(listed.runs.model.lines) == 3)


def test_a_parameter_plot_has_errors_and_a_click_opens_the_run(listed):
    listed.runs.table.selectAll()
    frames(listed)
    listed.call("trend")
    until(listed, lambda: listed.centre.drawn() is not None)
    page = listed.centre.drawn()
    page.up.setCurrentIndex(page.up.findData("fit:frequency"))
    page.across.setCurrentIndex(page.across.findData("parameter:laser_power"))
    points = page.trend.points
    assert sorted(points.x) == pytest.approx([5e-4, 6e-4, 7e-4])
    assert points.across.unit == "W"
    assert np.all(points.y_error > 0)
    # 10 µT are 280.3 kHz for a moment of 28.03 GHz/T; the runs stand newest first, at 2.01, 2.00, 1.99 mT.
    order = np.argsort(points.x)
    steps = np.abs(np.diff(points.y[order]))
    assert steps == pytest.approx([280.3e3] * 2, abs=5 * float(np.hypot(*points.y_error[:2])))
    QTest.qWait(50)
    at = page.trend.plot.getViewBox().mapViewToScene(QPointF(points.x[1], points.y[1])).toPoint()
    QTest.mouseClick(page.trend.graphics.viewport(), Qt.MouseButton.LeftButton, pos=at)
    until(listed, lambda: listed.centre.current() is not None)
    assert listed.centre.current().record.title == "Ramsey 1"


def test_many_runs_are_fitted_again_with_a_table_of_errors(listed):
    listed.runs.table.selectAll()
    frames(listed)
    listed.call("refit")
    dialog = next(d for d in QApplication.topLevelWidgets() if d.objectName() == "refit" and d.isVisible())
    QTest.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
    until(listed, lambda: "good" in dialog.line.text())
    heads = [dialog.tree.headerItem().text(column) for column in range(dialog.tree.columnCount())]
    column = next(place for place, head in enumerate(heads) if "T2" in head)
    for row in range(3):
        assert "µs" in dialog.tree.topLevelItem(row).text(column)
        assert "(" in dialog.tree.topLevelItem(row).text(column)
    QTest.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    copied = QApplication.clipboard().text().splitlines()
    assert len(copied) == 4
    assert len({len(line.split("\t")) for line in copied}) == 1
    dialog.close()


def test_a_difference_adds_the_errors_and_refuses_what_does_not_fit():
    across, up = Label("time", "s"), Label("counts", "1")
    x = np.array([0.0, 1.0, 2.0])
    one = Curve(x, np.array([5.0, 6.0, 7.0]), np.full(3, 3.0), across, up)
    other = Curve(np.array([0.0, 2.0]), np.array([1.0, 3.0]), np.full(2, 4.0), across, up)
    made = subtract(one, other)
    assert made.y == pytest.approx([4, 4, 4])
    assert made.error == pytest.approx(
        [5, np.sqrt(9 + 8), 5]
    )  # half of each: 2 · (0.5 · 4)² between the points
    with pytest.raises(UsageError, match="other units"):
        subtract(one, Curve(x, x, x, Label("frequency", "Hz"), up))
    with pytest.raises(UsageError, match="common range"):
        subtract(one, Curve(x + 10, x, x, across, up))


def test_another_file_is_shown_too(listed, tmp_path):
    import h5py

    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file["x"] = np.linspace(0, 1, 11)
        file["y"] = np.linspace(0, 1, 11) ** 2
    listed.files.drop([tmp_path / "theirs.h5"])
    until(listed, lambda: listed.centre.current() is not None)
    frames(listed, 3)
    assert listed.centre.current().record.title == "theirs.h5"
    assert len(listed.centre.current().view.curve.x) == 11


def test_a_dropped_folder_is_listed_and_one_press_goes_back(listed, measured, tmp_path):
    (tmp_path / "other").mkdir()
    listed.files.drop([tmp_path / "other"])
    frames(listed, 2)
    assert not listed.runs.model.lines
    assert listed.runs.back.text() == "other"
    QTest.mouseClick(listed.runs.back, Qt.MouseButton.LeftButton)
    frames(listed, 2)
    assert len(listed.runs.model.lines) == 3


def test_an_example_is_made_once(tmp_path):
    place = next(i for i, e in enumerate(EXAMPLES) if e.title == "Transmon Ramsey")
    assert place in missing(tmp_path)
    assert make_example(tmp_path, place).exists()
    assert place not in missing(tmp_path)


def test_the_welcome_offers_the_last_runs_pinned_first_and_greys_what_is_gone(listed, settings):
    lines = listed.runs.model.lines
    for line in lines:
        listed.files.open_line(line)
        until(listed, lambda run=line.run: listed.centre.page(run) is not None)
    oldest = str(lines[0].path)
    listed.files.pin(oldest)
    settings.recent_files.insert(0, "/nowhere/gone.h5")
    listed.files.show_recent()
    offered = [
        button for button in listed.welcome.begin.findChildren(QToolButton, "recent") if not button.isHidden()
    ]
    offered = [button for button in offered if button.parentWidget().isVisibleTo(listed.welcome.begin)]
    assert [button.text() for button in offered] == ["Ramsey 2", "gone", "Ramsey 0"]
    assert [button.isEnabled() for button in offered] == [True, False, True]


def test_examples_are_made_beside_the_window_and_only_those_that_are_missing(listed, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(
        "qlab.examples.EXAMPLES", tuple(e for e in EXAMPLES if e.experiment == "transmon.ramsey")
    )
    for _ in range(2):
        listed.examples.maker = RealWorker()
        QTest.mouseClick(listed.welcome.begin.examples, Qt.MouseButton.LeftButton)
        until(listed, listed.welcome.begin.examples.isEnabled)
        until(listed, lambda: [line.title for line in listed.runs.model.lines] == ["Transmon Ramsey"])
    assert listed.runs.shown_as() == "grid"
    assert "example" in listed.runs.model.lines[0].tags


def test_a_whole_run_is_exported_by_the_worker_from_the_dialog(listed, tmp_path):
    from PySide6.QtWidgets import QFileDialog

    listed.files.open_line(listed.runs.model.lines[0])
    until(listed, lambda: listed.centre.current() is not None)
    listed.call("export")
    dialog = listed.findChild(QFileDialog)
    words = next(name for name in dialog.nameFilters() if "notebook" in name)
    dialog.selectNameFilter(words)
    dialog.filterSelected.emit(words)
    assert dialog.defaultSuffix() == "ipynb"
    dialog.fileSelected.emit(str(tmp_path / "run.ipynb"))
    frames(listed, 2)
    assert "open_run" in (tmp_path / "run.ipynb").read_text()
    dialog.close()


def test_a_long_list_comes_a_page_at_a_time(window, worker):
    worker.summaries = [summary(path=f"/data/{n:05d}.h5", title=f"Run {n}") for n in range(2300)]
    window.files.refresh()
    frames(window, 2)
    table, model = window.runs.table, window.runs.model
    assert model.rowCount() == 1000
    assert window.runs.count.text() == "2300 runs"
    table.verticalScrollBar().setValue(table.verticalScrollBar().maximum())
    frames(window, 3)
    assert model.rowCount() == 2000
    window.files.refresh()  # a run has ended: who has scrolled down stays there
    frames(window, 2)
    assert model.rowCount() == 2000
    for _ in range(2):
        table.verticalScrollBar().setValue(table.verticalScrollBar().maximum())
        frames(window, 3)
    assert [line.title for line in model.lines] == [f"Run {n}" for n in range(2300)]
    assert not model.canFetchMore(QModelIndex())
    window.runs.search.setText("Run 22")
    window.runs.searched.emit("Run 22")
    frames(window, 2)
    assert model.rowCount() == len([n for n in range(2300) if "Run 22" in f"Run {n}"])


def test_many_new_files_are_listed_while_they_are_looked_into(tmp_path, measured, monkeypatch):
    monkeypatch.setenv("QLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(library, "_SLICE", 0.0)
    # Six small files are looked into within the time after which a quick machine tells of the first.
    monkeypatch.setattr("qlab.store.index.SHOWN_AFTER", 0.0)
    (first, *_) = sorted(measured.rglob("*.h5"))
    for number in range(6):
        shutil.copy(first, tmp_path / f"{number}.h5")
    pages = [library.list_folder(str(tmp_path), "")]  # each slice looks into one file at least
    while pages[-1].left:
        pages.append(library.list_folder(str(tmp_path), ""))
    assert len(pages) > 1
    assert pages[0].runs[0].path.endswith("5.h5")
    assert [page.count + page.left for page in pages] == [6] * len(pages)
    assert len(pages[-1].runs) == 6


def test_a_run_that_came_meanwhile_is_listed_once_and_a_deleted_one_counts_no_more(window, worker):
    worker.summaries = [summary(path=f"/data/{n:05d}.h5", title=f"Run {n}") for n in range(1500)]
    window.files.refresh()
    frames(window, 2)
    model = window.runs.model
    # By another process, after the first page.
    worker.summaries.insert(0, summary(path="/data/new.h5", title="New"))
    model.fetchMore(QModelIndex())
    frames(window, 2)
    titles = [line.title for line in model.lines]
    assert len(titles) == len(set(titles))
    assert titles == [f"Run {n}" for n in range(1500)]
    model.take_out({"/data/00000.h5", "/data/00001.h5"})
    assert model.rowCount() == 1498
    assert window.runs.count.text() == "1498 runs"


def test_runs_that_were_read_too_late_are_drawn_on_nobody_elses_picture(listed):
    first, second = listed.runs.model.lines[:2]
    listed.files.open_line(first)
    until(listed, lambda: listed.centre.current() is not None)
    page, got = listed.centre.current(), []
    listed.files.read_all([second], got.append)
    until(listed, lambda: got)
    picture = page.view
    listed.centre.prepare = lambda: None  # no picture is made ahead: the one that is given back is used
    listed.pieces._waiting.clear()
    listed.centre._spare = None
    listed.call("close_tab")
    frames(listed)
    listed.files.open_line(second)
    until(listed, lambda: listed.centre.current() is not None)
    assert listed.centre.current().view is picture
    listed.files.overlay_on(page, got[0])
    assert picture.overlays == []
