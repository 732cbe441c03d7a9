"""A timeline of one point as steps of a collective spin: turns, light, waits, and the look at the end."""

from typing import Literal

from qlab.errors import UsageError
from qlab.physics.constants import TWO_PI
from qlab.physics.segments import Segment, cut
from qlab.pulses import Timeline
from qlab.pulses.timeline import Event

Step = tuple[Literal["turn", "light", "wait", "look"], float, float]


def steps_of(point: Timeline, channel: str) -> tuple[Step, ...]:
    """Return turns (angle, phase), light on a gated channel, waits and looks (seconds, 0) in order."""
    lights = [e for e in point.events if e.kind == "gate" and e.channel == channel]
    return tuple(step for _, segments in cut(point) for s in segments for step in _step(s, lights))


def _step(segment: Segment, lights: list[Event]) -> list[Step]:
    start, seconds = float(segment.start[0]), float(segment.seconds[0])
    middle = (start + seconds / 2) * 1e12
    lit = any(light.start[0] <= middle < light.stop[0] for light in lights)
    if segment.play is None:
        return [("light" if lit else "look" if segment.keys else "wait", seconds, 0.0)]
    if lit:
        raise UsageError("A pulse is played while the light entangles the spins.", "Play one after the other.")
    angle = TWO_PI * float(segment.play.amplitude[0]) * seconds
    return [("turn", angle, float(segment.play.phase[0]))]
