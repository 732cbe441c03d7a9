"""What exporters share: errors of writing in words, the run's own file as payload, checksums, reproducible zips."""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from qlab.errors import FileError
from qlab.record import Record
from qlab.runs import Run
from qlab.store import open_run
from qlab.store.copy import rewritten
from qlab.store.crate import crate
from qlab.store.mirrors import mirrored
from qlab.store.names import moment


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure of writing into one that a person can act on."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise FileError(f"{path} cannot be written: {why}.", "Choose another folder.") from error


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a place for a file that takes its name once it is whole: nobody ever reads half an export."""
    with writing(path):
        beside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
        try:
            yield beside
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def payload(run: Run, folder: Path) -> Path:
    """Put the run's file into a folder and return where it is.

    It is the file itself, byte for byte, unless notes, later fits or a profile were merged into the run: then it is
    written anew with all of them.
    """
    if run.path is None:
        raise FileError("The run has no file yet.", "Export it once it is finished.")
    target = folder / run.path.name
    with writing(target):
        if open_run(run.path).record == run.record:
            shutil.copyfile(run.path, target)
            return target
    return rewritten(run.path, target, run.record)


def attributes(run: Run) -> dict[str, str]:
    """Return the descriptive attributes of a run by name (ACDD): title, licence, creator, acknowledgement ..."""
    master = crate(run.record, run.path.name if run.path else "run.h5", len(run), "")
    found = {place[1:]: text for place, text in mirrored(master).items() if place.startswith("@")}
    rights = ("access/rights", "access/embargo_until")
    extra = {place.rpartition("/")[2]: mirrored(master).get(place, "") for place in rights}
    return {**found, **{key: text for key, text in extra.items() if text}}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def zipped(folder: Path, target: Path, record: Record) -> Path:
    """Pack a folder; the same files give the same bytes."""
    at = moment(record.ended) or moment(record.started)
    stamp = at.timetuple()[:6] if at else (1980, 1, 1, 0, 0, 0)
    with whole(target) as place, zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), stamp)
            entry.external_attr = 0o644 << 16
            # HDF5 is packed inside already.
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".h5" else zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
    return target
