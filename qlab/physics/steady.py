"""Continuous driving under light: the photon rate of the steady state, averaged over the noise."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.physics.propagate import steady_state
from qlab.physics.segments import Segment

if TYPE_CHECKING:
    from qlab.physics.engine import _Player

# After this many lifetimes of the slowest relaxation the state is the settled one to 1e-9.
LIFETIMES = 20.0


def settled_rate(player: "_Player", segment: Segment) -> NDArray[np.float64]:
    """Return the photons per second at each point, shape (points,), for a window that starts settled.

    Raises UsageError where the light has not had the time to settle the spin before the window opens.
    """
    if not segment.lit:
        return np.zeros(len(segment.seconds))
    play = segment.play
    points = len(segment.seconds)
    amplitude = np.zeros(points) if play is None else player.system.rabi(play.amplitude, player.settings)
    offset = np.zeros(points) if play is None else 2 * np.pi * play.frequency
    distinct, which = np.unique(
        np.column_stack([player.carrier + offset, amplitude]), axis=0, return_inverse=True
    )
    generators = player.generators(distinct[:, 0], distinct[:, 1], lit=True)
    brightness = player.lit.brightness
    if brightness.max() == 0:
        return np.zeros(points)
    _need_settled(generators[0, 0], float(segment.start.min()))
    states = steady_state(generators)
    population = np.einsum("pnii->pni", states).real
    rate = np.einsum("n,pni,i->p", player.weights, population, brightness)
    return np.asarray(rate[which.reshape(-1)])


def _need_settled(generator: NDArray[np.complex128], waited: float) -> None:
    slowest = np.sort(np.abs(np.linalg.eigvals(generator).real))[1]
    if slowest * waited < LIFETIMES:
        raise UsageError(
            f"The light settles the spin in {LIFETIMES / slowest:.2g} s, and counting starts after {waited:.2g} s.",
            "Lengthen the settling time or raise the laser power.",
        )
