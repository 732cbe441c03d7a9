"""The queue as its windows see it: one event with every run that goes or waits, and when it will be."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from qlab.queue.forecast import Span, forecast
from qlab.queue.rules import Standing
from qlab.service.channel import Message
from qlab.service.live import Live


def queue_event(
    line: Sequence[Standing], going: Sequence[Live], held: bool, seconds: Mapping[str, float]
) -> Message:
    """Return the `queue` event; see `qlab.session.Session`."""
    now = datetime.now(UTC).astimezone()
    taken: dict[str, datetime | None] = {}
    ends: dict[str, datetime | None] = {}
    for live in going:
        end = live.ends()
        ends[live.run] = ends[live.item] = end
        taken.update(dict.fromkeys(live.resources, end))
    spans = forecast(line, ends, taken, now, seconds)
    items = [_going(live) for live in going if not live.ended]
    for standing in line:
        item = standing.item
        # Nobody knows when a held queue goes on.
        span = Span() if held and not item.order.now else spans[item.id]
        one = seconds[item.id]
        items.append(
            {
                "run": item.id,
                "order": item.order.model_dump(mode="json"),
                "title": item.title,
                "state": "blocked" if standing.state == "blocked" else "waiting",
                "why": standing.why,
                "seconds": one * item.left if math.isfinite(one) else None,
                "starts": _text(span.starts),
                "ends": _text(span.ends),
                "study": item.id if item.several else "",
                "done": item.begun,
                "total": item.total,
            }
        )
    return {"event": "queue", "held": held, "items": items}


def _going(live: Live) -> dict[str, Any]:
    study = str(live.about.get("id", ""))
    return {
        "run": live.run,
        "order": live.order,
        "title": live.title,
        "state": "running",
        "why": "",
        "seconds": live.expected if math.isfinite(live.expected) else None,
        "starts": _text(live.began_at()),
        "ends": _text(live.ends()),
        "study": study,
        "done": live.number + 1,
        "total": live.about.get("of", 1),
    }


def _text(when: datetime | None) -> str:
    return "" if when is None else when.isoformat(timespec="seconds")
