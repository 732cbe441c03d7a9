"""Holding instruments: which a bench needs for itself, and locks by which processes of qlab keep off each other's."""

import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Self

from qlab.bench import Bench
from qlab.errors import UsageError
from qlab.settings import runtime_folder

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SIMULATED = "simulated bench "


class InUseError(UsageError):
    """Somebody else holds an instrument."""


def needs(bench: Bench, *, independent: bool = False) -> dict[str, str]:
    """Return what a bench needs for itself: resource -> the name of the instrument on the bench.

    A real instrument is known by its address, whatever driver speaks to it; without one, by its driver and options.
    The simulated instruments of a bench are one resource under the bench's name, so that one measurement at a time
    plays on it as on a real one; an `independent` order has them for itself and needs nothing of that kind.
    """
    found: dict[str, str] = {}
    for name, instrument in bench.instruments.items():
        entry = bench.entry.instruments[name]
        if instrument.simulated:
            if not independent:
                found.setdefault(f"{SIMULATED}{bench.name}", name)
        elif instrument.address:
            found[f"address {instrument.address.strip().casefold()}"] = name
        else:
            found[f"{entry.driver} {json.dumps(entry.options, sort_keys=True, default=str)}"] = name
    return found


class Holding:
    """Locks of this process on resources; they fall with the process. Simulated benches are never locked."""

    def __init__(self, files: list[IO[str]]) -> None:
        self._files = files

    @classmethod
    def of(cls, bench: Bench, who: str) -> Self:
        """Hold every real instrument of a bench for `who` (words for people); raise InUseError naming the holder."""
        real = {key: name for key, name in needs(bench).items() if not key.startswith(SIMULATED)}
        return cls.take(real.items(), who)

    @classmethod
    def take(cls, resources: Iterable[tuple[str, str]], who: str) -> Self:
        """Hold resources, given as (key, name); raise InUseError for the first that another process holds."""
        held = cls([])
        # In one order for everybody, so that two processes cannot each hold half.
        for key, name in sorted(resources):
            file = _path(key).open("a+", encoding="utf-8")
            if not _lock(file):
                file.seek(0)
                holder = file.read().strip() or "another process of qlab"
                file.close()
                held.release()
                raise InUseError(
                    f"{name} is in use by {holder}.", "Wait until it is free, or end that first."
                )
            file.truncate(0)
            file.write(f"{who} (process {os.getpid()})")
            file.flush()
            held._files.append(file)
        return held

    def release(self) -> None:
        """Let go of everything; once is enough."""
        for file in self._files:
            file.close()
        self._files = []


def _path(key: str) -> Path:
    folder = runtime_folder() / "held"
    folder.mkdir(exist_ok=True, mode=0o700)
    # The file stays: removing it would let two processes lock two files of one name.
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.lock"


def _lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            file.seek(1 << 20)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            file.seek(0)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
