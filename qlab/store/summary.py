"""What a list of runs shows of a file, and what it is searched by: read from a handful of its objects."""

import base64
import math
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from qlab.record import Record, headline
from qlab.store.guard import guarded
from qlab.store.names import is_part
from qlab.store.opening import glanced, read_record
from qlab.store.raster import HEIGHT, WIDTH
from qlab.store.rows import written_rows


def summary(path: Path) -> dict[str, Any]:
    """Return what a list of runs shows of a file, and what it is searched by."""
    with glanced(path) as file:
        record = read_record(file)
        given = record.bench.get("sample")
        sample = given.get("name", "") if isinstance(given, dict) else ""
        return {
            "id": record.id, "experiment": record.experiment, "title": record.title, "state": record.state,
            "started": record.started, "rows": _rows(file, path), "simulated": record.simulated,
            "figures": {figure.name: figure.value for figure in record.figures},
            "headline": headline(record), "numbers": list(_numbers(record)), "picture": _picture(file),
            "sample": _text_at(file, "sample/name") or str(sample), "operator": _text_at(file, "operator/name"),
            "words": " ".join([record.description, *record.quantum.values(), *_leaves(record.parameters)]),
        }  # fmt: skip


def _rows(file: h5py.File, path: Path) -> int:
    if is_part(path):
        return written_rows(file)
    # In a finished file every place on the axis is a whole row.
    axis = guarded(file, "entry/scan_point")
    return len(axis) if axis is not None and axis.ndim == 1 else 0


def _numbers(record: Record) -> Iterator[tuple[str, str, float, float]]:
    """Yield (name, unit, least, greatest) of each parameter, figure of merit and fitted value."""
    for name, value in record.parameters.items():
        numbers = [float(x) for x in _edges(value) if isinstance(x, int | float) and math.isfinite(x)]
        if numbers:
            yield name, record.units.get(name, "1"), min(numbers), max(numbers)
    for figure in record.figures:
        if math.isfinite(figure.value):
            yield figure.name, figure.unit, figure.value, figure.value
    for fit in record.fits:
        for item in fit.parameters if fit.success else ():
            if math.isfinite(item.value):
                yield item.name, item.unit, item.value, item.value


def _edges(value: Any) -> list[Any]:
    """Return the ends of a parameter: its value, or those of the sweep that it is."""
    if not isinstance(value, dict):
        return [value]
    centre, span = value.get("centre"), value.get("span", 0.0)
    if isinstance(centre, int | float) and isinstance(span, int | float):
        return [centre - span / 2, centre + span / 2]
    listed = value.get("given")
    return list(listed) if isinstance(listed, list | tuple) else [value.get("start"), value.get("stop")]


def _picture(file: h5py.File) -> str:
    """Return the small picture, packed, as text; empty where there is none of the right size."""
    image = guarded(file, "entry/preview/image")
    if image is None or image.shape != (HEIGHT, WIDTH) or image.dtype != np.uint8:
        return ""
    return base64.b64encode(zlib.compress(image[:].tobytes(), 1)).decode("ascii")


def _text_at(file: h5py.File, place: str) -> str:
    item = guarded(file, f"entry/{place}")
    if item is None or item.shape != () or h5py.check_string_dtype(item.dtype) is None:
        return ""
    value = item[()]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _leaves(parameters: dict[str, Any]) -> list[str]:
    return [f"{key} {value}" for key, value in parameters.items() if isinstance(value, str | int | float)]
