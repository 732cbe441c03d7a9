"""Run files as they are opened to be read: whole, after the guard, or just the few things that a list shows."""

from pathlib import Path

import h5py

from qlab.errors import FileError
from qlab.record import Record
from qlab.store.document import load, load_record
from qlab.store.guard import check_format, check_signature, check_structure, guarded
from qlab.store.journal import read_journal, told
from qlab.store.migrate import present
from qlab.store.names import FORMAT_VERSION, is_part


def opened(path: Path) -> h5py.File:
    """Open a run file for reading after the guard has looked it over; raise FileError where it is refused."""
    return _opened(path, whole=True)


def glanced(path: Path) -> h5py.File:
    """Open a run file of which only what `guarded` returns is read: nothing else in it has been looked at.

    A growing file is looked over whole: its journal takes part in what it says. Raises FileError as `opened`.
    """
    return _opened(path, whole=is_part(path))


def _opened(path: Path, *, whole: bool) -> h5py.File:
    check_signature(path)
    try:
        file = h5py.File(path, "r", swmr=is_part(path), locking="best-effort")
    except OSError as error:
        why = "it is cut short" if "truncated" in str(error) else (str(error).splitlines() or [""])[0][:160]
        raise FileError(
            f"{path.name} cannot be opened: {why}.", "The file is damaged; use a copy of it."
        ) from error
    try:
        check_format(file, path.name)
        if whole:
            check_structure(file, path.name)
    except BaseException:
        file.close()
        raise
    return file


def read_record(file: h5py.File) -> Record:
    """Return the record of an open run file, with the journal of a growing one."""
    path = Path(file.filename)
    note = guarded(file, "entry/program/data")
    if note is None or note.shape != () or h5py.check_string_dtype(note.dtype) is None:
        raise FileError(f"{path.name} holds no record of its run.", "The file is damaged.")
    version = file.attrs.get("format_version", FORMAT_VERSION)
    record = load_record(present(load(note[()]), str(version)))
    return told(record, read_journal(file)) if is_part(path) else record
