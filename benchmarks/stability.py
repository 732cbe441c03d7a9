"""A stability panel over a million samples: our live update beside the whole computed anew by allantools."""

import allantools
import numpy as np

from benchmarks.timing import row, seconds
from qlab.metrology.stability import LiveDeviations, deviations

COUNT = 1_000_000


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines."""
    y = np.random.default_rng(1).normal(size=COUNT)
    return [*(_live(y, kind) for kind in ("oadev", "mdev", "ohdev")), _whole(y)]


def _theirs(y: np.ndarray, kind: str) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(getattr(allantools, kind)(y, rate=1.0, data_type="freq", taus="octave")[1])


def _live(y: np.ndarray, kind: str) -> tuple[str, ...]:  # type: ignore[type-arg]
    live = LiveDeviations(1.0, kind)
    live.add(y)
    live.result()
    block = y[:5000]

    def update() -> None:
        live.add(block)
        live.result()

    theirs = _theirs(y, kind)
    fresh = deviations(y, 1.0, kind).deviation[: len(theirs)]
    difference = f"{np.max(np.abs(fresh / theirs[: len(fresh)] - 1)):.1e}"
    what = f"{kind}, 5,000 more of 1e6 with intervals, against allantools anew without"
    return row(what, seconds(update, 5), seconds(lambda: _theirs(y, kind), 1), difference)


def _whole(y: np.ndarray) -> tuple[str, ...]:  # type: ignore[type-arg]
    short = y[:100_000]
    ours = seconds(lambda: deviations(short, 1.0, "totdev"), 3)
    theirs = seconds(lambda: _theirs(short, "totdev"), 1)
    return row("totdev of 1e5 with intervals, against allantools without", ours, theirs)
