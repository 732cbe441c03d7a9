"""The window's side: a session that speaks to the supervised bench process, started where there is none."""

import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from qlab.service.channel import Address, Channel, Message, address_file
from qlab.service.start import alive, start_supervisor
from qlab.session import After, Command, Event, Order

START_DEADLINE = 30.0  # s


class RemoteSession:
    """A session in the bench process; see `qlab.session.Session`. Nothing here waits."""

    def __init__(self, name: str = "window") -> None:
        self._name = name
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
        """Say something to a run or to the queue; `make_safe` is for the bench spoken of last, too."""
        self._send({"do": what, "run": run, "bench": self._bench})

    def extend(self, run: str, passes: int) -> None:
        """Add passes to a run."""
        self._send({"do": "extend", "run": run, "passes": passes})

    def arrange(self, run: str, changes: Mapping[str, Any]) -> None:
        """Change a waiting run."""
        told = {
            name: value.model_dump() if isinstance(value, After) else value for name, value in changes.items()
        }
        self._send({"do": "arrange", "run": run, "changes": told})

    def panel(self, bench: str, watch: bool) -> None:
        """Ask for `panel` events of a bench, or for no more."""
        self._bench = bench
        self._send({"do": "panel", "bench": bench, "watch": watch})

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
        self._send({"do": "set_knob", **about})

    def watch(self, bench: str, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the watchdog rules of a bench."""
        self._send({"do": "watch", "bench": bench, "rules": [dict(rule) for rule in rules]})

    def serve(self, bench: str, on: bool) -> None:
        """Keep a bench open as long as this session lasts; answered by a `served` event {bench, ok, message}."""
        self._bench = bench
        self._send({"do": "serve", "bench": bench, "on": on})

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


def connect(name: str = "window") -> RemoteSession:
    """Return a session with this user's bench process; it is started in the background where there is none."""
    return RemoteSession(name)
