"""The layout of the rows: `/entry/scan_point` and `/entry/shots`, the same while growing and in the end."""

from datetime import UTC
from typing import Any

import h5py
import numpy as np

from qlab.record import Record
from qlab.store.columns import Stored, all_stored, dim_names, dimensions
from qlab.store.hdf import chunks, reserve
from qlab.store.names import moment
from qlab.store.storedunits import qudt_uri, stored_unit


def nx_group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    """Add a group of a NeXus class."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group


def number(group: h5py.Group, name: str, value: Any, unit: str, long_name: str) -> h5py.Dataset:
    """Add one number with its unit."""
    dataset = group.create_dataset(name, data=value)
    describe(dataset, unit, long_name)
    return dataset


def describe(dataset: h5py.Dataset, unit: str, long_name: str) -> None:
    """Give a dataset its unit and the name that people read."""
    dataset.attrs["units"] = stored_unit(unit)
    dataset.attrs["long_name"] = long_name or dataset.name.rpartition("/")[2].replace("_", " ")


def scale(group: h5py.Group, name: str, values: Any, unit: str, long_name: str) -> h5py.Dataset:
    """Add a dimension scale over fixed values."""
    dataset = group.create_dataset(name, data=np.ascontiguousarray(values))
    describe(dataset, unit, long_name)
    dataset.make_scale(name)
    return dataset


def create_shots(entry: h5py.Group, record: Record, rows: int, **filters: Any) -> h5py.Group:
    """Add `scan_point` and `shots` with room for `rows` rows; raises OSError where the disk is full."""
    point = entry.create_dataset(
        "scan_point", (rows,), "<i8", chunks=chunks((), 8, rows), maxshape=(None,), fillvalue=-1, **filters
    )
    describe(point, "1", "row, in the order taken")
    point.attrs["target"] = "/entry/scan_point"
    point.make_scale("scan_point")
    shots = nx_group(entry, "shots", "NXdata")
    # In a common ancestor AND beside the data: netCDF-C refuses the whole file otherwise.
    shots["scan_point"] = point
    scales = {
        name: scale(shots, name, np.arange(size, dtype="<i4"), "1", f"{name.replace('_', ' ')} number")
        for name, size in dimensions(record).items()
    }
    expected = max(rows, record.expected_rows)
    for item in all_stored(record):
        shape = item.column.shape
        dataset = shots.create_dataset(
            item.name, (rows, *shape), item.dtype, chunks=chunks(shape, item.dtype.itemsize, expected),
            maxshape=(None, *shape), **filters,
        )  # fmt: skip
        _column_attributes(dataset, item, record)
        for index, dim in enumerate(("scan_point", *dim_names(item.column))):
            dataset.dims[index].attach_scale(scales[dim] if index else point)
    _default_plot(shots, record)
    return shots


def row_room(record: Record) -> int:
    """Return the most that one hand-over may claim beside its rows: a new chunk in every dataset."""
    items = list(all_stored(record))
    sizes = [
        np.prod(chunks(i.column.shape, i.dtype.itemsize, record.expected_rows)) * i.dtype.itemsize
        for i in items
    ]
    return int(sum(sizes)) + 16 * 1024


def reserve_rows(file: h5py.File, record: Record, rows: int, extra: int = 0) -> None:
    """Claim room for rows about to be written; raises OSError where there is none."""
    width = 8 + sum(item.row_bytes for item in all_stored(record))
    reserve(file, rows * width + row_room(record) + extra)


def _column_attributes(dataset: h5py.Dataset, item: Stored, record: Record) -> None:
    column = item.column
    describe(dataset, column.unit, column.long_name)
    if uri := qudt_uri(stored_unit(column.unit)):
        dataset.attrs["units_uri"] = uri
    dataset.attrs["role"] = column.role
    if item.part:
        other = "imag" if item.part == "real" else "real"
        dataset.attrs["complex_part"] = item.part
        dataset.attrs["complex_name"] = column.name
        dataset.attrs["complex_partner"] = f"{column.name}_{other}"
    if item.dtype == np.dtype("i1") and (column.role == "valid" or column.dtype in {"b1", "?", "bool"}):
        dataset.attrs["flag_values"] = np.array([0, 1], dtype="i1")
        dataset.attrs["flag_meanings"] = "rejected accepted" if column.role == "valid" else "false true"
    if column.role == "time":
        dataset.attrs.update(time_attributes(record))
        del dataset.attrs["units_uri"]
    elif column.role in {"raw", "reduced"}:
        beside = [c.name for c in record.columns if c.role in {"setpoint", "time"} and not c.shape]
        if beside:
            dataset.attrs["coordinates"] = " ".join(beside)


def time_attributes(record: Record) -> dict[str, str]:
    """Return the CF attributes of a time column: seconds since the start of the run, in UTC."""
    started = moment(record.started)
    origin = started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") if started else "1970-01-01T00:00:00"
    return {
        "units": f"seconds since {origin}+00:00",
        "calendar": "proleptic_gregorian",
        "standard_name": "time",
        "units_metadata": "leap_seconds: utc",
    }


def _default_plot(shots: h5py.Group, record: Record) -> None:
    item = _main_dataset(record)
    if item is None:
        return
    axes = ("scan_point", *dim_names(item.column))
    shots.attrs["signal"] = item.name
    shots.attrs["axes"] = list(axes)
    for index, axis in enumerate(axes):
        shots.attrs[f"{axis}_indices"] = index


def _main_dataset(record: Record) -> Stored | None:
    wanted = record.signals[0].of if record.signals else ""
    order = ("raw", "reduced", "readback", "setpoint", "time", "valid")
    ranked = sorted(all_stored(record), key=lambda i: (i.column.name != wanted, order.index(i.column.role)))
    return ranked[0] if ranked else None
