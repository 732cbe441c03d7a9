"""A run: its record, its rows in the order they were taken, and the grid derived from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from qlab.errors import UsageError

Block = Mapping[str, NDArray[Any]]
State = Literal["queued", "preparing", "running", "paused", "finished", "stopped", "failed", "interrupted"]
ENDED: frozenset[str] = frozenset({"finished", "stopped", "failed", "interrupted"})


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Column(_Frozen):
    """One column of the table of rows.

    `role` says what it is: `setpoint` (swept), `readback`, `raw` (counts, samples: the measured truth),
    `reduced`, `time`, `valid`. `dims`/`shape` name further fixed dimensions after `scan_point`.
    """

    name: str
    unit: str = "1"
    long_name: str = ""
    role: Literal["setpoint", "readback", "raw", "reduced", "time", "valid"] = "raw"
    dtype: str = "f8"
    dims: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()


class Axis(_Frozen):
    """One axis of the gridded view: the setpoint column of this name, over the planned values."""

    name: str
    unit: str = "1"
    long_name: str = ""
    values: tuple[float, ...] = ()


class Signal(_Frozen):
    """How a signal of the gridded view comes from the rows of a grid point.

    `mean`: mean of column `of`, error of the mean from the scatter (NaN for a single row).
    `ratio`: sum(of)/sum(per) * scale of two Poisson counts, relative error sqrt(1/sum(of) + 1/sum(per)).
    `rate`: sum(of)/sum(per) * scale of a Poisson count over a noiseless `per` (time, shots).
    """

    name: str
    unit: str = "1"
    long_name: str = ""
    rule: Literal["mean", "ratio", "rate"] = "mean"
    of: str
    per: str = ""
    scale: float = 1.0


class Figure(_Frozen):
    """A figure of merit: what it is, its value with one standard deviation, and where it comes from."""

    name: str
    label: str
    value: float
    error: float | None = None
    unit: str = "1"
    definition: str = ""
    source: str = ""
    limit_of: str = ""  # the name of the figure that this one bounds (a quantum limit, a Cramér-Rao bound)


class FitParameter(_Frozen):
    """One value of a fit, with its standard deviation (None where it was held fixed)."""

    name: str
    label: str = ""
    value: float
    error: float | None = None
    unit: str = "1"
    derived: bool = False


class FitResult(_Frozen):
    """A fit: its values with errors, how good it is, and the curve."""

    model: str
    signal: str
    success: bool
    message: str = ""
    parameters: tuple[FitParameter, ...] = ()
    free: tuple[str, ...] = ()
    covariance: tuple[tuple[float, ...], ...] = ()
    chi2: float = float("nan")
    degrees_of_freedom: int = 0
    context: dict[str, float] = Field(default_factory=dict)

    @property
    def reduced_chi2(self) -> float:
        """Chi-squared over the degrees of freedom; NaN where there are none."""
        return self.chi2 / self.degrees_of_freedom if self.degrees_of_freedom > 0 else float("nan")

    @property
    def values(self) -> dict[str, float]:
        """The fitted and derived values by name, in SI units."""
        return {p.name: p.value for p in self.parameters}

    @property
    def errors(self) -> dict[str, float]:
        """The standard deviations by name; NaN for what was held fixed."""
        return {p.name: float("nan") if p.error is None else p.error for p in self.parameters}


class Record(_Frozen):
    """Everything about a run but its rows: what its file says, and all that is needed to run it again."""

    id: str
    experiment: str
    title: str
    parameters: dict[str, Any]
    units: dict[str, str] = Field(default_factory=dict)
    columns: tuple[Column, ...]
    axes: tuple[Axis, ...] = ()
    signals: tuple[Signal, ...] = ()
    fit: str = ""
    fit_context: dict[str, float] = Field(default_factory=dict)
    expected_rows: int = 0
    bench: dict[str, Any] = Field(default_factory=dict)
    simulated: bool = False
    seed: int | None = None
    truth: dict[str, float] = Field(default_factory=dict)
    expected: dict[str, float] = Field(default_factory=dict)
    quantum: dict[str, str] = Field(default_factory=dict)
    software: dict[str, str] = Field(default_factory=dict)
    description: str = ""
    state: State = "queued"
    reason: str = ""
    started: str = ""
    ended: str = ""
    programs: tuple[dict[str, Any], ...] = ()
    changes: tuple[dict[str, Any], ...] = ()
    log: tuple[dict[str, Any], ...] = ()
    fits: tuple[FitResult, ...] = ()
    figures: tuple[Figure, ...] = ()
    safe_report: dict[str, str] = Field(default_factory=dict)

    def column(self, name: str) -> Column:
        """Return the column of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


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


@dataclass(frozen=True)
class Run:
    """One run, live or reopened: its record, its rows, and where its file is."""

    record: Record
    rows: Rows
    path: Path | None = None

    @property
    def id(self) -> str:
        """The run's UUID."""
        return self.record.id

    @property
    def state(self) -> State:
        """The run's state."""
        return self.record.state

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters as plain data, in SI units."""
        return self.record.parameters

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column of the rows, or the gridded values of a signal."""
        if any(column.name == name for column in self.record.columns):
            return np.asarray(self.rows.column(name))
        return self.grid(name).value

    def grid(self, signal: str = "") -> Grid:
        """Return the gridded view of a signal, the first one by default."""
        return grid(self.record, self.rows, signal)

    def fit(
        self, model: str = "", *, signal: str = "", fixed: Mapping[str, float] | None = None
    ) -> FitResult:
        """Fit the gridded signal with a model (the experiment's own by default)."""
        from qlab.fits import fit_grid

        return fit_grid(self.record, self.grid(signal), model, fixed=fixed)

    @property
    def figures(self) -> dict[str, Figure]:
        """The figures of merit by name, as they stand in the record."""
        return {figure.name: figure for figure in self.record.figures}

    def to_xarray(self, group: Literal["data", "shots"] = "data") -> Any:
        """Return the gridded view ("data") or the rows ("shots") as an xarray Dataset (extra `xarray`)."""
        from qlab.store.analyst import to_xarray

        return to_xarray(self, group)


def expected_shape(axes: Sequence[Axis]) -> tuple[int, ...]:
    """Return the shape of the gridded view that the axes plan."""
    return tuple(len(axis.values) for axis in axes)
