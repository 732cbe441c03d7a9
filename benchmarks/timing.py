"""How long a call takes: the median of a few, after one that warms up."""

import statistics
import time
from collections.abc import Callable


def seconds(call: Callable[[], object], times: int = 5) -> float:
    """Return the median duration of a call, in s."""
    call()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def row(what: str, ours: float, theirs: float, difference: object = "") -> tuple[str, ...]:
    """Return one line of the table."""
    return (what, shown(ours), shown(theirs), f"{theirs / ours:.3g} x", str(difference))


def shown(duration: float) -> str:
    """Return a duration with a prefix."""
    return f"{duration * 1e3:.3g} ms" if duration < 1 else f"{duration:.3g} s"
