"""One window or command line at the supervisor: told from a thread of its own, so that a hung one holds up nobody."""

import queue
import threading

from qlab.service.channel import Channel, Message

MOST = 20_000  # events that may wait for a guest; one that is further behind has hung and is let go


class Guest:
    """What a guest asked for, and what it is to be told."""

    def __init__(self, channel: Channel, name: str, pid: int) -> None:
        self.channel, self.name, self.pid = channel, name, pid
        self.watching: set[str] = set()  # benches whose panel it shows
        self.opened: set[str] = set()  # benches that it keeps open
        self.serving: str = ""
        self._outbox: queue.Queue[Message | None] = queue.Queue()
        threading.Thread(target=self._post, daemon=True, name="qlab post").start()

    def tell(self, message: Message) -> None:
        """Tell it something; never waits."""
        if self._outbox.qsize() > MOST:
            self.channel.close()
            return
        self._outbox.put(message)

    def gone(self) -> None:
        """Let go of it."""
        self._outbox.put(None)
        self.channel.close()

    def _post(self) -> None:
        while (message := self._outbox.get()) is not None:
            if not self.channel.send(message):
                return
