"""Mixed benches: what a real instrument among simulated ones is told reaches their world as the line of its role."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from qlab.instrument import Instrument
from qlab.pulses import Timeline
from qlab.roles import RoundingPlayer


def join(world: Any, instruments: Mapping[str, Instrument], roles: Mapping[str, str]) -> None:
    """Let a world hear what the real instruments of its bench are told: `microwave.frequency` and so on.

    The simulated sample is then driven by the real source: an experiment on a bench of both finds what the device
    was really told.
    """
    for role, name in roles.items():
        instrument = instruments[name]
        if not instrument.simulated:
            instrument.on_told = partial(_hear, world, role)


def _hear(world: Any, role: str, knob: str, value: Any) -> None:
    line = f"{role}.{knob}"
    if np.ndim(value):
        world.lists[line] = np.asarray(value, dtype=float)
    else:
        world.lists.pop(line, None)
        world.lines[line] = float(value)


def tell(world: Any, player: Any, timeline: Timeline) -> bool:
    """Let a world hear what a real player plays: the timeline, with its edges where the device has them.

    Returns whether there is a world, and a real player on its bench.
    """
    if world is None or not isinstance(player, Instrument) or player.simulated:
        return False
    world.timeline = player.played() if isinstance(player, RoundingPlayer) else timeline
    return True
