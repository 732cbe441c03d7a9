"""What a view draws, derived from a record and its rows: a curve or a map, with labels and units."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.grid import Grid, Rows, grid
from qlab.record import Axis, Column, Record, Signal

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Label:
    """What stands on an axis; the unit is SI, without prefix."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Curve:
    """Measured points of one signal; shapes (points,), `error` is NaN where none is known."""

    x: Floats
    y: Floats
    error: Floats
    across: Label
    up: Label


@dataclass(frozen=True)
class Overlay:
    """The points of another run, drawn behind for comparison."""

    name: str
    run: str
    curve: Curve


def axis_label(axis: Axis) -> Label:
    """Return the label of an axis."""
    return Label(axis.long_name or axis.name.replace("_", " "), plain_unit(axis.unit))


def signal_label(signal: Signal) -> Label:
    """Return the label of a signal."""
    return Label(signal.long_name or signal.name.replace("_", " "), plain_unit(signal.unit))


def plain_unit(unit: str) -> str:
    """Return the unit as it is written on an axis: nothing for a plain number."""
    return "" if unit in {"1", ""} else unit


def curve_of_grid(view: Grid) -> Curve:
    """Return a one-dimensional grid as a curve, its empty points left out."""
    axis, x = view.axes[0] if view.axes else (Axis(name="point"), np.arange(view.value.size, dtype=float))
    y, error = view.value.ravel(), view.error.ravel()
    taken = np.isfinite(y)
    order = np.argsort(x[taken], kind="stable")
    return Curve(
        x[taken][order], y[taken][order], error[taken][order], axis_label(axis), signal_label(view.signal)
    )


def curve(record: Record, rows: Rows, signal: str = "") -> Curve:
    """Return what a run has measured as a curve; without axes or signals, a column against the row number."""
    if record.signals and record.axes:
        return curve_of_grid(grid(record, rows, signal))
    y, label = column(record, rows, signal)
    return Curve(np.arange(len(y), dtype=float), y, np.full(len(y), np.nan), Label("row"), label)


def column(record: Record, rows: Rows, signal: str = "") -> tuple[Floats, Label]:
    """Return one measured column (the first by default) as it came, and what it is; nothing is copied."""
    chosen = next((c for c in _measured(record) if not signal or c.name == signal), None)
    if chosen is None:
        return np.zeros(0), Label("")
    y = np.asarray(rows.column(chosen.name), dtype=float)[: len(rows)]
    return y, Label(chosen.long_name or chosen.name, plain_unit(chosen.unit))


def signals(record: Record) -> list[tuple[str, str]]:
    """Return the signals one can look at, as (name, words)."""
    if record.signals and record.axes:
        return [(s.name, s.long_name or s.name) for s in record.signals]
    return [(c.name, c.long_name or c.name) for c in _measured(record)]


def _measured(record: Record) -> list[Column]:
    return [c for c in record.columns if not c.shape and c.role in {"reduced", "raw", "readback"}]
