"""Notes, tags and stars: written beside the run, kept once, undone like anything else."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from qlab_ui.panels.runs_model import STAR, TAGS
from qlab_ui.work import Note
from tests.ui.fakes import summary
from tests.ui.steps import finish, frames


def measured(window):
    window.call("run")
    finish(window)
    window.docks["notes"].raise_()
    frames(window, 2)
    return str(window.centre.current().path)


def test_a_note_is_kept_beside_the_run_when_it_is_left(window, worker):
    path = measured(window)
    window.notes.text.setFocus()
    QTest.keyClicks(window.notes.text, "laser realigned before")
    assert path not in worker.notes
    window.notes.tags.setFocus()
    frames(window, 2)
    assert worker.notes[path].text == "laser realigned before"
    QTest.keyClicks(window.notes.tags, "nv, calibration,  nv ,")
    QTest.keyClick(window.notes.tags, Qt.Key.Key_Return)
    frames(window, 2)
    assert worker.notes[path].tags == ("nv", "calibration")
    assert "Kept" in window.notes.line.text()


def test_a_star_is_undone_and_done_again(window, worker):
    path = measured(window)
    QTest.mouseClick(window.notes.star, Qt.MouseButton.LeftButton)
    frames(window, 2)
    assert worker.notes[path].star
    window.call("undo")
    frames(window, 2)
    assert not worker.notes[path].star
    assert not window.notes.star.isChecked()
    window.call("redo")
    frames(window, 2)
    assert worker.notes[path].star


def test_closing_the_window_keeps_what_was_being_written(window, worker, monkeypatch):
    path = measured(window)
    kept = {}
    monkeypatch.setattr("qlab_ui.work.write_note", lambda path, note: kept.update({path: note}))
    QTest.keyClicks(window.notes.text, "half a sen")
    window.close()
    assert kept[path].text == "half a sen"


def test_each_run_has_its_own_notes(window, worker):
    first = measured(window)
    QTest.keyClicks(window.notes.text, "first")
    second = measured(window)
    assert window.notes.text.toPlainText() == ""
    assert worker.notes[first].text == "first"
    QTest.keyClicks(window.notes.text, "second")
    window.centre.tabs.setCurrentIndex(0)
    frames(window, 2)
    assert window.notes.text.toPlainText() == "first"
    assert worker.notes[second].text == "second"


def test_the_list_shows_stars_and_tags_and_a_click_stars(window, worker):
    worker.summaries = [summary(path="/data/a.h5")]
    worker.notes["/data/a.h5"] = Note("seen", ("nv",), star=False)
    window.files.refresh()
    frames(window, 2)
    model = window.runs.model
    table = window.runs.table
    at = table.visualRect(model.index(0, STAR)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=at)
    frames(window, 3)
    assert worker.notes["/data/a.h5"] == Note("seen", ("nv",), star=True)
    model.lines[0].tags = ("nv", "calib")
    assert model.data(model.index(0, TAGS)) == "nv, calib"
    assert Path("/data/a.h5") in window.noting._notes
