"""When each item will begin and end: the queue played forward in time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from qlab.queue.item import Item
from qlab.queue.rules import Standing, due_time


@dataclass(frozen=True)
class Span:
    """When an item begins and ends; None where nobody can say."""

    starts: datetime | None = None
    ends: datetime | None = None


def forecast(
    line: Sequence[Standing],
    going: Mapping[str, datetime | None],
    taken: Mapping[str, datetime | None],
    now: datetime,
    seconds: Mapping[str, float],
) -> dict[str, Span]:
    """Return the span of each item in line, as if the queue were released now.

    `going` says when the run of an item (or run) that goes will end, `taken` when a resource becomes free (None:
    unknown), `seconds` how long one run of an item takes (NaN: unknown). After an unknown end nothing is promised.
    """
    free: dict[str, datetime | None] = dict(taken)
    ends: dict[str, datetime | None] = dict(going)
    spans: dict[str, Span] = {}
    for standing in line:
        item = standing.item
        span = Span() if standing.state == "blocked" else _span(item, free, ends, now, seconds)
        spans[item.id] = ends_at = span
        ends[item.id] = ends_at.ends
        for resource in item.plan.resources if item.plan and standing.state != "blocked" else ():
            free[resource] = span.ends
    return spans


def _span(
    item: Item,
    free: Mapping[str, datetime | None],
    ends: Mapping[str, datetime | None],
    now: datetime,
    seconds: Mapping[str, float],
) -> Span:
    waits: list[datetime | None] = [now, due_time(item.order.due) or now]
    if item.order.after is not None:
        waits.append(ends.get(item.order.after.run, now))
    if item.plan is not None:
        waits += [free[resource] for resource in item.plan.resources if resource in free]
    known = [wait for wait in waits if wait is not None]
    if len(known) < len(waits):
        return Span()
    starts = max(known)
    one = seconds.get(item.id, math.nan)
    if not math.isfinite(one):
        return Span(starts)
    return Span(starts, starts + timedelta(seconds=one * item.left))
