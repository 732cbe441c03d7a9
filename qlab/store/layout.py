"""The layout of the rows: scan points, shots and streams, the same while growing and in the end."""

from datetime import UTC
from typing import Any

import h5py
import numpy as np

from qlab.record import Record, Stream
from qlab.store.columns import Stored, Table, all_stored, dim_names, dimensions
from qlab.store.hdf import chunks, cubes
from qlab.store.names import moment
from qlab.store.storedunits import named, qudt_uri, stored_unit


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
    name = long_name or dataset.name.rpartition("/")[2].replace("_", " ")
    dataset.attrs["long_name"] = named(name, unit)


def scale(group: h5py.Group, name: str, values: Any, unit: str, long_name: str) -> h5py.Dataset:
    """Add a dimension scale over fixed values."""
    dataset = group.create_dataset(name, data=np.ascontiguousarray(values))
    describe(dataset, unit, long_name)
    dataset.make_scale(name)
    return dataset


def create_shots(entry: h5py.Group, record: Record, rows: int, **filters: Any) -> h5py.Group:
    """Add `scan_point` and `shots` with room for `rows` rows; raises OSError where the disk is full."""
    point = _growing_scale(entry, "scan_point", rows, "row, in the order taken", filters)
    point.attrs["target"] = "/entry/scan_point"
    shots = nx_group(entry, "shots", "NXdata")
    # In a common ancestor AND beside the data: netCDF-C refuses the whole file otherwise.
    shots["scan_point"] = point
    _add_columns(shots, record, record, "scan_point", rows, filters)
    _default_plot(shots, record, "scan_point", record.signals[0].of if record.signals else "")
    return shots


def create_stream(entry: h5py.Group, stream: Stream, record: Record, rows: int, **filters: Any) -> h5py.Group:
    """Add a stream as a group with a growing scale of its own."""
    group = nx_group(entry, stream.name, "NXdata")
    _growing_scale(
        group, stream.axis, rows, stream.long_name or f"{stream.axis}, in the order taken", filters
    )
    _add_columns(group, stream, record, stream.axis, rows, filters)
    _default_plot(group, stream, stream.axis, "")
    return group


def _growing_scale(
    parent: h5py.Group, name: str, rows: int, long_name: str, filters: dict[str, Any]
) -> h5py.Dataset:
    axis = parent.create_dataset(
        name, (rows,), "<i8", chunks=chunks((), 8, rows), maxshape=(None,), fillvalue=-1, **filters
    )
    describe(axis, "1", long_name)
    axis.make_scale(name)
    return axis


def _add_columns(
    group: h5py.Group, table: Table, record: Record, axis: str, rows: int, filters: dict[str, Any]
) -> None:
    scales = {
        name: scale(group, name, np.arange(size, dtype="<i4"), "1", f"{name.replace('_', ' ')} number")
        for name, size in dimensions(table).items()
    }
    expected = max(rows, table.expected_rows)
    for item in all_stored(table):
        shape = item.column.shape
        dataset = group.create_dataset(
            item.name, (rows, *shape), item.dtype, maxshape=(None, *shape), **filters,
            chunks=_chunks(shape, item.dtype.itemsize, expected, final=bool(filters)),
        )  # fmt: skip
        _column_attributes(dataset, item, table, record)
        for index, dim in enumerate((axis, *dim_names(item.column))):
            dataset.dims[index].attach_scale(scales[dim] if index else group[axis])


def _chunks(row: tuple[int, ...], itemsize: int, rows: int, *, final: bool) -> tuple[int, ...]:
    # A finished stack of frames is cut into cubes, so that a slice along any axis reads little; while it grows, a
    # frame is written at once.
    if final and len(row) >= 2 and rows > 1:
        return cubes((rows, *row), itemsize)
    return chunks(row, itemsize, rows)


def row_room(record: Table) -> int:
    """Return the most that one hand-over may claim beside its rows: a new chunk in every dataset."""
    items = list(all_stored(record))
    sizes = [
        np.prod(chunks(i.column.shape, i.dtype.itemsize, record.expected_rows)) * i.dtype.itemsize
        for i in items
    ]
    return int(sum(sizes)) + 16 * 1024


def rows_room(table: Table, rows: int) -> int:
    """Return the most that rows about to be written may claim."""
    return rows * (8 + sum(item.row_bytes for item in all_stored(table))) + row_room(table)


def _column_attributes(dataset: h5py.Dataset, item: Stored, table: Table, record: Record) -> None:
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
        beside = [c.name for c in table.columns if c.role in {"setpoint", "time"} and not c.shape]
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


def _default_plot(group: h5py.Group, table: Table, axis: str, wanted: str) -> None:
    order = ("raw", "reduced", "readback", "setpoint", "time", "valid")
    ranked = sorted(all_stored(table), key=lambda i: (i.column.name != wanted, order.index(i.column.role)))
    if not ranked:
        return
    axes = (axis, *dim_names(ranked[0].column))
    group.attrs["signal"] = ranked[0].name
    group.attrs["axes"] = list(axes)
    for index, name in enumerate(axes):
        group.attrs[f"{name}_indices"] = index
