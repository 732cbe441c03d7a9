"""What is done in the child process: look a file over, and rewrite a dead run to its final file."""

import base64
import json
import math
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from qlab.errors import FileError
from qlab.record import ENDED, Record
from qlab.store.check import problems, publication_problems
from qlab.store.columns import Table, all_stored, check_columns
from qlab.store.digest import content_sha256
from qlab.store.document import load, load_record
from qlab.store.final import write_final
from qlab.store.guard import check_format, check_signature, check_structure
from qlab.store.journal import read_journal, told
from qlab.store.migrate import present
from qlab.store.names import ENDING, FORMAT_VERSION, final_path, is_part
from qlab.store.raster import HEIGHT, WIDTH
from qlab.store.rows import stored_rows, stored_streams, written_rows
from qlab.units import format_measured

_VERIFIED = 32 << 20  # bytes up to which a file's checksum is verified each time it is opened


def opened(path: Path) -> h5py.File:
    """Open a run file for reading after the guard has looked it over; raise FileError where it is refused."""
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
        check_structure(file, path.name)
    except BaseException:
        file.close()
        raise
    return file


def read_record(file: h5py.File) -> Record:
    """Return the record of an open run file, with the journal of a growing one."""
    note = file.get("entry/program/data")
    if not isinstance(note, h5py.Dataset) or note.shape != () or h5py.check_string_dtype(note.dtype) is None:
        raise FileError(f"{Path(file.filename).name} holds no record of its run.", "The file is damaged.")
    version = file.attrs.get("format_version", FORMAT_VERSION)
    record = load_record(present(load(note[()]), str(version)))
    if is_part(Path(file.filename)):
        record = told(record, read_journal(file))
    return record


def inspect(path: Path) -> bool:
    """Look a file over as thoroughly as its size allows; raise FileError where it is not to be read."""
    with opened(path) as file:
        record = read_record(file)
        _check_rows(file, record, path)
        if not is_part(path) and path.stat().st_size <= _VERIFIED:
            _verify(file, path)
    return True


def summary(path: Path) -> dict[str, Any]:
    """Return what a list of runs shows of a file, and what it is searched by."""
    with opened(path) as file:
        record = read_record(file)
        given = record.bench.get("sample")
        sample = given.get("name", "") if isinstance(given, dict) else ""
        return {
            "id": record.id, "experiment": record.experiment, "title": record.title, "state": record.state,
            "started": record.started, "rows": written_rows(file), "simulated": record.simulated,
            "figures": {figure.name: figure.value for figure in record.figures},
            "headline": headline(record), "numbers": list(_numbers(record)), "picture": _picture(file),
            "sample": _text_at(file, "sample/name") or str(sample), "operator": _text_at(file, "operator/name"),
            "words": " ".join([record.description, *record.quantum.values(), *_leaves(record.parameters)]),
        }  # fmt: skip


def _numbers(record: Record) -> Iterator[tuple[str, str, float, float]]:
    """Yield (name, unit, least, greatest) of each parameter, figure of merit and fitted value."""
    for name, value in record.parameters.items():
        edges = [value]
        if isinstance(value, dict):
            listed = value.get("given")
            spread = value.get("span", 0.0)
            centre = value.get("centre")
            edges = (
                list(listed) if isinstance(listed, list | tuple) else [value.get("start"), value.get("stop")]
            )
            if isinstance(centre, int | float) and isinstance(spread, int | float):
                edges = [centre - spread / 2, centre + spread / 2]
        numbers = [float(x) for x in edges if isinstance(x, int | float) and math.isfinite(x)]
        if numbers:
            yield name, record.units.get(name, "1"), min(numbers), max(numbers)
    for figure in record.figures:
        if math.isfinite(figure.value):
            yield figure.name, figure.unit, figure.value, figure.value
    for fit in record.fits:
        for item in fit.parameters if fit.success else ():
            if math.isfinite(item.value):
                yield item.name, item.unit, item.value, item.value


def _picture(file: h5py.File) -> str:
    """Return the thumbnail, packed, as text; empty where there is none of the right size."""
    image = file.get("entry/preview/image")
    if not isinstance(image, h5py.Dataset) or image.shape != (HEIGHT, WIDTH) or image.dtype != np.uint8:
        return ""
    return base64.b64encode(zlib.compress(image[:].tobytes())).decode("ascii")


def _text_at(file: h5py.File, place: str) -> str:
    item = file.get(f"entry/{place}")
    if not isinstance(item, h5py.Dataset) or item.shape != () or h5py.check_string_dtype(item.dtype) is None:
        return ""
    value = item[()]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def headline(record: Record) -> str:
    """Return the first figure of merit that is no limit of another, as people read it."""
    for figure in record.figures:
        if not figure.limit_of:
            shown = format_measured(figure.value, figure.error, figure.unit)
            return f"{figure.label or figure.name} {shown}"
    return ""


def _leaves(parameters: dict[str, Any]) -> list[str]:
    return [f"{key} {value}" for key, value in parameters.items() if isinstance(value, str | int | float)]


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
    tables: list[tuple[str, str, Table]] = [("shots", "scan_point", record)]
    tables += [(stream.name, stream.axis, stream) for stream in record.streams]
    for name, axis, table in tables:
        group = file["entry"].get(name)
        known = group if isinstance(group, h5py.Group) else {}
        if not isinstance(known.get(axis), h5py.Dataset):
            raise FileError(f"{path.name} lacks {name}, which its record has.", "It is damaged.")
        for item in all_stored(table):
            dataset = known.get(item.name)
            if (
                not isinstance(dataset, h5py.Dataset)
                or dataset.shape[1:] != item.column.shape
                or dataset.dtype != item.dtype
            ):
                raise FileError(
                    f"{path.name} lacks the column {item.name!r} as its record has it.", "It is damaged."
                )


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


TASKS: dict[str, Callable[[Path], Any]] = {
    "inspect": inspect, "summary": summary, "recover": rewrite, "check": check, "publication": publication,
    "foreign": foreign,
}  # fmt: skip
