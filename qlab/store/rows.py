"""Rows read from a file: a piece at a time from an open one, or lazily from a path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from qlab.errors import FileError
from qlab.record import Record, Stream
from qlab.store.columns import Stored, Table, natural_dtype, stored
from qlab.store.names import final_path, is_part

_PIECE = 1 << 20  # bytes handed from one file to the other at a time


@dataclass(frozen=True)
class StoredRows:
    """The rows of an open file, and behind them those of `tail` that never reached it."""

    shots: h5py.Group
    record: Table
    count: int
    tail: tuple[Mapping[str, NDArray[Any]], ...] = ()
    tail_rows: int = 0

    def __len__(self) -> int:
        return self.count + self.tail_rows

    def column(self, name: str) -> NDArray[Any]:
        """Return one column in its own dtype; shape (rows, ...)."""
        column = self.record.column(name)
        parts = {i.part: np.concatenate([p for _, p in self.pieces(i, 64 * _PIECE)]) for i in stored(column)}
        if "" in parts:
            return parts[""].astype(natural_dtype(column), copy=False)
        whole = np.empty(parts["real"].shape, dtype=natural_dtype(column))
        whole.real, whole.imag = parts["real"], parts["imag"]
        return whole

    def pieces(self, item: Stored, size: int = _PIECE, whole: int = 1) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield (first row, values) of one dataset, about `size` bytes at a time; an empty one at least.

        Pieces that come from the file start at multiples of `whole` rows.
        """
        step = max(1, size // max(item.row_bytes * whole, 1)) * whole
        dataset = self.shots[item.name]
        for start in range(0, self.count, step):
            yield start, dataset[start : min(start + step, self.count)]
        start = self.count
        for block in self.tail:
            yield start, block[item.name]
            start += len(block[item.name])
        if start == 0:
            yield 0, np.empty((0, *item.column.shape), dtype=item.dtype)


def written_rows(file: h5py.File) -> int:
    """Return how many whole rows a file holds."""
    return whole_rows(file["entry/shots"], "scan_point")


def whole_rows(group: h5py.Group, axis: str) -> int:
    """Return how many whole rows a table of a file holds: its axis is written after all other columns."""
    point = group[axis]
    columns = [item for item in group.values() if isinstance(item, h5py.Dataset)]
    count = min([len(point), *(len(d) for d in columns if d.maxshape and d.maxshape[0] is None)])
    while count:
        start = max(0, count - 4096)
        whole = np.flatnonzero(point[start:count] == np.arange(start, count))
        if len(whole):
            return start + int(whole[-1]) + 1
        count = start
    return 0


def stored_rows(file: h5py.File, record: Record) -> StoredRows:
    """Return the rows of an open file."""
    return StoredRows(file["entry/shots"], record, written_rows(file))


def stored_streams(file: h5py.File, record: Record) -> dict[str, StoredRows]:
    """Return the streams of an open file by name."""
    entry = file["entry"]
    return {s.name: StoredRows(entry[s.name], s, whole_rows(entry[s.name], s.axis)) for s in record.streams}


@dataclass(frozen=True)
class FileRows:
    """The rows of a file, or of one stream in it; it is opened for each look and never kept open."""

    path: Path
    record: Table
    _counted: list[int] = field(default_factory=list, compare=False, repr=False)

    def __len__(self) -> int:
        if not self._counted or self._growing():
            with self._opened() as file:
                self._counted[:] = [whole_rows(*self._place(file))]
        return self._counted[0]

    def column(self, name: str) -> NDArray[Any]:
        """Return one column as far as it is written; shape (rows, ...)."""
        with self._opened() as file:
            group, axis = self._place(file)
            return StoredRows(group, self.record, whole_rows(group, axis)).column(name)

    def stream(self, stream: Stream) -> "FileRows":
        """Return the rows of a stream in the same file."""
        return FileRows(self.path, stream)

    def _place(self, file: h5py.File) -> tuple[h5py.Group, str]:
        if isinstance(self.record, Stream):
            return file["entry"][self.record.name], self.record.axis
        return file["entry/shots"], "scan_point"

    def _growing(self) -> bool:
        return is_part(self.path) and self.path.exists()

    def _opened(self) -> h5py.File:
        # A run that ended since has been rewritten under its final name.
        paths = [self.path, final_path(self.path)] if is_part(self.path) else [self.path]
        for path in paths:
            try:
                return h5py.File(path, "r", swmr=is_part(path), locking="best-effort")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise FileError(
                    f"{path.name} cannot be read ({error}).", "Is it still there and whole?"
                ) from error
        raise FileError(f"{self.path.name} is gone.", "It was moved or deleted since it was opened.")
