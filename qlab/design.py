"""The expected curve of a run: what its design says it should show, beside what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import QlabError
from qlab.grid import Grid
from qlab.metrology.curves import Curve
from qlab.record import Record
from qlab.registry import load
from qlab.runs import Run

Reals = NDArray[np.float64]
MOST_POINTS = 20_000  # of a curve kept in a record; a longer sweep has it computed when somebody asks


@dataclass(frozen=True)
class Expected:
    """The noiseless curve of an experiment's model over its axes, for one signal.

    `x` (n,) of the axis named `axis` and `y` (n,), or y (n_1, n_2, ...) over several axes, whose values are `x` of the
    first. `known`: what the model was told of the system, by name in SI units; `source` says so in words.
    """

    signal: str
    axis: str
    x: Reals
    y: Reals
    known: Mapping[str, float]
    source: str


def expected_curve(
    record: Record, signal: str = "", *, known: Mapping[str, float] | None = None, system: Any = None
) -> Expected | None:
    """Return the expected curve of a run, live or stored, from its record alone; None where its experiment has none.

    `system` is what the experiment's `model` takes; by default the one that it believes in (`believed`), with the
    numbers of `known`: of a simulated bench its truth, else what the design says. Never raises on a physics that
    cannot be played: then there is no curve.
    """
    told = dict(record.truth if known is None else known)
    try:
        experiment = _in_order(load("experiments", record.experiment).read(record.parameters))
        chosen = system if system is not None else experiment.believed(told)
        if chosen is None and experiment.on_own_systems:
            chosen = _own_world(record, told)
        if chosen is None or not record.axes:
            return None
        curves: Mapping[str, Any] = experiment.model(chosen)
    except (QlabError, NotImplementedError):
        return None
    name = signal or next((s.name for s in record.signals if s.name in curves), "")
    if name not in curves:
        return None
    values = [np.asarray(axis.values, dtype=float) for axis in record.axes]
    y = np.asarray(curves[name], dtype=float)
    if y.size != int(np.prod([len(v) for v in values])):
        return None
    where = "a system given by hand" if system is not None else _words(record, known, told)
    return Expected(name, record.axes[0].name, values[0], y.reshape([len(v) for v in values]), told, where)


def residual(expected: Expected, grid: Grid) -> Reals:
    """Return (measured − expected)/error at the points of a grid of the same signal; NaN where not measured."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((grid.value - expected.y) / grid.error)


def kept_curves(run: Run) -> tuple[Curve, ...]:
    """Return what a run keeps of its model: the expected curve and the residual of its main signal over one axis.

    Both say which model made them, and whether it was told the truth of a simulated bench or what the run's
    parameters were made for. None for maps, beyond `MOST_POINTS`, and where the experiment has no model.
    """
    record = run.record
    if len(record.axes) != 1 or not 1 < len(record.axes[0].values) <= MOST_POINTS:
        return ()
    found = expected_curve(record)
    if found is None or not np.all(np.isfinite(found.y)):
        return ()
    measured, axis = run.grid(found.signal), record.axes[0]
    title = measured.signal.long_name or found.signal
    told = ", ".join(f"{name} = {value:.9g}" for name, value in found.known.items())
    source = f"The model of {record.experiment} with {found.source}" + (f": {told}." if told else ".")
    plain = Curve(
        f"expected_{found.signal}", f"{title}: expected", found.x, found.y, found.y, found.y,
        x_label=axis.long_name or axis.name, x_unit=axis.unit, unit=measured.signal.unit, logarithmic=False,
        source=source,
        definition="The mean of the signal at each point as the experiment's model gives it, without noise.",
    )  # fmt: skip
    apart = residual(found, measured)
    seen = np.isfinite(apart)
    if not seen.any():
        return (plain,)
    x, apart = found.x[seen], apart[seen]
    rest = replace(
        plain, name=f"residual_{found.signal}", label=f"{title}: residual", x=x, y=apart, low=apart - 1,
        high=apart + 1, unit="1",
        definition="(measured - expected)/error at each measured point; error is one standard deviation of the data.",
    )  # fmt: skip
    return plain, rest.with_limit("expected", x, np.zeros(len(x)), source)


def _in_order(experiment: Any) -> Any:
    """Return the experiment with every scan in the order of its axis: a model that plays gives its points as played."""
    p = experiment.parameters
    shuffled = {name: scan for name, scan in p.scans().items() if scan.order != "sequential"}
    if not shuffled:
        return experiment
    sorted_ = {name: replace(scan, order="sequential") for name, scan in shuffled.items()}
    return type(experiment)(p.model_copy(update=sorted_))


def _own_world(record: Record, told: Mapping[str, float]) -> Any:
    """Return the world of a physics of somebody's own, which is what its experiments' models take; None for others."""
    kind = record.bench.get("entry", {}).get("world", {}).get("kind")
    if not kind:
        return None
    world = load("worlds", kind)
    return world(told) if hasattr(world, "probability") else None


def _words(record: Record, known: Mapping[str, float] | None, told: Mapping[str, float]) -> str:
    if known is not None:
        return "the values given: " + (", ".join(told) or "none")
    return (
        "the truth of the simulated bench" if record.truth else "what the parameters of the run were made for"
    )
