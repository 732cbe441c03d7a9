"""The trash: a folder `.trash` in the data folder from which deleted runs can be put back."""

import json
from pathlib import Path

from qlab.errors import FileError
from qlab.store.document import load
from qlab.store.lock import RunLock
from qlab.store.names import DRAFT, is_part, sidecar_path, stem

TRASH = ".trash"
_ORIGIN = ".origin.json"


def trash_run(path: Path | str, folder: Path | str) -> Path:
    """Move a run and its sidecar to the trash of the data folder it lies in; return where its file is now.

    Raises FileError where the run is still being written, does not lie in the folder, or cannot be moved.
    """
    path, folder = Path(path).absolute(), Path(folder).absolute()
    if not path.is_file():
        raise FileError(f"There is no run {path}.", "Check the name.")
    if not path.is_relative_to(folder) or TRASH in path.relative_to(folder).parts:
        raise FileError(f"{path.name} does not lie in {folder}.", "Give the data folder of the run.")
    number, place = 1, folder / TRASH / stem(path)
    while place.exists():
        number += 1
        place = folder / TRASH / f"{stem(path)}~{number}"
    lock = _unwritten(path)
    try:
        place.mkdir(parents=True)
        origin = {"from": path.relative_to(folder).as_posix()}
        (place / f"{stem(path)}{_ORIGIN}").write_text(json.dumps(origin), encoding="utf-8")
        return move_run(path, place)
    except OSError as error:
        raise FileError(f"{path.name} cannot be deleted: {error.strerror}.", "Check the rights.") from error
    finally:
        if lock is not None:
            lock.release()


def restore_run(path: Path | str) -> Path:
    """Put a run from the trash back to where it was; return its file. Raises FileError where that is taken."""
    path = Path(path).absolute()
    note = path.with_name(stem(path) + _ORIGIN)
    try:
        origin = Path(str(load(note.read_bytes()[:65536])["from"]))
    except (OSError, FileError, LookupError, TypeError):
        raise FileError(f"{path} is not in the trash of qlab.", "Move it by hand.") from None
    root = path.parent.parent.parent
    target = root / origin
    if path.parent.parent.name != TRASH or origin.is_absolute() or ".." in origin.parts:
        raise FileError(f"{path} does not say where it was.", "Move it by hand.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        moved = move_run(path, target.parent)
        note.unlink()
        path.parent.rmdir()
    except OSError as error:
        raise FileError(f"{path.name} cannot be put back: {error.strerror}.", "Move it by hand.") from error
    return moved


def trashed(folder: Path | str) -> list[Path]:
    """Return the files of the runs in the trash of a data folder."""
    return sorted(
        path
        for path in (Path(folder) / TRASH).glob("*/*.h5")
        if path.with_name(stem(path) + _ORIGIN).exists()
    )


def move_run(path: Path, folder: Path) -> Path:
    """Move a run's file and its sidecar into another folder of the same disk; return where the file is now.

    Raises FileError where the name is taken there.
    """
    target = folder / path.name
    notes, there = sidecar_path(path), sidecar_path(target)
    if target.exists() or there.exists():
        raise FileError(f"{target} exists already.", "Move one of the two away.")
    # The sidecar first: should it end in between, the notes are beside no run, but the run is where it was.
    if notes.exists():
        notes.replace(there)
    try:
        path.replace(target)
    except OSError:
        if there.exists():
            there.replace(notes)
        raise
    path.with_name(path.name + DRAFT).unlink(missing_ok=True)
    return target


def _unwritten(path: Path) -> RunLock | None:
    if not is_part(path):
        return None
    lock = RunLock.take(path)
    if lock is None:
        raise FileError(f"{path.name} is still being written.", "Stop the run first.")
    return lock
