"""The window's side: a session that speaks to the supervised bench process, started where there is none."""

import os
import threading
import time
from collections import deque

from qlab.service.channel import Address, Channel, Message, address_file
from qlab.service.speaking import Speaking
from qlab.service.start import alive, start_supervisor

START_DEADLINE = 30.0  # s


class RemoteSession(Speaking):
    """A session in the bench process; see `qlab.session.Session`. Nothing here waits."""

    def __init__(self, name: str = "window", *, at_once: bool = True) -> None:
        super().__init__()
        self._name = name
        self._outbox: deque[Message] = deque()
        self._channel: Channel | None = None
        self._lock = threading.Lock()
        self._closed = False
        if at_once:
            self.begin()

    def begin(self) -> None:
        """Look for a supervisor, and start one where there is none; what is sent before waits."""
        threading.Thread(target=self._connect, daemon=True, name="qlab connect").start()

    def serve(self, bench: str, on: bool) -> None:
        """Keep a bench open as long as this session lasts; answered by a `served` event {bench, ok, message}."""
        self._bench = bench
        self._send({"do": "serve", "bench": bench, "on": on})

    def close(self) -> None:
        """Let go; a run goes on without this window."""
        with self._lock:
            self._closed = True
            if self._channel is not None:
                self._channel.close()

    def _send(self, message: Message) -> None:
        with self._lock:
            if self._channel is None or not self._channel.send(message):
                self._outbox.append(message)

    def _connect(self) -> None:
        deadline = time.monotonic() + START_DEADLINE
        started = False
        while time.monotonic() < deadline and not self._closed:
            address = Address.read(address_file())
            if address is not None:
                try:
                    self._join(Channel.to(address))
                except (OSError, EOFError) as error:
                    # Nobody answers at that address: its supervisor has ended without tidying up. It listens
                    # before it leaves its address, so that a refusal is certain even where its process lingers.
                    if isinstance(error, ConnectionRefusedError | FileNotFoundError) or not alive(
                        address.pid
                    ):
                        address_file().unlink(missing_ok=True)
                else:
                    return
            if not started and Address.read(address_file()) is None:
                start_supervisor()
                started = True
            time.sleep(0.05)
        if not self._closed:
            hint = "Run `qlab doctor`; end any process named qlab.service.supervisor and start again."
            self._events.append({"event": "bench", "state": "gone", "message": f"No bench process. {hint}"})

    def _join(self, channel: Channel) -> None:
        channel.send({"hello": self._name, "pid": os.getpid()})
        channel.listen(self._events.append, self._gone)
        with self._lock:
            self._channel = channel
            while self._outbox:
                channel.send(self._outbox.popleft())
            if self._closed:
                channel.close()

    def _gone(self) -> None:
        with self._lock:
            self._channel = None
            closed = self._closed
        if not closed:
            self._events.append({"event": "bench", "state": "gone", "message": "The supervisor has ended."})
            threading.Thread(target=self._connect, daemon=True, name="qlab connect").start()


def connect(name: str = "window", *, at_once: bool = True) -> RemoteSession:
    """Return a session with this user's bench process; it is started in the background where there is none.

    Unless it is to be `at_once`, that happens with `begin`: a window has the processor to itself until it is seen.
    """
    return RemoteSession(name, at_once=at_once)
