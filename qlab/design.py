"""The expected curve of a run: what its design says it should show, beside what it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import QlabError
from qlab.grid import Grid
from qlab.record import Record
from qlab.registry import load

Reals = NDArray[np.float64]


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
        experiment = load("experiments", record.experiment).read(record.parameters)
        chosen = system if system is not None else experiment.believed(told)
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


def _words(record: Record, known: Mapping[str, float] | None, told: Mapping[str, float]) -> str:
    if known is not None:
        return "the values given: " + (", ".join(told) or "none")
    return (
        "the truth of the simulated bench" if record.truth else "what the parameters of the run were made for"
    )
