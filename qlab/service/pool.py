"""The bench processes of a supervisor: which plays what, and what becomes of one that dies."""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from qlab.service.channel import Address, Channel, Message
from qlab.service.known import LastKnown
from qlab.service.live import Live
from qlab.service.process import BenchProcess

MOST = max(4, os.cpu_count() or 1)  # bench processes at a time
SPARE = 30.0  # s after which a process that nobody needs is let go


class ProcessPool:
    """One bench process for each set of instruments in use; the first one is always there and answers questions.

    `tell` sends an event to every window; `lives` are the runs that go.
    """

    def __init__(self, address: Address, tell: Callable[[Message], None], known: LastKnown) -> None:
        self._address, self._tell, self._known = address, tell, known
        self.processes: list[BenchProcess] = []

    @property
    def front(self) -> BenchProcess:
        """The process that is always there."""
        return self.processes[0]

    def open(self) -> None:
        """Start the first process."""
        self._new()
        self._tell({"event": "bench", "state": "starting", "message": "The bench process is starting."})

    def by_pid(self, pid: int) -> BenchProcess | None:
        """Return the process of this id."""
        return next((process for process in self.processes if process.pid == pid), None)

    def by_channel(self, channel: Channel | None) -> BenchProcess | None:
        """Return the process at the other end of a channel."""
        return next((p for p in self.processes if channel is not None and p.channel is channel), None)

    def having(self, bench: str) -> BenchProcess | None:
        """Return the process that keeps a bench open for people."""
        return next((p for p in self.processes if p.by_hand and p.bench == bench), None)

    # What the desk asks for; see `qlab.service.desk.Pool`.

    def ask(self, message: Message) -> None:
        """Send a question to the first process."""
        self.front.send(message)

    def start(self, bench: str, message: Message) -> bool:
        """Give a run to the process that has its bench, or to one that nobody needs, or to a new one."""
        process = self._for(bench)
        if process is None:
            return False
        process.run, process.bench = str(message["run"]), bench
        process.send(message)
        return True

    def say(self, run: str, message: Message) -> None:
        """Send something to the process that has a run."""
        for process in self.processes:
            if process.run == run:
                process.send(message)

    def make_safe(self, bench: str) -> None:
        """Have a bench made safe: after its run where it has one, by the process that keeps it open, or by any."""
        process = next((p for p in self.processes if p.run and p.bench == bench), None)
        process = process or self.having(bench) or self._for(bench) or self.front
        process.send({"do": "make_safe", "bench": bench, "known": self._known.of(bench)})

    def rescue(self, live: Live, state: str, reason: str, by: BenchProcess | None = None) -> None:
        """Have what a dead process measured made whole, and its bench made safe."""
        bench = str(live.order["bench"])
        process = by or self._for(bench) or self.front
        process.run, process.bench = live.run, bench
        # An instrument that ends the process which reaches for it is not reached for twice.
        reach, live.rescues = live.rescues == 0, live.rescues + 1
        process.send(
            {"do": "rescue", "run": live.run, "order": live.order, "path": live.path, "state": state,
             "reason": reason, "known": self._known.of(bench), "reach": reach}
        )  # fmt: skip

    def hand(self, bench: str, message: Message) -> None:
        """Send something about a bench that people keep open to the process that has it, or shall have it."""
        process = self.having(bench)
        if process is None:
            process = next((p for p in self.processes if p.run and p.bench == bench), None) or self._for(
                bench
            )
        if process is None:
            self._tell(
                {"event": "log", "level": "error", "message": f"Too many benches are in use to open {bench}."}
            )
            return
        process.bench, process.by_hand = bench, True
        process.send(message)

    def _for(self, bench: str) -> BenchProcess | None:
        """Return a free process for a bench: its own, one that keeps none open, or a new one."""
        having = self.having(bench)
        if having is not None:
            return having if having.free else None
        free = [p for p in self.processes if p.free and not p.by_hand]
        free.sort(key=lambda p: p.bench != bench)
        if free:
            return free[0]
        return self._new() if len(self.processes) < MOST else None

    def _new(self) -> BenchProcess:
        process = BenchProcess(self._address)
        process.start()
        self.processes.append(process)
        return process

    # What happens by itself.

    def look(self) -> Iterable[tuple[BenchProcess, str, str]]:
        """Let go of spare processes; return those that are lost, with what happened and how their run ends."""
        now = time.monotonic()
        lost = []
        for process in list(self.processes):
            why, state = process.fault()
            if why:
                lost.append((process, why, state))
            elif process.run or process.by_hand or process is self.front:
                process.idle_since = now
            elif now - process.idle_since > SPARE:
                self.processes.remove(process)
                process.end()
        return lost

    def replace(self, process: BenchProcess, why: str) -> None:
        """End a process and start a fresh one in its place."""
        process.kill()
        process.start()
        message = f"{why} A fresh one makes the instruments safe."
        self._tell({"event": "bench", "state": "restarting", "message": message, "bench": process.bench})

    def close(self) -> None:
        """End every process."""
        for process in self.processes:
            process.ask_to_end()
        for process in self.processes:
            process.end()


def hand_message(
    bench: str, watch: bool, serve: bool, known: dict[str, Any], rules: list[dict[str, Any]]
) -> Message:
    """Return the message that opens a bench for people, or changes for whom and what is watched."""
    return {"do": "panel", "bench": bench, "watch": watch, "serve": serve, "known": known, "rules": rules}
