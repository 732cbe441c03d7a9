"""Opening a run file: a finished one, one that still grows, or one whose writer died."""

from pathlib import Path

import h5py

from qlab.errors import FileError
from qlab.record import ENDED
from qlab.runs import Run
from qlab.store.child import ask
from qlab.store.guard import check_signature
from qlab.store.lock import RunLock
from qlab.store.names import final_path, is_part
from qlab.store.opening import read_record
from qlab.store.recover import recover_locked
from qlab.store.rows import FileRows
from qlab.store.spool import spool_folder
from qlab.store.trust import trust, trusted

INSPECT_SECONDS = 20.0


def open_run(path: Path | str) -> Run:
    """Open a run file; its rows are read when they are asked for.

    A growing file is attached to while its writer lives; a dead one is first recovered, as *interrupted*.
    Raises FileError where the file is none of ours, damaged, of a later format, or not to be trusted.
    """
    path = Path(path)
    if is_part(path) and not path.exists() and final_path(path).exists():
        path = final_path(path)  # the run ended since somebody noted its path
    check_signature(path)
    if not is_part(path):
        return _opened(path)
    try:
        lock = RunLock.take(path)
    except OSError:
        # Nobody writes it, and it cannot be rewritten where it is: read it as it stands.
        return _opened(path, interrupted=True)
    if lock is None:
        return _opened(path)
    try:
        path = recover_locked(path, lock, spool_folder())
    except FileError:
        # No room to rewrite it, perhaps: what can be read is shown; what is damaged is refused once more.
        return _opened(path, interrupted=True)
    return _opened(path)


def open_any(path: Path | str) -> Run:
    """Open a run, or look at the main plot of any other HDF5 file (`qlab.store.foreign`), read-only.

    Raises FileError as `open_run`, and where there is nothing to show.
    """
    path = Path(path)
    try:
        return open_run(path)
    except FileError as error:
        if "no run of qlab" not in error.message:
            raise
    from qlab.store.foreign import open_foreign

    return open_foreign(path)


def holds_waves(path: Path) -> bool:
    """Tell whether a file is one of waveforms (`qlab.pulses.wavefile`), looked over in a process of its own.

    Raises FileError where it is one that holds what none does.
    """
    return path.is_file() and not trusted(path) and bool(ask("waves", path, INSPECT_SECONDS))


def _opened(path: Path, *, interrupted: bool = False) -> Run:
    try:
        if not trusted(path):
            ask("inspect", path, INSPECT_SECONDS)
            if not is_part(path):
                trust(path)
        with h5py.File(path, "r", swmr=is_part(path), locking="best-effort") as file:
            record = read_record(file)
    except OSError as error:
        if is_part(path) and not path.exists() and final_path(path).exists():
            return _opened(final_path(path))  # it ended while we looked
        raise FileError(f"{path.name} cannot be opened ({error}).", "Is it still there and whole?") from error
    if interrupted and record.state not in ENDED:
        record = record.model_copy(update={"state": "interrupted"})
    return Run(record, FileRows(path, record), path)
