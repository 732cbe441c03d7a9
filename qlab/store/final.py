"""The final file: the rows of a growing one rewritten to a portable `NAME.h5`, checked, and put in place."""

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import h5py
import numpy as np

from qlab.errors import RecordingError
from qlab.record import Record
from qlab.store.columns import all_stored
from qlab.store.crate import crate
from qlab.store.curves import write_curves
from qlab.store.digest import content_sha256
from qlab.store.document import dump
from qlab.store.groups import write_entry_fields, write_groups
from qlab.store.hdf import SLACK, careful, document, no_room, reserve, trim
from qlab.store.layout import create_shots, create_stream, nx_group, row_room
from qlab.store.metadata import readable, root_attributes
from qlab.store.mirrors import write_mirrors
from qlab.store.names import DRAFT
from qlab.store.overview import write_overview
from qlab.store.rows import StoredRows
from qlab.store.synced import discard, sync_folder
from qlab.store.views import write_thumbnail, write_views

_FILTERS = {"shuffle": True, "compression": "gzip", "compression_opts": 4}


def write_final(
    target: Path, record: Record, rows: StoredRows, streams: Mapping[str, StoredRows] | None = None
) -> list[str]:
    """Write, check and put in place the finished file of a run; return what could not be derived.

    `streams` must hold every stream that the record declares.
    Raises RecordingError where that fails; nothing but a worthless draft can be left behind then.
    """
    streams = streams or {}
    if missing_streams := {stream.name for stream in record.streams} - set(streams):
        raise RecordingError(
            f"The stream {missing_streams.pop()!r} of the run was not handed on.", "Nothing was written."
        )
    draft = target.with_name(target.name + DRAFT)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with careful(h5py.File(draft, "w", libver=("earliest", "v110"), locking="best-effort")) as file:
            missing = _write(file, target.name, record, rows, streams)
        trim(draft)
        _verify(draft, len(rows))
        with draft.open("rb+") as handle:
            os.fsync(handle.fileno())
        _replace(draft, target)
        sync_folder(target.parent)
    except (OSError, RuntimeError, ValueError) as error:
        discard(draft)
        raise no_room(error, target) from error
    return missing


def _write(
    file: h5py.File, name: str, record: Record, rows: StoredRows, streams: Mapping[str, StoredRows]
) -> list[str]:
    document_text, record = dump(record), readable(record)
    # Before the first byte, and again after each flush, which gives back what is left of it.
    reserve(file, 4 * SLACK)
    root_attributes(file, record, name)
    entry = nx_group(file, "entry", "NXentry")
    write_entry_fields(entry, record)
    reserve(file, row_room(record))
    shots = create_shots(entry, record, len(rows), **_FILTERS)
    _fill(shots, shots["scan_point"], rows)
    for stream in record.streams:
        reserve(file, row_room(stream) + 4 * SLACK)
        group = create_stream(entry, stream, record, len(streams[stream.name]), **_FILTERS)
        _fill(group, group[stream.axis], streams[stream.name])
    missing = write_views(entry, record, rows)
    write_curves(entry, record.curves)
    write_thumbnail(entry, record, rows)
    write_overview(entry, rows)
    entry.attrs["default"] = "data" if "data" in entry else "shots"
    reserve(file, 4 * SLACK + 8 * len(document_text))
    write_groups(entry, record)
    write_mirrors(file, crate(record, name, len(rows), ""))
    # The whole record, so that the file alone is enough to run it again.
    document(entry, "program", document_text, "application/json")
    file.flush()
    digest = content_sha256(file)
    reserve(file, 4 * SLACK)
    file.attrs["content_sha256"] = digest
    note = document(
        entry, "metadata", dump(crate(record, name, len(rows), digest), indent=1), "application/ld+json"
    )
    note["file_name"] = "ro-crate-metadata.json"
    note["algorithm"] = "sha256 of the content, as @content_sha256 of the root"
    note["checksum"] = digest
    return missing


def _fill(group: h5py.Group, axis: h5py.Dataset, rows: StoredRows) -> None:
    """Copy rows into their finished group, a piece at a time."""
    file, table = group.file, rows.record
    for start in range(0, len(rows), 1 << 17):
        stop = min(start + (1 << 17), len(rows))
        reserve(file, 8 * (stop - start))
        axis[start:stop] = np.arange(start, stop)
        file.flush()
    for item in all_stored(table):
        dataset = group[item.name]
        for start, piece in rows.pieces(item, whole=dataset.chunks[0]):
            if len(piece):
                reserve(file, piece.nbytes + row_room(table))
                dataset[start : start + len(piece)] = piece
                # Packed chunks get their place in the file only now: what was reserved must not run out first.
                file.flush()


def _verify(draft: Path, rows: int) -> None:
    with h5py.File(draft, "r", locking="best-effort") as file:
        if len(file["entry/scan_point"]) != rows or content_sha256(file) != file.attrs["content_sha256"]:
            raise RecordingError(
                f"{draft.name} does not read back as it was written.",
                "Check the disk; the .part.h5 file has all rows.",
            )


def _replace(draft: Path, target: Path) -> None:
    deadline = time.monotonic() + 2.0
    while True:
        try:
            draft.replace(target)
        except PermissionError:
            # Windows does not replace a file that someone has open.
            if sys.platform != "win32" or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
