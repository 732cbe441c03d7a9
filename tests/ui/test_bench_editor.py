"""The bench editor: drivers listed, instruments added and tested, saved as a file that measures."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu, QWidget

import qlab
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


def test_calibrations_are_typed_as_results_are_shown_and_stand_in_the_runs(editor, tmp_path):
    editor.tabs.setCurrentWidget(editor.calibrations)
    page = editor.calibrations
    assert page.empty.isVisible()
    press(page.add_button)
    page.table.item(0, 0).setText("pi_pulse")
    press(editor.save_button)
    settle(editor)
    assert "calibrations.pi_pulse.value" in editor.message.text()
    page.table.item(0, 1).setText("50.1(2) apples(3)")
    assert "50.1(2) ns" in editor.message.text()  # what can be typed
    page.table.item(0, 1).setText("50.1(2) ns")
    assert [page.table.item(0, place).text() for place in (1, 2)] == ["50.1 ns", "0.2 ns"]
    page.table.item(0, 2).setText("300 ps")
    page.table.item(0, 5).setText("2020-01-01")
    about = page.table.cellWidget(0, 3)
    about.setCurrentIndex(about.findData("microwave.power"))
    about.activated.emit(about.currentIndex())
    editor.tabs.setCurrentIndex(0)
    editor.tree.setCurrentItem(editor.tree.findItems("microwave", Qt.MatchFlag.MatchExactly)[0])
    editor.detail.name.setText("synth")
    QTest.keyClick(editor.detail.name, Qt.Key.Key_Return)
    editor.file.setText("calibrated")
    press(editor.save_button)
    settle(editor)
    path = tmp_path / "benches" / "calibrated.toml"
    held = read_bench(path).calibrations[0]
    assert (held.value, held.error, held.unit, held.knob) == (50.1e-9, 3e-10, "s", "synth.power")
    run = qlab.run("nv.cw_odmr", Bench.load(path, seed=1), out=tmp_path, frequency="2.85GHz:2.89GHz:11")
    assert [(c["name"], c["expired"]) for c in run.record.calibrations] == [("pi_pulse", True)]


def test_a_calibration_is_taken_out(editor):
    page = editor.calibrations
    press(page.add_button)
    press(page.add_button)
    assert [item["name"] for item in editor.draft.calibrations] == ["calibration_1", "calibration_2"]
    page.table.setCurrentCell(0, 0)
    press(page.remove_button)
    assert [item["name"] for item in editor.draft.calibrations] == ["calibration_2"]


def test_what_somebody_elses_driver_offers_is_there_once_it_was_asked(editor, tmp_path):
    pytest.importorskip("qcodes")
    editor.add("qcodes")
    for name, words in (("target", "mock_instruments.DummyInstrument"), ("knobs", "{dac1 = {safe = 0}}")):
        editor.detail.lines[name].setText(words)
        editor.detail.lines[name].setModified(True)
        editor.detail.lines[name].editingFinished.emit()
    assert not editor.detail.knobs.rowCount()
    press(editor.detail.test)
    settle(editor)
    rows = [editor.detail.knobs.item(row, 0).text() for row in range(editor.detail.knobs.rowCount())]
    assert rows, editor.detail.answer.text()
    assert "dac1 (V)" in rows


def test_a_draft_keeps_names_apart_and_reads_what_is_typed():
    draft = Draft({"instruments": {"a": {"driver": "x"}}, "roles": {"laser": "a"}})
    assert not draft.rename("a", "not a name")
    assert draft.rename("a", "b")
    assert draft.roles == {"laser": "b"}
    assert [typed(words) for words in ("5", "2.5", "true", "COM3")] == [5, 2.5, True, "COM3"]
    assert typed('{a = [1, 2], b = {c = "d"}}') == {"a": [1, 2], "b": {"c": "d"}}
    assert typed("{not a table") == "{not a table"


def test_what_is_said_of_an_instrument_elsewhere_follows_its_new_name():
    draft = Draft(
        {
            "instruments": {"a": {"driver": "x"}, "ab": {"driver": "x"}},
            "calibrations": [{"knob": "a.power"}, {"knob": "a"}, {"knob": "ab.power"}, {"name": "all"}],
            "watch": [{"readout": "a.power"}],
            "upkeep": [{"track": {"a.frequency": "frequency"}, "set": {"ab.z": "centre"}}],
            "samples": {"A7": {"limits": {"a": {"power": [0, 1]}}}},
        }
    )
    draft.rename("a", "b")
    assert draft.calibrations == [{"knob": "b.power"}, {"knob": "b"}, {"knob": "ab.power"}, {"name": "all"}]
    assert draft.data["watch"] == [{"readout": "b.power"}]
    assert draft.data["upkeep"] == [{"track": {"b.frequency": "frequency"}, "set": {"ab.z": "centre"}}]
    assert draft.data["samples"]["A7"]["limits"] == {"b": {"power": [0, 1]}}


def test_the_editor_opens_from_the_menu_and_from_the_welcome(window, app, monkeypatch):
    monkeypatch.setattr("qlab_ui.benches.editor.ProcessWorker", RealWorker)
    press(window.welcome.begin.connect_button)
    shown = [w for w in app.topLevelWidgets() if w.objectName() == "bench_editor" and w.isVisible()]
    assert len(shown) == 1
    shown[0].close()
