"""A notebook that reopens the run, fits it again and draws it."""

import json
from pathlib import Path

from qlab.export.writing import attributes, whole
from qlab.runs import Run

_OPEN = """\
import qlab

run = qlab.open_run({file!r})
print(run.record.title, run.state, len(run), "rows")
run.figures"""
_FIT = """\
fit = run.fit()
{{p.name: (p.value, p.error) for p in fit.parameters}}"""
_DRAW = """\
import matplotlib.pyplot as plt

grid = run.grid()
axis, x = grid.axes[0]
plt.errorbar(x, grid.value, grid.error, fmt=".")
plt.xlabel(f"{{axis.long_name or axis.name}} ({{axis.unit}})")
plt.ylabel(grid.signal.long_name or grid.signal.name)"""
_MAP = """\
import matplotlib.pyplot as plt

grid = run.grid()
(outer, y), (inner, x) = grid.axes
plt.pcolormesh(x, y, grid.value, shading="nearest")
plt.xlabel(f"{{inner.long_name or inner.name}} ({{inner.unit}})")
plt.ylabel(f"{{outer.long_name or outer.name}} ({{outer.unit}})")
plt.colorbar(label=grid.signal.long_name or grid.signal.name)"""
_LATER = """\
# Without qlab: the same curve with names, units and errors, read by xarray alone.
import xarray

xarray.open_dataset({file!r}, engine="h5netcdf", group="/entry/data")"""


def export(run: Run, path: Path) -> Path:
    """Write a Jupyter notebook beside which the run's file is found by its name."""
    file = run.path.name if run.path is not None else ""
    try:
        target = run.path.relative_to(path.parent.resolve()) if run.path is not None else Path(file)
    except ValueError:
        target = Path(file)
    about = f"# {run.record.title}\n\nRun {run.record.id}. Keep this notebook beside `{target}`."
    known = attributes(run)
    terms = ("creator_name", "license", "rights", "embargo_until", "acknowledgement")
    about += "".join(f"\n\n{name.replace('_', ' ')}: {known[name]}" for name in terms if name in known)
    cells = [_text(about)]
    cells += [_code(_OPEN.format(file=str(target)))]
    if run.record.fit:
        cells.append(_code(_FIT.format()))
    if len(run.record.axes) == 1:
        cells.append(_code(_DRAW.format()))
    elif len(run.record.axes) == 2:
        cells.append(_code(_MAP.format()))
    if run.record.signals:
        cells.append(_code(_LATER.format(file=str(target))))
    document = {
        "cells": [{**cell, "id": f"cell-{i}"} for i, cell in enumerate(cells)],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    with whole(path) as place:
        place.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def _text(source: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
