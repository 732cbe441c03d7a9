"""Segments: a timeline cut at every edge of every event, in groups of points whose edges come in one order."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.pulses.timeline import PICOSECOND, Event, Timeline

Floats = NDArray[np.float64]
DRIVE = "mw"  # the one channel of pulses, at the setpoint microwave.frequency


@dataclass(frozen=True)
class Segment:
    """A stretch in which nothing changes: `start` and `seconds` (points,), the pulse, the light, the windows."""

    start: Floats
    seconds: Floats
    play: Event | None
    lit: bool
    keys: tuple[str, ...]


def cut(timeline: Timeline) -> Iterator[tuple[NDArray[np.int64], tuple[Segment, ...]]]:
    """Yield (indices of points, their segments) for each order of edges that occurs; usually there is one."""
    edges = [np.zeros(len(timeline), dtype=np.int64), timeline.duration]
    for event in timeline.events:
        edges += [event.start, event.stop]
    stacked = np.array(edges)
    order = np.argsort(stacked, axis=0, kind="stable")
    if (
        order == order[:, :1]
    ).all():  # looked at first, because telling orders apart takes longer than all the rest
        yield (
            np.arange(len(timeline)),
            tuple(_segments(timeline, np.take_along_axis(stacked, order, axis=0))),
        )
        return
    kinds, which = np.unique(order, axis=1, return_inverse=True)
    for kind in range(kinds.shape[1]):
        chosen = np.flatnonzero(which.reshape(-1) == kind)
        part = timeline.take(chosen)
        moments = np.take_along_axis(stacked[:, chosen], kinds[:, kind][:, None], axis=0)
        yield chosen, tuple(_segments(part, moments))


def _segments(timeline: Timeline, moments: NDArray[np.int64]) -> Iterator[Segment]:
    for start, stop in pairwise(moments):
        if np.all(start == stop):
            continue
        # Where a point's stretch is empty, the others still say what is on in it.
        longest = int(np.argmax(stop - start))
        on = [
            e
            for e in timeline.events
            if e.start[longest] <= start[longest] and e.stop[longest] >= stop[longest]
        ]
        pulses = [e for e in on if e.kind == "play" and np.any(e.amplitude != 0)]
        if any(pulse.channel != DRIVE for pulse in pulses):
            raise UsageError(
                f"There is no drive channel but {DRIVE!r} here.", f"Play the pulse on {DRIVE!r}."
            )
        yield Segment(
            start * PICOSECOND,
            (stop - start) * PICOSECOND,
            pulses[0] if pulses else None,
            any(e.kind == "gate" and e.channel == "laser" for e in on),
            tuple(e.key for e in on if e.kind == "acquire"),
        )
