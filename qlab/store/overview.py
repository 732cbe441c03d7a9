"""The overview of a large run: the least and greatest of every so many rows, stored in levels beside the rows."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from qlab.errors import FileError
from qlab.store.columns import Stored, all_stored
from qlab.store.hdf import reserve
from qlab.store.layout import describe, nx_group, scale
from qlab.store.rows import StoredRows

FROM_BYTES = 4 << 20  # of one column: below this it is read as fast as it is looked up
LEAST_POINTS = 4096  # of the finest level: enough for any screen
STEP = 16  # from one level to the next
_PIECE = 8 << 20


@dataclass(frozen=True)
class Overview:
    """A level of a column: `low` and `high` are the least and greatest value of the rows from `start` on.

    Shapes (points,). Values of further dimensions are taken together; NaN is left out where there are others.
    """

    column: str
    factor: int
    start: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def write_overview(entry: h5py.Group, rows: StoredRows) -> None:
    """Add `overview` for the columns that are large; nothing for a small run."""
    large = [i for i in all_stored(rows.record) if i.row_bytes * len(rows) >= FROM_BYTES]
    large = [i for i in large if i.column.role not in {"time", "valid"}]
    if not large or len(rows) < 2 * STEP:
        return
    factor = max(1, len(rows) // (2 * LEAST_POINTS))
    reserve(entry.file, (len(large) + 1) * 40 * (2 * len(rows) // factor + 1000))
    collection = nx_group(entry, "overview", "NXcollection")
    for item in large:
        group = nx_group(collection, item.name, "NXcollection")
        low, high = _finest(rows, item, factor)
        level, width = 1, factor
        while True:
            _level(group, f"level_{level}", item, width, low, high)
            if len(low) <= 2 * STEP:
                break
            low, high = _coarser(low, np.fmin), _coarser(high, np.fmax)
            level, width = level + 1, width * STEP


def read_overview(path: Path, column: str, points: int = 2000) -> Overview:
    """Return the coarsest stored level of a column that has at least `points`, or the finest there is.

    Raises FileError where the file stores none for it: then the column itself is small.
    """
    with h5py.File(path, "r", locking="best-effort") as file:
        group = file.get(f"entry/overview/{column}")
        if not isinstance(group, h5py.Group) or not len(group):
            raise FileError(f"{path.name} has no overview of {column}.", "Read the column: it is small.")
        levels = sorted(group.values(), key=lambda item: int(item.attrs["factor"]))
        enough = [level for level in levels if len(level["low"]) >= points]
        chosen = enough[-1] if enough else levels[0]
        return Overview(
            column, int(chosen.attrs["factor"]), chosen["row"][:], chosen["low"][:], chosen["high"][:]
        )


def _finest(rows: StoredRows, item: Stored, factor: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = -(-len(rows) // factor)
    low, high = np.full(count, np.nan), np.full(count, np.nan)
    for start, piece in rows.pieces(item, _PIECE, whole=factor):
        flat = piece.reshape(len(piece), -1)
        if not len(flat):
            continue
        # The rows of a tail may start inside a cell: what is there already takes part.
        cells = (start + np.arange(0, len(flat) + start % factor, factor)) // factor
        edges = np.maximum(cells * factor - start, 0)
        for total, fold in ((low, np.fmin), (high, np.fmax)):
            reduced = fold.reduceat(fold.reduce(flat, axis=1), edges)
            total[cells] = fold(total[cells], reduced)
    return low, high


def _coarser(values: NDArray[np.float64], fold: np.ufunc) -> NDArray[np.float64]:
    return np.asarray(fold.reduceat(values, np.arange(0, len(values), STEP)), dtype=float)


def _level(
    group: h5py.Group,
    name: str,
    item: Stored,
    factor: int,
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    level = nx_group(group, name, "NXdata")
    level.attrs["factor"] = factor
    row = scale(level, "row", factor * np.arange(len(low), dtype="<i8"), "1", "first row of each cell")
    label = item.column.long_name or item.name.replace("_", " ")
    for part, values, word in (("low", low, "least"), ("high", high, "greatest")):
        dataset = level.create_dataset(part, data=values)
        describe(dataset, item.column.unit, f"{label}: {word} of {factor} rows")
        dataset.dims[0].attach_scale(row)
    level.attrs["signal"] = "high"
    level.attrs["axes"] = ["row"]
    level.attrs["row_indices"] = 0
