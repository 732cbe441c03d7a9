"""A session in this process: for scripts, notebooks and tests. The same orders and events as the bench process."""

import queue
import threading
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from qlab.service.channel import Message
from qlab.service.desk import Desk
from qlab.service.worker import Worker
from qlab.session import After, Command, Event, Order


class LocalSession:
    """A session whose runs happen in a thread of this process, one at a time; see `qlab.session.Session`.

    A driver that crashes takes this process with it, and the queue ends with it: the window uses bench processes.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._inbox: queue.Queue[tuple[bool, Message] | None] = queue.Queue()
        self._bench = ""
        self._run = ""
        self._worker = Worker(self)
        self._desk = Desk(self, self._events.append)
        jobs = (self._work, self._worker.answers.work, self._keep)
        self._threads = [threading.Thread(target=job, daemon=True, name="qlab local session") for job in jobs]
        for thread in self._threads:
            thread.start()

    def submit(self, order: Order) -> str:
        """Queue a run; return its id."""
        run = str(uuid.uuid4())
        self._bench = order.bench
        self._say({"do": "submit", "run": run, "order": order.model_dump(mode="json")})
        return run

    def check(self, token: int, experiment: str, parameters: dict[str, Any], bench: str) -> None:
        """Ask whether parameters are good; answered by a `checked` event."""
        self._bench = bench
        about = {"experiment": experiment, "parameters": parameters, "bench": bench}
        self._worker.hear({"do": "check", "token": token, **about})

    def command(self, what: Command, run: str = "") -> None:
        """Say something to a run or to the queue; `make_safe` is for the bench spoken of last, too."""
        self._say({"do": what, "run": run, "bench": self._bench})

    def extend(self, run: str, passes: int) -> None:
        """Add passes to a run."""
        self._say({"do": "extend", "run": run, "passes": passes})

    def arrange(self, run: str, changes: Mapping[str, Any]) -> None:
        """Change a waiting run."""
        told = {
            name: value.model_dump() if isinstance(value, After) else value for name, value in changes.items()
        }
        self._say({"do": "arrange", "run": run, "changes": told})

    def panel(self, bench: str, watch: bool) -> None:
        """Ask for `panel` events of a bench, or for no more."""
        self._bench = bench
        self._worker.hear({"do": "panel", "bench": bench, "watch": watch})

    def set_knob(
        self, bench: str, instrument: str, knob: str, value: float | bool | str, *, take_over: bool = False
    ) -> None:
        """Set one knob by hand."""
        about = {
            "bench": bench,
            "instrument": instrument,
            "knob": knob,
            "value": value,
            "take_over": take_over,
        }
        self._worker.hear({"do": "set_knob", **about})

    def watch(self, bench: str, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the watchdog rules of a bench."""
        self._say({"do": "watch", "bench": bench, "rules": [dict(rule) for rule in rules]})

    def events(self) -> list[Event]:
        """Return the events since the last call."""
        fresh: list[Event] = []
        while self._events:
            fresh.append(self._events.popleft())
        return fresh

    def close(self) -> None:
        """Finish the run that is going and end; what waits is forgotten."""
        self._inbox.put(None)
        self._worker.quit()
        for thread in self._threads:
            thread.join()

    def _say(self, message: Message) -> None:
        self._inbox.put((True, message))

    # What the desk asks for; see `qlab.service.desk.Pool`.

    def ask(self, message: Message) -> None:
        """Send a question to the worker."""
        self._worker.hear(message)

    def start(self, bench: str, message: Message) -> bool:
        """Give a run to the worker where it has none."""
        del bench
        if self._run:
            return False
        self._run = str(message["run"])
        self._worker.hear(message)
        return True

    def say(self, run: str, message: Message) -> None:
        """Send something to the run."""
        del run
        self._worker.hear(message)

    def make_safe(self, bench: str) -> None:
        """Have a bench made safe, after the run that goes."""
        self._worker.hear({"do": "make_safe", "bench": bench})

    def send(self, message: Message) -> bool:
        """Take an event from the worker."""
        self._inbox.put((False, message))
        return True

    # Its threads.

    def _keep(self) -> None:
        """Be the desk: nothing else touches it."""
        while True:
            try:
                said = self._inbox.get(timeout=0.1)
            except queue.Empty:
                self._worker.show()
            else:
                if said is None:
                    break
                self._take(*said)
            self._desk.tick()
        while self._threads[0].is_alive() or not self._inbox.empty():
            try:
                said = self._inbox.get(timeout=0.05)
            except queue.Empty:
                continue
            if said is not None and not said[0]:
                self._take(*said)

    def _take(self, ours: bool, message: Message) -> None:
        if ours:
            self._desk.do(message)
            return
        if message["event"] in {"free", "refused"}:
            self._run = ""
        self._desk.heard(message)

    def _work(self) -> None:
        from qlab.catalogue import offer

        self._events.append({"event": "ready", **offer()})
        self._worker.work()
