"""How long runs took against what was estimated: what turns an estimate into an expectation."""

import math
from statistics import median

from pydantic import BaseModel

KEPT = 20


class History(BaseModel):
    """For each kind of run the last times it took: kind -> [(estimated s or None, taken s)]."""

    kinds: dict[str, list[tuple[float | None, float]]] = {}

    def add(self, kind: str, estimated: float, taken: float) -> None:
        """Take note of a run that finished."""
        known = self.kinds.setdefault(kind, [])
        known.append((estimated if math.isfinite(estimated) and estimated > 0 else None, taken))
        del known[:-KEPT]

    def expected(self, kind: str, estimated: float, *, only_known: bool = False) -> float:
        """Return how long such a run will take (s): the estimate, scaled as such runs took; NaN where unknown.

        `only_known` trusts no estimate alone: that of a simulated bench is of its virtual time.
        """
        known = self.kinds.get(kind, [])
        ratios = [taken / guess for guess, taken in known if guess]
        if math.isfinite(estimated) and estimated > 0:
            return estimated * median(ratios) if ratios else math.nan if only_known else estimated
        return median(taken for _, taken in known) if known else math.nan
