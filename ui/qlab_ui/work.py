"""What runs on the worker process: fits, and reading of files. Plain data in and out."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import FileError
from qlab.grid import Grid, MemoryRows, Rows
from qlab.live import LiveTable
from qlab.record import Figure, FitResult, Record
from qlab.runs import Run

if TYPE_CHECKING:
    from qlab.pulses.wavefile import Waves

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Note:
    """What a person has written about a run."""

    text: str = ""
    tags: tuple[str, ...] = ()
    star: bool = False


@dataclass(frozen=True)
class Fitted:
    """A fit ready to be drawn: the curve (x, y), the curve at the points, and the residuals.

    Residuals are in standard deviations where `normalised`, else in the unit of the signal.
    """

    result: FitResult
    x: Floats
    y: Floats
    at_points: Floats
    residual_x: Floats
    residual: Floats
    normalised: bool
    figures: tuple[Figure, ...] = ()


def fit(record: Record, view: Grid, model: str, rows: Rows | str, start: FitResult | None = None) -> Fitted:
    """Fit the gridded signal of a run, evaluate the curve, and compute the figures of merit.

    `rows` are the rows of the run, or the path of its live table while it goes: those are not sent, but looked at.
    `start` is the fit before, of a run that has grown: from there the next one is near.
    """
    from qlab.fits import fit_grid

    # Plain, without the points it came from: little is sent back.
    result = FitResult.model_validate(fit_grid(record, view, model, start=start).model_dump())
    return replace(drawn(record, view, result), figures=figures(record, result, rows))


def figures(record: Record, result: FitResult, rows: Rows | str) -> tuple[Figure, ...]:
    """Return the figures of merit that the experiment makes of a fit; none where it cannot.

    The same code as at the end of a run; what it cannot do half-way (too few points) is left out, not an error.
    """
    from qlab.registry import load

    try:
        experiment = load("experiments", record.experiment).read(record.parameters)
        found: tuple[Figure, ...] = experiment.analyse(Run(record, _held(record, rows)), result)
    except Exception:  # noqa: BLE001 - a stranger's experiment may fail on half a run; the fit is shown all the same
        return ()
    return found


def curves(record: Record, rows: Rows | str) -> tuple[Any, ...]:
    """Return the curves of an experiment (`qlab.metrology.curves.Curve`), also of a run that still goes."""
    from qlab.registry import load

    try:
        experiment = load("experiments", record.experiment).read(record.parameters)
        found: tuple[Any, ...] = experiment.curves(Run(record, _held(record, rows)))
    except Exception:  # noqa: BLE001 - as with the figures: half a run may be too little
        return ()
    return found


def world_fields(bench: str) -> list[dict[str, Any]]:
    """Return what is hidden in a simulated bench, as fields of a form."""
    from qlab.catalogue import world_fields as fields

    return fields(bench)


def expected(record: Record, signal: str, truth: bool) -> Any:
    """Return the curve (`qlab.design.Expected`) that a run should show, or None where its experiment has none.

    With `truth` that of what is hidden in a simulated bench, else that of what the parameters were made for.
    """
    from qlab.design import expected_curve

    return expected_curve(record, signal, known=None if truth else {})


def _held(record: Record, rows: Rows | str) -> Rows:
    """Return the rows: those of a live table are copied, the run goes on beside it; those of a file are read."""
    if not isinstance(rows, str):
        return rows
    if rows.endswith(".h5"):
        from qlab.store import open_run

        return open_run(Path(rows)).rows
    table = LiveTable.attach(Path(rows))
    try:
        names = [c.name for c in record.columns if not c.shape]
        return MemoryRows({name: np.array(table.column(name)) for name in names})
    finally:
        table.close()


def drawn(record: Record, view: Grid, result: FitResult) -> Fitted:
    """Evaluate a fit over the range of the points, and at each of them."""
    from qlab.fits import load_model

    axis = view.axes[0][1]
    value, error = view.value.ravel(), view.error.ravel()
    taken = np.isfinite(value)
    order = np.argsort(axis[taken], kind="stable")
    x, y, sigma = axis[taken][order], value[taken][order], error[taken][order]
    empty = np.zeros(0)
    values = result.values
    bare = Fitted(result, empty, empty, empty, empty, empty, True)
    if not len(x) or not values or not all(np.isfinite(v) for v in values.values()):
        return bare
    model = load_model(result.model, dict(result.context or record.fit_context))
    if any(parameter.name not in values for parameter in model.parameters):
        return (
            bare  # a fit of years ago, whose model has other parameters today: its values are what is known
        )
    dense = np.linspace(float(x[0]), float(x[-1]), min(max(601, 3 * len(x)), 4001))
    at_points = model.evaluate(x, values)
    normalised = bool(np.all(np.isfinite(sigma) & (sigma > 0)))
    residual = (y - at_points) / sigma if normalised else y - at_points
    return Fitted(result, dense, model.evaluate(dense, values), at_points, x, residual, normalised)


def open_path(path: str) -> tuple[Record, MemoryRows, str] | Waves:
    """Read what somebody opens: a run, any HDF5 file, or the start of a file of waveforms."""
    from qlab.store import holds_waves

    return read_waves(path) if holds_waves(Path(path)) else open_file(path)


def open_file(path: str) -> tuple[Record, MemoryRows, str]:
    """Read a run: its record and the scalar columns that a plot needs."""
    from qlab.store import open_any  # also files that are none of ours

    run: Run = open_any(Path(path))
    columns = {c.name: np.array(run.rows.column(c.name)) for c in run.record.columns if not c.shape}
    close = getattr(run.rows, "close", None)
    if callable(close):
        close()
    return run.record, MemoryRows(columns), str(run.path or path)


def read_waves(
    path: str, point: int = 0, start: float = 0.0, stop: float = math.inf, columns: int = 4000
) -> Waves:
    """Read a stretch of a file of waveforms."""
    from qlab.pulses import wavefile

    return wavefile.read_waves(Path(path), point, start, stop, columns)


@dataclass(frozen=True)
class Clouds:
    """The shots of one row: `shots` maps a column to (n, 2) of I and Q; `where` says which row, in words."""

    row: int
    rows: int
    where: str
    shots: Mapping[str, NDArray[np.float64]]


def cloud_columns(record: Record) -> list[str]:
    """Return the columns that hold I and Q of each shot."""
    return [c.name for c in record.columns if c.dims and c.dims[-1] == "quadrature" and c.shape[-1] == 2]


def read_clouds(path: str, row: int) -> Clouds:
    """Return the single shots of one row of a file, also of one that still grows."""
    from qlab.store import open_run
    from qlab.units import format_quantity

    run: Run = open_run(Path(path))
    rows = len(run.rows)
    if not rows:
        raise FileError("There is no single shot yet.", "Look again when the first row has been taken.")
    row = min(row, rows - 1)
    shots = {name: np.asarray(run.rows.column(name)[row], dtype=float) for name in cloud_columns(run.record)}
    places = [
        f"{c.long_name or c.name} {format_quantity(float(run.rows.column(c.name)[row]), c.unit, 5)}"
        for c in run.record.columns
        if c.role == "setpoint"
    ]
    close = getattr(run.rows, "close", None)
    if callable(close):
        close()
    return Clouds(row, rows, ", ".join([*places, f"row {row + 1} of {rows}"]), shots)


def read_note(path: str) -> Note:
    """Return what is written about a run."""
    from qlab.store import read_sidecar

    sidecar = read_sidecar(Path(path))
    return Note(sidecar.notes, tuple(sidecar.tags), sidecar.star)


def write_note(path: str, note: Note) -> None:
    """Keep what is written about a run, beside its file."""
    from qlab.store import edit_sidecar

    edit_sidecar(Path(path), notes=note.text, tags=note.tags, star=note.star)


def completion(record: Record) -> tuple[Any, ...]:
    """Return what metadata a run has and what it lacks, as `qlab.fair.Item`s."""
    from qlab.fair import completion as items

    return tuple(items(record))


def fair_report(path: str) -> Any:
    """Return the FAIR report of a file (`qlab.fair.FairReport`)."""
    from qlab.fair import report

    return report(Path(path))


def write_csv(path: str, columns: Sequence[tuple[str, list[float]]], comment: str) -> str:
    """Write named columns as CSV, whole or not at all; return the path."""
    from qlab.export.writing import whole

    with whole(Path(path)) as place, place.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {comment}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([name for name, _ in columns])
        writer.writerows(zip(*(values for _, values in columns), strict=True))
    return path


def warm_up() -> None:
    """Load what fits need, so that the first one comes at once."""
    import lmfit  # noqa: F401

    import qlab.fits  # noqa: F401
