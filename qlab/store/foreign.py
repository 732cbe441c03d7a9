"""Files that are not ours: any HDF5 file with an NXdata or plain arrays, as a run to look at."""

import base64
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from qlab.errors import FileError
from qlab.grid import MemoryRows
from qlab.record import Axis, Column, Record, Signal
from qlab.runs import Run
from qlab.store.child import ask
from qlab.store.guard import MOST_CHUNK, MOST_DEPTH, MOST_OBJECTS, check_signature
from qlab.store.names import inner

SECONDS = 30.0
MOST_POINTS = 2_000_000  # of one array
MOST_SIGNALS = 12
_HINT = "Only numbers that stand in the file itself are shown."


@dataclass(frozen=True)
class _Found:
    """An array that can be plotted, and its axes: (name, unit, values)."""

    path: str
    data: h5py.Dataset
    axes: tuple[tuple[str, str, NDArray[Any]], ...]
    rank: int  # how surely it is what the file is about


def open_foreign(path: Path) -> Run:
    """Return a run-like view of the main plot of a file that qlab did not write; nothing is ever written.

    The default NXdata of a NeXus file, else the largest array of numbers, with the axes that the file names or that
    have the right length; arrays of the same shape in its group are further signals. Raises FileError with the reason
    where there is nothing to show.
    """
    check_signature(path)
    told = ask("foreign", path, SECONDS)
    columns = {
        name: np.frombuffer(base64.b64decode(raw), dtype="<f8") for name, raw in told["columns"].items()
    }
    axes = tuple(Axis(name=n, unit=u, long_name=label) for n, u, label in told["axes"])
    shown = tuple(Column(name=n, unit=u, long_name=label) for n, u, label in told["signals"])
    record = Record(
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{path.absolute()}#{path.stat().st_mtime_ns}")),
        experiment="file", title=path.name, parameters={}, description=told["said"], state="finished",
        columns=(
            *(Column(name=a.name, unit=a.unit, long_name=a.long_name, role="setpoint") for a in axes),
            *shown,
        ),
        axes=axes,
        signals=tuple(Signal(name=f"{c.name}_view", unit=c.unit, long_name=c.long_name, of=c.name) for c in shown),
    )  # fmt: skip
    return Run(record, MemoryRows(columns), path)


def look(path: Path) -> dict[str, Any]:
    """Return the main plot of a file as plain data; runs in the child process."""
    try:
        opened = h5py.File(path, "r", locking="best-effort")
    except OSError as error:
        why = (str(error).splitlines() or [""])[0][:160]
        raise FileError(f"{path.name} cannot be opened: {why}.", "It is damaged or cut short.") from error
    with opened as file:
        refused: list[str] = []
        found = [item for item in _arrays(file, refused) if item.data.size]
        if not found:
            why = f" {refused[0]}" if refused else ""
            raise FileError(f"{path.name} holds no array of numbers that can be shown.{why}", _HINT)
        best = max(found, key=lambda item: (item.rank, item.data.size, not _rising(item.data)))
        home, axes = best.data.parent, {name for name, _, _ in best.axes}
        alike = [
            f for f in found
            if f.data.shape == best.data.shape and f.data.parent == home
            and f.path != best.path and f.path.rpartition("/")[2] not in axes
        ]  # fmt: skip
        return _told(best, alike, len(found), refused)


def _rising(item: h5py.Dataset) -> bool:
    """Tell whether an array is more likely an axis: one line of numbers that only rise or only fall."""
    if item.ndim != 1 or not 1 < item.size <= MOST_POINTS or item.dtype.kind not in "iuf":
        return False
    steps = np.diff(np.asarray(item[:], dtype=float))
    return bool((steps > 0).all() or (steps < 0).all())


