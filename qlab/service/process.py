"""One bench process as the supervisor sees it: started, spoken to, listened for, and ended where it hangs."""

import os
import subprocess
import sys
import time
from collections import deque

from qlab.service.channel import Address, Channel, Message

HANG = 15.0  # s without a sign of life after which a bench process is ended
RESTART = 5.0  # s between two starts of a process that ends before it is up
HALT_GRACE = 3.0  # s that a halted run has to end by itself, beyond what its driver's timeout allows


class BenchProcess:
    """A process that plays one run at a time. What it is told before it is up waits."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._popen: subprocess.Popen[bytes] | None = None
        self._outbox: deque[Message] = deque()
        self.channel: Channel | None = None
        self.run = ""  # the run it has
        self.bench = ""  # the bench it had last, or keeps open
        self.by_hand = False  # it keeps the bench open for people
        self.ready: Message | None = None
        self.heard = self.idle_since = self._began = time.monotonic()
        self.halt_by: float | None = None
        self.stuck = 0.0  # s that a call outside a run has lasted
        self.lost = float("-inf")  # when one was lost in its place

    def start(self) -> None:
        """Start the process, or a fresh one after it has ended."""
        self.channel, self.ready, self.halt_by, self.stuck = None, None, None, 0.0
        self._outbox.clear()
        self.heard = self.idle_since = self._began = time.monotonic()
        environment = {**os.environ, "QLAB_SERVICE_KEY": self._address.key}
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "qlab.service.worker", "--where", self._address.where],
            env=environment,
            stdin=subprocess.DEVNULL,
        )

    @property
    def pid(self) -> int:
        """The process's id."""
        return 0 if self._popen is None else self._popen.pid

    @property
    def free(self) -> bool:
        """Whether it could take a run."""
        return not self.run

    def joined(self, channel: Channel) -> None:
        """Take its connection and send what waited."""
        self.channel, self.heard = channel, time.monotonic()
        while self._outbox:
            channel.send(self._outbox.popleft())

    def send(self, message: Message) -> None:
        """Tell it something, now or once it is up."""
        if message.get("do") == "halt" and self.halt_by is None:
            self.halt_by = time.monotonic() + HALT_GRACE
        if self.channel is None or not self.channel.send(message):
            self._outbox.append(message)

    def alive(self, message: Message) -> None:
        """Take a sign of life."""
        self.heard = time.monotonic()
        self.stuck = float(message.get("stuck", 0.0))

    def fault(self) -> tuple[str, str]:
        """Return what is wrong with it and how its run would end: ("", "") while all is well."""
        now = time.monotonic()
        early = self.channel is None and now - self._began < RESTART
        if not early and self._popen is not None and (code := self._popen.poll()) is not None:
            return f"The bench process ended unexpectedly (code {code}).", "interrupted"
        if self.halt_by is not None and now > self.halt_by and self.run:
            return "The run did not end by itself, so its process was ended.", "stopped"
        if self.channel is not None and now - self.heard > HANG:
            return f"The bench process gave no sign of life for {HANG:.0f} s and was ended.", "interrupted"
        if self.stuck > HANG:
            return f"An instrument did not answer for {HANG:.0f} s; its process was ended.", "interrupted"
        return "", ""

    def kill(self) -> None:
        """End it now."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    def end(self) -> None:
        """Ask it to end, and end it where it does not."""
        self.ask_to_end()
        if self._popen is not None:
            try:
                self._popen.wait(timeout=3.0)
            except subprocess.TimeoutExpired:
                self.kill()

    def ask_to_end(self) -> None:
        """Ask it to end."""
        if self.channel is not None:
            self.channel.send({"do": "quit"})
        elif self._popen is not None:
            self._popen.kill()
