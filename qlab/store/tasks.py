"""What is done in the child process: look a file over, and rewrite a dead run to its final file."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from qlab.errors import FileError
from qlab.pulses.wavefile import KIND
from qlab.record import ENDED, Record
from qlab.store.check import problems, publication_problems
from qlab.store.columns import Table, all_stored, check_columns
from qlab.store.digest import content_sha256
from qlab.store.final import write_final
from qlab.store.guard import check_structure
from qlab.store.names import ENDING, final_path, is_part
from qlab.store.opening import opened, read_record
from qlab.store.rows import stored_rows, stored_streams, written_rows
from qlab.store.summary import summary

_VERIFIED = 32 << 20  # bytes up to which a file's checksum is verified each time it is opened


def inspect(path: Path) -> bool:
    """Look a file over as thoroughly as its size allows; raise FileError where it is not to be read."""
    with opened(path) as file:
        record = read_record(file)
        _check_rows(file, record, path)
        if not is_part(path) and path.stat().st_size <= _VERIFIED:
            _verify(file, path)
    return True


def rewrite(path: Path) -> str:
    """Rewrite the growing file of a dead run to its final file, as *interrupted* unless it had ended."""
    target = final_path(path)
    with opened(path) as file:
        record = read_record(file)
        if target.exists():
            return _superseded(target, record, written_rows(file))
        if record.state not in ENDED:
            ended = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
            state, reason = _how_it_ended(path)
            change = {"state": state, "ended": record.ended or ended, "reason": record.reason or reason}
            record = record.model_copy(update=change)
        write_final(target, record, stored_rows(file, record), stored_streams(file, record))
    return str(target)


def _how_it_ended(path: Path) -> tuple[str, str]:
    """Return the state and the reason that whoever ended the process left beside the file."""
    try:
        given = json.loads(path.with_name(path.name + ENDING).read_text(encoding="utf-8"))
        state, reason = str(given["state"]), str(given["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        state = reason = ""
    known = state if state in ENDED else "interrupted"
    return known, reason or "The program or the computer ended before the run did."


def _superseded(target: Path, record: Record, rows: int) -> str:
    """Return the finished file that its writer put in place before it died, if it is that."""
    with opened(target) as file:
        if read_record(file).id == record.id and written_rows(file) >= rows:
            return str(target)
    raise FileError(f"{target.name} exists already and is another run.", "Move one of the two away.")


def _verify(file: h5py.File, path: Path) -> None:
    stated = file.attrs.get("content_sha256", "")
    if content_sha256(file) != stated:
        raise FileError(
            f"{path.name} does not hold what was written to it (its checksum differs).",
            "It was damaged or changed since; use another copy.",
        )


def _check_rows(file: h5py.File, record: Record, path: Path) -> None:
    check_columns(record)
    known_columns = {"", *(column.name for column in record.columns)}
    needed = {axis.name for axis in record.axes} | {n for s in record.signals for n in (s.of, s.per)}
    if lacking := sorted(needed - known_columns):
        raise FileError(f"{path.name} lacks the column {lacking[0]!r} that its plot needs.", "It is damaged.")
    tables: list[tuple[str, str, Table]] = [("shots", "scan_point", record)]
    tables += [(stream.name, stream.axis, stream) for stream in record.streams]
    for name, axis, table in tables:
        group = file["entry"].get(name)
        known = group if isinstance(group, h5py.Group) else {}
        if not _holds(known.get(axis), np.dtype("<i8"), ()):
            raise FileError(f"{path.name} lacks {name}, which its record has.", "It is damaged.")
        for item in all_stored(table):
            if not _holds(known.get(item.name), item.dtype, item.column.shape):
                raise FileError(
                    f"{path.name} lacks the column {item.name!r} as its record has it.", "It is damaged."
                )


def _holds(item: Any, dtype: np.dtype[Any], row: tuple[int, ...]) -> bool:
    """Return whether an object is a dataset of rows of this type and shape: one number alone is no row."""
    if not isinstance(item, h5py.Dataset) or not item.shape:
        return False
    return bool(item.shape[1:] == row and item.dtype == dtype)


def check(path: Path) -> list[str]:
    """Return what a file lacks of the layout and of the machine-written metadata."""
    with opened(path) as file:
        return list(problems(file, read_record(file), path))


def publication(path: Path) -> list[str]:
    """Return what a file lacks before its data can be published."""
    with opened(path) as file:
        record = read_record(file)
        return [*problems(file, record, path), *publication_problems(record, file)]


def foreign(path: Path) -> dict[str, Any]:
    """Return the main plot of a file that is not ours."""
    from qlab.store.foreign import look

    return look(path)


def waves(path: Path) -> bool:
    """Tell whether a file is one of waveforms; raise FileError where it is, and holds what no such file does."""
    try:
        file = h5py.File(path, "r", locking="best-effort")
    except OSError:
        return False  # who opens it as a run says what is wrong with it
    with file:
        if file.attrs.get("kind", "") != KIND:
            return False
        check_structure(file, path.name)
    return True


TASKS: dict[str, Callable[[Path], Any]] = {
    "inspect": inspect, "summary": summary, "recover": rewrite, "check": check, "publication": publication,
    "foreign": foreign, "waves": waves,
}  # fmt: skip
