"""Whether the points of a sweep can tell an oscillation from its aliases."""

from qlab.fits.model import Curve, Variable
from qlab.fits.starts import spacing_and_count

_PER_PERIOD = 3.0
_PER_PARAMETER = 3


def alias_doubts(
    x: Curve, fastest: float, parameters: tuple[Variable, ...], *, told_apart: bool = False
) -> list[str]:
    """Return why an oscillation may be one of its aliases; `fastest` its highest frequency in 1/x.

    At even steps every frequency has aliases that fit as well: only a sweep with points to spare says that the
    slowest is the right one, or something that is known beside the sweep (`told_apart`).
    """
    step, few = spacing_and_count(x)
    if fastest > 0.5 / step * 1.001:
        return ["The oscillation is faster than half the sampling rate (aliased): take smaller steps."]
    if fastest * step * _PER_PERIOD > 1 and not told_apart:
        return ["There are fewer than three points in a period: it may be an alias; take smaller steps."]
    enough = few >= _PER_PARAMETER * len(parameters)
    if not enough and few < _PER_PARAMETER * sum(v.free for v in parameters):
        return [f"An oscillation through {few} points may be an alias of a faster one: take smaller steps."]
    return []
