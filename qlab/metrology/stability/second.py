"""What the overlapping Allan deviation of something locked says at one second."""

import math

import numpy as np
from numpy.typing import NDArray

from qlab.metrology.stability.deviations import deviations

Floats = NDArray[np.float64]


def at_one_second(y: Floats, cycle: float, shortest: float, longest: float) -> tuple[float, float]:
    """Return sigma_y(1 s) of white frequency noise, from averaging times in a range (s), and its error.

    The times weigh by their degrees of freedom: the longer ones say little.
    """
    taus = np.geomspace(shortest, max(longest, shortest), 12)
    found = deviations(y, cycle, "oadev", taus=[float(t) for t in taus])
    if not len(found.tau):
        return math.nan, math.nan
    mean = float(np.average(found.deviation * np.sqrt(found.tau), weights=found.freedom))
    # The shortest time alone has about as many degrees of freedom as all together: the others overlap it.
    return mean, mean / math.sqrt(2 * float(found.freedom.max()))
