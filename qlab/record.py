"""The record of a run: everything about it but its rows, as frozen data that a file keeps whole."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from qlab.profile import Profile
from qlab.units import format_measured

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


class Stream(_Frozen):
    """A table beside the rows with a growing dimension of its own: time tags, an upkeep step, a slow channel.

    In the file it is the group `name` with the dimension `axis`; `long_name` says what one entry is. An experiment
    declares it (`Experiment.streams`) and yields whole entries of it under `stream.column`, alone or beside rows:
    `yield {**rows, "slow.time": t, "slow.temperature": T}`. Time tags have `qlab.tags`.
    """

    name: str
    columns: tuple[Column, ...]
    axis: str = "event"
    long_name: str = ""
    expected_rows: int = 0

    def column(self, name: str) -> Column:
        """Return the column of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def divided(block: Block) -> tuple[Block, dict[str, Block]]:
    """Return (rows, entries of streams by name) of a block: `stream.column` is a column of a stream."""
    entries: dict[str, dict[str, NDArray[Any]]] = {}
    for name, values in block.items():
        stream, dot, column = name.partition(".")
        if dot:
            entries.setdefault(stream, {})[column] = values
    if not entries:
        return block, {}
    return {name: values for name, values in block.items() if "." not in name}, dict(entries)


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
    `fraction`: sum(of)/sum(per) * scale of a binomial count `of` out of `per` tries.
    """

    name: str
    unit: str = "1"
    long_name: str = ""
    rule: Literal["mean", "ratio", "rate", "fraction"] = "mean"
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


class StoredLimit(_Frozen):
    """A line that a stored curve is compared with, in the curve's units."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    source: str = ""


class StoredCurve(_Frozen):
    """A figure over x, as a run keeps it: an Allan deviation, a spectrum. See `qlab.metrology.curves.Curve`."""

    name: str
    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    x_label: str = ""
    x_unit: str = "1"
    unit: str = "1"
    confidence: float = 0.683
    logarithmic: bool = False
    definition: str = ""
    source: str = ""
    limits: tuple[StoredLimit, ...] = ()
    statements: tuple[str, ...] = ()


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
    tests: dict[str, float] = Field(
        default_factory=dict
    )  # of the residuals, in standard deviations off chance

    @property
    def reduced_chi2(self) -> float:
        """Chi-squared over the degrees of freedom; NaN where there are none."""
        return self.chi2 / self.degrees_of_freedom if self.degrees_of_freedom > 0 else float("nan")

    def held(self, parameter: FitParameter) -> bool:
        """Tell whether a parameter was given rather than fitted."""
        return not parameter.derived and parameter.name not in self.free

    def found(self, parameter: FitParameter) -> bool:
        """Tell whether the value of a parameter means anything: held, or with an error, or derived and finite."""
        if not math.isfinite(parameter.value):
            return False
        known = parameter.error is not None and math.isfinite(parameter.error)
        return known or parameter.derived or self.held(parameter)

    @property
    def told(self) -> tuple[FitParameter, ...]:
        """The values that say something: all of a fit to be believed; of another those that the data determine."""
        if self.success:
            return self.parameters
        return tuple(p for p in self.parameters if p.error is not None and p.error < abs(p.value))

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
    streams: tuple[Stream, ...] = ()
    axes: tuple[Axis, ...] = ()
    signals: tuple[Signal, ...] = ()
    fit: str = ""
    fit_context: dict[str, float] = Field(default_factory=dict)
    expected_rows: int = 0
    bench: dict[str, Any] = Field(default_factory=dict)
    bench_after: dict[str, Any] = Field(default_factory=dict)
    calibrations: tuple[dict[str, Any], ...] = ()
    simulated: bool = False
    solver: str = ""  # what solved the physics of a simulated bench
    seed: int | None = None
    truth: dict[str, float] = Field(default_factory=dict)
    expected: dict[str, float] = Field(default_factory=dict)
    quantum: dict[str, str] = Field(default_factory=dict)
    software: dict[str, str] = Field(default_factory=dict)
    profile: Profile = Profile()
    description: str = ""
    state: State = "queued"
    reason: str = ""
    started: str = ""
    ended: str = ""
    programs: tuple[dict[str, Any], ...] = ()
    changes: tuple[dict[str, Any], ...] = ()
    log: tuple[dict[str, Any], ...] = ()
    upkeep: tuple[dict[str, Any], ...] = ()
    fits: tuple[FitResult, ...] = ()
    figures: tuple[Figure, ...] = ()
    curves: tuple[StoredCurve, ...] = ()
    safe_report: dict[str, str] = Field(default_factory=dict)
    study: dict[str, Any] = Field(default_factory=dict)  # id, run, of, index, values: its place in a study
    # What people said later: kept in the sidecar, part of the record only where an export merged both.
    notes: str = ""
    tags: tuple[str, ...] = ()
    star: bool = False

    def expected_of(self, fit: FitResult) -> dict[str, float]:
        """Return the hidden truth of the parameters of a fit, by name.

        Known for the experiment's own model alone: in another one the same name may mean another quantity.
        """
        return self.expected if fit.model == self.fit else {}

    def column(self, name: str) -> Column:
        """Return the column of this name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def headline(record: Record) -> str:
    """Return the first figure of merit that is no limit of another, as people read it: the value, then its name."""
    for figure in record.figures:
        if not figure.limit_of:
            shown = format_measured(figure.value, figure.error, figure.unit)
            return f"{shown} · {figure.label or figure.name}"
    return ""
