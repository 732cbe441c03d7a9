"""The events of a session, handed to who wants them by the timer that draws."""

import time
from collections import deque
from collections.abc import Callable

from qlab.errors import QlabError
from qlab.session import Event, Session

Handler = Callable[[Event], None]
_SHARE = 0.003  # s: what has happened is handed over for so long, the rest with the next frame


class Feed:
    """Drains a session; an event nobody knows is left alone: a newer bench process can speak to us."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._handlers: dict[str, list[Handler]] = {}
        self._lost = False
        self._waiting: deque[Event] = deque()

    def on(self, name: str, handler: Handler) -> None:
        """Call a handler for each event of this name."""
        self._handlers.setdefault(name, []).append(handler)

    def poll(self) -> None:
        """Hand over what has happened since the last call."""
        try:
            events = self.session.events()
        except (QlabError, OSError) as error:
            if not self._lost:
                self._lost = True
                self._waiting.append({"event": "bench", "state": "gone", "message": str(error)})
            events = []
        else:
            self._lost = False
        self._waiting.extend(events)
        until = time.perf_counter() + _SHARE
        while self._waiting:
            self._hand(self._waiting.popleft())
            if time.perf_counter() > until:
                break

    def _hand(self, event: Event) -> None:
        for handler in self._handlers.get(str(event.get("event")), ()):
            handler(event)
