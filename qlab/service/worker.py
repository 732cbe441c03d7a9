"""The bench process: it loads the drivers, plays what it is given, and answers what the window asks."""

import argparse
import contextlib
import os
import queue
import sys
import threading
import time
from typing import Any, Protocol

from qlab.errors import QlabError
from qlab.service.answers import Answers
from qlab.service.byhand import ByHand
from qlab.service.channel import Address, Channel, Message
from qlab.service.patience import Patience

BEAT = 0.5  # s between signs of life, and between panel events
STILL_WRITTEN = 2.0  # s between two looks at a run whose process outlived its supervisor


class Ear(Protocol):
    """Whoever the events are for."""

    def send(self, message: Message) -> bool:
        """Take an event; return False where nobody is there."""
        ...


class Worker:
    """Plays one run at a time, on its main thread, which also has the bench that people keep open.

    What is said to a run is answered at once, from the thread that listens; checks and plans have a thread of
    their own.
    """

    def __init__(self, channel: Ear) -> None:
        self.channel = channel
        self.orders: queue.Queue[Message | None] = queue.Queue()
        self.answers = Answers(self.tell)
        self.current: Any = None
        self.bench = ""  # that of the current run
        self.patience = Patience()  # with instruments, on the main thread
        self.by_hand = ByHand(self.tell, self.patience)
        self.early: dict[str, list[Message]] = {}  # what was said to a run before it was there

    def tell(self, event: Message) -> None:
        """Send an event."""
        self.channel.send(event)

    def hear(self, message: Message) -> None:
        """Do what the supervisor passes on; never raises, never blocks on an instrument."""
        try:
            match message.get("do"):
                case "submit" | "rescue" | "make_safe" | "panel" | "let_go":
                    self.orders.put(message)
                case "set_knob":
                    self._set_knob(message)
                case "pause" | "resume" | "stop" | "skip" | "halt" | "extend" | "watch":
                    self._say(message)
                case "check" | "follow" | "plan":
                    self.answers.ask(message)
                case "quit":
                    self.quit()
        except QlabError as error:
            self._log("error", str(error), str(message.get("run", "")))
        except Exception as error:  # noqa: BLE001 - one bad message must not end the bench process
            self._log("error", f"{type(error).__name__}: {error}")

    def quit(self) -> None:
        """End after the run that is going."""
        self.answers.ask(None)
        self.orders.put(None)

    def _log(self, level: str, message: str, run: str = "") -> None:
        self.tell({"event": "log", "level": level, "message": message, **({"run": run} if run else {})})

    def _say(self, message: Message) -> None:
        from qlab.watch import Rule

        runner, run = self.current, str(message.get("run", ""))
        if runner is None or run != runner.record.id:
            self.early.setdefault(run, []).append(message)
            return
        match message["do"]:
            case "extend" if runner.over:
                self._log("warning", "The run has just ended and cannot be extended.", run)
            case "extend":
                runner.extend(int(message["passes"]))
            case "watch":
                runner.set_rules([Rule.model_validate(rule) for rule in message["rules"]])
            case what:
                getattr(runner, what)()

    def _set_knob(self, message: Message) -> None:
        runner = self.current
        if runner is not None and self.bench == message["bench"] and not runner.over:
            named = (message["instrument"], message["knob"], message["value"])
            runner.set_knob(*named, bool(message.get("take_over")))
        else:
            self.orders.put(message)

    # The main thread.

    def work(self) -> None:
        """Take orders until told to quit; look at the bench that is open for people in between."""
        while True:
            try:
                order = self.orders.get(timeout=BEAT if self.by_hand.open else None)
            except queue.Empty:
                self.by_hand.refresh()
                continue
            if order is None:
                break
            match order["do"]:
                case "submit":
                    self._run(order)
                case "rescue":
                    self._rescue(order)
                case "make_safe":
                    self._make_safe(order)
                case "panel":
                    self.by_hand.take(order)
                case "set_knob":
                    self.by_hand.turn(order)
                case "let_go":
                    self.by_hand.let_go()
        self.by_hand.let_go()

    def _run(self, message: Message) -> None:
        from qlab.holding import InUseError
        from qlab.session import Order

        run, order, abandoned = message["run"], Order.model_validate(message["order"]), ""
        try:
            self._play(run, order, message)
        except InUseError as error:
            self.tell({"event": "refused", "run": run, "message": error.message})
            return
        except QlabError as error:
            if self.current is None or self.current.state not in {"finished", "stopped", "failed"}:
                self._ended(run, "failed", error.message, error.hint)
        except Exception as error:  # noqa: BLE001 - a broken plug-in may raise anything; the bench process goes on
            self._ended(run, "failed", f"{type(error).__name__}: {error}", "See the log.")
        finally:
            abandoned = self.current.abandoned if self.current is not None else ""
            self.current, self.bench = None, ""
            self.early.pop(run, None)
        if not abandoned:
            self.by_hand.after_run(order.bench)
        # A thread that hangs in a driver cannot be ended: the supervisor replaces the process that has it.
        self.tell({"event": "free", "run": run, "abandoned": abandoned})

    def _play(self, run: str, order: Any, message: Message) -> None:
        from qlab.orders import prepared
        from qlab.watch import Rule

        # What was set by hand holds for the run; its record says so, and repeats it.
        order = order.model_copy(update={"knobs": {**self.by_hand.knobs(order.bench), **order.knobs}})
        bench = self.by_hand.lend(order.bench)

        def tell(event: Message) -> None:
            self.tell({**event, "bench": order.bench} if "bench" in event else event)

        rules = [Rule.model_validate(rule) for rule in message.get("rules", ())]
        about = message.get("about")
        more: dict[str, Any] = {"bench": bench, "held": bench is not None, "rules": rules, "about": about}
        with prepared(order, run=run, tell=tell, who="a run of qlab", **more) as runner:
            self.current, self.bench = runner, order.bench
            early = self.early.pop(run, [])
            if any(said["do"] in {"stop", "skip", "halt"} for said in early):
                self._ended(run, "stopped", "taken out of the queue", "")
                return
            if message.get("extend"):
                early.insert(0, {"do": "extend", "run": run, "passes": message["extend"]})
            for said in early:
                self.hear(said)
            runner.run()

    def _ended(self, run: str, state: str, reason: str, hint: str) -> None:
        self.tell({"event": "state", "run": run, "state": state, "reason": reason, "hint": hint, "path": ""})

    def _rescue(self, message: Message) -> None:
        """After a crash: make the bench safe, finalise what the dead process measured, say how it ended."""
        from qlab.service.rescue import ending, safe_report, still_written

        run, bench = message["run"], message["order"].get("bench", "")
        told = False
        while still_written(message.get("path", "")):
            if not told:
                self._log(
                    "warning", f"Run {run[:8]} still goes, in a process that outlived its supervisor.", run
                )
            told = True
            time.sleep(STILL_WRITTEN)
        if not told:
            reach = bool(message.get("reach", True))
            report = safe_report(bench, message.get("known", {}), self.patience, reach=reach)
            self.tell({"event": "safe", "run": run, "bench": bench, "report": report})
        self.tell(ending(message))
        self.tell({"event": "free", "run": run})

    def _make_safe(self, message: Message) -> None:
        from qlab.service.rescue import safe_report

        bench = message.get("bench", "")
        report = self.by_hand.make_safe(bench)
        if report is None:
            reach = bool(message.get("reach", True))
            report = safe_report(bench, message.get("known", {}), self.patience, reach=reach)
        self.tell({"event": "safe", "bench": bench, "report": report})

    def show(self) -> None:
        """Tell the panel of a run whose bench people look at, without asking any instrument."""
        runner = self.current
        if runner is not None and self.by_hand.watches(self.bench):
            panel = {"event": "panel", "bench": self.bench, "owner": runner.record.id}
            self.tell({**panel, "instruments": runner.panel()})

    def beat(self) -> None:
        """Give a sign of life until the process ends."""
        while self.channel.send({"event": "alive", "stuck": self.patience.seconds}):
            with contextlib.suppress(Exception):
                self.show()
            time.sleep(BEAT)
        # The supervisor is gone and nobody can end this process any more: a run is finished, then it ends.
        self.quit()


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
    channel.listen(worker.hear, worker.quit)
    from qlab.catalogue import offer

    worker.tell({"event": "ready", **offer(), "pid": os.getpid()})
    threading.Thread(target=worker.answers.work, daemon=True, name="qlab answers").start()
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
