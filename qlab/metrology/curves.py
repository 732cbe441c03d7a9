"""Curves with a confidence band and limit lines: what a plot, an export or a table can show of a figure over x."""

from dataclasses import dataclass, field, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from qlab.record import StoredCurve, StoredLimit

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Limit:
    """A line to compare a curve with (a quantum limit, a noise floor): y (n,) over x (n,), in the curve's units."""

    label: str
    x: Reals
    y: Reals
    source: str = ""


@dataclass(frozen=True)
class Curve:
    """Values y (n,) over x (n,) with the band from `low` to `high` (n,), which has the probability `confidence`.

    The band need not be symmetric. `definition` and `source` say what y is; `statements` say what was done to
    the data on the way (gaps, outliers, drift), in sentences.
    """

    name: str
    label: str
    x: Reals
    y: Reals
    low: Reals
    high: Reals
    x_label: str = "averaging time"
    x_unit: str = "s"
    unit: str = "1"
    confidence: float = 0.683
    logarithmic: bool = True
    definition: str = ""
    source: str = ""
    limits: tuple[Limit, ...] = ()
    statements: tuple[str, ...] = field(default=())

    def with_limit(self, label: str, x: Reals, y: Reals, source: str = "") -> "Curve":
        """Return this curve with one more line to compare it with."""
        line = Limit(label, np.asarray(x, dtype=float), np.asarray(y, dtype=float), source)
        return replace(self, limits=(*self.limits, line))

    def stored(self) -> StoredCurve:
        """Return this curve as a run's record keeps it."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in ("x", "y", "low", "high"):
            plain[name] = tuple(plain[name].tolist())
        lines = (StoredLimit(label=line.label, x=tuple(line.x.tolist()), y=tuple(line.y.tolist()),
                             source=line.source) for line in self.limits)  # fmt: skip
        return StoredCurve(**{**plain, "limits": tuple(lines)})

    @classmethod
    def of(cls, stored: StoredCurve) -> Self:
        """Return a curve that a run has kept."""
        plain = {f.name: getattr(stored, f.name) for f in fields(cls)}
        for name in ("x", "y", "low", "high"):
            plain[name] = np.array(plain[name], dtype=float)
        lines = (Limit(o.label, np.array(o.x), np.array(o.y), o.source) for o in stored.limits)
        return cls(**{**plain, "limits": tuple(lines)})

    def ratio_to(self, label: str) -> Reals:
        """Return y over the limit of this label, at each x (n,): 1.8 is 1.8 times the limit.

        Between its points a limit is interpolated on logarithmic axes; NaN outside of them.
        """
        line = next(limit for limit in self.limits if limit.label == label)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.interp(np.log(self.x), np.log(line.x), np.log(line.y), left=np.nan, right=np.nan)
            return np.asarray(self.y / np.exp(at))
