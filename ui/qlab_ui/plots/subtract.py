"""One curve minus another, with the errors of both."""

import numpy as np

from qlab.errors import UsageError
from qlab_ui.plots.data import Curve, Floats, Label


def subtract(one: Curve, other: Curve) -> Curve:
    """Return `one` minus `other` at the points of `one` that `other` covers.

    Between points of `other` a straight line is taken. Independent errors add in squares; NaN where either has none.
    Raises UsageError where the two have other units or no common range.
    """
    for mine, its in ((one.across, other.across), (one.up, other.up)):
        if mine.unit != its.unit:
            raise UsageError(
                f"{mine.name} ({mine.unit or 'a number'}) and {its.name} ({its.unit or 'a number'}) have other units.",
                "Choose two runs of the same kind.",
            )
    if not len(one.x) or not len(other.x):
        raise UsageError(
            "One of the two runs has no points.", "Choose two runs that have measured something."
        )
    slack = 1e-9 * max(float(np.ptp(other.x)), float(np.abs(other.x).max()))
    inside = (one.x >= other.x[0] - slack) & (one.x <= other.x[-1] + slack)
    if not inside.any():
        raise UsageError("The two runs have no common range.", f"Compare them over {one.across.name} first.")
    x = one.x[inside]
    there = np.interp(x, other.x, other.y)
    variance = _between(x, other.x, other.error**2)
    name = (
        f"difference of {one.up.name}" if one.up.name == other.up.name else f"{one.up.name} − {other.up.name}"
    )
    return Curve(x, one.y[inside] - there, np.sqrt(one.error[inside] ** 2 + variance), one.across,
                 Label(name, one.up.unit))  # fmt: skip


def _between(x: Floats, points: Floats, variance: Floats) -> Floats:
    """Return the variance of the straight line between two points: the squares of its two weights."""
    if len(points) < 2:
        return np.full(len(x), variance[0])
    right = np.clip(np.searchsorted(points, x), 1, len(points) - 1)
    width = points[right] - points[right - 1]
    share = np.clip((x - points[right - 1]) / np.where(width > 0, width, 1.0), 0.0, 1.0)
    return (1 - share) ** 2 * variance[right - 1] + share**2 * variance[right]
