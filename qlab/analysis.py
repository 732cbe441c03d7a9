"""Analysis of stored runs: fitted again with their figures of merit, and many runs against one parameter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.design import kept_curves
from qlab.errors import QlabError, UsageError
from qlab.experiment import Experiment
from qlab.fits import Fit, fit_many, load_model
from qlab.fits.engine import counted_as
from qlab.fits.repeats import errors_for_fit
from qlab.fits.typed import typed_values
from qlab.grid import Grid
from qlab.record import ENDED, Figure, FitResult, StoredCurve
from qlab.registry import load
from qlab.runs import Run
from qlab.store import list_runs, open_run

TOGETHER = 4  # runs over the same points that are fitted as one batch


def experiment_of(run: Run) -> Experiment[Any]:
    """Return the experiment of a stored run with its parameters; UsageError where it is not installed."""
    kind: type[Experiment[Any]] = load("experiments", run.record.experiment)
    return kind.read(run.parameters)


def analyse(
    run: Run, model: str = "", *, signal: str = "", fixed: Mapping[str, float] | None = None
) -> tuple[Fit, tuple[Figure, ...]]:
    """Fit a stored run again and compute its figures of merit, with the code that did so when it was taken.

    Without figures where the fit is not to be believed, or is another model than the experiment's own. Raises
    UsageError where the experiment or the model is not installed.
    """
    fit = run.fit(model, signal=signal, fixed=fixed)
    if model and model != run.record.fit:
        return fit, ()
    return fit, experiment_of(run).analyse(run, fit)


def typed_for(run: Run, model: str, typed: Mapping[str, str], signal: str = "") -> dict[str, float]:
    """Return values typed for parameters of a run's fit ("2 us") in SI units; UsageError for what cannot be read."""
    if not typed:
        return {}
    name = model or run.record.fit
    if not name:
        raise UsageError(f"The experiment {run.record.experiment} names no fit.", "Name a model to fit with.")
    return typed_values(load_model(name, run.record.fit_context), typed, run.grid(signal))


def found_without_fit(run: Run) -> tuple[tuple[Figure, ...], tuple[StoredCurve, ...]]:
    """Compute the figures and the curves of a stored run that need no fit, as when it was taken.

    Raises UsageError where its experiment is not installed.
    """
    experiment = experiment_of(run)
    return experiment.analyse(run, None), curves_of(run)


def curves_of(run: Run) -> tuple[StoredCurve, ...]:
    """Compute the curves of a stored run again: an Allan deviation, what was expected; raises as `experiment_of`."""
    return tuple(curve.stored() for curve in (*experiment_of(run).curves(run), *kept_curves(run)))


