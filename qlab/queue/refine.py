"""Adaptive refinement of a loop: the next value goes where the fit value changes most, beyond its errors."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

FIRST = 5  # evenly spaced values before any refinement


@dataclass(frozen=True)
class Known:
    """One run that has been: at `x` the fit found `y` with error; None where it is not known or not believed."""

    x: float
    y: float | None
    error: float | None = None


def next_value(known: Sequence[Known], low: float, high: float, count: int) -> float:
    """Return the next value of a refinement over `low` to `high` of `count` values in all.

    It begins with up to five evenly spaced values; then the interval with the greatest loss is halved, the loss
    being the length of the step in units of the whole range in both directions (Nijholt et al., Adaptive, Zenodo
    1182437 (2019): the default loss of one dimension). A change of y counts only as far as it exceeds its own
    error, so that noise is not refined; an unknown y counts as no change.
    """
    first = min(FIRST, count)
    if len(known) < first:
        return low + (high - low) * len(known) / (first - 1)
    there = sorted({k.x: k for k in known}.values(), key=lambda k: k.x)
    ys = [k.y for k in there if k.y is not None and math.isfinite(k.y)]
    height = max(ys) - min(ys) if ys else 0.0
    width = high - low

    def loss(a: Known, b: Known) -> float:
        return math.hypot((b.x - a.x) / width, _change(a, b) / height if height > 0 else 0.0)

    a, b = max(itertools.pairwise(there), key=lambda pair: loss(*pair))
    return (a.x + b.x) / 2


def _change(a: Known, b: Known) -> float:
    if a.y is None or b.y is None or not math.isfinite(a.y - b.y):
        return 0.0
    noise = math.hypot(a.error or 0.0, b.error or 0.0)
    return max(abs(b.y - a.y) - noise, 0.0) if math.isfinite(noise) else 0.0
