"""The grid of a signal: the same whether its rows come at once or in pieces."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.grid import Gridding, MemoryRows, grid
from qlab.record import Axis, Column, Record, Signal

NAMES = ("x", "y", "n", "m", "valid")


def record(rule, planned=True, **more):
    axes = [Axis(name="x", values=(3.0, 1.0, 2.0) if planned else ()), Axis(name="y", values=(0.0, 10.0))]
    columns = [Column(name=name, unit="1", role="raw") for name in NAMES]
    signal = Signal(name="s", of="n", per="" if rule == "mean" else "m", rule=rule, scale=-2.0)
    about = {
        "id": "1",
        "experiment": "x",
        "title": "x",
        "parameters": {},
        "bench": {"name": "b"},
        "simulated": True,
    }
    return Record.model_validate({**about, "axes": axes, "columns": columns, "signals": [signal], **more})


def rows(seed=0, count=400):
    rng = np.random.default_rng(seed)
    m = rng.integers(50, 100, count).astype(float)
    return {
        "x": rng.choice([1.0, 2.0, 3.0], count) + rng.normal(0, 1e-3, count),
        "y": rng.choice([0.0, 10.0], count),
        "n": rng.binomial(m.astype(int), 0.3).astype(float),
        "m": m,
        "valid": (rng.random(count) < 0.9).astype(float),
    }


def by_hand(rule, columns):
    """The same, point by point, written down plainly."""
    found = np.full((3, 2, 2), np.nan)
    for i, x in enumerate((3.0, 1.0, 2.0)):
        for j, y in enumerate((0.0, 10.0)):
            here = (np.abs(columns["x"] - x) < 0.5) & (columns["y"] == y) & (columns["valid"] == 1)
            n, m = columns["n"][here], columns["m"][here]
            if not here.any():
                continue
            total, per = n.sum(), m.sum()
            likely = (total + 1) / (per + 2)
            value, error = {
                "mean": (n.mean(), n.std(ddof=1) / np.sqrt(len(n)) if len(n) > 1 else np.nan),
                "fraction": (total / per, np.sqrt(likely * (1 - likely) / per)),
                "rate": (total / per, np.sqrt(max(total, 1)) / per),
                "ratio": (total / per, total / per * np.sqrt(1 / total + 1 / per)),
            }[rule]
            found[i, j] = -2 * value, 2 * error
    return found


@pytest.mark.parametrize("rule", ["mean", "fraction", "rate", "ratio"])
@pytest.mark.parametrize("cuts", [(), (1, 2, 3, 4, 50, 51, 399), (200,)])
def test_rows_in_pieces_come_to_the_same_as_all_at_once(rule, cuts):
    columns, wanted = rows(), by_hand(rule, rows())
    growing = Gridding(record(rule), "s")
    seen = 0
    for cut in (*cuts, 400):
        view = growing.take(MemoryRows({name: values[:cut] for name, values in columns.items()}))
        fresh = (columns["valid"][seen:cut] == 1).sum()
        assert len(np.arange(view.value.size)[growing.changed]) <= fresh
        seen = cut
    assert np.allclose(view.value, wanted[..., 0], rtol=1e-12, equal_nan=True)
    assert np.allclose(view.error, wanted[..., 1], rtol=1e-10, equal_nan=True)
    assert view.rows.sum() == (columns["valid"] == 1).sum()
    again = growing.take(MemoryRows(columns))
    assert len(np.arange(1)[growing.changed]) == 0
    assert np.array_equal(again.value, view.value)


def test_an_axis_that_was_not_planned_has_the_values_that_were_taken():
    columns = rows()
    columns["x"] = np.round(columns["x"])
    growing = Gridding(record("mean", planned=False))
    first = growing.take(MemoryRows({name: values[:1] for name, values in columns.items()}))
    assert first.value.shape[0] <= 1
    whole = growing.take(MemoryRows(columns))
    assert np.array_equal(whole.axes[0][1], [1.0, 2.0, 3.0])
    at_once = grid(record("mean", planned=False), MemoryRows(columns))
    assert np.array_equal(whole.value, at_once.value)


def test_fewer_rows_than_before_begin_anew():
    columns, growing = rows(), Gridding(record("rate"))
    growing.take(MemoryRows(columns))
    half = MemoryRows({name: values[:100] for name, values in columns.items()})
    assert np.array_equal(growing.take(half).rows, grid(record("rate"), half).rows)


@pytest.mark.parametrize(
    "xs", [np.linspace(2e-6, 1e-6, 31), np.linspace(-1, 1, 31), np.geomspace(1, 1e3, 31)]
)
@pytest.mark.parametrize("passes", [1, 3])
def test_a_sweep_in_order_is_taken_as_one_in_disorder(xs, passes):
    """Even values are found by a division and rows in order are joined without sorting: with the same result."""
    plan = record("mean").model_copy(update={"axes": (Axis(name="x", values=tuple(xs)),)})
    rng = np.random.default_rng(2)
    x = np.tile(xs, passes) + 1e-4 * (xs[1] - xs[0]) * rng.normal(size=passes * len(xs))
    n = rng.normal(size=len(x))
    columns = {"x": x, "n": n, "valid": np.ones(len(x))}
    growing = Gridding(plan)
    for cut in range(1, len(x) + 1, 7):
        growing.take(MemoryRows({name: values[:cut] for name, values in columns.items()}))
    view = growing.take(MemoryRows(columns))
    by_point = n.reshape(passes, len(xs))
    assert np.allclose(view.value, -2 * by_point.mean(axis=0), rtol=1e-12)
    if passes == 1:
        assert np.isnan(view.error).all()
    else:
        assert np.allclose(view.error, 2 * by_point.std(axis=0, ddof=1) / np.sqrt(passes), rtol=1e-10)
    order = rng.permutation(len(x))
    other = grid(plan, MemoryRows({name: values[order] for name, values in columns.items()}))
    assert np.allclose(other.value, view.value, rtol=1e-12)
    assert np.allclose(other.error, view.error, rtol=1e-9, equal_nan=True)


def test_a_row_that_does_not_know_where_it_was_taken_is_at_no_point():
    columns = rows()
    whole = grid(record("rate"), MemoryRows(columns))
    lost = {name: np.append(values, values[:3]) for name, values in columns.items()}
    lost["x"][-3:], lost["valid"][-3:] = np.nan, 1
    view = grid(record("rate"), MemoryRows(lost))
    assert np.array_equal(view.rows, whole.rows)
    assert np.array_equal(view.value, whole.value)


def test_an_unknown_signal_is_named():
    with pytest.raises(UsageError, match="no signal 'z'"):
        Gridding(record("mean"), "z")
