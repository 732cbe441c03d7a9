"""Figures of merit of a time series: its stability in a few numbers, with errors."""

import math

import numpy as np
from numpy.typing import ArrayLike

from qlab.metrology.stability.deviations import Deviations, deviations
from qlab.metrology.stability.series import Drift, Kind, Reals
from qlab.record import Figure


def stability_figures(
    values: ArrayLike,
    interval: float,
    *,
    kind: Kind = "frequency",
    unit: str = "1",
    outliers: float | None = None,
    drift: Drift = "none",
    limit: float | None = None,
) -> tuple[Figure, ...]:
    """Return what a time series of values (n,), one each `interval` s, is worth: three or four figures.

    The overlapping Allan deviation at one interval, its floor (the least one with at least 3 degrees of freedom),
    the averaging time of the floor, and where white noise rules the sensitivity σ(τ)·√τ. `limit`: a sensitivity
    to be compared with (unit/√Hz, quantum or shot noise). Errors are half the 68.3 % interval.
    """
    return figures_of(
        deviations(values, interval, kind=kind, outliers=outliers, drift=drift, unit=unit), limit
    )


def figures_of(found: Deviations, limit: float | None = None) -> tuple[Figure, ...]:
    """Return the figures of deviations that somebody has, as `stability_figures`; none where there are none."""
    if not len(found.tau):
        return ()
    half = (found.high - found.low) / 2
    trusted = np.flatnonzero(found.freedom >= 3)
    floor = int(trusted[np.argmin(found.deviation[trusted])]) if len(trusted) else 0
    told = " ".join(found.statements)
    source = "Riley, NIST SP1065 (2008)"
    figures = [
        Figure(
            name="deviation", label=f"{found.label} at {found.tau[0]:.3g} s", value=float(found.deviation[0]),
            error=_finite(half[0]), unit=found.unit, definition=f"{found.kind}. {told}".strip(), source=source,
        ),
        Figure(
            name="deviation_floor", label=f"{found.label}, least", value=float(found.deviation[floor]),
            error=_finite(half[floor]), unit=found.unit,
            definition=f"Least value with 3 degrees of freedom or more; {found.noise[floor].name} noise there.",
            source=source,
        ),
        Figure(
            name="floor_time", label="averaging time of the least", value=float(found.tau[floor]), unit="s",
            definition="Averaging time at which the deviation is least.", source=source,
        ),
    ]  # fmt: skip
    white = [i for i, n in enumerate(found.noise) if n.alpha == 0 and found.freedom[i] >= 10]
    if white and found.kind in {"adev", "oadev", "hdev", "ohdev"}:
        figures += _white(found, white, half, limit)
    return tuple(figures)


def _white(found: Deviations, white: list[int], half: Reals, limit: float | None) -> list[Figure]:
    # All of them see the same noise: the one with the most freedom is as good as their mean.
    best = max(white, key=lambda i: found.freedom[i])
    scale = math.sqrt(found.tau[best])
    unit = f"{found.unit}/sqrt(Hz)" if found.unit != "1" else "1/sqrt(Hz)"
    figures = [
        Figure(
            name="white_noise", label="sensitivity from the deviation", error=_finite(half[best] * scale),
            value=float(found.deviation[best] * scale), unit=unit,
            definition=f"σ(τ)·√τ at {found.tau[best]:.3g} s, where white noise rules.",
            source="Riley, NIST SP1065 (2008)",
        )
    ]  # fmt: skip
    if limit is not None:
        figures.append(
            Figure(
                name="white_noise_limit", label="limit of the sensitivity", value=limit, unit=unit,
                definition="The sensitivity that the model allows.", limit_of="white_noise",
            )
        )  # fmt: skip
    return figures


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
