"""The plots of a finished file: `/entry/data` and one group per further signal, derived from the rows."""

import h5py
import numpy as np

from qlab.errors import QlabError
from qlab.grid import Grid, Rows, grid
from qlab.record import Axis, Record
from qlab.store.hdf import cubes, reserve
from qlab.store.layout import describe, nx_group, scale
from qlab.store.names import RESERVED, inner
from qlab.store.raster import thumbnail

_MOST_POINTS = 150_000_000  # what a machine with 16 GB derives; the rows themselves have no limit
_SLICED = 100_000


def write_views(entry: h5py.Group, record: Record, rows: Rows) -> list[str]:
    """Add the gridded view of each signal; return one line for each that could not be derived.

    Rows come first: a view that fails must not keep them out of their file.
    """
    missing: list[str] = []
    for index, signal in enumerate(record.signals):
        try:
            if _too_large(record):
                raise ValueError("the planned grid is too large")
            view = grid(record, rows, signal.name)
        except (QlabError, ValueError, LookupError, TypeError, MemoryError) as error:
            missing.append(f"The view of {signal.name} could not be derived: {error}")
            continue
        if view.value.size:
            _write_view(entry, _group_name(entry, signal.name) if index else "data", view)
    return missing


def _too_large(record: Record) -> bool:
    return float(np.prod([len(axis.values) or 1 for axis in record.axes], dtype=float)) > _MOST_POINTS


def _group_name(entry: h5py.Group, signal: str) -> str:
    name = inner(signal)
    return f"{name}_view" if name in entry or name in RESERVED else name


def _write_view(entry: h5py.Group, name: str, view: Grid) -> None:
    signal = view.signal
    reserve(entry.file, 2 * view.value.nbytes + 8 * sum(len(v) for _, v in view.axes))
    group = nx_group(entry, name, "NXdata")
    axes = view.axes or ((Axis(name="point", long_name="point"), np.arange(1.0)),)
    scales = [scale(group, axis.name, values, axis.unit, axis.long_name) for axis, values in axes]
    label = signal.long_name or signal.name.replace("_", " ")
    # In cubes, so that a slice along any axis reads little; not packed, because unpacking is what would take long.
    large = view.value.ndim >= 3 and view.value.size > _SLICED
    layout = {"chunks": cubes(view.value.shape, 8)} if large else {}
    value = group.create_dataset(signal.name, data=view.value, **layout)
    error = group.create_dataset(f"{signal.name}_errors", data=view.error, **layout)
    describe(value, signal.unit, label)
    describe(error, signal.unit, f"{label}: one standard deviation (k=1)")
    value.attrs["ancillary_variables"] = f"{signal.name}_errors"
    value.attrs["derived_by"] = f"{signal.rule} of {signal.of}" + (
        f" over {signal.per}" if signal.per else ""
    )
    for dataset in (value, error):
        for index, axis in enumerate(scales):
            dataset.dims[index].attach_scale(axis)
    group.attrs["signal"] = signal.name
    group.attrs["axes"] = [axis.name for axis, _ in axes]
    for index, (axis, _) in enumerate(axes):
        group.attrs[f"{axis.name}_indices"] = index


def write_thumbnail(entry: h5py.Group, record: Record, rows: Rows) -> None:
    """Add a small picture of the default plot; nothing where it cannot be drawn, which costs no row."""
    try:
        if not record.signals or _too_large(record):
            return
        picture = thumbnail(grid(record, rows, record.signals[0].name))
    except (QlabError, ValueError, LookupError, TypeError, MemoryError, FloatingPointError):
        return
    if picture is None:
        return
    reserve(entry.file, picture.nbytes)
    # Not "thumbnail": NeXus keeps that name for a note with an image file in it, and nxcheck objects.
    group = nx_group(entry, "preview", "NXdata")
    image = group.create_dataset("image", data=picture)
    describe(image, "1", "picture of the default plot, 0 black to 255 white")
    for index, (name, size) in enumerate(zip(("row", "column"), picture.shape, strict=True)):
        axis = scale(group, name, np.arange(size, dtype="<i4"), "1", f"{name} of the picture")
        image.dims[index].attach_scale(axis)
        group.attrs[f"{name}_indices"] = index
    group.attrs["signal"] = "image"
    group.attrs["axes"] = ["row", "column"]
