"""A picture that is used for the next run: nothing of the last one is left in it."""

import gc
import weakref

import numpy as np
from PySide6.QtTest import QTest

from qlab.grid import MemoryRows, grid
from qlab_ui.page import RunPage
from qlab_ui.plots.curve import CurveView
from qlab_ui.plots.data import Curve, Label, Overlay
from tests.ui.fakes import fake_fit, ramsey_record, ramsey_rows
from tests.ui.steps import frames

TAU = np.linspace(0, 4e-6, 21)


def views():
    return [thing for thing in gc.get_objects() if type(thing) is CurveView]


def page_of(run, view=None, state="finished"):
    record = ramsey_record(21, state=state).model_copy(update={"id": run})
    page = RunPage(record, MemoryRows(ramsey_rows(TAU)), None, view)
    page.take(record)
    page.resize(800, 500)
    page.show()
    return page


def picture(page):
    page.frame()
    QTest.qWait(80)
    page.frame()
    QTest.qWait(80)
    return page.view.image()


def test_a_used_view_shows_the_next_run_as_a_new_one_does(app):
    first = page_of("11111111-aaaa")
    first.view.complete()
    new = picture(first)
    used = page_of("22222222-bbbb")
    picture(used)
    view = used.view
    view.show_fit(fake_fit(used.record, grid(used.record, used.rows, ""), "damped_cosine"))
    view.toggle_log(0)
    view.toggle_log(1)
    view.toggle_grid()
    view.toggle_cursor()
    view.toggle_tool("measure")
    view.toggle_tool("histogram")
    other = Curve(TAU, TAU * 1e9, TAU, Label("t", "s"), Label("n"))
    view.overlay([Overlay("other", "33333333-cccc", other)])
    used.show_expected(type("Expected", (), {"x": TAU, "y": TAU * 1e8})(), "the model expects")
    view.plot.getViewBox().setRange(xRange=(0, 1e-7), yRange=(0, 3))
    view.plot.getViewBox().sigRangeChangedManually.emit([True, True])
    assert picture(used) != new
    assert used.give_back() is view
    used.deleteLater()
    QTest.qWait(20)
    again = page_of("11111111-aaaa", view)
    assert again.view is view
    assert picture(again) == new
    for page in (first, again):
        page.close()
        page.deleteLater()


def test_a_closed_tab_leaves_its_view_and_nothing_else(window):
    centre, pages = window.centre, []
    elsewhere = views()
    for number in range(4):
        record = ramsey_record(21, state="finished").model_copy(update={"id": f"{number}-run"})
        pages.append(weakref.ref(centre.open(record, MemoryRows(ramsey_rows(TAU)), None)))
        pages[-1]().frame()
        QTest.qWait(20)
    while centre.tabs.count():
        centre.close_current()
    frames(window, 2)
    QTest.qWait(50)
    gc.collect()
    assert [page() for page in pages] == [None] * 4
    assert [view for view in views() if view not in elsewhere] == [centre._spare]


def test_the_legend_of_many_overlays_stays_short(app):
    from tests.ui.fakes import ramsey_record

    view = CurveView()
    view.show_record(ramsey_record())
    x = np.linspace(0, 1, 5)
    view.show_curve(Curve(x, x, np.full(5, 0.1), Label("t", "s"), Label("n")))
    view.overlay([Overlay(f"run {k}", f"{k}{k}{k}-cccc", view.curve) for k in range(11)])
    lines = view.legend.text.split("<br>")
    assert len(lines) == 6
    assert "run 3" in lines[4]
    assert "and 7 more" in lines[-1]
    view.close()
