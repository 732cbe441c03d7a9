"""A session in this process: for scripts, notebooks and tests. The same orders and events as the bench process."""

import threading
import uuid
from collections import deque
from typing import Any

from qlab.service.channel import Message
from qlab.service.worker import Worker
from qlab.session import Command, Event, Order


class LocalSession:
    """A session whose runs happen in a thread of this process; see `qlab.session.Session`.

    A driver that crashes takes this process with it: the window uses the bench process instead.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._bench = ""
        self._worker = Worker(self)
        self._thread = threading.Thread(target=self._work, daemon=True, name="qlab local session")
        self._thread.start()

    def send(self, message: Message) -> bool:
        """Take an event from the worker."""
        self._events.append(message)
        return True

    def submit(self, order: Order) -> str:
        """Queue a run; return its id."""
        run = str(uuid.uuid4())
        self._bench = order.bench
        told = order.model_dump(mode="json")
        self._events.append({"event": "queued", "run": run, "order": told})
        self._worker.hear({"do": "submit", "run": run, "order": told})
        return run

    def check(self, token: int, experiment: str, parameters: dict[str, Any], bench: str) -> None:
        """Ask whether parameters are good; answered by a `checked` event."""
        self._bench = bench
        self._worker.hear(
            {
                "do": "check",
                "token": token,
                "experiment": experiment,
                "parameters": parameters,
                "bench": bench,
            }
        )

    def command(self, what: Command, run: str = "") -> None:
        """Pause, resume, stop or halt a run, or make the bench spoken of last safe."""
        self._worker.hear({"do": what, "run": run, "bench": self._bench})

    def events(self) -> list[Event]:
        """Return the events since the last call."""
        fresh: list[Event] = []
        while self._events:
            fresh.append(self._events.popleft())
        return fresh

    def close(self) -> None:
        """Finish the run that is going and end."""
        self._worker.hear({"do": "quit"})
        self._thread.join()

    def _work(self) -> None:
        from qlab.catalogue import offer

        self._events.append({"event": "ready", **offer()})
        self._worker.work()
