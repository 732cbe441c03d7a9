"""The lock of a run: held by whoever writes its file, so that others know whether the writer lives."""

import contextlib
import errno
import json
import os
import sys
import time
from pathlib import Path
from typing import IO, Self

from qlab.store.names import lock_path
from qlab.store.place import current_path
from qlab.store.synced import discard

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Windows locks bytes for reading too: lock one far behind the text.
_BYTE = 1 << 20


class RunLock:
    """An operating-system lock on `NAME.lock`; it falls with the process that holds it."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self._file: IO[bytes] | None = file

    @classmethod
    def take(cls, run: Path) -> Self | None:
        """Take the lock of a run's file; None where a living process holds it.

        Raises OSError where the lock file can be neither made nor opened.
        """
        path = lock_path(run)
        while True:
            file, writable = _open(path)
            if not _lock(file):
                file.close()
                return None
            if not writable:
                file.close()
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            # The former holder may have removed the file between our open and our lock.
            if _same_file(path, file):
                break
            file.close()
        # Who holds it is for people to read: a full disk must not stand in the way of the lock itself.
        with contextlib.suppress(OSError):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), json.dumps(owner()).encode())
        return cls(path, file)

    def release(self, *, remove: bool = True) -> None:
        """Let go of the lock, removing its file while it is still held."""
        if self._file is None:
            return
        if remove and sys.platform != "win32":
            # Its folder may have been renamed since; a lock file of that name elsewhere is not ours.
            here = current_path(self._file.fileno(), self.path)
            if here is not None:
                discard(here)
        self._file.close()
        self._file = None
        if remove and sys.platform == "win32":
            with contextlib.suppress(
                PermissionError
            ):  # another process has just opened it: it will remove it
                self.path.unlink(missing_ok=True)


def owner() -> dict[str, int | float | str]:
    """Return who holds a lock: pid, start time of the process, boot id."""
    return {"pid": os.getpid(), "process_started": _process_start(), "boot": _boot_id()}


def _open(path: Path) -> tuple[IO[bytes], bool]:
    try:
        return path.open("a+b"), True
    except OSError:
        # Someone else's run: its lock can still be tried, only not taken over.
        if not path.exists():
            raise
        return path.open("rb"), False


def _same_file(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _lock(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            file.seek(_BYTE)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _process_start() -> float:
    try:
        text = Path("/proc/self/stat").read_text(encoding="utf-8")
        return float(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return time.time() - time.process_time()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    except OSError:
        return ""
