"""The bench process: it loads the drivers, runs the queue, and answers what the window asks."""

import argparse
import contextlib
import os
import queue
import sys
import threading
import time
from pathlib import Path
from typing import Any, Protocol

from qlab.errors import QlabError
from qlab.service.channel import Address, Channel, Message

BEAT = 0.5  # s between signs of life
SAFE_DEADLINE = 5.0  # s that one instrument has to become safe


class Ear(Protocol):
    """Whoever the events are for."""

    def send(self, message: Message) -> bool:
        """Take an event; return False where nobody is there."""
        ...


class Worker:
    """Runs one order at a time; everything else is answered at once, from the thread that listens."""

    def __init__(self, channel: Ear) -> None:
        self.channel = channel
        self.orders: queue.Queue[Message | None] = queue.Queue()
        self.current: Any = None
        self.dropped: set[str] = set()

    def tell(self, event: Message) -> None:
        """Send an event."""
        self.channel.send(event)

    def hear(self, message: Message) -> None:
        """Do what the supervisor passes on; never raises, never blocks on an instrument."""
        try:
            match message.get("do"):
                case "submit" | "rescue":
                    self.orders.put(message)
                case "make_safe":
                    # Nothing goes on after it: what waits is dropped, and a run that is going ends first.
                    self._drop_waiting()
                    self._command("halt", "")
                    self.orders.put(message)
                case "pause" | "resume" | "stop" | "halt" as what:
                    self._command(what, str(message.get("run", "")))
                case "check":
                    self._check(message)
                case "quit":
                    self.orders.put(None)
        except Exception as error:  # noqa: BLE001 - one bad message must not end the bench process
            self.tell({"event": "log", "level": "error", "message": f"{type(error).__name__}: {error}"})

    def _drop_waiting(self) -> None:
        """Take every order out of the queue; their runs end as stopped."""
        with contextlib.suppress(queue.Empty):
            while True:
                order = self.orders.get_nowait()
                if order is None:
                    self.orders.put(None)
                    return
                if order["do"] == "submit":
                    self._ended(
                        order["run"], "stopped", "taken out of the queue: the bench was made safe", ""
                    )

    def _command(self, what: str, run: str) -> None:
        runner = self.current
        if runner is not None and run in {"", runner.record.id}:
            getattr(runner, what)()
        elif what in {"stop", "halt"} and run:
            self.dropped.add(run)

    def _check(self, message: Message) -> None:
        from qlab.catalogue import check

        answer = check(message["experiment"], message["parameters"], message["bench"])
        self.tell({"event": "checked", "token": message["token"], **answer})

    def work(self) -> None:
        """Take orders until told to quit."""
        while (order := self.orders.get()) is not None:
            match order["do"]:
                case "submit":
                    self._run(order)
                case "rescue":
                    self._rescue(order)
                case "make_safe":
                    self._make_safe(order.get("bench", ""), {})

    def _run(self, message: Message) -> None:
        from qlab.bench import Bench
        from qlab.runner import Runner
        from qlab.session import Order

        run = message["run"]
        order = Order.model_validate(message["order"])
        if run in self.dropped:
            self._ended(run, "stopped", "taken out of the queue", "")
            return
        try:
            bench = Bench.load(order.bench, seed=order.seed, truth=order.truth)
            self.current = Runner(
                bench,
                order.experiment,
                order.parameters,
                Path(order.out).expanduser(),
                seed=order.seed,
                pace=order.pace if bench.simulated else None,
                title=order.title,
                run_id=run,
                tell=self.tell,
            )
            self.current.run()
        except QlabError as error:
            ended = self.current is not None and self.current.state in {"finished", "stopped", "failed"}
            if not ended:
                self._ended(run, "failed", error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - a broken plug-in may raise anything; the bench process goes on
            self._ended(run, "failed", f"{type(error).__name__}: {error}", "See the log.")
        finally:
            self.current = None

    def _ended(self, run: str, state: str, reason: str, hint: str) -> None:
        self.tell({"event": "state", "run": run, "state": state, "reason": reason, "hint": hint, "path": ""})

    def _rescue(self, message: Message) -> None:
        """After a crash: make the bench safe, finalise what the dead process measured, say how it ended."""
        from qlab.live import remove_left_over
        from qlab.settings import runtime_folder
        from qlab.store import recover

        order = message["order"]
        self._make_safe(order.get("bench", ""), order.get("truth", {}))
        remove_left_over(runtime_folder())
        part, state, reason = Path(message.get("path") or "."), message["state"], message["reason"]
        ended = {"event": "state", "run": message["run"], "state": state, "reason": reason}
        try:
            path = str(recover(part, state, reason)[0]) if part.is_file() else ""
        except QlabError as error:
            self.tell({**ended, "reason": f"{reason} {error.message}", "hint": error.hint, "path": ""})
            return
        hint = f"What was measured is in {path}." if path else "Nothing had been measured."
        self.tell({**ended, "hint": hint, "path": path})

    def _make_safe(self, bench: str, truth: dict[str, Any]) -> None:
        """Open each instrument of a bench and make it safe, each within its deadline; name what is out of reach."""
        from qlab.bench import Bench

        report: dict[str, str] = {}
        try:
            made = Bench.load(bench, truth=truth)
        except QlabError as error:
            self.tell({"event": "safe", "report": {bench: f"NOT SAFE: {error}"}})
            return
        for name, instrument in made.instruments.items():
            outcome: list[str] = []

            def attempt(instrument: Any = instrument, outcome: list[str] = outcome) -> None:
                try:
                    instrument.open()
                    instrument.make_safe()
                    instrument.close()
                    outcome.append("safe")
                except Exception as error:  # noqa: BLE001 - whatever it raises, the others must still be made safe
                    outcome.append(f"NOT SAFE: {error}")

            thread = threading.Thread(target=attempt, daemon=True)
            thread.start()
            thread.join(SAFE_DEADLINE)
            late = f"NOT REACHED within {SAFE_DEADLINE:g} s. Check {name} by hand."
            report[name] = outcome[0] if outcome else late
        self.tell({"event": "safe", "report": report})

    def beat(self) -> None:
        """Give a sign of life until the process ends."""
        while self.channel.send({"event": "alive"}):
            time.sleep(BEAT)
        # The supervisor is gone and nobody can end this process any more: a run is finished, then it ends.
        self.orders.put(None)


def main() -> None:
    """Connect to the supervisor and work."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--where", required=True)
    options = parser.parse_args()
    address = Address(options.where, os.environ.pop("QLAB_SERVICE_KEY"), os.getppid())
    channel = Channel.to(address)
    channel.send({"hello": "worker", "pid": os.getpid()})
    worker = Worker(channel)
    threading.Thread(target=worker.beat, daemon=True, name="qlab heartbeat").start()
    channel.listen(worker.hear, lambda: worker.orders.put(None))
    from qlab.catalogue import offer

    worker.tell({"event": "ready", **offer(), "pid": os.getpid()})
    threading.Thread(target=_warm, daemon=True, name="qlab warm-up").start()
    worker.work()
    sys.stdout.flush()
    # A driver's own threads must not keep the process alive.
    os._exit(0)


def _warm() -> None:
    """Import what the first run needs, while the window is being looked at."""
    import lmfit  # noqa: F401

    from qlab.physics.quantum import qutip

    qutip()


if __name__ == "__main__":
    main()
