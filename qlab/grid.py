"""Rows in the order they were taken, and the grid derived from them: live, at the end, and years later."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.record import Axis, Record, Signal

# Points of a flat view: those that lie side by side as a slice, which spares copies.
Points = slice | NDArray[np.int64]
_EVEN = 1e-6  # of a step: values that miss an even grid by less are on it


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
class First:
    """The first rows of a table."""

    rows: Rows
    count: int

    def __len__(self) -> int:
        return self.count

    def column(self, name: str) -> NDArray[Any]:
        """Return one column; shape (count, ...)."""
        return np.asarray(self.rows.column(name)[: self.count])


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
    return Gridding(record, signal).take(rows)


class Gridding:
    """The grid of one signal as its rows come: each `take` looks only at those that are new.

    `changed` are the points that the last `take` has changed, in a flat view.
    """

    _count: int  # rows that have been taken
    _grid: Grid

    def __init__(self, record: Record, signal: str = "") -> None:
        if not record.signals:
            raise UsageError(f"Run {record.id} declares no signal.", "Read its columns instead.")
        chosen = next((s for s in record.signals if not signal or s.name == signal), None)
        if chosen is None:
            names = ", ".join(s.name for s in record.signals)
            raise UsageError(f"There is no signal {signal!r} in this run.", f"There are: {names}.")
        self.signal = chosen
        self.changed: Points = slice(0, 0)
        self._record = record
        self._valid = any(column.name == "valid" for column in record.columns)
        self._planned = all(axis.values for axis in record.axes)
        self._begin(tuple(np.asarray(axis.values, dtype=float) for axis in record.axes))

    def take(self, rows: Rows) -> Grid:
        """Take the rows that came since the last call; return the grid, whose arrays are those of the next call too."""
        count = len(rows)
        if not self._planned or count < self._count:
            self._begin(tuple(self._values(axis, rows, count) for axis in self._record.axes))
        keep = slice(self._count, count)
        self._count = count
        wanted = {*(axis.name for axis in self._record.axes), self.signal.of, self.signal.per} - {""}
        columns = {name: np.asarray(rows.column(name)[keep], dtype=float) for name in wanted}
        if self._valid:
            good = np.asarray(rows.column("valid")[keep]) == 1
            if not good.all():
                columns = {name: column[good] for name, column in columns.items()}
        self._add(columns)
        return self._grid

    def _values(self, axis: Axis, rows: Rows, count: int) -> NDArray[np.float64]:
        """Return the values of an axis: the planned ones, or those that were taken."""
        if axis.values:
            return np.asarray(axis.values, dtype=float)
        taken = np.asarray(rows.column(axis.name)[:count], dtype=float)
        if self._valid:
            taken = taken[np.asarray(rows.column("valid")[:count]) == 1]
        return np.unique(taken)

    def _begin(self, values: tuple[NDArray[np.float64], ...]) -> None:
        shape = tuple(len(of_axis) for of_axis in values) or (1,)
        self._count = 0
        self._places = [_Nearest(of_axis) for of_axis in values]
        self._sums = _Sums(int(np.prod(shape)))
        axes = tuple(zip(self._record.axes, values, strict=True))
        # A map of millions of points that are measured once has no error: what is never known takes no memory.
        unknown = np.broadcast_to(np.nan, shape)
        self._grid = Grid(self.signal, axes, np.full(shape, np.nan), unknown, self._sums.taken.reshape(shape))

    def _add(self, columns: Mapping[str, NDArray[np.float64]]) -> None:
        taken_at = [columns[axis.name] for axis in self._record.axes]
        lost = np.logical_or.reduce([np.isnan(at) for at in taken_at]) if taken_at else np.False_
        if lost.any():  # a row that does not know where it was taken is in the file, but at no point
            self._add({name: column[~lost] for name, column in columns.items()})
            return
        of = columns[self.signal.of]
        flat = np.zeros(len(of), dtype=np.int64)
        for at, place in zip(taken_at, self._places, strict=True):
            flat = flat * max(len(place.values), 1) + place.of(at)
        self.changed = self._sums.add(flat, of, columns.get(self.signal.per))
        value, error = self._sums.reduced(self.signal, self.changed)
        # The arrays of the grid are contiguous: these are views of them.
        self._grid.value.reshape(-1)[self.changed] = value * self.signal.scale
        if error is None:
            return
        if not self._grid.error.flags.writeable:
            self._grid = replace(self._grid, error=np.full(self._grid.value.shape, np.nan))
        self._grid.error.reshape(-1)[self.changed] = error * abs(self.signal.scale)


@dataclass
class _Nearest:
    """Finds the value of an axis that a row was taken at."""

    values: NDArray[np.float64]
    _step: float = field(init=False, default=0.0)  # of values that are even; 0 where they are not
    _order: NDArray[np.int64] = field(init=False)
    _ordered: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        self._order = np.argsort(self.values)
        self._ordered = self.values[self._order]
        count = len(self.values)
        if count > 1:
            step = (self.values[-1] - self.values[0]) / (count - 1)
            off = np.abs(self.values - (self.values[0] + step * np.arange(count))).max()
            self._step = float(step) if off <= _EVEN * abs(step) else 0.0

    def of(self, taken: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the index of the nearest value for each row; none of them is NaN."""
        last = len(self._ordered) - 1
        if last < 0:
            return np.zeros(len(taken), dtype=np.int64)
        if self._step:  # a division instead of a search: a fast map brings a million rows a second
            place = np.clip(np.rint((taken - self.values[0]) / self._step), 0, last)
            return np.asarray(place, dtype=np.int64)
        right = np.clip(np.searchsorted(self._ordered, taken), 0, last)
        left = np.clip(right - 1, 0, last)
        nearer = np.abs(taken - self._ordered[left]) < np.abs(taken - self._ordered[right])
        return np.asarray(self._order[np.where(nearer, left, right)], dtype=np.int64)