@dataclass(frozen=True)
class Series:
    """Fits of many runs against one parameter, in its order.

    `against` (runs,) in SI units (seconds since the first run for `started`); `fits` and `paths` alike;
    `left_out`: files that could not be used, with the reason.
    """

    parameter: str
    unit: str
    against: NDArray[np.float64]
    fits: tuple[FitResult, ...]
    paths: tuple[Path, ...]
    left_out: tuple[tuple[Path, str], ...] = field(default=())

    def __len__(self) -> int:
        return len(self.fits)

    @property
    def success(self) -> NDArray[np.bool_]:
        """Which fits may be believed, (runs,)."""
        return np.array([fit.success for fit in self.fits], dtype=bool)

    def values(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a fitted or derived value and its error for each run, NaN where a run has none; each (runs,)."""
        pairs = [(fit.values.get(name, np.nan), fit.errors.get(name, np.nan)) for fit in self.fits]
        value, error = np.array(pairs, dtype=float).reshape(-1, 2).T
        return value, error

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all values that have an error in some run, in the order of the fits."""
        found = {p.name: None for fit in self.fits for p in fit.parameters if p.error is not None}
        return tuple(found)


def fit_runs(
    where: Path | str | Sequence[Path | str],
    query: str = "",
    *,
    against: str = "started",
    model: str = "",
    signal: str = "",
    fixed: Mapping[str, float] | None = None,
    typed: Mapping[str, str] | None = None,
) -> Series:
    """Fit every run of a folder that a query finds (or of a list of files), against a parameter of theirs.

    `against` is a parameter of the experiment that is a number, or `started`. Runs over the same points with the
    same model are fitted as one batch. `fixed` holds parameters, `typed`
    those given as text ("2 us"). Runs still going on, damaged, without the parameter or the signal are left
    out, with the reason. Raises UsageError where nothing is left.
    """
    paths = _paths(where, query)
    taken: list[tuple[float, Path, Run, Grid]] = []
    left_out: list[tuple[Path, str]] = []
    unit = "s" if against == "started" else "1"
    for path in paths:
        try:
            run = open_run(path)
            if run.state not in ENDED:
                raise UsageError("The run is still going on.")
            taken.append((_place(run, against), path, run, run.grid(signal)))
            unit = run.record.units.get(against, unit)
        except QlabError as error:
            left_out.append((path, error.message))
    if not paths:
        raise UsageError(f"There is no run in {where} that {query!r} finds.", "Try another query or folder.")
    if not taken:
        reason = f" {left_out[0][0].name}: {left_out[0][1]}" if left_out else ""
        raise UsageError(
            f"No run can be fitted against {against!r}.{reason}", "Try another query or parameter."
        )
    taken.sort(key=lambda item: (item[0], item[2].record.started))
    places = np.array([item[0] for item in taken])
    if against == "started":
        places -= places[0]
    read = typed_for(taken[0][2], model, typed or {}, signal)
    fits = _fits([(run, grid) for _, _, run, grid in taken], model, {**(fixed or {}), **read})
    return Series(against, unit, places, tuple(fits), tuple(item[1] for item in taken), tuple(left_out))


def _paths(where: Path | str | Sequence[Path | str], query: str) -> list[Path]:
    if isinstance(where, str | Path):
        if Path(where).is_dir():
            return [found.path for found in list_runs(where, query)]
        return [Path(where)]
    return [Path(item) for item in where]


def _place(run: Run, against: str) -> float:
    if against == "started":
        return datetime.fromisoformat(run.record.started).timestamp()
    known = {name: value for name, value in run.parameters.items() if isinstance(value, int | float)}
    if against not in known:
        raise UsageError(f"It has no number {against!r}.", f"There are: {', '.join(known)}.")
    return float(known[against])


def _fits(runs: Sequence[tuple[Run, Grid]], model: str, fixed: Mapping[str, float] | None) -> list[FitResult]:
    groups: dict[Any, list[int]] = {}
    for i, (run, grid) in enumerate(runs):
        name = model or run.record.fit
        if not name:
            raise UsageError(
                f"The experiment {run.record.experiment} names no fit.", "Name a model to fit with."
            )
        alike: Any = i
        if len(grid.axes) == 1:
            context = tuple(sorted(run.record.fit_context.items()))
            axis, x = grid.axes[0]
            alike = (name, context, x.tobytes(), axis.unit, grid.signal)
        groups.setdefault(alike, []).append(i)
    found: dict[int, FitResult] = {}
    for members in groups.values():
        run, grid = runs[members[0]]
        chosen = load_model(model or run.record.fit, run.record.fit_context)
        suited = len(grid.axes) == 1 and chosen.axis_unit in {"", grid.axes[0][0].unit}
        if len(members) < TOGETHER or not suited:
            found |= {i: runs[i][0].fit(model, signal=runs[i][1].signal.name, fixed=fixed) for i in members}
            continue
        axis, x = grid.axes[0]
        counting, shares = counted_as(grid.signal)
        many = fit_many(
            chosen, x, np.array([runs[i][1].value for i in members]),
            np.array([errors_for_fit(runs[i][1]) for i in members]), fixed=fixed, signal=grid.signal.name,
            units=(axis.unit, grid.signal.unit), counting=counting, shares=shares,
        )  # fmt: skip
        found |= dict(zip(members, many, strict=True))
    return [found[i] for i in range(len(runs))]
