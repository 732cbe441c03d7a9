"""CSV: the gridded signals with their errors, below a header that says what they are."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qlab.export.writing import attributes, whole
from qlab.runs import Run


def export(run: Run, path: Path) -> Path:
    """Write every signal of a run over its axes as CSV: one line for each point, errors as one standard deviation."""
    grids = [run.grid(signal.name) for signal in run.record.signals]
    heads, columns = [], []
    if grids:
        mesh = np.meshgrid(*(values for _, values in grids[0].axes), indexing="ij")
        for (axis, _), values in zip(grids[0].axes, mesh, strict=True):
            heads.append(f"{axis.name} ({axis.unit})")
            columns.append(values.ravel())
    for grid in grids:
        heads += [
            f"{grid.signal.name} ({grid.signal.unit})",
            f"{grid.signal.name}_error ({grid.signal.unit})",
        ]
        columns += [grid.value.ravel(), grid.error.ravel()]
    with whole(path) as place, place.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {line}\n" for line in _header(run))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(zip(*(column.tolist() for column in columns), strict=True))
    return path


def _header(run: Run) -> Iterator[str]:
    record = run.record
    yield f"{record.title} ({record.experiment}){' SIMULATED' if record.simulated else ''}"
    yield f"run {record.id}, {record.state}, {record.started}"
    for name, text in attributes(run).items():
        if name not in {"title", "summary"}:
            yield f"{name} = {text}"
    for name, value in record.parameters.items():
        yield f"{name} = {value} {record.units.get(name, '')}".rstrip().removesuffix(" 1")
    for figure in record.figures:
        error = "" if figure.error is None else f" +- {figure.error!r}"
        yield f"{figure.name} = {figure.value!r}{error} {figure.unit}".rstrip()
    for fit in record.fits:
        for p in fit.parameters:
            error = "" if p.error is None else f" +- {p.error!r}"
            yield f"fit {fit.model}: {p.name} = {p.value!r}{error} {p.unit}".rstrip().removesuffix(" 1")