def _told(found: _Found, alike: list[_Found], count: int, refused: list[str]) -> dict[str, Any]:
    # Every so many points along the longest axes, so that no file is too large to look at.
    steps = [1] * found.data.ndim
    shape = list(found.data.shape)
    while int(np.prod([-(-n // s) for n, s in zip(shape, steps, strict=True)])) > MOST_POINTS:
        longest = max(range(len(shape)), key=lambda i: -(-shape[i] // steps[i]))
        steps[longest] *= 2
    names: list[str] = []
    for path in (*(name for name, _, _ in found.axes), found.path, *(other.path for other in alike)):
        plain = inner(path.rpartition("/")[2])
        names.append(plain if plain not in names else f"{plain}_{len(names)}")
    names, given = names[: len(found.axes)], names[len(found.axes) :]
    signals: list[tuple[str, str, str]] = []
    values: dict[str, NDArray[Any]] = {}
    room = 2 * MOST_POINTS  # of all
    for name, one in zip(given, (found, *alike), strict=True):
        part = np.asarray(one.data[tuple(slice(None, None, s) for s in steps)])
        room -= part.size
        if signals and (room < 0 or len(signals) == MOST_SIGNALS):
            break
        values[name] = np.abs(part) if part.dtype.kind == "c" else part
        signals.append((name, _text(one.data, "units") or "1", _text(one.data, "long_name") or one.path))
    grids = np.meshgrid(*(a[2][::s] for a, s in zip(found.axes, steps, strict=True)), indexing="ij")
    columns = dict(zip(names, grids, strict=True)) | values
    more = f" and {len(signals) - 1} like it" if len(signals) > 1 else ""
    said = [f"{found.path}{more} of {count} arrays that can be shown."]
    if max(steps) > 1:
        said.append(f"Every {'x'.join(map(str, steps))}th point is shown.")
    return {
        "signals": signals,
        "axes": [(name, a[1], a[0]) for name, a in zip(names, found.axes, strict=True)],
        "columns": {
            name: base64.b64encode(np.ascontiguousarray(v, dtype="<f8").tobytes()).decode("ascii")
            for name, v in columns.items()
        },
        "said": " ".join([*said, *refused[:3]]),
    }  # fmt: skip


def _arrays(file: h5py.File, refused: list[str]) -> Iterator[_Found]:
    """Yield the arrays of a file; links out of it and what cannot be read safely are told in `refused`."""
    seen: set[int] = set()
    preferred = _default_path(file)
    pending: list[tuple[h5py.Group, int]] = [(file["/"], 0)]
    while pending:
        group, depth = pending.pop()
        for name in list(group)[:MOST_OBJECTS]:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                if isinstance(link, h5py.ExternalLink):
                    refused.append(f"{name} points into another file, which was not followed.")
                continue
            item = group[name]
            address = int(h5py.h5o.get_info(item.id).addr)
            if address in seen or len(seen) > MOST_OBJECTS:
                continue
            seen.add(address)
            if isinstance(item, h5py.Group) and depth < MOST_DEPTH:
                pending.append((item, depth + 1))
            elif isinstance(item, h5py.Dataset) and (why := _unfit(item)) is None:
                is_signal = _text(group, "signal") == name
                rank = 2 * is_signal + (is_signal and group.name == preferred) - bool(item.is_scale)
                yield _Found(item.name or name, item, tuple(_axes(group, item)), rank)
            elif isinstance(item, h5py.Dataset) and why:
                refused.append(f"{name} {why}.")


def _unfit(item: h5py.Dataset) -> str | None:
    """Return why a dataset is not shown; empty where it is simply no array of numbers."""
    if item.dtype.kind not in "iufcb" or item.ndim == 0 or item.ndim > 8 or item.shape is None:
        return ""
    if item.is_virtual or item.external:
        return "is borrowed from other files"
    if item.chunks and int(np.prod(item.chunks, dtype=object)) * item.dtype.itemsize > MOST_CHUNK:
        return "comes in chunks that are too large"
    if item.nbytes > 1 << 40 or (
        item.nbytes > 64 << 20 and item.nbytes > 1000 * max(item.id.get_storage_size(), 1)
    ):
        return "claims to be far larger than it is"
    return None


def _axes(group: h5py.Group, item: h5py.Dataset) -> Iterator[tuple[str, str, NDArray[Any]]]:
    """Yield an axis for each dimension: named by the group, attached as a scale, of the right length, or a count."""
    named = np.atleast_1d(group.attrs.get("axes", ()))
    names = [n.decode("utf-8", "replace") if isinstance(n, bytes) else str(n) for n in named.ravel()]
    if len(names) == 1:
        names = names[0].replace(",", ":").split(":")
    used: set[str] = set()
    for index, size in enumerate(item.shape):
        candidates = [names[index]] if _text(group, "signal") and index < len(names) else []
        candidates += _scales(item, index)
        others = [n for n in list(group)[:64] if n != (item.name or "").rpartition("/")[2]]
        candidates += sorted(others, key=lambda n: not _fits(group, n, size))
        for name in candidates:
            link = group.get(name, getlink=True) if name in group else None
            axis = group[name] if isinstance(link, h5py.HardLink) else None
            if (
                name in used
                or not isinstance(axis, h5py.Dataset)
                or axis.shape != (size,)
                or _unfit(axis) is not None
            ):
                continue
            values = np.asarray(axis[:])
            if values.dtype.kind in "iuf" and len(np.unique(values)) == size:
                used.add(name)
                yield name, _text(axis, "units") or "1", values.astype(float)
                break
        else:
            yield f"index_{index}", "1", np.arange(float(size))


def _fits(group: h5py.Group, name: str, size: int) -> bool:
    """Tell whether something in a group looks like an axis of so many points."""
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return False
    item = group[name]
    return isinstance(item, h5py.Dataset) and item.shape == (size,) and not _unfit(item) and _rising(item)


def _scales(item: h5py.Dataset, index: int) -> list[str]:
    """Return the names of the scales of a dimension; none where what should name them is damaged."""
    # Not by `item.dims`: HDF5 dies of a reference to something that is no longer there.
    names: list[str] = []
    try:
        listed = item.attrs.get("DIMENSION_LIST", ())
        for reference in listed[index] if len(listed) == item.ndim else ():
            scale = item.file[reference] if isinstance(reference, h5py.Reference) and reference else None
            if isinstance(scale, h5py.Dataset):
                names.append(str(scale.name).rpartition("/")[2])
    except (OSError, RuntimeError, TypeError, ValueError, KeyError, IndexError):
        return names
    return names


def _default_path(file: h5py.File) -> str:
    """Return the path of the plot that a NeXus file names as its default."""
    group: Any = file
    for _ in range(4):
        name = _text(group, "default")
        if not name or name not in group or not isinstance(group.get(name, getlink=True), h5py.HardLink):
            break
        group = group[name]
        if not isinstance(group, h5py.Group):
            return ""
    return str(group.name)


def _text(item: Any, name: str) -> str:
    try:
        value = item.attrs.get(name, "")
    except (OSError, TypeError, ValueError, RuntimeError):
        return ""
    if isinstance(value, np.ndarray):
        value = value.ravel()[0] if value.size == 1 else ""
    text = (
        value.decode("utf-8", "replace")
        if isinstance(value, bytes)
        else value
        if isinstance(value, str)
        else ""
    )
    return text[:200]
