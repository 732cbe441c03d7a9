"""The groups beside the data: devices, process, documents, fits, figures, log, quantum, access."""

import math
from typing import Any

import h5py
import numpy as np

from qlab.record import Figure, FitParameter, FitResult, Record
from qlab.store.document import dump
from qlab.store.hdf import document, fixed, reserve
from qlab.store.layout import describe, number, nx_group, scale
from qlab.store.metadata import NEXUS, PROGRAM_URL, version
from qlab.store.mirrors import device_group
from qlab.store.names import inner, moment
from qlab.store.storedunits import has_root, squared_unit

_LEVELS = {"debug": 0, "info": 1, "warning": 2, "error": 3}


def write_entry_fields(entry: h5py.Group, record: Record) -> None:
    """Write what NXentry and NXsensor_scan ask of the entry itself."""
    entry["definition"] = "NXsensor_scan"
    entry["definition"].attrs["version"] = NEXUS
    entry["definition"].attrs["URL"] = (
        "https://manual.nexusformat.org/classes/contributed_definitions/NXsensor_scan.html"
    )
    if record.started:
        entry["start_time"] = record.started
    if record.ended:
        entry["end_time"] = record.ended
    entry["entry_identifier_uuid"] = record.id
    entry["entry_identifier_uuid"].attrs["version"] = "4"
    for name in ("identifier_experiment", "experiment_identifier"):
        entry[name] = f"urn:uuid:{record.id}"
        entry[name].attrs["type"] = "URN"
    entry["program_name"] = "qlab"
    entry["program_name"].attrs["version"] = version()


def write_groups(entry: h5py.Group, record: Record) -> None:
    """Write all groups that the record has something to say for."""
    _instrument(entry, record)
    process = nx_group(entry, "process", "NXprocess")
    process["program"] = "qlab"
    process["program"].attrs["version"] = version()
    process["program"].attrs["program_url"] = PROGRAM_URL
    process["version"] = version()
    number(process, "sequence_index", 1, "1", "place in the processing")
    if record.ended:
        process["date"] = record.ended
    document(process, "environment", dump(record.software), "application/json")
    bench = {"bench": record.bench, "changes": record.changes, "after": record.bench_after}
    document(entry, "bench", dump(bench), "application/json")
    if record.calibrations:
        _calibrations(entry, record.calibrations)
    for index, fit in enumerate(record.fits, start=1):
        _analysis(entry, f"analysis_{index}", fit)
    if record.figures:
        _figures(entry, record.figures)
    if record.log:
        _log(entry, record)
    if record.notes or record.tags or record.star:
        note = document(entry, "notes", record.notes.encode("utf-8", "replace"), "text/plain")
        note["tags"] = ", ".join(record.tags)
        note.attrs["star"] = int(record.star)


def _instrument(entry: h5py.Group, record: Record) -> None:
    instrument = nx_group(entry, "instrument", "NXinstrument")
    instrument["name"] = str(record.bench.get("name", "") or "bench")
    environment = nx_group(instrument, "environment", "NXenvironment")
    environment["name"] = "measurement"
    setpoints = [c.name for c in record.columns if c.role == "setpoint"]
    sensors = [c for c in record.columns if c.role in {"raw", "readback"} and not c.shape]
    sensors = [c for c in sensors if c.name in entry["shots"]]
    environment["independent_controllers"] = ", ".join(setpoints)
    environment["measurement_sensors"] = ", ".join(c.name for c in sensors)
    for column in sensors:
        if entry["shots"][column.name].dtype.kind != "f":
            continue  # an NXsensor takes floats only: counts stay where they are, whole numbers
        name = column.name if column.name not in environment else f"{column.name}_sensor"
        sensor = nx_group(environment, name, "NXsensor")
        sensor["name"] = column.name
        sensor["value"] = entry["shots"][column.name]
    devices = record.bench.get("instruments", {})
    for name, options in devices.items() if isinstance(devices, dict) else ():
        inside = device_group(str(name))
        if inside in instrument:
            continue
        device = nx_group(instrument, inside, "NXsensor")
        document(device, "settings", dump(options), "application/json")


