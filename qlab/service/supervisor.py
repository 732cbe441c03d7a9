"""The supervisor: it imports no driver, keeps a bench process alive, and passes messages between it and windows."""

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from qlab.service.channel import Address, Channel, Message, address_file, listener

HANG = 15.0  # s without a sign of life after which the bench process is ended
HALT_GRACE = 3.0  # s that a halted run has to end by itself
LINGER = 4.0  # s without a window or a run after which all ends
ENDED = {"finished", "stopped", "failed", "interrupted"}


@dataclass
class RunState:
    """What a window that joins late must hear of a run."""

    order: dict[str, Any]
    started: Message | None = None
    state: Message | None = None
    progress: Message | None = None
    path: str = ""
    submitted: bool = False

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.state is not None and self.state["state"] in ENDED

    def replay(self, run: str) -> list[Message]:
        """Return the events that bring a window up to date; what has ended is in the list of runs already."""
        if self.ended:
            return []
        told = [{"event": "queued", "run": run, "order": self.order}]
        return told + [e for e in (self.started, self.state, self.progress) if e is not None]


@dataclass
class Supervisor:
    """One bench process and any number of windows."""

    address: Address
    inbox: "queue.Queue[tuple[str, Channel | None, Message]]" = field(default_factory=queue.Queue)
    windows: list[Channel] = field(default_factory=list)
    worker: Channel | None = None
    process: "subprocess.Popen[bytes] | None" = None
    runs: dict[str, RunState] = field(default_factory=dict)
    ready: Message | None = None
    waiting: deque[Message] = field(default_factory=deque)
    heard: float = 0.0
    idle_since: float = field(default_factory=time.monotonic)
    halt_by: float | None = None
    quitting: bool = False

    def serve(self) -> None:
        """Work until nobody needs the bench any more."""
        ears = listener(self.address)
        threading.Thread(target=self._accept, args=(ears,), daemon=True, name="qlab accept").start()
        self.start_worker("starting", "The bench process is starting.")
        self.address.write(address_file())
        try:
            while not self.quitting:
                try:
                    who, channel, message = self.inbox.get(timeout=0.1)
                    self.handle(who, channel, message)
                except queue.Empty:
                    pass
                self.watch()
        finally:
            if (known := Address.read(address_file())) is not None and known.pid == os.getpid():
                address_file().unlink(missing_ok=True)
            self.end_worker()
            ears.close()

    def _accept(self, ears: Any) -> None:
        while True:
            try:
                channel = Channel(ears.accept())
            except OSError:
                return
            except Exception:  # noqa: BLE001, S112 - a caller with a wrong key must not end the supervisor
                continue
            self._hear(channel)

    def _hear(self, channel: Channel) -> None:
        channel.listen(
            lambda message: self.inbox.put(("said", channel, message)),
            lambda: self.inbox.put(("left", channel, {})),
        )

    def handle(self, who: str, channel: Channel | None, message: Message) -> None:
        """Take one message in."""
        if who == "left":
            self._left(channel)
        elif message.get("hello") == "worker":
            self.worker, self.heard = channel, time.monotonic()
            while self.waiting:
                self._to_worker(self.waiting.popleft())
        elif message.get("hello") == "window" and channel is not None:
            self._welcome(channel)
        elif channel is self.worker:
            self._from_worker(message)
        else:
            self._from_window(message)

    def _welcome(self, channel: Channel) -> None:
        self.windows.append(channel)
        if self.ready is not None:
            channel.send(self.ready)
        for run, state in self.runs.items():
            for event in state.replay(run):
                channel.send(event)

    def _left(self, channel: Channel | None) -> None:
        if channel is not None and channel in self.windows:
            self.windows.remove(channel)
        elif channel is self.worker:
            self.worker = None

    def _from_window(self, message: Message) -> None:
        if message.get("do") == "submit":
            run = message["run"]
            self.runs[run] = RunState(message["order"])
            self.tell({"event": "queued", "run": run, "order": message["order"]})
        if message.get("do") == "halt":
            self.halt_by = time.monotonic() + HALT_GRACE
        self._to_worker(message)

    def _to_worker(self, message: Message) -> None:
        if self.worker is None or not self.worker.send(message):
            self.waiting.append(message)
        elif message.get("do") == "submit":
            self.runs[message["run"]].submitted = True

    def _from_worker(self, event: Message) -> None:
        self.heard = time.monotonic()
        kind, state = event.get("event"), self.runs.get(str(event.get("run", "")))
        if kind == "alive":
            return
        if kind == "ready":
            self.ready = event
        if state is not None and kind in {"started", "state", "progress"}:
            setattr(state, str(kind), event)
            state.path = event.get("path") or state.path
        if kind == "state" and event["state"] in ENDED:
            self.halt_by = None
            self._forget_old_runs()
        self.tell(event)

    def _forget_old_runs(self) -> None:
        for run in [run for run, state in self.runs.items() if state.ended]:
            del self.runs[run]

    def tell(self, event: Message) -> None:
        """Send an event to every window."""
        for channel in list(self.windows):
            channel.send(event)

    def watch(self) -> None:
        """End what hangs, restart what died, leave when nobody is left."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._died(f"The bench process ended unexpectedly (code {self.process.returncode}).")
        elif self.halt_by is not None and now > self.halt_by and self._active():
            self.halt_by = None
            self._kill("The run did not end by itself, so its process was ended.", "stopped")
        elif self.worker is not None and now - self.heard > HANG:
            self._kill(f"The bench process gave no sign of life for {HANG:.0f} s and was ended.")
        if self.windows or self._active():
            self.idle_since = now
        elif now - self.idle_since > LINGER:
            self.quitting = True

    def _active(self) -> list[str]:
        return [run for run, state in self.runs.items() if not state.ended]

    def _kill(self, reason: str, state: str = "interrupted") -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._died(reason, state)

    def _died(self, reason: str, state: str = "interrupted") -> None:
        self.worker = None
        self.waiting.clear()
        self.start_worker("restarting", reason + " A fresh one makes the instruments safe.")
        active = self._active()
        why = "halted" if state == "stopped" else reason
        for run in active:
            known = self.runs[run]
            about = {"run": run, "order": known.order}
            if known.started is not None or known.path:
                self.waiting.append(
                    {"do": "rescue", **about, "path": known.path, "state": state, "reason": why}
                )
            else:
                self.waiting.append({"do": "submit", **about})

    def start_worker(self, state: str, message: str) -> None:
        """Start a bench process."""
        self.ready = None
        self.heard = time.monotonic()
        environment = {**os.environ, "QLAB_SERVICE_KEY": self.address.key}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qlab.service.worker", "--where", self.address.where],
            env=environment,
            stdin=subprocess.DEVNULL,
        )
        self.tell({"event": "bench", "state": state, "message": message})

    def end_worker(self) -> None:
        """Ask the bench process to end, and end it where it does not."""
        if self.process is None:
            return
        if self.worker is not None:
            self.worker.send({"do": "quit"})
        try:
            self.process.wait(timeout=3.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def main() -> None:
    """Serve this user's bench."""
    Supervisor(Address.fresh()).serve()


if __name__ == "__main__":
    main()
