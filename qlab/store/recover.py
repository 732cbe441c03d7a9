"""Recovery: a growing file whose writer died becomes a finished one, marked *interrupted*."""

import json
from pathlib import Path

from qlab.errors import FileError
from qlab.record import State
from qlab.store.child import ask
from qlab.store.lock import RunLock
from qlab.store.names import DRAFT, ENDING, PART, final_path, is_part
from qlab.store.spool import connected, deliver, home_of, set_aside, spool_folder, spooled_below, twin
from qlab.store.synced import discard

SECONDS = 30.0
_SECONDS_PER_BYTE = 1 / 5e6  # a slow disk and gzip


def recover(
    path: Path | str, state: State = "interrupted", reason: str = "", *, spool: Path | None = None
) -> list[Path]:
    """Recover one growing file, or every one below a folder; return the finished files.

    A single file may be given the state and the reason that whoever ended its process knows. Runs of the folder that
    went to the spool are brought home; what they left here is set aside.

    Runs whose writer lives are left alone. Raises FileError for a single file that cannot be recovered, and
    at the end of a folder for those that could not; the others are recovered all the same.
    """
    path = Path(path)
    if path.is_dir():
        return _recover_folder(path, spool_folder(spool))
    if not is_part(path) or not path.exists():
        if is_part(path) and final_path(path).exists():
            return [final_path(path)]
        what = "is not the growing file of a run" if path.exists() else "does not exist"
        raise FileError(f"{path} {what}.", f"Give a NAME{PART} or a folder.")
    lock = _take(path)
    if lock is None:
        raise FileError(f"{path.name} is still being written.", "Stop the run first.")
    _ending(path).write_text(json.dumps({"state": state, "reason": reason}), encoding="utf-8")
    return [recover_locked(path, lock, spool_folder(spool))]


def recover_locked(path: Path, lock: RunLock, spool: Path | None = None) -> Path:
    """Recover a growing file whose lock is held, release the lock, and return the finished file."""
    target = final_path(path)
    try:
        # If the file is gone, another process has recovered it while we waited for the lock.
        if path.exists():
            if (elsewhere := _went_on(path, spool)) is not None:
                return elsewhere
            ask("recover", path, SECONDS + path.stat().st_size * _SECONDS_PER_BYTE)
            path.unlink(missing_ok=True)
    finally:
        discard(target.with_name(target.name + DRAFT))
        discard(_ending(path))
        lock.release()
    if home_of(target) is not None:
        return deliver(target) or target
    return target


def _went_on(part: Path, spool: Path | None) -> Path | None:
    """Return the file of a run that went on in the spool after its folder failed; its stale part is set aside."""
    other = twin(part, spool)
    if other is None:
        return None
    if is_part(other):
        lock = _take(other)
        if lock is None:
            raise FileError(f"{part.name} is still being written, in {other.parent}.", "Stop the run first.")
        other = recover_locked(other, lock)
        if other.parent == part.parent:
            return other
    here, there = (ask("summary", path, SECONDS) for path in (part, other))
    if here["id"] != there["id"] or here["rows"] > there["rows"]:
        return None
    delivered = deliver(other)
    set_aside(part)
    return delivered or other


def _ending(path: Path) -> Path:
    return path.with_name(path.name + ENDING)


def _take(path: Path) -> RunLock | None:
    try:
        return RunLock.take(path)
    except OSError as error:
        raise FileError(
            f"{path.name} cannot be recovered where it is: {error.strerror}.",
            "Copy it to a folder you may write.",
        ) from error


def _recover_folder(folder: Path, spool: Path | None) -> list[Path]:
    done: list[Path] = []
    failed: list[str] = []
    for path in [*spooled_below(folder, spool), *sorted(folder.rglob(f"*{PART}"))]:
        try:
            if not is_part(path):
                found = deliver(path) if path.exists() else None
            elif path.exists() and (lock := _take(path)) is not None:
                found = recover_locked(path, lock, spool)
            else:
                continue
            waiting = found or path
            if waiting.exists() and (home := home_of(waiting)) is not None:
                why = "has no room" if connected(waiting) else "is not there"
                failed.append(f"{waiting.name} waits in {waiting.parent}, because {home[0].parent} {why}.")
            elif found is not None:
                done.append(found)
        except FileError as error:
            failed.append(error.message)
    if failed:
        raise FileError(
            f"{len(failed)} of {len(failed) + len(done)} runs could not be brought home: {' '.join(failed[:3])}",
            f"Nothing of them is lost. Mend that, then run `qlab recover {folder}` again.",
        )
    return list(dict.fromkeys(done))
