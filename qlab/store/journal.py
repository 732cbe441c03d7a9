"""The journal: what happens during a run beside its rows, a JSON line each, and the record it adds up to."""

from collections.abc import Iterator, Mapping
from typing import Any

import h5py
from pydantic import ValidationError

from qlab.errors import FileError
from qlab.record import Figure, FitResult, Record
from qlab.store.document import dump, load, load_record


def line(kind: str, data: Mapping[str, Any]) -> bytes:
    """Return one journal line."""
    return dump({"kind": kind, "data": dict(data)}) + b"\n"


def lines(raw: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (kind, data) of each whole line; a torn one is left out."""
    for text in raw.split(b"\n"):
        try:
            entry = load(text)
        except FileError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("data"), dict):
            yield str(entry.get("kind", "")), entry["data"]


def told(record: Record, raw: bytes) -> Record:
    """Return the record with what the journal adds to it."""
    for kind, data in lines(raw):
        try:
            record = _add(record, kind, data)
        except (ValidationError, FileError, LookupError, TypeError, ValueError):
            continue  # one odd line must not cost the others
    return record


def _add(record: Record, kind: str, data: dict[str, Any]) -> Record:
    if kind == "record":
        return load_record(data)
    if kind == "state":
        return record.model_copy(update={"state": data["state"]})
    if kind == "program":
        return record.model_copy(update={"programs": (*record.programs, data)})
    if kind == "change":
        return record.model_copy(update={"changes": (*record.changes, data)})
    if kind == "log":
        return record.model_copy(update={"log": (*record.log, data)})
    if kind == "upkeep":
        return record.model_copy(update={"upkeep": (*record.upkeep, data)})
    if kind == "bench":
        known: dict[str, Any] = {n: data[n] for n in ("bench", "truth", "expected") if n in data}
        return record.model_copy(update=known)
    if kind == "fit":
        return record.model_copy(update={"fits": (*record.fits, FitResult.model_validate(data))})
    if kind == "figures":
        items = data.get("figures", data.values())
        return record.model_copy(update={"figures": tuple(Figure.model_validate(f) for f in items)})
    return record


def read_journal(file: h5py.File) -> bytes:
    """Return the journal of a growing file; empty where there is none."""
    dataset = file.get("entry/journal/data")
    return bytes(dataset[:].tobytes()) if isinstance(dataset, h5py.Dataset) else b""
