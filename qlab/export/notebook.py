"""A notebook that reopens the run, fits it again and draws it."""

import json
from pathlib import Path

from qlab.errors import FileError
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


def export(run: Run, path: Path) -> Path:
    """Write a Jupyter notebook beside which the run's file is found by its name."""
    file = run.path.name if run.path is not None else ""
    try:
        target = run.path.relative_to(path.parent.resolve()) if run.path is not None else Path(file)
    except ValueError:
        target = Path(file)
    cells = [_text(f"# {run.record.title}\n\nRun {run.record.id}. Keep this notebook beside `{target}`.")]
    cells += [_code(_OPEN.format(file=str(target)))]
    if run.record.fit:
        cells.append(_code(_FIT.format()))
    if len(run.record.axes) == 1:
        cells.append(_code(_DRAW.format()))
    document = {
        "cells": [{**cell, "id": f"cell-{i}"} for i, cell in enumerate(cells)],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    try:
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error
    return path


def _text(source: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
