"""The guard: looks a file over by its structure alone, before anything in it is read or believed."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t, h5z

from qlab.errors import FileError
from qlab.store.hdf import SIGNATURE, stated_end
from qlab.store.names import FORMAT, FORMAT_VERSION, NAME

MOST_OBJECTS, MOST_DEPTH, MOST_RANK, MOST_NAME, MOST_ATTRIBUTES = 20_000, 16, 8, 128, 256
MOST_ATTRIBUTE = 64 * 1024
MOST_CHUNK = 64 << 20
MOST_CLAIMED = 1 << 40
MOST_TEXT = 64 << 20
_FREE, _MOST_RATIO = 64 << 20, 1000
_FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
_SCALE_ATTRIBUTES = {b"DIMENSION_LIST", b"REFERENCE_LIST"}
_HINT = "It was not written by qlab as it stands, or it is damaged; it was not opened."


@dataclass
class _Look:
    size: int
    seen: set[int] = field(default_factory=set)
    groups: set[int] = field(default_factory=set)
    claimed: int = 0


def check_signature(path: Path) -> None:
    """Raise FileError where a path is no HDF5 file at all."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        raise FileError(f"There is no file {path}.", "Check the name.") from None
    except IsADirectoryError:
        raise FileError(
            f"{path} is a folder.", "Give the file of one run; `qlab runs` lists a folder."
        ) from None
    except OSError as error:
        raise FileError(
            f"{path} cannot be read: {error.strerror}.", "Check the name and the rights."
        ) from None
    if start[:8] == SIGNATURE and size < stated_end(start):
        # Looked at here because HDF5 in its SWMR mode does not: it waits for what is missing.
        raise FileError(f"{path.name} is cut short.", "It is damaged; use a copy of it.")
    if start[:8] != SIGNATURE:
        what = "is empty" if size == 0 else "is not an HDF5 file"
        raise FileError(f"{path.name} {what}.", "Give a run file of qlab (NAME.h5).")


def check_format(file: h5py.File, name: str) -> None:
    """Raise FileError where a file is no run file, or one of a later major version."""
    stated, version = _short_text(file, "format"), _short_text(file, "format_version")
    if stated != FORMAT:
        raise FileError(f"{name} is an HDF5 file, but no run of qlab.", "Give a run file of qlab (NAME.h5).")
    major = version.partition(".")[0]
    if not major.isdigit() or int(major[:9]) > int(FORMAT_VERSION.partition(".")[0]):
        raise FileError(
            f"{name} has the format {FORMAT} {version[:20]}, this qlab reads up to {FORMAT_VERSION}.",
            "Open it with a newer qlab.",
        )


def check_structure(file: h5py.File, name: str) -> None:
    """Raise FileError where a file holds anything that no run file holds. No value is read."""
    look = _Look(size=Path(file.filename).stat().st_size)
    root = h5g.open(file.id, b"/")
    pending: list[tuple[h5g.GroupID, str, int]] = [(root, "", 0)]
    look.groups.add(_address(file.id, b"/"))
    _attributes(root, name, "/")
    while pending:
        group, path, depth = pending.pop()
        for raw, address in _links(group, name, path):
            inside = f"{path}/{raw.decode()}"
            if address in look.groups:
                # Whoever walks such a file goes in circles, or through the same groups again and again.
                raise FileError(f"{name} holds at {inside} a group that stands elsewhere too.", _HINT)
            if address in look.seen:
                continue
            look.seen.add(address)
            if len(look.seen) > MOST_OBJECTS:
                raise FileError(f"{name} holds more than {MOST_OBJECTS} objects.", _HINT)
            item = h5o.open(group, raw)
            _attributes(item, name, inside)
            if isinstance(item, h5g.GroupID):
                if depth + 1 > MOST_DEPTH:
                    raise FileError(f"{name} is nested deeper than {MOST_DEPTH} groups.", _HINT)
                look.groups.add(address)
                pending.append((item, inside, depth + 1))
            elif isinstance(item, h5d.DatasetID):
                _dataset(item, name, inside, look)
            else:
                raise FileError(f"{name} holds a named type at {inside}.", _HINT)


def guarded(file: h5py.File, place: str) -> h5py.Dataset | None:
    """Return one dataset of a file that was not looked over whole; None where there is none.

    Every link on the way to it and the dataset itself are looked at; raises FileError where one is hostile.
    """
    name = Path(file.filename).name
    item: Any = h5g.open(file.id, b"/")
    for part in place.split("/"):
        if not isinstance(item, h5g.GroupID) or not item.links.exists(part.encode()):
            return None
        if item.links.get_info(part.encode()).type != h5l.TYPE_HARD:
            raise FileError(f"{name} holds a link at {part} of {place}.", _HINT)
        item = h5o.open(item, part.encode())
    if not isinstance(item, h5d.DatasetID):
        return None
    _dataset(item, name, f"/{place}", _Look(size=Path(file.filename).stat().st_size))
    return h5py.Dataset(item)