class _Sums:
    """What is kept of each point: how many rows, their mean and spread, and the sum of what they are counted per."""

    def __init__(self, size: int) -> None:
        self.taken: NDArray[np.int64] = np.zeros(size, dtype=np.int64)
        self._mean, self._spread, self._per = (np.zeros(size) for _ in range(3))

    def add(
        self, flat: NDArray[np.int64], of: NDArray[np.float64], per: NDArray[np.float64] | None
    ) -> Points:
        """Add rows to their points; return the points that they belong to."""
        if np.all(flat[1:] > flat[:-1]):  # each in a point of its own, as a sweep that goes on brings them
            return self._join(flat, np.ones(1, dtype=np.int64), of, np.zeros(1), per)
        if 4 * len(flat) < self.taken.size:
            cells, flat = np.unique(flat, return_inverse=True)
        else:
            cells = np.arange(self.taken.size)
        new = np.bincount(flat, minlength=len(cells))
        hit = new > 0
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.bincount(flat, weights=of, minlength=len(cells)) / new
            spread = np.bincount(flat, weights=(of - mean[flat]) ** 2, minlength=len(cells))
        if per is not None:
            per = np.bincount(flat, weights=per, minlength=len(cells))[hit].astype(float)
        return self._join(cells[hit], new[hit], mean[hit], spread[hit].astype(float), per)

    def _join(
        self,
        rising: NDArray[np.int64],
        new: NDArray[np.int64],
        mean: NDArray[np.float64],
        spread: NDArray[np.float64],
        per: NDArray[np.float64] | None,
    ) -> Points:
        """Join what is known of points with what comes, by point or one value for all; return the points."""
        cells: Points = rising
        if len(rising) and rising[-1] - rising[0] + 1 == len(rising):
            cells = slice(int(rising[0]), int(rising[-1]) + 1)
        if per is not None:
            self._per[cells] += per
        before = self.taken[cells]
        if not before.any():
            self._mean[cells] = mean
            if spread.any():
                self._spread[cells] = spread
            self.taken[cells] = new
            return cells
        # Two sets of rows joined: Chan, Golub and LeVeque, The American Statistician 37, 242 (1983).
        apart, after = mean - self._mean[cells], before + new
        self._mean[cells] += apart * new / after
        self._spread[cells] += spread + apart**2 * before * new / after
        self.taken[cells] = after
        return cells

    def reduced(
        self, signal: Signal, cells: Points
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Return value and error of some points, unscaled; None where no error is known."""
        taken, mean = self.taken[cells], self._mean[cells]
        if signal.rule == "mean" and not (taken > 1).any():
            return mean, None
        per, total = self._per[cells], mean * taken
        with np.errstate(divide="ignore", invalid="ignore"):
            if signal.rule == "mean":
                error = np.sqrt(self._spread[cells] / (taken - 1) / taken)
                return mean, np.where(taken > 1, error, np.nan)
            if signal.rule == "fraction":
                # One success and one failure more (Laplace): a fraction of 0 or 1 is not known exactly.
                likely = (total + 1) / (per + 2)
                return total / per, np.sqrt(likely * (1 - likely) / per)
            # A cell that counted nothing still knows its rate only to about one count.
            relative = 1 / np.maximum(total, 1) + (1 / per if signal.rule == "ratio" else 0.0)
            return total / per, np.maximum(total, 1) / per * np.sqrt(relative)
