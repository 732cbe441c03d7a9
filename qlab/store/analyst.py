"""A run as an xarray Dataset, the way analysts take it."""

from typing import Any, Literal

import numpy as np

from qlab.errors import UsageError
from qlab.runs import Run
from qlab.store.columns import dim_names, dimensions
from qlab.store.layout import time_attributes
from qlab.store.storedunits import stored_unit


def to_xarray(run: Run, group: Literal["data", "shots"] = "data") -> Any:
    """Return the gridded view ("data") or all rows ("shots") as a Dataset with units and coordinates.

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
        return _shots(run, xarray)
    raise UsageError(f"A run has no group {group!r}.", 'Ask for "data" or "shots".')


def _attributes(unit: str, long_name: str, name: str) -> dict[str, Any]:
    return {"units": stored_unit(unit), "long_name": long_name or name.replace("_", " ")}


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


def _shots(run: Run, xarray: Any) -> Any:
    count = len(run)
    variables: dict[str, Any] = {}
    point = _attributes("1", "row, in the order taken", "scan_point")
    coordinates: dict[str, Any] = {"scan_point": ("scan_point", np.arange(count), point)}
    for name, size in dimensions(run.record).items():
        label = _attributes("1", f"{name.replace('_', ' ')} number", name)
        coordinates[name] = (name, np.arange(size, dtype="i4"), label)
    for column in run.record.columns:
        dims = ("scan_point", *dim_names(column))
        attributes = _attributes(column.unit, column.long_name, column.name)
        if column.role == "time":
            attributes |= time_attributes(run.record)
        beside = column.role in {"setpoint", "time"} and not column.shape
        (coordinates if beside else variables)[column.name] = (
            dims,
            run.rows.column(column.name)[:count],
            attributes,
        )
    dataset = xarray.Dataset(variables, coordinates, _general(run))
    return xarray.decode_cf(dataset)
