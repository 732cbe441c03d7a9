"""What the worker does for many runs at once: lists, small pictures, words to search by, trash, refits, quantities."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import QlabError
from qlab.record import FitResult, Record
from qlab.runs import Run

_MOST_NAMES = 2000
PAGE = 1000  # runs that are listed at once: the window takes them within a frame
_SLICE = (
    3.0  # s: for so long new files are looked into, then those known are listed and a fit may have its turn
)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Listed:
    """A run in a folder, as plain data: the store's own class would bring HDF5 into the window's process."""

    path: str
    id: str
    experiment: str
    title: str
    state: str
    started: str
    rows: int
    simulated: bool
    figures: dict[str, float]
    headline: str = ""
    reason: str = ""
    star: bool = False
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Runs of a folder from `offset` on, of `count` that fit; `left` files are not looked into yet."""

    runs: tuple[Listed, ...] = ()
    offset: int = 0
    count: int = 0
    left: int = 0


class _EnoughForNowError(Exception):
    """What is known already is to be listed first."""


def list_folder(folder: str, query: str, offset: int = 0, most: int = PAGE) -> Page:
    """Return at most so many of the runs in a folder, the newest first; none where there is no folder.

    Where many files are new, some are looked into and `left` says how many wait: ask again.
    """
    from qlab.store import Library

    if not Path(folder).is_dir():
        return Page()
    with Library(folder) as library:
        left = 0 if offset else _look_for(library)
        found = library.page(query, offset, most)
        count = offset + len(found) if len(found) < most else library.count(query)
    runs = (
        Listed(s.place, s.id, s.experiment, s.title, s.state, s.started, s.rows, bool(s.simulated), s.figures,
               s.headline, s.reason, bool(s.star), s.tags)
        for s in found
    )  # fmt: skip
    return Page(tuple(runs), offset, count, left)


def _look_for(library: Any) -> int:
    """Look for new files as long as a slice of time; return how many are left."""
    until, left = 0.0, 0

    def tell(done: int, every: int) -> None:
        nonlocal left, until
        left, now = every - done, time.monotonic()
        # From the first file on: the process that reads them takes its time to start.
        until = until or now + _SLICE
        if left and now >= until:
            raise _EnoughForNowError

    try:
        library.refresh(tell=tell)
    except _EnoughForNowError:
        return left
    return 0


@dataclass(frozen=True)
class SearchWords:
    """What can be searched by in a folder: `numbers` maps the name of a parameter, figure or fit value to its unit."""

    fields: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Quantity:
    """One number of one run in its SI unit; `error` is one standard deviation, None where none is known."""

    value: float
    error: float | None
    unit: str
    label: str
    group: str  # "fit", "figure", "parameter", "knob" or "time"


@dataclass(frozen=True)
class Quantities:
    """Every number that is known of a run, by name."""

    path: str
    run: str
    title: str
    simulated: bool
    values: Mapping[str, Quantity]
    problem: str = ""


def small_pictures(folder: str, paths: Sequence[str]) -> dict[str, bytes]:
    """Return the thumbnails that there are, as grey values of (100, 160) pixels each."""
    from qlab.store import Library

    with Library(folder) as library:
        found = {path: library.thumbnail(Path(path)) for path in paths}
    return {path: picture.tobytes() for path, picture in found.items() if picture is not None}


def search_words(folder: str) -> SearchWords:
    """Return what can be searched by in a folder that has been listed."""
    from qlab.store import Library
    from qlab.store.query import FIELDS

    if not Path(folder).is_dir():
        return SearchWords(FIELDS)
    with Library(folder) as library:
        runs = library.page("", 0, _MOST_NAMES)
        return SearchWords(
            FIELDS,
            tuple(tag for tag, _ in library.tags()),
            tuple(sorted({run.experiment for run in runs if run.experiment})),
            dict(library.numbers()),
        )


def to_trash(paths: Sequence[str], folder: str) -> tuple[list[tuple[str, str]], str]:
    """Move runs to the trash of their folder; return (where it was, where it is) of each, and what failed."""
    from qlab.store import trash_run

    moved: list[tuple[str, str]] = []
    failed = ""
    for path in paths:
        try:
            moved.append((path, str(trash_run(path, folder))))
        except QlabError as error:
            failed = str(error)
    return moved, failed


def from_trash(paths: Sequence[str]) -> tuple[list[str], str]:
    """Put runs back from the trash; return where they are, and what failed."""
    from qlab.store import restore_run

    back: list[str] = []
    failed = ""
    for path in paths:
        try:
            back.append(str(restore_run(path)))
        except QlabError as error:
            failed = str(error)
    return back, failed


