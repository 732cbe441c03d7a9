"""The bench editor: drivers listed, instruments added and tested, saved as a file that measures."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget

from qlab.bench import Bench
from qlab.benchfile import read_bench
from qlab_ui.benches.draft import Draft, typed
from qlab_ui.benches.editor import BenchEditor
from tests.ui.fakes import FakeWorker


class RealWorker(FakeWorker):
    """Answers at the next poll, with the real functions."""

    def ask(self, done, failed, function, *arguments):
        self._answers.append((done, failed, function, arguments))


@pytest.fixture
def editor(app, tmp_path):
    used = []
    host = QWidget()
    made = BenchEditor(host, "sim-nv", tmp_path / "benches", used.append, RealWorker())
    made.used = used
    made.show()
    settle(made)
    yield made
    made.close()
    host.deleteLater()


def settle(editor):
    for _ in range(4):
        editor._worker.poll()


def press(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_a_copy_of_a_preset_is_narrowed_and_saved_and_measures(editor, tmp_path):
    editor.tree.setCurrentItem(editor.tree.findItems("microwave", Qt.MatchFlag.MatchExactly)[0])
    rows = [editor.detail.knobs.item(row, 0).text() for row in range(editor.detail.knobs.rowCount())]
    row = rows.index("frequency (Hz)")
    editor.detail.knobs.item(row, 2).setText("2.7 GHz")
    editor.detail.knobs.item(row, 3).setText("3 GHz")
    editor.file.setText("nv-setup-2")
    press(editor.use_button)
    settle(editor)
    path = tmp_path / "benches" / "nv-setup-2.toml"
    assert editor.used == [str(path)]
    assert read_bench(path).instruments["microwave"].limits == {"frequency": ("2.7 GHz", "3 GHz")}
    assert Bench.load(path).instruments["microwave"].soft_limits["frequency"] == (2.7e9, 3e9)


def test_what_the_bench_would_refuse_is_said_and_nothing_is_written(editor, tmp_path):
    editor.tree.setCurrentItem(editor.tree.topLevelItem(1))
    editor.detail.knobs.item(0, 2).setText("2 apples")
    editor.detail.knobs.item(0, 3).setText("3 apples")
    press(editor.save_button)
    settle(editor)
    assert "apples" in editor.message.text()
    assert not (tmp_path / "benches").exists()
    editor.file.setText("../elsewhere")
    press(editor.save_button)
    assert "name" in editor.message.text()


def test_testing_says_who_answers_and_which_roles_fit(editor):
    press(editor.test_button)
    for _ in range(8):
        editor._worker.poll()
    assert "6 of 6" in editor.message.text()
    assert "Simulated" in editor.tree.topLevelItem(1).toolTip(0)
    editor.tree.setCurrentItem(editor.tree.topLevelItem(1))
    assert editor.detail.boxes["microwave"].font().bold()
    assert not editor.detail.boxes["counter"].font().bold()


def test_drivers_are_offered_and_an_added_one_is_named_and_given_a_role(editor):
    press(editor.add_button)
    menu = editor.findChild(QMenu, "drivers")
    simulated = next(action.menu() for action in menu.actions() if action.text() == "Simulated")
    laser = next(action for action in simulated.actions() if action.text().startswith("sim.laser"))
    laser.trigger()
    menu.close()
    assert editor.chosen() == "laser_2"
    editor.detail.name.setText("repump")
    QTest.keyClick(editor.detail.name, Qt.Key.Key_Return)
    assert editor.chosen() == "repump"
    press(editor.detail.boxes["laser"])
    assert editor.draft.roles["laser"] == "repump"
    press(editor.remove_button)
    assert "laser" not in editor.draft.roles
    assert "repump" not in editor.draft.instruments


def test_a_draft_keeps_names_apart_and_reads_what_is_typed():
    draft = Draft({"instruments": {"a": {"driver": "x"}}, "roles": {"laser": "a"}})
    assert not draft.rename("a", "not a name")
    assert draft.rename("a", "b")
    assert draft.roles == {"laser": "b"}
    assert [typed(words) for words in ("5", "2.5", "true", "COM3")] == [5, 2.5, True, "COM3"]


def test_the_editor_opens_from_the_menu_and_from_the_welcome(window, app, monkeypatch):
    monkeypatch.setattr("qlab_ui.benches.editor.ProcessWorker", RealWorker)
    press(window.welcome.begin.connect_button)
    shown = [w for w in app.topLevelWidgets() if w.objectName() == "bench_editor" and w.isVisible()]
    assert len(shown) == 1
    shown[0].close()
