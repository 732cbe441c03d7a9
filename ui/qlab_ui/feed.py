"""The events of a session, handed to who wants them by the timer that draws."""

from collections.abc import Callable

from qlab.errors import QlabError
from qlab.session import Event, Session

Handler = Callable[[Event], None]


class Feed:
    """Drains a session; an event nobody knows is left alone: a newer bench process can speak to us."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._handlers: dict[str, list[Handler]] = {}
        self._lost = False

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
                self._hand({"event": "bench", "state": "gone", "message": str(error)})
            return
        self._lost = False
        for event in events:
            self._hand(event)

    def _hand(self, event: Event) -> None:
        for handler in self._handlers.get(str(event.get("event")), ()):
            handler(event)
