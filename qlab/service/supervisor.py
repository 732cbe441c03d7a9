"""The supervisor: it imports no driver, keeps the queue and the bench processes, and passes messages to and fro."""

import contextlib
import os
import queue
import threading
import time
from typing import Any

from qlab.errors import UsageError
from qlab.service.channel import Address, Channel, Message, address_file, listener
from qlab.service.desk import Desk
from qlab.service.guest import Guest
from qlab.service.known import LastKnown
from qlab.service.live import Live
from qlab.service.pool import ProcessPool, hand_message
from qlab.service.process import BenchProcess
from qlab.settings import state_folder

LINGER = 4.0  # s without a guest or a run after which all ends
ROOM = 10.0  # s that a supervisor which is leaving has to make room for this one
AGAIN = 60.0  # s within which a bench that ends its process a second time is left closed
RESCUES = 3  # attempts to make whole what a run measured


class Supervisor:
    """The queue, its bench processes, and any number of windows. Everything happens on one thread, by messages."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.inbox: queue.Queue[tuple[str, Channel, Message]] = queue.Queue()
        self.guests: dict[Channel, Guest] = {}
        self.known = LastKnown()
        self.pool = ProcessPool(address, self.tell, self.known)
        self.desk = Desk(self.pool, self.tell, state_folder() / "queue.json")
        self._idle_since = time.monotonic()
        self._askers: dict[int, Channel] = {}
        self._panels: dict[str, Message] = {}
        self._watches: dict[str, Message] = {}
        self._quitting = False

    def serve(self) -> None:
        """Work until nobody needs a bench any more."""
        ears = listener(self.address)
        threading.Thread(target=self._accept, args=(ears,), daemon=True, name="qlab accept").start()
        self.pool.open()
        for live in self.desk.restore():
            self._rescue(live, "interrupted", "The computer or the supervisor stopped while it was going.")
        self.address.write(address_file())
        try:
            while not self._quitting:
                with contextlib.suppress(queue.Empty):
                    self._handle(*self.inbox.get(timeout=0.1))
                self._look()
        finally:
            if (known := Address.read(address_file())) is not None and known.pid == os.getpid():
                address_file().unlink(missing_ok=True)
            self.pool.close()
            ears.close()

    def tell(self, event: Message) -> None:
        """Send an event to every window."""
        for guest in self.guests.values():
            guest.tell(event)

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

    def _handle(self, what: str, channel: Channel, message: Message) -> None:
        process, guest = self.pool.by_channel(channel), self.guests.get(channel)
        if what == "left":
            if guest is not None:
                self._left(guest)
        elif message.get("hello") == "worker":
            fresh = self.pool.by_pid(int(message["pid"]))
            if fresh is not None:
                fresh.joined(channel)
        elif message.get("hello"):
            self._welcome(channel, message)
        elif process is not None:
            self._from_process(process, message)
        elif guest is not None:
            self._from_guest(guest, message)

    # Guests.

    def _welcome(self, channel: Channel, message: Message) -> None:
        guest = Guest(channel, str(message["hello"]), int(message.get("pid", 0)))
        self.guests[channel] = guest
        ready = next((p.ready for p in self.pool.processes if p.ready is not None), None)
        for event in [*([ready] if ready else []), *self.desk.welcome(), *self._watches.values()]:
            guest.tell(event)

    def _left(self, guest: Guest) -> None:
        del self.guests[guest.channel]
        guest.gone()
        for bench in guest.opened | guest.watching:
            self._hand(bench)

    def _from_guest(self, guest: Guest, message: Message) -> None:
        bench = str(message.get("bench", ""))
        match message.get("do"):
            case "check" | "follow":
                asker = len(self._askers) + 1 if not self._askers else max(self._askers) + 1
                self._askers[asker] = guest.channel
                self.pool.ask({**message, "asker": asker})
            case "panel":
                (guest.watching.add if message["watch"] else guest.watching.discard)(bench)
                if message["watch"]:
                    guest.opened.add(bench)
                    if bench in self._panels:
                        guest.tell(self._panels[bench])
                self._hand(bench)
            case "set_knob":
                guest.opened.add(bench)
                if self.pool.having(bench) is None:
                    self._hand(bench)
                self.pool.hand(bench, message)
            case "serve":
                self._serve(guest, bench, on=bool(message["on"]))
            case _:
                self.desk.do(message)
                if message.get("do") == "watch":
                    self._watches.pop(bench, None)
                    self._hand(bench)

    def _serve(self, guest: Guest, bench: str, *, on: bool) -> None:
        other = next((g for g in self.guests.values() if g.serving == bench and g is not guest), None)
        if on and other is not None:
            why = f"{bench} is served already by process {other.pid}."
            guest.tell({"event": "served", "bench": bench, "ok": False, "message": why})
            return
        guest.serving = bench if on else ""
        (guest.opened.add if on else guest.opened.discard)(bench)
        self._hand(bench)

    def _hand(self, bench: str) -> None:
        """Keep a bench open for people as long as one of them is here, and watched while one of them looks."""
        wanted = any(bench in guest.opened for guest in self.guests.values())
        if wanted:
            watch = any(bench in guest.watching for guest in self.guests.values())
            served = any(guest.serving == bench for guest in self.guests.values())
            known, rules = self.known.of(bench), self.desk.rules(bench)
            self.pool.hand(bench, hand_message(bench, watch, served, known, rules))
        elif (process := self.pool.having(bench)) is not None:
            process.by_hand = False
            process.send({"do": "let_go", "bench": bench})
            self._panels.pop(bench, None)

    # Bench processes.

    def _from_process(self, process: BenchProcess, event: Message) -> None:
        kind, run = event.get("event"), str(event.get("run", ""))
        process.heard = time.monotonic()
        live = self.desk.live.get(run)
        match kind:
            case "alive":
                process.alive(event)
                return
            case "ready":
                process.ready = event
                if process is not self.pool.front:
                    return
            case "checked" | "followed":
                guest = self.guests.get(self._askers.pop(int(event.pop("asker", 0)), process.channel))  # type: ignore[arg-type]
                if guest is not None:
                    guest.tell(event)
                return
            case "panel":
                self._panels[str(event["bench"])] = event
                self.known.heard(str(event["bench"]), event)
                for guest in self.guests.values():
                    if event["bench"] in guest.watching:
                        guest.tell(event)
                return
            case "served":
                for guest in self.guests.values():
                    if guest.serving == event["bench"]:
                        guest.tell(event)
                        guest.serving = guest.serving if event["ok"] else ""
                return
            case "watch":
                self._watches[str(event["bench"])] = event
            case "started" if live is not None:
                self.known.heard(str(live.order["bench"]), event)
            case "free" | "refused":
                process.run, process.halt_by = "", None
                self._watches.pop(process.bench, None)
                if event.get("abandoned"):
                    self._lost(process, f"The process of the last run hangs: {event['abandoned']}", "")
        self.desk.heard(event)

    def _look(self) -> None:
        """End what hangs, restart what died, go on with the queue, leave when nobody is left."""
        for process, why, state in self.pool.look():
            self._lost(process, why, state)
        self.desk.tick()
        now = time.monotonic()
        if self.guests or self.desk.busy:
            self._idle_since = now
        elif now - self._idle_since > LINGER:
            self._quitting = True

    def _lost(self, process: BenchProcess, why: str, state: str) -> None:
        """Replace a process. `state` is how its run ends; "" where that has ended and left a thread that hangs."""
        run, bench, by_hand = process.run, process.bench, process.by_hand
        again, process.lost = time.monotonic() - process.lost < AGAIN, time.monotonic()
        process.run, process.by_hand = "", False
        self.pool.replace(process, why)
        self.desk.forget_questions()
        live = self.desk.live.get(run)
        if live is not None and (live.begun or live.attempts):
            self._rescue(live, state, "halted" if state == "stopped" else why, process)
        elif live is not None:
            # It had not begun: it is tried once more, and given up where that ends the process again.
            live.attempts += 1
            process.run = run
            process.send({"do": "submit", "run": run, "order": live.order, "about": live.about,
                          "rules": self.desk.rules(bench)})  # fmt: skip
        elif by_hand or not state:
            # An instrument that ends the process which reaches for it is not reached for without end.
            process.send(
                {"do": "make_safe", "bench": bench, "known": self.known.of(bench), "reach": not again}
            )
        if by_hand and again:
            self._close(bench)
        elif by_hand:
            self._hand(bench)

    def _rescue(self, live: Live, state: str, reason: str, by: BenchProcess | None = None) -> None:
        """Have a run rescued, or give it up where that has ended one process after the other."""
        if live.rescues < RESCUES:
            self.pool.rescue(live, state, reason, by)
            return
        hint = f"What was measured is in {live.path}: try `qlab recover` on it." if live.path else ""
        ended = {
            "event": "state",
            "run": live.run,
            "state": state,
            "reason": reason,
            "hint": hint,
            "path": "",
        }
        self.desk.heard(ended)
        self.desk.heard({"event": "free", "run": live.run})

    def _close(self, bench: str) -> None:
        """Leave a bench closed that ends every process which opens it, and tell those who wanted it."""
        why = f"Bench {bench} ended its process twice and is left closed."
        hint = "Its instruments are named in the safe report: check them, then open it again."
        self._panels.pop(bench, None)
        self.tell({"event": "log", "level": "error", "message": f"{why} {hint}"})
        for guest in self.guests.values():
            if bench in guest.watching:
                guest.tell({"event": "panel", "bench": bench, "owner": "", "instruments": {}})
            if guest.serving == bench:
                guest.tell({"event": "served", "bench": bench, "ok": False, "message": f"{why} {hint}"})
                guest.serving = ""
            guest.opened.discard(bench)
            guest.watching.discard(bench)


def main() -> None:
    """Serve this user's benches; where another supervisor does so already, leave."""
    from qlab.holding import Holding

    deadline = time.monotonic() + ROOM
    while True:
        try:
            alone = Holding.take([("supervisor", "The queue")], "a supervisor of qlab")
        except UsageError:
            if time.monotonic() > deadline:
                return
            time.sleep(0.1)
        else:
            break
    try:
        Supervisor(Address.fresh()).serve()
    finally:
        alone.release()


if __name__ == "__main__":
    main()
