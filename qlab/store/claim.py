"""The place of a new run: a name that no other has, its lock, and for a network folder a local growing file."""

import os
from pathlib import Path

from qlab.store.lock import RunLock
from qlab.store.names import FINAL, PART
from qlab.store.spool import note_home, spool_folder


def in_spool(path: Path, lock: RunLock, run: str, spool: Path | None) -> tuple[Path, RunLock]:
    """Return the path and lock of a growing file in the spool, of a run that belongs on a network folder."""
    probe = path.with_name(path.name + ".probe")
    probe.write_bytes(b"qlab")
    probe.unlink()
    folder = spool_folder(spool)
    if folder is None:
        raise OSError(os.strerror(2), "the local spool cannot be made")
    local = folder / path.name
    there = RunLock.take(local)
    if there is None:
        raise FileExistsError(f"{local} is taken")
    lock.release()
    note_home(local, path.parent, run)
    return local, there


def claimed(folder: Path, stem: str) -> tuple[Path, RunLock]:
    """Return a name that no run has yet, and its lock."""
    for number in range(1, 1000):
        name = stem if number == 1 else f"{stem}-{number}"
        path = folder / f"{name}{PART}"
        if path.exists() or path.with_name(name + FINAL).exists():
            continue
        lock = RunLock.take(path)
        if lock is None:
            continue
        if not path.exists() and not path.with_name(name + FINAL).exists():
            return path, lock
        lock.release()
    raise FileExistsError(f"{folder / stem} is taken")
