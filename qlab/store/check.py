"""Checking a file: the layout, and the metadata of the profile "FAIR, quantum technologies pillar"."""

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import h5py
import numpy as np

from qlab.errors import FileError
from qlab.record import ENDED, Record
from qlab.store.child import ask
from qlab.store.digest import content_sha256
from qlab.store.document import load
from qlab.store.mirrors import differing
from qlab.store.names import NAME, is_part, moment

SECONDS = 300.0
# `m` of the profile: machine-written into every run. `M`: what a publication needs of a person.
_ROOT = (
    "id", "title", "summary", "keywords", "creator_version", "date_created", "time_coverage_start",
    "time_coverage_end", "source", "history", "Conventions", "NeXus_release",
)  # fmt: skip
_ENTRY = ("definition", "title", "start_time", "end_time", "entry_identifier_uuid", "program_name")
_GROUPS = ("shots", "process/environment", "program", "bench", "operator", "quantum", "access", "metadata")
_QUANTUM = ("domain", "area", "platform", "protocol", "measurand")
_UNIT = re.compile(r"1|%|dBm?|[A-Za-z%]+-?\d*([./][A-Za-z%]+-?\d*|[./]1)*|1(/[A-Za-z]+\d*)+")
_PERSONAL = re.compile(r"/home/\w+|/Users/\w+|[A-Z]:\\+Users\\+\w+")
_MOST_CHUNK = 512 * 1024


def check_file(path: Path | str, *, publication: bool = False) -> list[str]:
    """Return what a run file lacks, one line each; empty where it is good.

    `publication` also asks for what a person must give before the data are published.
    """
    try:
        found = ask("publication" if publication else "check", Path(path), SECONDS)
    except FileError as error:
        return [str(error)]
    return [str(line) for line in found]


def problems(file: h5py.File, record: Record, path: Path) -> Iterator[str]:
    """Yield what an open file lacks of the layout and of the machine-written metadata."""
    if is_part(path) or record.state not in ENDED:
        yield "The run has not been finalised."
        return
    if file.id.get_create_plist().get_version()[0] != 0:
        yield "The file needs an HDF5 library newer than 1.8."
    yield from _datasets(file["entry"])
    yield from _plots(file["entry"])
    yield from _metadata(file, record)
    if content_sha256(file) != file.attrs.get("content_sha256"):
        yield "The checksum does not hold: the data were changed since they were written."


def publication_problems(record: Record, file: h5py.File) -> Iterator[str]:
    """Yield what a publication needs that only a person can give."""
    if not 5 <= len(record.title) <= 200 or record.title.lower() == "untitled":
        yield "A title of 5 to 200 characters is missing."
    if len(record.description) < 50:
        yield "An abstract of at least 50 characters is missing."
    for key in _QUANTUM:
        if not record.quantum.get(key):
            yield f"The field quantum/{key} is missing."
    for key, what in (
        ("creator_name", "creators"),
        ("publisher_name", "a publisher"),
        ("license", "a licence"),
    ):
        if key not in file.attrs:
            yield f"The file does not name {what}."


def _datasets(group: h5py.Group) -> Iterator[str]:
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            if "NX_class" not in item.attrs:
                yield f"{item.name} has no NX_class."
            yield from _datasets(item)
        elif isinstance(item, h5py.Dataset):
            yield from (f"{item.name or name} {what}." for what in _dataset(item))


def _dataset(item: h5py.Dataset) -> Iterator[str]:
    text = h5py.check_string_dtype(item.dtype)
    if item.shape != () and not item.is_scale and any(len(dim) != 1 for dim in item.dims):
        yield "has an axis without a dimension scale"
    if text is not None:
        if text.length is None and item.shape != ():
            yield "is an array of texts of any length"
        return
    if item.dtype.kind not in "iuf" or item.dtype.byteorder == ">":
        yield f"has the type {item.dtype}, which some readers drop"
    if not _word(item, "long_name"):
        yield "has no long_name"
    unit = _word(item, "units")
    if not unit:
        yield "has no units"
    elif not unit.startswith("seconds since ") and not _UNIT.fullmatch(unit):
        yield f"has the unit {unit!r}, which readers take differently"
    if item.chunks and _chunk_bytes(item) > _MOST_CHUNK:
        yield "has chunks of more than 512 KiB"


def _chunk_bytes(item: h5py.Dataset) -> int:
    size = int(item.dtype.itemsize)
    for count in item.chunks:
        size *= count
    return size


def _plots(entry: h5py.Group) -> Iterator[str]:
    if _word(entry, "default") not in entry:
        yield "The entry has no default plot."
    for name, group in entry.items():
        if not isinstance(group, h5py.Group) or _word(group, "NX_class") != "NXdata":
            continue
        signal = group.get(_word(group, "signal") or "nothing")
        if signal is None and name == "shots" and "signal" not in group.attrs:
            continue
        if not isinstance(signal, h5py.Dataset):
            yield f"The plot {name} has no signal."
            continue
        for index, axis in enumerate(np.atleast_1d(group.attrs.get("axes", ()))):
            found = group.get(str(axis)) if NAME.fullmatch(str(axis)) else None
            length = signal.shape[index : index + 1]
            if not isinstance(found, h5py.Dataset) or found.shape[:1] != length:
                yield f"The plot {name} has no axis {str(axis)[:80]} of the signal's length."


def _metadata(file: h5py.File, record: Record) -> Iterator[str]:
    entry = file["entry"]
    yield from (f"The root attribute {name} is missing." for name in _ROOT if not _word(file, name))
    yield from (f"/entry/{name} is missing." for name in (*_ENTRY, *_GROUPS) if name not in entry)
    if not _is_uuid(record.id):
        yield "The run's id is no UUID."
    for key, value in (("started", record.started), ("ended", record.ended)):
        if moment(value) is None:
            yield f"The time at which the run {key} is missing."
    if record.simulated and record.seed is None:
        yield "The seed of the simulated run is missing."
    if "data_origin" not in entry.get("quantum", ()):
        yield "The data do not say whether they are measured or simulated."
    for place in ("program/data", "bench/data", "process/environment/data", "metadata/data"):
        if place in entry and _PERSONAL.search(_text(entry[place])):
            yield f"/entry/{place} holds the path of somebody's home folder."
    if "metadata/data" in entry:
        yield from _crate(_text(entry["metadata/data"]), file)


def _crate(text: str, file: h5py.File) -> Iterator[str]:
    try:
        master = load(text)
        graph = {item["@id"]: item for item in master["@graph"]}
        root, action = graph["./"], graph["#run"]
        for place in differing(file, master):
            yield f"The metadata record says something else than {place}, which should repeat it."
        if not (action["startTime"] and action["endTime"] and root["variableMeasured"]):
            yield "The metadata record lacks times or variables."
    except (FileError, LookupError, TypeError, AttributeError):
        yield "The metadata record is not readable."


def _word(item: h5py.Group | h5py.Dataset, name: str) -> str:
    """Return an attribute that should be a word; empty where it is none."""
    value = item.attrs.get(name, "")
    return value if isinstance(value, str) else ""


def _text(dataset: h5py.Dataset) -> str:
    value = dataset[()]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
