"""The growing file: everything is created first, then rows and journal lines are appended in SWMR mode."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from qlab.record import Block, Record
from qlab.store.columns import Table, all_stored
from qlab.store.document import dump
from qlab.store.hdf import careful, divert, document, fixed, no_room, reserve
from qlab.store.layout import create_shots, create_stream, describe, nx_group, row_room, rows_room
from qlab.store.metadata import readable, root_attributes
from qlab.store.names import final_path
from qlab.store.rows import StoredRows
from qlab.store.synced import discard

ROWS = "shots"  # the table of rows, beside the streams
_JOURNAL_CHUNK = 16 * 1024


class _Growing:
    """One table of the growing file: its columns, and last the axis that says which rows are whole."""

    def __init__(self, group: h5py.Group, axis: h5py.Dataset, table: Table) -> None:
        self.group, self.table, self.rows = group, table, 0
        self._axis = axis
        self._columns = {item.name: group[item.name] for item in all_stored(table)}

    def add(self, block: Block) -> None:
        """Write the columns of new rows."""
        for name, values in block.items():
            _extend(self._columns[name], values, self.rows)

    def announce(self, rows: int) -> None:
        """Make new rows count."""
        _extend(self._axis, np.arange(self.rows, self.rows + rows), self.rows)
        self._axis.flush()
        self.rows += rows


class PartFile:
    """One growing run file, open for writing by this process; other processes may read it (`swmr=True`)."""

    def __init__(self, path: Path, record: Record) -> None:
        """Create the file; raises OSError or RuntimeError where that fails, leaving none behind."""
        self.path, self.record, self.broken = path, record, False
        try:
            with careful(self._open("w")) as file:
                _lay_out(file, record, final_path(path).name)
            self._file = self._open("r+")
            self._file.swmr_mode = True
        except BaseException:
            discard(path)
            raise
        entry = self._file["entry"]
        self._journal: h5py.Dataset = entry["journal/data"]
        self._journal_byte: h5py.Dataset = entry["journal/byte"]
        self._tables = {ROWS: _Growing(entry["shots"], entry["scan_point"], record)}
        for stream in record.streams:
            group = entry[stream.name]
            self._tables[stream.name] = _Growing(group, group[stream.axis], stream)

    @property
    def rows(self) -> int:
        """How many rows are written."""
        return self._tables[ROWS].rows

    def _open(self, mode: str) -> h5py.File:
        return h5py.File(self.path, mode, libver=("v110", "v110"), locking="best-effort")

    def append(self, blocks: Mapping[str, tuple[Block, int]], journal: bytes = b"") -> None:
        """Append whole rows (block, count) to the rows (`ROWS`) and the streams, and journal lines, and flush them.

        Raises RecordingError where that fails.
        """
        try:
            room = sum(rows_room(self._tables[name].table, count) for name, (_, count) in blocks.items())
            reserve(self._file, room + len(journal) + _JOURNAL_CHUNK)
        except OSError as error:
            raise no_room(error, self.path) from error
        try:
            if journal:
                _extend(self._journal, np.frombuffer(journal, dtype="u1"), self._journal.shape[0])
                self._journal_byte.resize(self._journal.shape[0], 0)
            for name, (block, _) in blocks.items():
                self._tables[name].add(block)
            self._file.flush()
            if blocks:
                reserve(self._file, sum(rows_room(self._tables[name].table, 0) for name in blocks))
            for name, (_, count) in blocks.items():
                # Last and after a flush: a row counts as written once its place on the axis is there.
                self._tables[name].announce(count)
        except (OSError, RuntimeError, ValueError) as error:
            self.broken = True
            raise no_room(error, self.path) from error

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

    def source(self, name: str = ROWS, tail: tuple[Block, ...] = (), tail_rows: int = 0) -> StoredRows:
        """Return the rows, or the entries of a stream, written so far, followed by those of `tail`."""
        table = self._tables[name]
        return StoredRows(table.group, table.table, table.rows, tail, tail_rows)

    def journal(self) -> bytes:
        """Return the journal as far as it is written."""
        return bytes(self._journal[:].tobytes())

    def handle(self) -> int:
        """Return the descriptor of the open file."""
        return int(self._file.id.get_vfd_handle())

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
    for stream in record.streams:
        reserve(file, row_room(stream))
        create_stream(entry, stream, record, 0)
    document(entry, "program", text, "application/json")
    # One JSON object a line; bytes, because SWMR readers cannot follow variable-length strings.
    journal = nx_group(entry, "journal", "NXcollection")
    byte = journal.create_dataset("byte", (0,), "i1", chunks=(_JOURNAL_CHUNK,), maxshape=(None,))
    describe(byte, "1", "place in the journal")
    byte.make_scale("byte")
    data = journal.create_dataset("data", (0,), "u1", chunks=(_JOURNAL_CHUNK,), maxshape=(None,))
    describe(data, "1", "journal: UTF-8 text, one JSON object a line")
    data.dims[0].attach_scale(byte)
