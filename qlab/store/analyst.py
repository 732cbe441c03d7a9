"""A run as an xarray Dataset, the way analysts take it."""

from typing import Any

import numpy as np

from qlab.errors import UsageError
from qlab.grid import Rows
from qlab.runs import Run
from qlab.store.columns import Table, dim_names, dimensions
from qlab.store.layout import time_attributes
from qlab.store.storedunits import named, stored_unit


def to_xarray(run: Run, group: str = "data") -> Any:
    """Return the gridded view ("data"), all rows ("shots") or a stream as a Dataset with units and coordinates.

    Raises UsageError where xarray is not installed or there is no such group.
    """
    try:
        import xarray
    except ImportError as error:
        raise UsageError(
            "xarray is not installed.", 'Install the extra: pip install "qlab-metrology[xarray]".'
        ) from error
    if group == "data":
        return _data(run, xarray)
    if group == "shots":
        return _shots(run, run.rows, run.record, "scan_point", xarray)
    for stream in run.record.streams:
        if stream.name == group and group in run.streams:
            return _shots(run, run.streams[group], stream, stream.axis, xarray)
    names = ", ".join(["data", "shots", *run.streams])
    raise UsageError(f"A run has no group {group!r}.", f"There are: {names}.")


def _attributes(unit: str, long_name: str, name: str) -> dict[str, Any]:
    return {"units": stored_unit(unit), "long_name": named(long_name or name.replace("_", " "), unit)}


def _general(run: Run) -> dict[str, Any]:
    record = run.record
    return {"id": record.id, "experiment": record.experiment, "title": record.title, "state": record.state}


def _data(run: Run, xarray: Any) -> Any:
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for signal in run.record.signals:
        view = run.grid(signal.name)
        dims = [axis.name for axis, _ in view.axes] or ["point"]
        for axis, values in view.axes:
            coordinates[axis.name] = (axis.name, values, _attributes(axis.unit, axis.long_name, axis.name))
        label = _attributes(signal.unit, signal.long_name, signal.name)
        variables[signal.name] = (dims, view.value, label)
        spread = {**label, "long_name": f"{label['long_name']}: one standard deviation"}
        variables[f"{signal.name}_errors"] = (dims, view.error, spread)
    return xarray.Dataset(variables, coordinates, _general(run))


def _shots(run: Run, rows: Rows, table: Table, axis: str, xarray: Any) -> Any:
    count = len(rows)
    variables: dict[str, Any] = {}
    point = _attributes("1", f"{'row' if axis == 'scan_point' else axis}, in the order taken", axis)
    coordinates: dict[str, Any] = {axis: (axis, np.arange(count), point)}
    for name, size in dimensions(table).items():
        label = _attributes("1", f"{name.replace('_', ' ')} number", name)
        coordinates[name] = (name, np.arange(size, dtype="i4"), label)
    for column in table.columns:
        dims = (axis, *dim_names(column))
        attributes = _attributes(column.unit, column.long_name, column.name)
        if column.role == "time":
            attributes |= time_attributes(run.record)
        beside = column.role in {"setpoint", "time"} and not column.shape
        (coordinates if beside else variables)[column.name] = (
            dims,
            rows.column(column.name)[:count],
            attributes,
        )
    return xarray.decode_cf(xarray.Dataset(variables, coordinates, _general(run)))
