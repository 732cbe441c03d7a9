"""What lays out and paints a lot has a turn to itself; a view is told what has changed and no more."""

from PySide6.QtCore import QObject, Qt
from PySide6.QtTest import QTest
from shiboken6 import delete

from qlab.grid import MemoryRows
from qlab_ui.panels.record import RecordPanel
from qlab_ui.panels.runs_model import Line, RunsModel
from qlab_ui.pieces import Pieces
from tests.ui.fakes import ramsey_record, ramsey_rows
from tests.ui.steps import frames
from tests.ui.test_reuse import TAU


def test_pieces_are_done_one_by_one_in_their_order(app):
    pieces, done = Pieces(app), []
    for name in "abc":
        pieces.add(app, lambda name=name: done.append(name))
    assert pieces.next()
    assert done == ["a"]
    assert pieces.next()
    assert pieces.next()
    assert not pieces.next()
    assert done == ["a", "b", "c"]


def test_a_piece_takes_the_place_of_one_with_the_same_key_and_none_is_done_for_who_is_gone(app):
    pieces, done, gone = Pieces(app), [], QObject()
    pieces.add(gone, lambda: done.append("gone"))
    pieces.add(app, lambda: done.append("old"), key="shown")
    pieces.add(app, lambda: done.append("new"), key="shown")
    pieces.add(app, lambda: done.append("late"), after=20)
    delete(gone)
    while pieces.next():
        pass
    assert done == ["new"]
    QTest.qWait(60)
    assert pieces.next()
    assert done == ["new", "late"]


def test_a_piece_has_its_turn_to_itself(window):
    did = []
    window.hear = lambda: did.append("hear")
    window.draw = lambda: did.append("draw")
    for _ in range(3):
        window.pieces.add(window, lambda: did.append("piece"))
    turns = []
    for _ in range(8):
        did.clear()
        window._turn()
        turns.append(tuple(did))
    assert [turn for turn in turns if "piece" in turn] == [("piece",)] * 3
    assert all(turn != ("piece",) for turn in turns[1::2])  # the others are not kept waiting


class Told:
    """What a view is told."""

    def __init__(self, model):
        self.resets, self.inserted, self.changed = 0, [], []
        model.modelReset.connect(self.reset)
        model.rowsInserted.connect(lambda _parent, first, last: self.inserted.append((first, last)))
        model.dataChanged.connect(lambda one, other: self.changed.append((one.row(), other.row())))

    def reset(self):
        self.resets += 1


def line(run, **more):
    return Line(run, f"Run {run}", "nv.ramsey", "finished", **more)


def test_the_list_tells_what_has_changed_and_no_more(app):
    model = RunsModel()
    model.show_stored([line("a"), line("b")], 2, searched=False)
    told = Told(model)
    model.show_stored([line("a"), line("b")], 2, searched=False)
    assert (told.resets, told.inserted, told.changed) == (0, [], [])
    model.show_stored([line("a"), line("b", star=True)], 2, searched=False)
    assert told.changed == [(1, 1)]
    model.put(line("c"))
    assert told.inserted == [(0, 0)]
    assert [one.run for one in model.lines] == ["c", "a", "b"]
    model.show_stored([line("c", tags=("good",)), line("a"), line("b", star=True)], 3, searched=False)
    assert told.changed == [(1, 1), (0, 0)]
    assert model.lines[0].tags == ("good",)
    model.colour({"a": "#ff0000"})
    assert told.changed[2:] == [(1, 1)]
    assert told.resets == 0
    model.show_stored([line("b")], 1, searched=True)
    assert told.resets == 1
    assert [one.run for one in model.lines] == ["b"]


def test_a_branch_of_the_record_is_filled_when_it_is_opened(app):
    panel = RecordPanel()
    record = ramsey_record(5).model_copy(
        update={"bench": {"name": "x", "laser": {"power": 1e-3, "knobs": {}}}}
    )
    panel.show_record(record)
    bench = panel.findItems("Bench", Qt.MatchFlag.MatchExactly)[0]
    assert bench.childCount() == 0
    bench.setExpanded(True)
    assert [bench.child(i).text(0) for i in range(bench.childCount())] == ["name", "laser"]
    laser = bench.child(1)
    laser.setExpanded(True)
    assert [laser.child(i).text(0) for i in range(laser.childCount())] == ["power", "knobs"]
    assert laser.child(0).text(1) == "0.001"
    bench.setExpanded(False)
    bench.setExpanded(True)
    assert bench.childCount() == 2
    panel.deleteLater()


def test_axes_have_the_width_of_their_numbers_before_they_are_painted(window):
    page = window.centre.open(ramsey_record(21, state="finished"), MemoryRows(ramsey_rows(TAU)), None)
    frames(window, 2)
    axes = [page.view.plot.getAxis(side) for side in ("left", "bottom")]
    sizes = [(axis.width(), axis.height()) for axis in axes]
    page.view.plot.setYRange(0.1234561, 0.1234569)
    page.view.settle()
    wide = [(axis.width(), axis.height()) for axis in axes]
    assert wide != sizes
    assert axes[0].width() > axes[0].textWidth
    assert page.view.residuals.plot.getAxis("left").width() == axes[0].width()  # their edges stay in line
    frames(window, 2)
    assert [(axis.width(), axis.height()) for axis in axes] == wide


def test_a_run_that_is_closed_before_it_was_shown_leaves_the_welcome(window):
    page = window.centre.open(
        ramsey_record(21, state="finished"), MemoryRows(ramsey_rows(TAU)), None, soon=True
    )
    window.centre._close(window.centre.tabs.indexOf(page))
    frames(window, 3)
    assert window.centre.current() is None
    assert window.centre.currentWidget() is window.welcome
