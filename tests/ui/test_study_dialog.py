"""A study from the window: loops read like a sentence, refused with a reason, queued as one order."""

import pytest

from qlab_ui.dialogs.study import Study
from tests.ui.steps import frames


@pytest.fixture
def dialog(window):
    frames(window, 2)
    window.call("study")
    made = next(d for d in window.children() if isinstance(d, Study))
    yield made
    made.close()


def choose(row, name, values):
    row.over.setCurrentIndex(row.over.findData(name))
    row.values.setText(values)


def test_a_study_is_one_order_with_its_loops(dialog, session):
    choose(dialog.rows[0], "fringe_frequency", "1 MHz:4 MHz:4")
    choose(dialog.add(), "shots", "100, 200")
    dialog.queue()
    order = session.orders[-1]
    assert [(loop.over, loop.values) for loop in order.loops] == [
        ("fringe_frequency", "1 MHz:4 MHz:4"),
        ("shots", "100, 200"),
    ]
    assert not order.now
    assert order.experiment == "nv.ramsey"


@pytest.mark.parametrize(
    ("values", "reason"), [("", "Give the values"), ("4 us", "frequency"), ("1:2:3:4:5", "1:2:3:4:5")]
)
def test_values_that_cannot_be_read_are_refused_with_a_reason(dialog, session, values, reason):
    before = len(session.orders)
    choose(dialog.rows[0], "fringe_frequency", values)
    dialog.queue()
    assert reason in dialog.rows[0].message.text()
    assert len(session.orders) == before


def test_a_refined_loop_needs_the_fit_value_that_decides(dialog, session):
    row = dialog.rows[0]
    choose(row, "fringe_frequency", "1 MHz:4 MHz:9")
    row.order.setCurrentIndex(row.order.findData("adaptive"))
    before = len(session.orders)
    dialog.queue()
    assert len(session.orders) == before
    row.refine.setText("frequency")
    dialog.queue()
    assert session.orders[-1].loops[0].refine == "frequency"
