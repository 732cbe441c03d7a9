"""A session in this process: for scripts, notebooks and tests. The same orders and events as the bench process."""

import queue
import threading

from qlab.service.channel import Message
from qlab.service.desk import Desk
from qlab.service.speaking import Speaking
from qlab.service.worker import Worker


class LocalSession(Speaking):
    """A session whose runs happen in a thread of this process, one at a time; see `qlab.session.Session`.

    A driver that crashes takes this process with it, and the queue ends with it: the window uses bench processes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._inbox: queue.Queue[tuple[bool, Message] | None] = queue.Queue()
        self._run = ""
        self._worker = Worker(self)
        self._desk = Desk(self, self._events.append)
        jobs = (self._work, self._worker.answers.work, self._keep)
        self._threads = [threading.Thread(target=job, daemon=True, name="qlab local session") for job in jobs]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish the run that is going and end; what waits is forgotten."""
        self._inbox.put(None)
        self._worker.quit()
        for thread in self._threads:
            thread.join()

    def _send(self, message: Message) -> None:
        if message["do"] in {"check", "follow", "panel", "set_knob"}:
            self._worker.hear(message)
        else:
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
