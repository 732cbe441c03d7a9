"""The overlapping Allan deviation of a locked clock, and what it says at one second."""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def overlapping_allan(y: Floats, cycle: float, factors: Floats) -> tuple[Floats, Floats]:
    """Return averaging times m*cycle and the overlapping Allan deviations of frequencies y; (m,), (m,).

    sigma^2(m tau0) = sum (x_(k+2m) - 2 x_(k+m) + x_k)^2/(2 (m tau0)^2 (N - 2m + 1)) (NIST SP1065, eq. 11).
    """
    x = np.concatenate([[0.0], np.cumsum(y) * cycle])
    sizes = [int(m) for m in factors if 2 * int(m) < len(x)]
    variance = [
        float(np.mean((x[2 * m :] - 2 * x[m:-m] + x[: -2 * m]) ** 2)) / (2 * (m * cycle) ** 2) for m in sizes
    ]
    return cycle * np.array(sizes), np.sqrt(variance)


def at_one_second(y: Floats, cycle: float, shortest: float, longest: float) -> tuple[float, float]:
    """Return sigma_y(1 s) of white frequency noise, from averaging times in a range, and its error.

    Each time m tau0 has about N/m independent differences; the longer ones say little and weigh little.
    """
    factors = np.unique(np.geomspace(shortest / cycle, longest / cycle, 12).astype(int))
    tau, sigma = overlapping_allan(y, cycle, factors[factors > 0])
    if not len(tau):
        return math.nan, math.nan
    pairs = len(y) * cycle / tau
    scaled = sigma * np.sqrt(tau)
    mean = float(np.average(scaled, weights=pairs))
    # The shortest time alone has as many degrees of freedom as all together: the others overlap it.
    return mean, mean / math.sqrt(2 * pairs.max() * 0.75)
