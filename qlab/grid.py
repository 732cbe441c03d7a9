"""Rows in the order they were taken, and the grid derived from them: live, at the end, and years later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.record import Axis, Record, Signal


class Rows(Protocol):
    """A table of rows, live or in a file."""

    def __len__(self) -> int:
        """Return how many rows there are."""
        ...

    def column(self, name: str) -> NDArray[Any]:
        """Return one column; shape (rows, ...)."""
        ...


@dataclass(frozen=True)
class MemoryRows:
    """A table held in memory."""

    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()))) if self.columns else 0

    def column(self, name: str) -> NDArray[Any]:
        """Return one column; shape (rows, ...)."""
        return self.columns[name]


@dataclass(frozen=True)
class Grid:
    """The gridded view of one signal: `value` and `error` (one standard deviation) over the axes.

    Shapes: each of `axes` (n_i,); `value`, `error` and `rows` (n_1, n_2, ...). Unmeasured points are NaN.
    """

    signal: Signal
    axes: tuple[tuple[Axis, NDArray[np.float64]], ...]
    value: NDArray[np.float64]
    error: NDArray[np.float64]
    rows: NDArray[np.int64]


def grid(record: Record, rows: Rows, signal: str = "") -> Grid:
    """Derive the gridded view of a signal (the first one by default) from the rows of a run.

    The one place where rows become a curve or a map: live, at the end, and years later.
    Rows whose `valid` column is 0 are left out.
    """
    if not record.signals:
        raise UsageError(f"Run {record.id} declares no signal.", "Read its columns instead.")
    chosen = next((s for s in record.signals if not signal or s.name == signal), None)
    if chosen is None:
        names = ", ".join(s.name for s in record.signals)
        raise UsageError(f"There is no signal {signal!r} in this run.", f"There are: {names}.")
    count = len(rows)
    keep = np.ones(count, dtype=bool)
    if any(c.name == "valid" for c in record.columns):
        keep = np.asarray(rows.column("valid")[:count]) == 1
    axes: list[tuple[Axis, NDArray[np.float64]]] = []
    flat = np.zeros(int(keep.sum()), dtype=np.int64)
    shape: list[int] = []
    for axis in record.axes:
        taken = np.asarray(rows.column(axis.name)[:count], dtype=float)[keep]
        values = np.asarray(axis.values, dtype=float) if axis.values else np.unique(taken)
        flat = flat * max(len(values), 1) + _nearest(values, taken)
        axes.append((axis, values))
        shape.append(len(values))
    value, error, taken_rows = _reduce(chosen, rows, keep, flat, int(np.prod(shape)) if shape else 1)
    final = tuple(shape) if shape else (1,)
    return Grid(chosen, tuple(axes), value.reshape(final), error.reshape(final), taken_rows.reshape(final))


def _nearest(values: NDArray[np.float64], taken: NDArray[np.float64]) -> NDArray[np.int64]:
    if len(values) == 0:
        return np.zeros(len(taken), dtype=np.int64)
    order = np.argsort(values)
    ordered = values[order]
    right = np.clip(np.searchsorted(ordered, taken), 0, len(ordered) - 1)
    left = np.clip(right - 1, 0, len(ordered) - 1)
    nearest = np.where(np.abs(taken - ordered[left]) < np.abs(taken - ordered[right]), left, right)
    return np.asarray(order[nearest], dtype=np.int64)


def _reduce(
    signal: Signal, rows: Rows, keep: NDArray[np.bool_], flat: NDArray[np.int64], size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    count = len(keep)

    def summed(column: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(flat, weights=column, minlength=size), dtype=float)

    of = np.asarray(rows.column(signal.of)[:count], dtype=float)[keep]
    taken = np.asarray(np.bincount(flat, minlength=size), dtype=np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        if signal.rule == "mean":
            mean = summed(of) / taken
            spread = summed((of - mean[flat]) ** 2) / (taken - 1)
            value, error = mean, np.where(taken > 1, np.sqrt(spread / taken), np.nan)
        elif signal.rule == "fraction":
            tries = summed(np.asarray(rows.column(signal.per)[:count], dtype=float)[keep])
            value = summed(of) / tries
            # One success and one failure more (Laplace): a fraction of 0 or 1 is not known exactly.
            likely = (summed(of) + 1) / (tries + 2)
            error = np.sqrt(likely * (1 - likely) / tries)
        else:
            per = np.asarray(rows.column(signal.per)[:count], dtype=float)[keep]
            total, over = summed(of), summed(per)
            value = total / over
            # A cell that counted nothing still knows its rate only to about one count.
            relative = 1 / np.maximum(total, 1) + (1 / over if signal.rule == "ratio" else 0.0)
            error = np.maximum(total, 1) / over * np.sqrt(relative)
        value, error = value * signal.scale, error * abs(signal.scale)
    empty = taken == 0
    value[empty] = error[empty] = np.nan
    return value, error, taken
