"""The rules of the queue, one by one: what is next, what waits, what can never be, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from qlab.queue.forecast import forecast
from qlab.queue.history import History
from qlab.queue.item import Item, Outcome, child
from qlab.queue.rules import Now, in_line, moved, standings
from qlab.queue.study import Plan, Point
from qlab.service.showing import queue_event
from qlab.session import After, Order

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def item(name, *, needs=("bench",), seconds=60.0, **order):
    plan = Plan(seconds=seconds, resources=needs)
    return Item(id=name, order=Order(experiment="nv.ramsey", title=name, **order), plan=plan)


def now(**more):
    return Now(**{"time": NOON, "taken": {}, "going": set(), "outcomes": {}, **more})


def said(items, **more):
    return {s.item.id: (s.state, s.why) for s in standings(items, now(**more))}


def test_higher_priorities_come_first_and_equals_keep_their_order():
    line = standings([item("a"), item("b", priority=2), item("c"), item("d", priority=2)], now())
    assert [s.item.id for s in line] == ["b", "d", "a", "c"]


def test_one_run_at_a_time_on_the_same_instruments_and_others_beside_it():
    found = said([item("a"), item("b", needs=("other",)), item("c", needs=())], taken={"bench": "x"})
    assert found == {
        "a": ("waiting", "its instruments are in use by x"), "b": ("ready", ""), "c": ("ready", ""),
    }  # fmt: skip


def test_nothing_overtakes_an_order_that_waits_for_the_same_instrument():
    items = [
        item("both", needs=("laser", "camera")),
        item("later", needs=("camera",)),
        item("free", needs=("coil",)),
    ]
    found = said(items, taken={"laser": "x"})
    assert found["both"][0] == found["later"][0] == "waiting"
    assert found["free"][0] == "ready"


@pytest.mark.parametrize(
    ("after", "outcome", "state"),
    [
        (After(run="r"), None, "blocked"),
        (After(run="r"), Outcome(state="finished"), "ready"),
        (After(run="r"), Outcome(state="stopped"), "blocked"),
        (After(run="r", needs="ended"), Outcome(state="failed"), "ready"),
        (After(run="r", needs="good_fit"), Outcome(state="finished"), "blocked"),
        (After(run="r", needs="good_fit"), Outcome(state="finished", good_fit=True), "ready"),
        (After(run="r", needs="good_fit"), Outcome(state="stopped", good_fit=True), "blocked"),
    ],
)
def test_after_another_run(after, outcome, state):
    outcomes = {} if outcome is None else {"r": outcome}
    [standing] = standings([item("a", after=after)], now(outcomes=outcomes))
    assert standing.state == state
    assert (standing.why == "") == (state == "ready")


def test_after_a_run_that_is_still_to_come_waits():
    assert said([item("r"), item("a", after=After(run="r"))])["a"] == ("waiting", "comes after run r")
    assert said([item("a", after=After(run="r"))], going={"r"})["a"][0] == "waiting"


def test_nothing_before_its_time_and_local_time_without_an_offset():
    later = (NOON + timedelta(hours=1)).isoformat()
    assert said([item("a", due=later)])["a"][0] == "waiting"
    local = (NOON - timedelta(seconds=1)).astimezone().replace(tzinfo=None).isoformat()
    assert said([item("a", due=local)])["a"][0] == "ready"


def test_a_held_queue_begins_nothing_and_an_order_not_looked_at_waits():
    assert said([item("a")], held=True)["a"] == ("waiting", "the queue is held")
    unplanned = Item(id="a", order=Order(experiment="x"))
    assert said([unplanned])["a"] == ("waiting", "being looked at")


def test_what_is_wanted_now_plays_next_and_is_not_held():
    line = [item("a", priority=9), item("b"), item("c", now=True)]
    assert [one.id for one in in_line(line)] == ["c", "a", "b"]
    stands = said(line, held=True)
    assert stands["c"][0] == "ready"
    assert stands["a"][0] == "waiting"


@pytest.mark.parametrize(("position", "line"), [(0, "cabd"), (1, "acbd"), (3, "abdc"), (99, "abdc")])
def test_moving_an_order_puts_it_where_it_is_dropped_whatever_the_priorities(position, line):
    items = [item("a", priority=5), item("b", priority=1), item("c", priority=-1), item("d", priority=-1)]
    after = moved(items, "c", position)
    assert "".join(s.item.id for s in standings(after, now())) == line
    # Once more the same way: nothing that was put in line depends on the order of the list.
    again = moved(after, "c", position)
    assert "".join(s.item.id for s in standings(again, now())) == line


def test_the_forecast_plays_the_queue_forward():
    items = [
        item("first", seconds=60), item("second", seconds=30, repeat=2), item("beside", seconds=10, needs=("other",)),
        item("late", seconds=5, needs=(), due=(NOON + timedelta(hours=2)).isoformat()),
        item("then", seconds=7, needs=(), after=After(run="second")),
        item("never", after=After(run="unknown")),
    ]  # fmt: skip
    line = standings(items, now(taken={"bench": "x"}))
    ends = NOON + timedelta(seconds=100)
    seconds = {i.id: i.seconds for i in items}
    spans = forecast(line, {"x": ends}, {"bench": ends}, NOON, seconds)
    shown = {
        name: tuple(None if t is None else (t - NOON).total_seconds() for t in (s.starts, s.ends))
        for name, s in spans.items()
    }
    assert shown == {
        "first": (100, 160), "second": (160, 220), "beside": (0, 10), "late": (7200, 7205), "then": (220, 227),
        "never": (None, None),
    }  # fmt: skip


def test_nothing_is_promised_after_an_unknown_end():
    items = [item("a", seconds=None), item("b")]
    spans = forecast(standings(items, now()), {}, {}, NOON, {"a": float("nan"), "b": 60.0})
    assert (spans["a"].starts, spans["a"].ends, spans["b"].starts) == (NOON, None, None)


def test_expectations_come_from_how_long_such_runs_took():
    history = History()
    assert history.expected("k", 10.0) == 10.0
    assert history.expected("k", 10.0, only_known=True) != history.expected("k", 10.0)
    for taken in (11.0, 12.0, 13.0):
        history.add("k", 10.0, taken)
    assert history.expected("k", 100.0) == pytest.approx(120.0)
    assert history.expected("k", float("nan")) == 12.0


def test_runs_of_a_repeated_order_have_seeds_and_titles_of_their_own():
    whole = item("a", repeat=3, seed=7, due="2026-01-01T00:00")
    seeds = []
    while whole.left:
        made, about = child(whole, Point())
        seeds.append(made.seed)
        assert (made.repeat, made.due, made.study, about["of"]) == (1, "", "a", 3)
        whole.begun += 1
    assert seeds == [7, 8, 9]
    single = item("b", seed=7)
    assert child(single, Point()) == (single.order, {})


def test_nothing_overtakes_an_order_whose_instruments_are_not_known_yet():
    fresh = item("fresh", priority=1).model_copy(update={"plan": None})
    found = said([item("a"), item("b", needs=("other",)), fresh])
    assert found["fresh"] == ("waiting", "being looked at")
    assert found["a"] == found["b"] == ("waiting", "comes after fresh, which is being looked at")


def test_a_held_queue_tells_no_times_but_of_what_is_wanted_now():
    line = standings([item("a"), item("b", now=True)], now(held=True))
    seconds = {"a": 60.0, "b": 60.0}
    told = {one["run"]: one for one in queue_event(line, [], True, seconds)["items"]}
    assert (told["a"]["starts"], told["a"]["ends"]) == ("", "")
    assert told["b"]["starts"]
    free = {one["run"]: one for one in queue_event(line, [], False, seconds)["items"]}
    assert free["a"]["starts"]
