"""Studies: which points, in which order; refinement against functions that are known; what survives on disk."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlab.errors import UsageError
from qlab.queue import saved
from qlab.queue.item import Item, Outcome
from qlab.queue.refine import Known, next_value
from qlab.queue.study import Plan, Played, Point, loop_values, next_point, points
from qlab.session import Loop, Order


def spell(loops, seed=0):
    values = {loop.over: loop_values(loop, "1", words=False) for loop in loops}
    return points(loops, values, seed)


def test_loops_are_nested_with_the_first_outermost():
    made, refined = spell([Loop(over="a", values="1,2"), Loop(over="b", values="3:5:3")])
    assert refined is None
    assert [tuple(p.values.values()) for p in made] == [(1, 3), (1, 4), (1, 5), (2, 3), (2, 4), (2, 5)]
    assert [p.index for p in made][:4] == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_zipped_loops_step_together_within_an_outer_one():
    loops = [
        Loop(over="o", values="0,1"),
        Loop(over="a", values="1,2", zip_with_next=True),
        Loop(over="b", values="3,4"),
    ]
    made, _ = spell(loops)
    assert [tuple(p.values.values()) for p in made] == [(0, 1, 3), (0, 2, 4), (1, 1, 3), (1, 2, 4)]
    assert [p.index for p in made] == [(0, 0), (0, 1), (1, 0), (1, 1)]


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3), st.integers(0, 2**32))
def test_a_random_order_plays_every_combination_once_and_is_the_same_for_the_same_seed(sizes, seed):
    loops = [
        Loop(over=f"l{i}", values=f"0:1:{n}" if n > 1 else "0", order="random") for i, n in enumerate(sizes)
    ]
    made, _ = spell(loops, seed)
    assert sorted(p.index for p in made) == sorted(itertools.product(*(range(n) for n in sizes)))
    assert spell(loops, seed)[0] == made


def test_a_random_order_of_all_loops_mixes_the_whole_grid_and_of_one_only_its_own():
    both = [Loop(over=name, values="0:9:10", order="random") for name in "ab"]
    outer = [p.index[0] for p in spell(both, 3)[0]]
    assert outer != sorted(outer)
    assert (
        sum(a == b for a, b in itertools.pairwise(outer)) < 40
    )  # 9.9 by chance, 90 where only rows are mixed
    one = [Loop(over="a", values="0:9:10"), Loop(over="b", values="0:9:10", order="random")]
    made = spell(one, 3)[0]
    assert [p.index[0] for p in made] == sorted(p.index[0] for p in made)
    rows = {tuple(p.index[1] for p in made if p.index[0] == i) for i in range(10)}
    assert len(rows) == 10  # shuffled anew in each row


@pytest.mark.parametrize(
    ("loops", "part"),
    [
        ([Loop(over="a", values="1,2"), Loop(over="a", values="3")], "same thing"),
        ([Loop(over="a", values="1,2", zip_with_next=True), Loop(over="b", values="3")], "equally many"),
        ([Loop(over="a", values="1,2", zip_with_next=True)], "nothing after it"),
        ([Loop(over="a", values="0:1:9", order="adaptive")], "what to refine by"),
        (
            [Loop(over="a", values="0:1:9", order="adaptive", refine="f"), Loop(over="b", values="1,2")],
            "innermost",
        ),
        ([Loop(over="a", values="0:1:1000"), Loop(over="b", values="0:1:1000")], "more than"),
        ([Loop(over="a", values="")], "not a number|no points|at least 1"),
    ],
)
def test_what_cannot_be_a_study_is_refused_with_its_reason(loops, part):
    with pytest.raises(UsageError, match=part):
        spell(loops)


def refine(function, count, error=0.0, low=-1.0, high=1.0):
    """Play an adaptive study of a function through the same door as the queue."""
    made, refined = points(
        [Loop(over="x", values=f"{low}:{high}:{count}", order="adaptive", refine="f")],
        {"x": tuple(np.linspace(low, high, count))}, 0,
    )  # fmt: skip
    plan, played = Plan(points=made, refined=refined), []
    for number in range(count):
        point = next_point(plan, number, played)
        found = function(point.values["x"])
        values = {} if found is None else {"f": (found, error)}
        played.append(Played(run=str(number), number=number, point=point, state="finished", values=values))
    return np.array([p.point.values["x"] for p in played])


def test_refinement_puts_its_points_on_a_line_and_describes_it_better_than_even_points():
    def line(x):
        return 1 / (1 + ((x - 0.3) / 0.02) ** 2)

    count = 31
    fine = np.linspace(-1, 1, 20001)
    adaptive = np.sort(refine(line, count))
    worst = np.abs(np.interp(fine, adaptive, line(adaptive)) - line(fine)).max()
    even = np.linspace(-1, 1, count)
    worst_even = np.abs(np.interp(fine, even, line(even)) - line(fine)).max()
    assert worst < 0.3 * worst_even
    assert len(set(adaptive)) == count
    assert (adaptive.min(), adaptive.max()) == (-1, 1)


def test_noise_within_its_errors_is_not_refined():
    random = np.random.default_rng(5)
    gaps = np.diff(np.sort(refine(lambda x: random.normal(0, 1.0), 33, error=5.0)))
    assert gaps.max() / gaps.min() < 2.001  # halved evenly
    gaps = np.diff(np.sort(refine(lambda x: float(x > 0.123), 33, error=1e-3)))
    assert gaps.max() / gaps.min() > 50


def test_a_fit_that_is_not_believed_does_not_stop_the_refinement():
    values = refine(lambda x: None if abs(x) < 0.5 else x, 17)
    assert len(set(values)) == 17
    assert np.diff(np.sort(values)).max() <= 0.5


@given(
    st.lists(
        st.tuples(st.integers(0, 64), st.one_of(st.none(), st.floats(-1e6, 1e6))), min_size=5, max_size=30
    )
)
def test_the_next_value_is_always_a_new_one_inside_the_range(known):
    seen = [Known(0.0, 1.0), Known(1.0, math.nan), *(Known(x / 64, y, 1.0) for x, y in known)]
    value = next_value(seen, 0.0, 1.0, 100)
    assert 0.0 <= value <= 1.0
    assert value not in {k.x for k in seen}


def test_an_adaptive_loop_inside_another_is_refined_for_each_of_its_values():
    loops = [Loop(over="o", values="1,2"), Loop(over="x", values="0:1:7", order="adaptive", refine="f")]
    made, refined = spell(loops)
    plan = Plan(points=made, refined=refined)
    assert plan.runs == 14
    played = []
    for number in range(14):
        point = next_point(plan, number, played)
        step = float(point.values["x"] > (0.2 if point.values["o"] == 1 else 0.8))
        played.append(
            Played(run="", number=number, point=point, state="finished", values={"f": (step, None)})
        )
    first, second = (
        np.sort([p.point.values["x"] for p in played if p.point.values["o"] == o]) for o in (1, 2)
    )
    assert np.median(first) < 0.5 < np.median(second)
    assert played[9].point.index == (1, 2)


def test_the_queue_on_disk_comes_back_as_it_was_and_a_damaged_one_is_set_aside(tmp_path):
    path = tmp_path / "state" / "queue.json"
    made, refined = spell([Loop(over="x", values="0:1:7", order="adaptive", refine="f")])
    item = Item(
        id="s", order=Order(experiment="nv.ramsey", loops=(Loop(over="x", values="0:1:7"),)), begun=2,
        plan=Plan(points=made, refined=refined, units={"x": "T"}, seconds=3.0),
        played=[Played(run="r", number=0, point=Point(index=(0,), values={"x": 0.5, "on": True, "w": "up"}),
                       state="finished", values={"f": (1.0, None)})],
    )  # fmt: skip
    whole = saved.Saved(held=True, items=[item], outcomes={"r": Outcome(state="finished", good_fit=True)})
    saved.write(whole, path)
    assert saved.read(path) == (whole, "")
    assert list(path.parent.iterdir()) == [path]
    path.write_text(json.dumps({"items": [{"id": 3}]}))
    found, wrong = saved.read(path)
    assert (found, path.exists()) == (saved.Saved(), False)
    assert "queue.damaged.json" in wrong
    assert (path.parent / "queue.damaged.json").exists()
