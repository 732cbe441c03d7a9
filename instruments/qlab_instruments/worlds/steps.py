"""A timeline as steps of a collective spin, for each of its points: turns, light, waits, and the look at the end."""

from typing import Literal

from qlab.errors import UsageError
from qlab.physics.constants import TWO_PI
from qlab.physics.segments import Segment, cut
from qlab.pulses import Timeline
from qlab.pulses.timeline import Event

Step = tuple[Literal["turn", "light", "wait", "look"], float, float]


def steps_of(timeline: Timeline, channel: str) -> list[tuple[Step, ...]]:
    """Return, for each point, turns (angle, phase), light on a gated channel, waits and looks (seconds, 0) in order."""
    found: list[tuple[Step, ...]] = [()] * len(timeline)
    for chosen, segments in cut(timeline):
        part = timeline if len(chosen) == len(timeline) else timeline.take(chosen)
        lights = [e for e in part.events if e.kind == "gate" and e.channel == channel]
        for at, point in enumerate(chosen):
            steps = (_step(segment, at, lights) for segment in segments)
            found[int(point)] = tuple(step for step in steps if step is not None)
    return found


def _step(segment: Segment, at: int, lights: list[Event]) -> Step | None:
    start, seconds = float(segment.start[at]), float(segment.seconds[at])
    if seconds == 0:
        return None
    middle = (start + seconds / 2) * 1e12
    lit = any(light.start[at] <= middle < light.stop[at] for light in lights)
    angle = TWO_PI * float(segment.play.amplitude[at]) * seconds if segment.play is not None else 0.0
    if angle == 0 or segment.play is None:
        return "light" if lit else "look" if segment.keys else "wait", seconds, 0.0
    if lit:
        raise UsageError(
            "A pulse is played while the light entangles the spins.", "Play one after the other."
        )
    return "turn", angle, float(segment.play.phase[at])