def in_trash(folder: str) -> list[tuple[str, str, str]]:
    """Return (path, title, started) of each run in the trash of a folder."""
    from qlab.store import open_run, trashed

    found = []
    for path in trashed(folder) if Path(folder).is_dir() else ():
        try:
            record = open_run(path).record
            found.append((str(path), record.title or record.experiment, record.started))
        except QlabError:
            found.append((str(path), path.name, ""))
    return found


def refit(path: str, model: str, keep: bool) -> FitResult:
    """Fit a run with a model (the experiment's own where none is named); keep a good fit beside it if asked."""
    from qlab.store import edit_sidecar, open_run

    run = open_run(Path(path))
    try:
        result = run.fit(model)
    finally:
        _close(run)
    plain = FitResult.model_validate(result.model_dump())
    if keep and plain.success:
        edit_sidecar(Path(path), add_fit=plain)
    return plain


def quantities(path: str) -> Quantities:
    """Return every number that is known of a run: fitted, of merit, set, read from an instrument, and when it was."""
    from qlab.store import open_run, read_sidecar

    try:
        run = open_run(Path(path))
        _close(run)
        later = read_sidecar(Path(path)).fits
    except QlabError as error:
        return Quantities(path, "", Path(path).name, False, {}, str(error))
    record = run.record
    return Quantities(
        path, record.id, record.title or record.experiment, record.simulated, known(record, later)
    )


def known(record: Record, later: Sequence[FitResult] = ()) -> dict[str, Quantity]:
    """Return the numbers of a record by name; a later fit takes the place of an earlier one."""
    found: dict[str, Quantity] = {}
    for fit in (*record.fits, *later):
        for p in fit.parameters if fit.success else ():
            found[f"fit:{p.name}"] = Quantity(p.value, p.error, p.unit, p.label or p.name, "fit")
        if fit.success and fit.degrees_of_freedom > 0:
            found["fit:chi2r"] = Quantity(fit.reduced_chi2, None, "1", "reduced χ²", "fit")
    for figure in record.figures:
        label = figure.label or figure.name
        found[f"figure:{figure.name}"] = Quantity(figure.value, figure.error, figure.unit, label, "figure")
    for name, value in record.parameters.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            label = name.replace("_", " ")
            found[f"parameter:{name}"] = Quantity(
                float(value), None, record.units.get(name, "1"), label, "parameter"
            )
    found |= _knobs(record.bench.get("instruments"))
    if (moment := _moment(record.started)) is not None:
        found["time:started"] = Quantity(moment, None, "s", "start", "time")
    return {name: quantity for name, quantity in found.items() if math.isfinite(quantity.value)}


def _knobs(instruments: Any) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for device, entry in instruments.items() if isinstance(instruments, dict) else ():
        knobs = entry.get("knobs", entry) if isinstance(entry, dict) else {}
        for name, value in knobs.items() if isinstance(knobs, dict) else ():
            number, unit = (
                (value.get("value"), value.get("unit", "1")) if isinstance(value, dict) else (value, "1")
            )
            if isinstance(number, int | float) and not isinstance(number, bool):
                label = f"{device} {name}".replace("_", " ")
                found[f"knob:{device}.{name}"] = Quantity(
                    float(number), None, str(unit or "1"), label, "knob"
                )
    return found


def _moment(stamp: str) -> float | None:
    import datetime as dt

    try:
        return dt.datetime.fromisoformat(stamp).timestamp()
    except ValueError:
        return None


def _close(run: Run) -> None:
    close = getattr(run.rows, "close", None)
    if callable(close):
        close()


def column(runs: Sequence[Quantities], name: str) -> tuple[Floats, Floats]:
    """Return values and errors of a quantity, shapes (runs,), NaN where a run has none."""
    found = [run.values.get(name) for run in runs]
    values = [q.value if q is not None else math.nan for q in found]
    errors = [q.error if q is not None and q.error is not None else math.nan for q in found]
    return np.array(values), np.array(errors)


def export_run(path: str, out: str, to: str) -> str:
    """Write a run in the format of an exporter, with its notes and later fits; return where."""
    from qlab.export.make import make

    return str(make(Path(path), Path(out), to))


def missing_examples(folder: str) -> list[int]:
    """Return which example runs a folder lacks."""
    from qlab.examples import missing

    return missing(folder)


def make_example(folder: str, place: int) -> str:
    """Simulate one example run; return its file."""
    from qlab.examples import make_example as make

    return str(make(folder, place))
