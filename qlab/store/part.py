"""The growing file: everything is created first, then rows and journal lines are appended in SWMR mode."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from qlab.record import Record
from qlab.store.columns import all_stored
from qlab.store.document import dump
from qlab.store.hdf import careful, divert, document, fixed, no_room, reserve
from qlab.store.layout import create_shots, describe, nx_group, reserve_rows, row_room
from qlab.store.metadata import readable, root_attributes
from qlab.store.names import final_path
from qlab.store.rows import StoredRows

_JOURNAL_CHUNK = 16 * 1024


class PartFile:
    """One growing run file, open for writing by this process; other processes may read it (`swmr=True`)."""

    def __init__(self, path: Path, record: Record) -> None:
        """Create the file; raises OSError or RuntimeError where that fails, leaving none behind."""
        self.path, self.record, self.rows, self.broken = path, record, 0, False
        try:
            with careful(self._open("w")) as file:
                _lay_out(file, record, final_path(path).name)
            self._file = self._open("r+")
            self._file.swmr_mode = True
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        entry = self._file["entry"]
        self._point: h5py.Dataset = entry["scan_point"]
        self._journal: h5py.Dataset = entry["journal/data"]
        self._journal_byte: h5py.Dataset = entry["journal/byte"]
        self.stored = tuple(all_stored(record))
        self._columns = {item.name: entry["shots"][item.name] for item in self.stored}

    def _open(self, mode: str) -> h5py.File:
        return h5py.File(self.path, mode, libver=("v110", "v110"), locking="best-effort")

    def append(self, block: Mapping[str, NDArray[Any]], rows: int, journal: bytes = b"") -> None:
        """Append whole rows and journal lines, and flush them; raises RecordingError where that fails."""
        try:
            reserve_rows(self._file, self.record, rows, len(journal) + _JOURNAL_CHUNK)
        except OSError as error:
            raise no_room(error, self.path) from error
        try:
            if journal:
                _extend(self._journal, np.frombuffer(journal, dtype="u1"), self._journal.shape[0])
                self._journal_byte.resize(self._journal.shape[0], 0)
            for name, values in block.items():
                _extend(self._columns[name], values, self.rows)
            self._file.flush()
            if rows:
                # Last and after a flush: a row counts as written once its scan_point is there.
                reserve_rows(self._file, self.record, 0)
                _extend(self._point, np.arange(self.rows, self.rows + rows), self.rows)
                self._point.flush()
        except (OSError, RuntimeError, ValueError) as error:
            self.broken = True
            raise no_room(error, self.path) from error
        self.rows += rows

    def set_status(self, state: str) -> None:
        """Change the state that readers of the growing file see."""
        try:
            self._file.attrs.modify("status", fixed(state, 16))
            self._file.flush()
        except (OSError, RuntimeError) as error:
            self.broken = True
            raise no_room(error, self.path) from error

    def sync(self) -> None:
        """Bring everything to the disk itself, for the case of a power loss."""
        try:
            os.fsync(self._file.id.get_vfd_handle())
        except OSError as error:
            raise no_room(error, self.path) from error

    def source(self, tail: tuple[Mapping[str, NDArray[Any]], ...] = (), tail_rows: int = 0) -> StoredRows:
        """Return the rows written so far, followed by those of `tail`."""
        return StoredRows(self._file["entry/shots"], self.record, self.rows, tail, tail_rows)

    def close(self) -> None:
        """Close the file; a broken one is left as it last was on the disk."""
        if self._file:
            if self.broken:
                divert(self._file)
            self._file.close()


def _extend(dataset: h5py.Dataset, values: NDArray[Any], start: int) -> None:
    dataset.resize(start + len(values), 0)
    dataset[start:] = values


def _lay_out(file: h5py.File, record: Record, name: str) -> None:
    text, record = dump(record), readable(record)
    reserve(file, row_room(record) + len(text))
    root_attributes(file, record, name)
    entry = nx_group(file, "entry", "NXentry")
    entry.attrs["default"] = "shots"
    entry["title"] = record.title or record.experiment
    create_shots(entry, record, 0)
    document(entry, "program", text, "application/json")
    # One JSON object a line; bytes, because SWMR readers cannot follow variable-length strings.
    journal = nx_group(entry, "journal", "NXcollection")
    byte = journal.create_dataset("byte", (0,), "i1", chunks=(_JOURNAL_CHUNK,), maxshape=(None,))
    describe(byte, "1", "place in the journal")
    byte.make_scale("byte")
    data = journal.create_dataset("data", (0,), "u1", chunks=(_JOURNAL_CHUNK,), maxshape=(None,))
    describe(data, "1", "journal: UTF-8 text, one JSON object a line")
    data.dims[0].attach_scale(byte)