def _links(group: h5g.GroupID, name: str, path: str) -> list[tuple[bytes, int]]:
    """Return (name, address) of each object of a group."""
    found: list[tuple[bytes, int, int]] = []

    def take(raw: bytes, info: Any) -> bool | None:
        found.append((raw, info.type, info.u))  # h5py hands over one and the same object each time
        return True if len(found) > MOST_OBJECTS else None  # anything but None ends it

    group.links.iterate(take, info=True)
    if len(found) > MOST_OBJECTS:
        raise FileError(f"{name} holds more than {MOST_OBJECTS} objects in one group.", _HINT)
    links: list[tuple[bytes, int]] = []
    for raw, kind, address in found:
        text = raw[:MOST_NAME].decode("utf-8", "replace")
        if len(raw) > MOST_NAME or not NAME.fullmatch(text):
            raise FileError(
                f"{name} holds an object with the odd name {text[:40]!r} in {path or '/'}.", _HINT
            )
        if kind != h5l.TYPE_HARD:
            what = {h5l.TYPE_SOFT: "soft", h5l.TYPE_EXTERNAL: "external"}.get(kind, "user-defined")
            raise FileError(f"{name} holds the {what} link {path}/{text}.", _HINT)
        links.append((raw, address))
    return links


def _dataset(item: h5d.DatasetID, name: str, path: str, look: _Look) -> None:
    where = f"{name} holds at {path}"
    plan = item.get_create_plist()
    if plan.get_external_count():
        raise FileError(f"{where} data that stand in another file.", _HINT)
    layout = plan.get_layout()
    if layout not in {h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED}:
        raise FileError(f"{where} data borrowed from other files.", _HINT)
    filters = [plan.get_filter(index)[0] for index in range(plan.get_nfilters())]
    if unknown := set(filters) - _FILTERS:
        raise FileError(f"{where} data packed with the unknown filter {unknown.pop()}.", _HINT)
    if filters.count(h5z.FILTER_DEFLATE) > 1:
        raise FileError(f"{where} data packed twice.", _HINT)
    shape = _shape(item.get_space(), where)
    kind = item.get_type()
    _type(kind, where, scalar=shape == ())
    width = kind.get_size()
    if isinstance(kind, h5t.TypeStringID) and width > MOST_TEXT:
        raise FileError(f"{where} a text of {width} bytes.", _HINT)
    claimed = math.prod((width, *shape))
    look.claimed += claimed
    stored = item.get_storage_size()
    if look.claimed > MOST_CLAIMED or (claimed > _FREE and claimed > max(stored, 1) * _MOST_RATIO):
        raise FileError(f"{where} {stored} bytes that claim to be {claimed}.", _HINT)
    if layout != h5d.CHUNKED and stored > look.size:
        raise FileError(f"{where} {stored} bytes, more than the whole file has.", _HINT)
    if layout == h5d.CHUNKED and math.prod((width, *plan.get_chunk())) > MOST_CHUNK:
        raise FileError(f"{where} data in chunks larger than {MOST_CHUNK >> 20} MiB.", _HINT)


def _shape(space: h5s.SpaceID, where: str) -> tuple[int, ...]:
    if space.get_simple_extent_type() == h5s.NULL:
        raise FileError(f"{where} nothing at all, which no run file does.", _HINT)
    if space.get_simple_extent_ndims() > MOST_RANK:
        raise FileError(f"{where} an array of more than {MOST_RANK} dimensions.", _HINT)
    return tuple(int(size) for size in space.get_simple_extent_dims())


def _type(kind: h5t.TypeID, where: str, *, scalar: bool) -> None:
    if isinstance(kind, h5t.TypeStringID):
        if kind.is_variable_str() and not scalar:
            raise FileError(f"{where} an array of texts of any length.", _HINT)
    elif not isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID):
        raise FileError(f"{where} data of the kind {type(kind).__name__}, which no run file has.", _HINT)


def _attributes(item: Any, name: str, path: str) -> None:
    count = h5a.get_num_attrs(item)
    if count > MOST_ATTRIBUTES:
        raise FileError(f"{name} holds {count} attributes at {path}.", _HINT)
    for index in range(count):
        attribute = h5a.open(item, index=index)
        where = f"{name} holds at {path} the attribute {attribute.name[:40]!r} with"
        if len(attribute.name) > MOST_NAME:
            raise FileError(f"{where} an overlong name.", _HINT)
        kind = attribute.get_type()
        shape = _shape(attribute.get_space(), where)
        if math.prod((kind.get_size(), *shape)) > MOST_ATTRIBUTE:
            raise FileError(f"{where} more than {MOST_ATTRIBUTE >> 10} KiB.", _HINT)
        if attribute.name not in _SCALE_ATTRIBUTES:
            # A short list of texts (the axes of a plot) is the one array of texts there is.
            _type(kind, where, scalar=math.prod(shape) <= MOST_RANK * 4)
        elif isinstance(kind, h5t.TypeOpaqueID):
            raise FileError(f"{where} opaque bytes.", _HINT)


def _address(file: Any, name: bytes) -> int:
    return int(h5o.get_info(file, name).addr)


def _short_text(file: h5py.File, name: str) -> str:
    """Return a root attribute that must be a short text; empty where it is none."""
    raw = name.encode()
    if not h5a.exists(file.id, raw):
        return ""
    attribute = h5a.open(file.id, raw)
    kind = attribute.get_type()
    if (
        not isinstance(kind, h5t.TypeStringID)
        or kind.get_size() > 1024
        or attribute.get_space().get_simple_extent_ndims()
    ):
        return ""
    value = file.attrs[name]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
