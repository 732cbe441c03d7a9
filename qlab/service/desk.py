"""The desk: the queue at work. It takes orders and commands in, gives runs out, and notes how they end."""

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from qlab.errors import QlabError
from qlab.queue.item import Item, Outcome, child
from qlab.queue.rules import Now, Standing, due_time, standings
from qlab.queue.study import Plan, next_point
from qlab.record import ENDED
from qlab.service.book import Book, ended_run, study_event
from qlab.service.channel import Message
from qlab.service.live import Live
from qlab.service.showing import queue_event
from qlab.session import Order
from qlab.watch import Rule

RETRY = 3.0  # s until a run that was turned down is tried again
FAILURES = 3  # runs of a study in a row that fail before the queue is held
_ARRANGED = {"position", "priority", "due", "after", "repeat"}


class Pool(Protocol):
    """The bench processes, as the desk sees them."""

    def ask(self, message: Message) -> None:
        """Send a question to any bench process."""
        ...

    def start(self, bench: str, message: Message) -> bool:
        """Give a run to a bench process that is free; return False where there is none."""
        ...

    def say(self, run: str, message: Message) -> None:
        """Send something to the process that has a run."""
        ...

    def make_safe(self, bench: str) -> None:
        """Have a bench made safe."""
        ...


class Desk:
    """All of the queue but the processes; used from one thread. `tell` sends an event to everybody."""

    def __init__(self, pool: Pool, tell: Callable[[Message], None], path: Path | None = None) -> None:
        self._pool, self._tell = pool, tell
        self.book = Book(path)
        self.live: dict[str, Live] = {}
        self._retry: dict[str, float] = {}
        self._asked: set[str] = set()
        self._failures = 0
        self._changed = True

    @property
    def busy(self) -> bool:
        """Whether a run goes, or will begin without anybody's help."""
        held = self.book.saved.held
        return bool(self.live) or any(
            standing.state != "blocked" and (standing.item.order.now or not held) for standing in self._line()
        )

    def rules(self, bench: str) -> list[dict[str, Any]]:
        """Return the watchdog rules of a bench."""
        return self.book.saved.rules.get(bench, [])

    def restore(self) -> list[Live]:
        """Take up the queue where its process left it; return the runs that were going, to be rescued."""
        self.live = {live.run: live for live in self.book.restore()}
        return list(self.live.values())

    def welcome(self) -> list[Message]:
        """Return what brings a window up to date."""
        told = [event for live in self.live.values() for event in live.replay()]
        told += [
            _queued(item.id, item.order) for item in self.book.items if item.begun == 0 and not item.several
        ]
        told += [
            {"event": "watch", "bench": bench, "rules": rules, "firing": []}
            for bench, rules in self.book.saved.rules.items()
        ]
        notes, self.book.notes = self.book.notes, []
        told += [{"event": "log", "level": "warning", "message": note} for note in notes]
        return [*told, self._queue()]

    # What people say.

    def do(self, message: Message) -> None:
        """Take what a window says; never raises for a bad message."""
        try:
            self._do(message)
        except ValidationError as error:
            self._log("error", "; ".join(str(item["msg"]) for item in error.errors()))
        except (QlabError, ValueError, TypeError, KeyError) as error:
            self._log("error", str(error))
        self._changed = True

    def _do(self, message: Message) -> None:
        what, run = str(message.get("do")), str(message.get("run", ""))
        match what:
            case "submit":
                self._submit(run, Order.model_validate(message["order"]))
            case "hold" | "release":
                self._failures = 0
                if what == "hold":
                    self.book.hold()
                else:
                    self.book.saved.held = False
            case "pause" | "resume" | "stop" | "halt" | "skip":
                self._command(what, run)
            case "make_safe":
                self._make_safe(str(message.get("bench", "")))
            case "extend":
                self._extend(run, int(message["passes"]))
            case "arrange":
                self._arrange(run, dict(message["changes"]))
            case "watch":
                self._watch(str(message["bench"]), message["rules"])

    def _submit(self, run: str, order: Order) -> None:
        self._tell(_queued(run, order))
        try:
            due_time(order.due)
        except ValueError:
            why = f"{order.due!r} is not a time."
            self._tell(_ended(run, "failed", why, "Write it as 2026-01-31T22:30."))
            return
        self.book.items.append(Item(id=run, order=order))

    def _command(self, what: str, run: str) -> None:
        """Say something to the run that goes; take out what waits: of a study by its own id, all that is left.

        Stop and halt hold the queue where more waits.
        """
        going, item = self._going(run), self.book.item(run)
        if item is not None and what in {"stop", "halt", "skip"}:
            self._take_out(item)
        if what in {"stop", "halt"} and going and self.book.waiting:
            self.book.hold()
        for live in going:
            self._pool.say(live.run, {"do": what, "run": live.run})
        if run and item is None and not going:
            self._log("warning", f"There is no run {run[:8]} that goes or waits.")

    def _going(self, run: str = "") -> list[Live]:
        return [live for live in self.live.values() if run in {"", live.run, live.item} and not live.ended]

    def _take_out(self, item: Item) -> None:
        never = not item.several and item.begun == 0
        item.cut = item.begun
        if never:
            why = "taken out of the queue"
            self.book.outcome(item.id, Outcome(state="stopped"))
            self._tell(_ended(item.id, "stopped", why))
        self._settle(item)

    def _make_safe(self, bench: str) -> None:
        if self.book.waiting:
            self.book.hold()
        for live in self._going():
            self._pool.say(live.run, {"do": "halt", "run": live.run})
        for name in sorted({bench, *(str(live.order["bench"]) for live in self.live.values())} - {""}):
            self._pool.make_safe(name)

    def _extend(self, run: str, passes: int) -> None:
        item = self.book.item(run)
        if run in self.live:
            self._pool.say(run, {"do": "extend", "run": run, "passes": passes})
        elif item is not None and passes > 0:
            item.extend += passes
        else:
            self._log("warning", f"There is no run {run[:8]} that could be extended by {passes} passes.")

    def _arrange(self, run: str, changes: dict[str, Any]) -> None:
        item = self.book.item(run)
        unknown = ", ".join(sorted(set(changes) - _ARRANGED))
        if item is None or not item.left or unknown:
            why = f"{unknown} cannot be changed" if unknown else "it does not wait"
            self._log("warning", f"Run {run[:8]} stays as it is: {why}.")
            return
        fields = {name: value for name, value in changes.items() if name != "position"}
        if fields:
            order = Order.model_validate({**item.order.model_dump(mode="json"), **fields})
            due_time(order.due)
            self.book.change(item, order=order, problem="", plan=None if item.begun == 0 else item.plan)
            self._asked.discard(run)
        if "position" in changes:
            self.book.move(run, int(changes["position"]))

    def _watch(self, bench: str, rules: list[dict[str, Any]]) -> None:
        good = [Rule.model_validate(rule).model_dump(mode="json") for rule in rules]
        self.book.saved.rules[bench] = good
        for live in self._going():
            if live.order["bench"] == bench:
                self._pool.say(live.run, {"do": "watch", "run": live.run, "rules": good})
        self._tell({"event": "watch", "bench": bench, "rules": good, "firing": []})

    # What bench processes say.

    def heard(self, event: Message) -> None:
        """Take what a bench process says and pass it on."""
        kind, run = str(event.get("event")), str(event.get("run", ""))
        live = self.live.get(run)
        if kind == "planned":
            self._planned(run, event)
        elif kind == "refused" and live is not None:
            self._refused(live, str(event["message"]))
        elif kind == "free":
            self._free(run)
        else:
            self._pass_on(live, event)

    def _pass_on(self, live: Live | None, event: Message) -> None:
        kind = event.get("event")
        if live is not None and kind in {"started", "state", "progress"}:
            if live.ended:
                return
            self._changed = self._changed or kind != "progress"
            live.heard(event)
        self._tell(event)
        if live is not None and kind == "state" and event["state"] in ENDED:
            self._run_ended(live, event)

    def _planned(self, run: str, event: Message) -> None:
        item = self.book.item(run)
        self._asked.discard(run)
        self._changed = True
        if item is None:
            return
        if not event.get("problem"):
            item.plan = Plan.model_validate(event["plan"])
            return
        problem, hint = str(event["problem"]), str(event.get("hint", ""))
        if item.several:
            self._log("error", f"{item.title} cannot be played. {problem} {hint}".strip(), run)
        else:
            self._tell(_ended(run, "failed", problem, hint))
        self.book.outcome(item.id, Outcome(state="failed"))
        item.cut, item.problem = item.begun, problem
        self._settle(item)

    def _refused(self, live: Live, why: str) -> None:
        """Put a run back that could not have its instruments."""
        del self.live[live.run]
        self._changed = True
        if (item := self.book.item(live.item)) is not None:
            item.begun -= 1
            item.refused = why
            self._retry[item.id] = time.monotonic() + RETRY

    def _free(self, run: str) -> None:
        live = self.live.pop(run, None)
        self._changed = True
        if live is not None and (item := self.book.item(live.item)) is not None:
            self._settle(item)

    def _run_ended(self, live: Live, event: Message) -> None:
        played = ended_run(live, event)
        self.book.outcome(live.run, Outcome(state=played.state, good_fit=played.good_fit))
        item = self.book.item(live.item)
        if played.state == "finished":
            self._failures = 0
            self.book.took(live)
        elif played.state in {"failed", "interrupted"} and item is not None and item.several:
            self._failures += 1
            if self._failures >= FAILURES and not self.book.saved.held:
                self.book.hold()
                self._log(
                    "error", f"{FAILURES} runs in a row failed: the queue is held. Release it to go on."
                )
        if item is not None:
            item.played.append(played)

    def _settle(self, item: Item) -> None:
        """Take an item out of the queue once nothing of it goes or waits."""
        if (
            item.left
            or item not in self.book.items
            or any(live.item == item.id for live in self.live.values())
        ):
            return
        self.book.items.remove(item)
        if not item.several:
            return
        whole = item.cut is None and all(played.state == "finished" for played in item.played)
        state = "failed" if item.problem else "finished" if whole else "stopped"
        self.book.outcome(
            item.id, Outcome(state=state, good_fit=all(played.good_fit for played in item.played))
        )
        self._tell(study_event(item, state))

    # What happens by itself.

    def tick(self) -> None:
        """Ask for plans, begin what may begin, tell and keep what has changed. A few times a second is enough."""
        for item in self.book.waiting:
            if item.plan is None and item.id not in self._asked:
                self._asked.add(item.id)
                self._pool.ask({"do": "plan", "run": item.id, "order": item.order.model_dump(mode="json")})
        for run, when in list(self._retry.items()):
            if time.monotonic() > when:
                del self._retry[run]
                if (refused := self.book.item(run)) is not None:
                    refused.refused, self._changed = "", True
        while any(standing.state == "ready" and self._begin(standing.item) for standing in self._line()):
            self._changed = True
        if self._changed:
            self._changed = False
            self._tell(self._queue())
            if wrong := self.book.write(self.live.values()):
                self._log("error", wrong)

    def forget_questions(self) -> None:
        """Ask again for every plan: the process that was asked is gone."""
        self._asked.clear()

    def _begin(self, item: Item) -> bool:
        plan = item.plan or Plan()
        point = next_point(plan, item.begun, item.played)
        order, about = child(item, point)
        run = str(uuid.uuid4()) if item.several else item.id
        told = order.model_dump(mode="json")
        message = {"do": "submit", "run": run, "order": told, "about": about, "extend": item.extend}
        if not self._pool.start(order.bench, {**message, "rules": self.rules(order.bench)}):
            return False
        self.live[run] = Live(
            run, item.id, told, item.begun, point, about, plan.resources,
            expected=self.book.expected(item), estimated=item.seconds,
        )  # fmt: skip
        item.begun += 1
        if item.several:
            self._tell(_queued(run, order))
        return True

    def _line(self) -> list[Standing]:
        taken = {resource: live.title for live in self.live.values() for resource in live.resources}
        going = {live.item for live in self.live.values()} | set(self.live)
        now = Now(
            datetime.now(UTC).astimezone(), taken, going, self.book.saved.outcomes, self.book.saved.held
        )
        return standings(self.book.waiting, now)

    def _queue(self) -> Message:
        line = self._line()
        seconds = {standing.item.id: self.book.expected(standing.item) for standing in line}
        return queue_event(line, list(self.live.values()), self.book.saved.held, seconds)

    def _log(self, level: str, message: str, run: str = "") -> None:
        self._tell({"event": "log", "level": level, "message": message, **({"run": run} if run else {})})


def _queued(run: str, order: Order) -> Message:
    return {"event": "queued", "run": run, "order": order.model_dump(mode="json")}


def _ended(run: str, state: str, reason: str, hint: str = "") -> Message:
    return {"event": "state", "run": run, "state": state, "reason": reason, "hint": hint, "path": ""}
