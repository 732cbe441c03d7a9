"""The window's side: a session that speaks to the supervised bench process, started where there is none."""

import os
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from typing import Any

from qlab.service.channel import Address, Channel, Message, address_file
from qlab.session import Command, Event, Order

START_DEADLINE = 30.0  # s
_STARTED: list["subprocess.Popen[bytes]"] = []


class RemoteSession:
    """A session in the bench process; see `qlab.session.Session`. Nothing here waits."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._outbox: deque[Message] = deque()
        self._channel: Channel | None = None
        self._lock = threading.Lock()
        self._bench = ""  # the bench spoken of last: the one to make safe
        self._closed = False
        threading.Thread(target=self._connect, daemon=True, name="qlab connect").start()

    def submit(self, order: Order) -> str:
        """Queue a run; return its id."""
        run = str(uuid.uuid4())
        self._bench = order.bench
        self._send({"do": "submit", "run": run, "order": order.model_dump(mode="json")})
        return run

    def check(self, token: int, experiment: str, parameters: dict[str, Any], bench: str) -> None:
        """Ask whether parameters are good; answered by a `checked` event."""
        self._bench = bench
        self._send(
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
        self._send({"do": what, "run": run, "bench": self._bench})

    def events(self) -> list[Event]:
        """Return the events since the last call."""
        fresh: list[Event] = []
        while self._events:
            fresh.append(self._events.popleft())
        return fresh

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
                except (OSError, EOFError):
                    # Nobody answers at that address: its supervisor has ended without tidying up.
                    if not _alive(address.pid):
                        address_file().unlink(missing_ok=True)
                else:
                    return
            if not started and Address.read(address_file()) is None:
                _start_supervisor()
                started = True
            time.sleep(0.05)
        if not self._closed:
            hint = "Run `qlab doctor`; end any process named qlab.service.supervisor and start again."
            self._events.append({"event": "bench", "state": "gone", "message": f"No bench process. {hint}"})

    def _join(self, channel: Channel) -> None:
        channel.send({"hello": "window"})
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


def connect() -> RemoteSession:
    """Return a session with this user's bench process; it is started in the background where there is none."""
    return RemoteSession()


def _start_supervisor() -> None:
    """Start a supervisor that outlives this process."""
    detached: dict[str, Any] = (
        {"creationflags": 0x00000008 | 0x00000200} if sys.platform == "win32" else {"start_new_session": True}
    )
    environment = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    started = subprocess.Popen(
        [sys.executable, "-m", "qlab.service.supervisor"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        **detached,
    )
    # It is meant to outlive this process; held, so that nobody complains that it is still running.
    _STARTED.append(started)


def _alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
