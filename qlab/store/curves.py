"""The curves of a run in its file: an Allan deviation, a spectrum, each a plot of its own with band and limits."""

import h5py
import numpy as np
from numpy.typing import NDArray

from qlab.record import StoredCurve, StoredLimit
from qlab.store.hdf import reserve
from qlab.store.layout import describe, nx_group, scale
from qlab.store.names import RESERVED, inner
from qlab.store.storedunits import has_root, squared_unit

Reals = NDArray[np.float64]


def write_curves(entry: h5py.Group, curves: tuple[StoredCurve, ...]) -> None:
    """Add an NXdata for each curve: values, half the band as errors, its ends and the limits as further signals."""
    for curve in curves:
        name = inner(curve.name)
        name = f"{name}_curve" if name in entry or name in RESERVED else name
        if name not in entry and len(curve.x):
            _write(entry, name, curve)


def _write(entry: h5py.Group, name: str, curve: StoredCurve) -> None:
    # A half power of Hz has no spelling that all readers take: such a density is stored squared.
    power = 2 if has_root(curve.unit) else 1
    unit = squared_unit(curve.unit) if power == 2 else curve.unit
    label = f"{curve.label}, squared (power density)" if power == 2 else curve.label
    reserve(entry.file, 8 * len(curve.x) * (len(curve.limits) + 6))
    group = nx_group(entry, name, "NXdata")
    axis = scale(group, "x", np.array(curve.x, dtype=float), curve.x_unit, curve.x_label)
    low, high = (np.array(ends, dtype=float) ** power for ends in (curve.low, curve.high))
    parts: dict[str, tuple[Reals, str]] = {
        "y": (np.array(curve.y, dtype=float) ** power, label),
        "y_errors": ((high - low) / 2, f"{label}: half the band of probability {curve.confidence:g}"),
        "low": (low, f"{label}: lower end of the band of probability {curve.confidence:g}"),
        "high": (high, f"{label}: upper end of the band of probability {curve.confidence:g}"),
    }
    for number, limit in enumerate(curve.limits, start=1):
        parts[f"limit_{number}"] = (_limit_at(curve, limit) ** power, limit.label)
    for part, (values, words) in parts.items():
        dataset = group.create_dataset(part, data=values)
        describe(dataset, unit, words)
        dataset.dims[0].attach_scale(axis)
    for number, limit in enumerate(curve.limits, start=1):
        if limit.source:
            group[f"limit_{number}"].attrs["source"] = limit.source
    _say(group, curve, [part for part in parts if part not in {"y", "y_errors"}])


def _say(group: h5py.Group, curve: StoredCurve, beside: list[str]) -> None:
    group["title"] = curve.label
    group.attrs["signal"] = "y"
    group.attrs["axes"] = ["x"]
    group.attrs["x_indices"] = 0
    group.attrs["auxiliary_signals"] = beside
    signal = group["y"]
    signal.attrs["ancillary_variables"] = "y_errors"
    signal.attrs["confidence"] = curve.confidence
    for key in ("definition", "source"):
        if text := getattr(curve, key):
            signal.attrs[key] = text
    if curve.statements:
        signal.attrs["statements"] = " ".join(curve.statements)[:4000]


def _limit_at(curve: StoredCurve, limit: StoredLimit) -> Reals:
    """Return a limit at the curve's places, (n,); NaN outside of it. On logarithmic axes it is a line there."""
    x, at, y = (np.array(values, dtype=float) for values in (curve.x, limit.x, limit.y))
    if not len(at):
        return np.full(len(x), np.nan)
    if not curve.logarithmic:
        return np.asarray(np.interp(x, at, y, left=np.nan, right=np.nan), dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.exp(np.interp(np.log(x), np.log(at), np.log(y), left=np.nan, right=np.nan))
    return np.asarray(found, dtype=float)
