"""A run that goes: what a window that joins late must hear of it, and what is needed to recover it."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from qlab.queue.study import Point
from qlab.record import ENDED
from qlab.service.channel import Message


@dataclass
class Live:
    """One run that has been given to a bench process and has not let go of its instruments yet."""

    run: str
    item: str
    order: dict[str, Any]
    number: int = 0
    point: Point = field(default_factory=Point)
    about: dict[str, Any] = field(default_factory=dict)
    resources: tuple[str, ...] = ()
    expected: float = float("nan")
    estimated: float = float("nan")
    path: str = ""
    began: float = field(default_factory=time.monotonic)
    attempts: int = 0
    rescues: int = 0
    events: dict[str, Message] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the run is over, though it may not have let go of its instruments yet."""
        return self.events.get("state", {}).get("state") in ENDED

    @property
    def begun(self) -> bool:
        """Whether it got as far as a file."""
        return bool(self.path)

    @property
    def title(self) -> str:
        """What people call it."""
        return str(self.order.get("title") or self.order.get("experiment", ""))

    def heard(self, event: Message) -> None:
        """Keep the last event of each kind."""
        self.events[str(event["event"])] = event
        self.path = str(event.get("path") or self.path)

    def replay(self) -> list[Message]:
        """Return the events that bring a window up to date; what has ended is in the list of runs already."""
        if self.ended:
            return []
        queued = {"event": "queued", "run": self.run, "order": self.order}
        return [
            queued,
            *(self.events[kind] for kind in ("started", "state", "progress") if kind in self.events),
        ]

    def ends(self) -> datetime | None:
        """Return when it will probably end, from its progress or else from the estimate."""
        now = datetime.now(UTC).astimezone()
        left = self.events.get("progress", {}).get("remaining")
        if not isinstance(left, int | float) or left != left:
            left = self.expected - (time.monotonic() - self.began)
        return None if left != left else now + timedelta(seconds=max(float(left), 0.0))

    def began_at(self) -> datetime:
        """Return when it was given to its bench process."""
        return datetime.now(UTC).astimezone() - timedelta(seconds=time.monotonic() - self.began)
