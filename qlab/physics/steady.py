"""Continuous driving under light: the photon rate of the steady state, averaged over the noise."""

from typing import TYPE_CHECKING

import numpy as np

from qlab.errors import UsageError
from qlab.physics.levels import Complex, Floats
from qlab.physics.noise import gauss_hermite
from qlab.physics.propagate import stationary
from qlab.physics.resonance import rational
from qlab.physics.segments import Segment

if TYPE_CHECKING:
    from qlab.physics.player import Player

# After this many lifetimes of the slowest relaxation the state is the settled one to 1e-9.
LIFETIMES = 20.0
MOST_NODES = 2001
MOST_NUMBERS = 300_000  # points times blocks times nodes at a time, which bounds the memory


def continuous(player: "Player") -> dict[str, Floats]:
    """Return the mean counts in each window of a shot with drive and light on while counting; (points,).

    Raises UsageError where a window opens before the light has settled the spin.
    """
    seen: dict[str, Floats] = {}
    since = np.zeros(player.points)  # when drive and light became what they are
    before: Segment | None = None
    for segment in player.segments:
        if before is None or before.lit != segment.lit or before.play is not segment.play:
            since = segment.start
        before = segment
        if not segment.keys:
            continue
        waited = float((segment.start - since).min())
        counted = (_settled_rate(player, segment, waited) + player.system.dark_rate) * segment.seconds
        for key in segment.keys:
            seen[key] = seen.get(key, np.zeros(player.points)) + counted
    return seen


def _settled_rate(player: "Player", segment: Segment, waited: float) -> Floats:
    """Return the photons per second at each point, shape (points,)."""
    brightness = player.lit.brightness
    if not segment.lit or brightness.max() == 0:
        return np.zeros(player.points)
    settings = np.column_stack([player.drive_frequency(segment), player.rabi(segment)])
    distinct, which = np.unique(settings, axis=0, return_inverse=True)
    jumps, stack, sigma = player.jumps(lit=True), player.stack, player.system.sigma_detuning

    # Relaxation is slowest far from resonance: at an end of the sweep.
    ends = distinct[[0, -1]]
    slowest, width = _relaxation(stack.generators(ends[:, 0], ends[:, 1], np.zeros(1), jumps))
    if not slowest * waited > LIFETIMES:
        needed = LIFETIMES / max(slowest, 1e-9)
        raise UsageError(
            f"The light settles the spin in {needed:.2g} s, and counting starts after {waited:.2g} s.",
            "Lengthen the settling time or raise the laser power; pulses come before the only readout of a shot.",
        )
    if sigma > 0 and slowest * player.system.tau_c < LIFETIMES:
        raise UsageError(
            f"The detuning noise changes within {player.system.tau_c:.2g} s, before the light settles the spin.",
            "Raise the laser power, or lengthen tau_c.",
        )
    z, weights = _line_nodes(width, sigma)
    made = np.zeros(len(distinct))
    part = max(1, MOST_NUMBERS // (len(distinct) * len(stack.weights)))
    for start in range(0, len(z), part):
        nodes = slice(start, start + part)
        rate = player.photon_rates(distinct, z[nodes] * sigma, jumps)
        made += np.einsum("b,n,bnp->p", stack.weights / stack.weights.sum(), weights[nodes], rate)
    return np.asarray(made[which.reshape(-1)])


def node_rates(player: "Player", settings: Floats, detunings: Floats, jumps: Complex) -> Floats:
    """Return the photons per second of each block and node at each setting (drive frequency, Rabi frequency)."""
    stack, brightness = player.stack, player.lit.brightness
    d = stack.dimension
    if len(settings) > 1 and np.all(settings[:, 1] == settings[0, 1]):
        middle = (settings[:1, 0] + settings[-1:, 0]) / 2
        base = stack.generators(middle, settings[:1, 1], detunings, jumps)[0]
        readout = np.concatenate([brightness, np.zeros(d * d - d)])
        return rational(base, -stack.number, readout, d)(settings[:, 0] - middle)
    states = stationary(stack.generators(settings[:, 0], settings[:, 1], detunings, jumps), d)
    return np.asarray(np.moveaxis(states[..., :d] @ brightness, 0, -1))


def _relaxation(generators: Floats) -> tuple[float, float]:
    """Return the slowest rate of relaxation, and the slowest loss of coherence, 1/s."""
    rates = np.sort(-np.linalg.eigvals(generators).real, axis=-1)
    d = int(np.sqrt(generators.shape[-1]))
    return float(rates[..., 1].min()), float(rates[..., d].min())


def _line_nodes(width: float, sigma: float) -> tuple[Floats, Floats]:
    """Return nodes and weights of a standard normal that resolve lines of half width `width` rad/s."""
    if sigma == 0:
        return np.zeros(1), np.ones(1)
    # A Gauss-Hermite rule of n nodes on a pole at distance a errs by exp(-2 a sqrt(2 n)), an even grid of
    # step h by exp(-2 pi a/h).
    distance = width / sigma
    gaussian = int(np.ceil((11.0 / distance) ** 2 / 2)) + 1
    even = int(np.ceil(14 * 22 / (2 * np.pi * distance))) | 1
    if gaussian <= min(even, 60):
        return gauss_hermite(max(gaussian, 5))
    if even > MOST_NODES:
        raise UsageError(
            "The lines are far narrower than the detuning noise: too fine to average.",
            "Raise the laser power.",
        )
    z = np.linspace(-7, 7, max(even, 31))
    weights = np.exp(-(z**2) / 2)
    return z, weights / weights.sum()