def _analysis(entry: h5py.Group, name: str, fit: FitResult) -> None:
    group = nx_group(entry, name, "NXprocess")
    group["program"] = "qlab"
    group["program"].attrs["version"] = version()
    group["program"].attrs["program_url"] = PROGRAM_URL
    group["model"] = fit.model
    group["fitted_signal"] = fit.signal
    group["status"] = "success" if fit.success else "failed"
    if fit.message:
        group["message"] = fit.message
    values = nx_group(group, "parameters", "NXcollection")
    for parameter in fit.parameters:
        _quantity(values, parameter)
    number(group, "chi_squared", fit.chi2, "1", "chi squared")
    number(group, "degrees_of_freedom", fit.degrees_of_freedom, "1", "degrees of freedom")
    if fit.covariance:
        matrix = np.array(fit.covariance, dtype=float)
        rows, columns = (scale(group, f"free_{k}", np.arange(n), "1", f"free parameter ({k})")
                         for k, n in zip(("row", "column"), matrix.shape, strict=True))  # fmt: skip
        covariance = group.create_dataset("covariance", data=matrix)
        describe(covariance, "1", "covariance of the free parameters, each in its SI unit")
        covariance.attrs["parameters"] = " ".join(fit.free)
        covariance.dims[0].attach_scale(rows)
        covariance.dims[1].attach_scale(columns)
    document(group, "result", dump(fit), "application/json")


def _figures(entry: h5py.Group, figures: tuple[Figure, ...]) -> None:
    collection = nx_group(entry, "figures", "NXcollection")
    for figure in figures:
        name = inner(figure.name)
        if name in collection:
            continue
        group = nx_group(collection, name, "NXcollection")
        _quantity(group, figure, "value")
        for key in ("label", "definition", "source", "limit_of"):
            if text := getattr(figure, key):
                group[key] = text


def _calibrations(entry: h5py.Group, calibrations: tuple[dict[str, Any], ...]) -> None:
    """Write the calibrations used: value, error, date, validity and the run that each comes from."""
    collection = nx_group(entry, "calibrations", "NXcollection")
    for item in calibrations:
        name = inner(str(item.get("name", "calibration")))
        if name in collection or not isinstance(item.get("value"), int | float):
            continue
        group = nx_group(collection, name, "NXcollection")
        error = item.get("error")
        known = FitParameter(
            name=name, label=str(item.get("label", "") or name), value=float(item["value"]),
            error=float(error) if isinstance(error, int | float) else None, unit=str(item.get("unit", "1")),
        )  # fmt: skip
        _quantity(group, known, "value")
        for key in ("date", "valid_until", "run", "knob", "source"):
            if text := item.get(key):
                group[key] = str(text)
        if isinstance(item.get("expired"), bool):
            group.attrs["expired"] = int(item["expired"])


def _quantity(group: h5py.Group, item: Figure | FitParameter, name: str = "") -> None:
    """Write a value with its error; one with a half power in its unit as its square (a density)."""
    name = name or inner(item.name)
    if name in group:
        return
    value, error, unit = item.value, item.error, item.unit
    label = item.label or item.name
    if has_root(unit):
        shown = f"{item.value:.6g} {item.unit}"
        error = None if error is None else 2 * abs(value) * error
        value, unit, label = value * value, squared_unit(unit), f"{label}, squared (power density)"
    dataset = number(group, name, value, unit, label)
    if has_root(item.unit):
        dataset.attrs["shown_as"] = shown
    if error is not None:
        number(group, f"{name}_errors", error, unit, f"{label}: one standard deviation (k=1)")


def _log(entry: h5py.Group, record: Record) -> None:
    group = nx_group(entry, "log", "NXcollection")
    reserve(entry.file, 300 * len(record.log))
    line = scale(group, "line", np.arange(len(record.log), dtype="<i4"), "1", "line of the log")
    text = h5py.string_dtype("utf-8", 256)
    columns = {
        "time": np.array([_seconds(item, record) for item in record.log], dtype="<f8"),
        "level": np.array(
            [_LEVELS.get(str(item.get("level", "info")), 1) for item in record.log], dtype="i1"
        ),
        "message": np.array([fixed(str(item.get("message", "")), 256) for item in record.log], dtype=text),
    }
    for name, values in columns.items():
        dataset = group.create_dataset(name, data=values)
        dataset.dims[0].attach_scale(line)
    describe(group["time"], "s", "time since the start of the run")
    describe(group["level"], "1", "level")
    group["level"].attrs["flag_values"] = np.array(list(_LEVELS.values()), dtype="i1")
    group["level"].attrs["flag_meanings"] = " ".join(_LEVELS)
    group["message"].attrs["long_name"] = "message"


def _seconds(item: dict[str, Any], record: Record) -> float:
    given = item.get("time", item.get("t", math.nan))
    if isinstance(given, int | float):
        return float(given)
    at, started = moment(str(given)), moment(record.started)
    return (at - started).total_seconds() if at and started else math.nan
