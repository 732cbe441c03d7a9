"""`qlab reproduce`: run a file's experiment again from the file alone, and compare."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from qlab.bench import Bench, BenchEntry
from qlab.cli.run import watch
from qlab.errors import UsageError
from qlab.grid import Rows
from qlab.provenance import software
from qlab.record import Column
from qlab.runner import Runner
from qlab.runs import Run
from qlab.store import open_run


def reproduce(
    file: Annotated[Path, typer.Argument(help="A run file.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the new file; beside the old one by default.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed, for another realisation.")] = None,
) -> None:
    """Run again what a file describes. A simulated run gives identical rows; a measured one is compared."""
    old = open_run(file)
    new_path = run_again(old, out or Path(old.path or file).parent.parent, seed)
    new = open_run(new_path)
    differences = compare(old, new)
    if len(old) != len(new):
        print(f"{len(old)} rows then ({old.state}), {len(new)} now: those that both have are compared")
    changed = {
        name: f"{version} -> {software().get(name, 'absent')}"
        for name, version in old.record.software.items()
        if software().get(name) != version
    }
    for name, what in changed.items():
        print(f"{name}: {what}")
    for line in differences:
        print(line)
    if not differences:
        print("every row is equal" + (", and every entry of a stream" if old.record.streams else ""))
    print(new_path)
    if differences and seed is None and not changed and old.record.simulated:
        raise typer.Exit(1)


def run_again(old: Run, out: Path, seed: int | None = None) -> Path:
    """Run the experiment of a run again on the bench that its file describes; return the new file."""
    record = old.record
    entry = record.bench.get("entry")
    if entry is None:
        raise UsageError(
            "The file does not hold its bench.", "Only a run that got as far as its bench can be repeated."
        )
    bench = Bench(
        BenchEntry.model_validate(entry), record.seed, record.bench.get("truth", {}), record.bench["source"]
    )
    runner = Runner(
        bench,
        record.experiment,
        record.parameters,
        out,
        seed=record.seed if seed is None else seed,
        title=record.title,
        replay=record.changes,
    )
    return watch(runner)


def compare(old: Run, new: Run) -> list[str]:
    """Return one line for each column, of the rows or of a stream, that differs, with how far it is apart."""
    lines = list(_apart("", old.record.columns, old, new, "rows"))
    again = new.streams
    for stream in old.record.streams:
        here, there = old.streams[stream.name], again.get(stream.name)
        if there is None or len(here) != len(there):
            now = "none" if there is None else f"{len(there)}"
            lines.append(f"{stream.name}: {len(here)} entries then, {now} now")
        if there is not None:
            lines += _apart(f"{stream.name}.", stream.columns, here, there, "entries")
    return lines


def _apart(
    head: str, columns: Iterable[Column], old: Rows | Run, new: Rows | Run, what: str
) -> Iterator[str]:
    """Yield a line for each column that differs in the rows that both have."""
    count = min(len(old), len(new))
    for column in columns:
        a, b = (np.asarray(_column(rows, column.name))[:count] for rows in (old, new))
        if np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"):
            continue
        share = float(np.mean(a != b))
        spread = np.sqrt(a.astype(float).var() + b.astype(float).var())
        away = abs(float(a.mean()) - float(b.mean())) / (spread / np.sqrt(count)) if spread else 0.0
        yield f"{head}{column.name}: {share:.0%} of the {what} differ, means apart by {away:.2g} standard errors"


def _column(rows: Rows | Run, name: str) -> NDArray[Any]:
    return rows[name] if isinstance(rows, Run) else rows.column(name)
