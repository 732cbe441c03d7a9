"""The live table: rows of a running measurement in a memory-mapped file that the window reads without a lock.

Layout: 8 bytes magic, 8 bytes length of the header, the header (JSON), padding to 4096, then a uint64 count of
rows, padding to the next 4096, then each scalar column as `capacity` float64. Only whole rows are ever
announced: the columns are written first, the count last.
"""

import contextlib
import json
import mmap
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from qlab.errors import RecordingError
from qlab.record import Column

_MAGIC = b"qlablive"
_PAGE = 4096


class LiveTable:
    """A table of scalar columns with room for `capacity` rows, shared between processes by its file.

    The bench process creates it and removes it; others attach read-only. Per-shot arrays are not in it,
    they stay in the run file.
    """

    def __init__(self, path: Path, names: Sequence[str], capacity: int, memory: mmap.mmap, head: int) -> None:
        self.path = path
        self.names = tuple(names)
        self.capacity = capacity
        self._memory = memory
        self._count: NDArray[np.uint64] = np.frombuffer(memory, dtype="<u8", count=1, offset=head)
        body = head + _PAGE
        self._columns: dict[str, NDArray[np.float64]] = {
            name: np.frombuffer(memory, dtype="<f8", count=capacity, offset=body + 8 * capacity * i)
            for i, name in enumerate(self.names)
        }

    @classmethod
    def create(cls, path: Path, columns: Sequence[Column], capacity: int) -> Self:
        """Make the file with its whole space reserved; raise RecordingError where there is no room."""
        names = [column.name for column in columns if not column.shape]
        header = json.dumps({"names": names, "capacity": capacity}).encode()
        head = -(-(16 + len(header)) // _PAGE) * _PAGE
        size = head + _PAGE + 8 * capacity * len(names)
        try:
            with path.open("w+b") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                memory = mmap.mmap(file.fileno(), size)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise RecordingError(
                f"There is no room for the live table in {path.parent}: {error.strerror}.",
                "Free some space and run again.",
            ) from error
        memory[:8] = _MAGIC
        memory[8:16] = len(header).to_bytes(8, "little")
        memory[16 : 16 + len(header)] = header
        return cls(path, names, capacity, memory, head)

    @classmethod
    def attach(cls, path: Path) -> Self:
        """Open a table that another process writes, read-only."""
        with path.open("rb") as file:
            memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if memory[:8] != _MAGIC:
            raise RecordingError(f"{path.name} is not a live table.", "Start the run again.")
        length = int.from_bytes(memory[8:16], "little")
        header: dict[str, Any] = json.loads(memory[16 : 16 + length])
        head = -(-(16 + length) // _PAGE) * _PAGE
        return cls(path, header["names"], int(header["capacity"]), memory, head)

    def __len__(self) -> int:
        return int(self._count[0])

    def column(self, name: str) -> NDArray[np.float64]:
        """Return one column as far as it is filled, without copying; shape (rows,)."""
        return self._columns[name][: len(self)]

    def append(self, block: Mapping[str, NDArray[Any]]) -> None:
        """Add whole rows; the count is announced after the columns are written."""
        start = len(self)
        added = len(next(iter(block.values())))
        if start + added > self.capacity:
            raise RecordingError(
                f"The live table is full at {self.capacity} rows.",
                "Give the experiment a larger row estimate.",
            )
        for name, column in self._columns.items():
            column[start : start + added] = block[name]
        self._count[0] = start + added

    def close(self, *, remove: bool = False) -> None:
        """Let go of the memory; `remove` also deletes the file (its creator does)."""
        # Views handed out keep the map alive; the map closes with the last of them.
        self._columns = {}
        self._count = np.zeros(1, dtype=np.uint64)
        with contextlib.suppress(BufferError):
            self._memory.close()
        if remove:
            self.path.unlink(missing_ok=True)


def table_path(folder: Path, run: str) -> Path:
    """Return where this process keeps the live table of a run; the name says whose it is."""
    return folder / f"{run}.{os.getpid()}.live"


def remove_left_over(folder: Path) -> None:
    """Remove the live tables of processes that are gone; only POSIX tells which are."""
    if os.name != "posix":
        return
    for path in folder.glob("*.*.live"):
        try:
            os.kill(int(path.name.split(".")[-2]), 0)
        except ProcessLookupError:
            path.unlink(missing_ok=True)
        except (ValueError, PermissionError):
            continue
