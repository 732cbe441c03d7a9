"""The queue pane: what waits, moved and held only by what the bench says."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.ui.steps import frames


def items(*names, running=1):
    return [
        {"run": f"run-{name}", "title": name, "order": {"experiment": "nv.rabi", "bench": "sim-nv", "repeat": 1},
         "state": "running" if place < running else "waiting", "why": "", "seconds": 12.0,
         "starts": "2026-11-22T10:00:00+00:00", "ends": "2026-11-22T10:00:12+00:00"}
        for place, name in enumerate(names)
    ]  # fmt: skip


def test_the_queue_shows_what_goes_and_what_waits(window):
    panel = window.queue
    assert panel.empty.isVisibleTo(panel)
    panel.show_queue(held=False, items=items("Rabi", "Ramsey", "Echo"))
    assert [item.title for item in panel.model.items] == ["Rabi", "Ramsey", "Echo"]
    assert "2 waiting" in panel.summary.text()
    assert not panel.empty.isVisibleTo(panel)


def test_a_bench_of_ones_own_is_shown_by_its_name_and_its_path_on_demand(window):
    (own,) = items("Rabi")
    own["order"]["bench"] = "/home/marie/benches/cold.head.toml"
    window.queue.show_queue(held=False, items=[own])
    cell = window.queue.model.index(0, 2)
    assert cell.data() == "cold.head"
    assert cell.data(Qt.ItemDataRole.ToolTipRole) == "/home/marie/benches/cold.head.toml"


def test_runs_pressed_while_one_goes_wait_in_the_pane(window):
    for _ in range(3):
        window.call("run")
    frames(window, 2)
    assert window.queue.waiting() >= 2
    assert window.docks["queue"].windowTitle().startswith("Queue (")


def test_later_and_earlier_ask_the_bench_and_move_nothing_themselves(window, session):
    panel = window.queue
    panel.show_queue(held=False, items=items("Rabi", "Ramsey", "Echo", "T1"))
    panel.table.selectRow(1)
    assert not panel.up_button.isEnabled()
    QTest.mouseClick(panel.down_button, Qt.MouseButton.LeftButton)
    assert session.asked[-1] == ("arrange", "run-Ramsey", {"position": 1})
    assert [item.title for item in panel.model.items] == ["Rabi", "Ramsey", "Echo", "T1"]


def test_a_dragged_run_asks_for_the_place_where_it_was_dropped(window, session):
    panel = window.queue
    panel.show_queue(held=False, items=items("Rabi", "Ramsey", "Echo", "T1"))
    panel.table.dropped.emit("run-T1", 1)  # above the first that waits
    assert session.asked[-1] == ("arrange", "run-T1", {"position": 0})
    panel.table.dropped.emit("run-Ramsey", 4)  # below the last one
    assert session.asked[-1] == ("arrange", "run-Ramsey", {"position": 2})
    before = len(session.asked)
    panel.table.dropped.emit("run-Echo", 2)  # where it stands
    panel.table.dropped.emit("run-gone", 2)
    assert len(session.asked) == before


def test_hold_and_go_on(window, session):
    panel = window.queue
    panel.show_queue(held=False, items=items("Rabi", "Ramsey"))
    QTest.mouseClick(panel.hold_button, Qt.MouseButton.LeftButton)
    assert session.commands[-1] == "hold"
    panel.show_queue(held=True, items=items("Rabi", "Ramsey"))
    assert "held" in panel.summary.text()
    assert panel.hold_button.text() == "Go on"
    QTest.mouseClick(panel.hold_button, Qt.MouseButton.LeftButton)
    assert session.commands[-1] == "release"


def test_the_chosen_run_stays_chosen_when_the_queue_moves(window):
    panel = window.queue
    panel.show_queue(held=False, items=items("Rabi", "Ramsey", "Echo"))
    panel.table.selectRow(2)
    panel.show_queue(held=False, items=items("Ramsey", "Echo"))
    assert panel.chosen().title == "Echo"


def test_the_menu_offers_what_waits_only(window):
    panel = window.queue
    window.docks["queue"].raise_()
    panel.show_queue(held=False, items=items("Rabi", "Ramsey"))
    frames(window, 2)
    for row, words in ((0, ["Skip"]), (1, ["Take out", "Measure next"])):
        at = panel.table.visualRect(panel.model.index(row, 1)).center()
        panel._menu(QPoint(at))
        menu = panel.findChildren(type(window.menuBar().addMenu("x")))[-1]
        assert [a.text() for a in menu.actions()][: len(words)] == words
        menu.close()


def test_measure_longer_asks_for_passes(window, session):
    window.call("run")
    frames(window, 2)
    window.call("extend")
    dialog = next(d for d in window.children() if d.objectName() == "extend")
    dialog.passes.setValue(7)
    dialog.buttons.accepted.emit()
    assert session.asked[-1] == ("extend", window.at_work.current, 7)
