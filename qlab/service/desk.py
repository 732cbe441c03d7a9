"""The desk: the queue at work. It takes orders and commands in, gives runs out, and keeps what must survive."""

import json
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from qlab.errors import QlabError
from qlab.queue import saved
from qlab.queue.item import Item, Outcome, child
from qlab.queue.rules import Now, Standing, moved, standings
from qlab.queue.study import Plan, Played, next_point
from qlab.record import ENDED
from qlab.service.channel import Message
from qlab.service.live import Live
from qlab.service.showing import queue_event
from qlab.session import Order
from qlab.watch import Rule

RETRY = 3.0  # s until a run that was turned down is tried again
FAILURES = 3  # runs in a row that fail before the queue is held
OUTCOMES = 1000  # of so many past runs it is known how they ended


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
        """Have a bench made safe that no run of ours has."""
        ...


class Desk:
    """All of the queue but the processes; used from one thread. `tell` sends an event to everybody."""

    def __init__(self, pool: Pool, tell: Callable[[Message], None], path: Path | None = None) -> None:
        self._pool, self._tell, self._path = pool, tell, path
        self.saved = saved.Saved()
        self.live: dict[str, Live] = {}
        self.notes: list[Message] = []  # what the first window to come must hear
        self._retry: dict[str, float] = {}
        self._asked: set[str] = set()
        self._failures = 0
        self._dirty = True
        self._told: Message = {}

    @property
    def items(self) -> list[Item]:
        """What is in the queue, runs that go included."""
        return self.saved.items

    @property
    def busy(self) -> bool:
        """Whether a run goes, or will begin without anybody's help."""
        if self.live:
            return True
        return not self.saved.held and any(s.state != "blocked" for s in self._line())

    def rules(self, bench: str) -> list[dict[str, Any]]:
        """Return the watchdog rules of a bench."""
        return self.saved.rules.get(bench, [])

    def restore(self) -> list[Live]:
        """Read what the queue was when its process ended; return the runs that were going, to be rescued."""
        if self._path is None:
            return []
        self.saved, wrong = saved.read(self._path)
        going, self.saved.going = self.saved.going, []
        if wrong:
            self._note("warning", wrong)
        for run in going:
            self.live[run.run] = Live(
                run.run, run.item, run.order, path=run.path, number=run.number, point=run.point
            )
        done = {run.item for run in going}
        waiting = [item for item in self.items if item.left or item.id not in done]
        if waiting:
            self.saved.held = True
            count = f"{len(waiting)} order{'s' if len(waiting) > 1 else ''}"
            self._note(
                "warning", f"The queue was interrupted; {count} wait in it, held. Release it to go on."
            )
        for item in self.items:
            item.plan, item.refused = (None, "") if item.begun == 0 else (item.plan, "")
        return list(self.live.values())

    def welcome(self) -> list[Message]:
        """Return what brings a window up to date."""
        told = [event for live in self.live.values() for event in live.replay()]
        told += [
            {"event": "queued", "run": item.id, "order": item.order.model_dump(mode="json")}
            for item in self.items
            if item.begun == 0 and not item.several
        ]
        told.append(self._queue())
        notes, self.notes = self.notes, []
        return told + notes

    # What people say.

    def do(self, message: Message) -> None:
        """Take what a window says; never raises for a bad message."""
        try:
            self._do(message)
        except (QlabError, ValueError, TypeError, KeyError) as error:
            why = (
                "; ".join(e["msg"] for e in error.errors())
                if isinstance(error, ValidationError)
                else str(error)
            )
            self._log("error", why)
        self._dirty = True

    def _do(self, message: Message) -> None:
        what, run = str(message.get("do")), str(message.get("run", ""))
        match what:
            case "submit":
                order = Order.model_validate(message["order"])
                self.items.append(Item(id=run, order=order))
                self._tell({"event": "queued", "run": run, "order": message["order"]})
            case "hold" | "release":
                self.saved.held, self._failures = what == "hold", 0
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

    def _command(self, what: str, run: str) -> None:
        going = [live for live in self.live.values() if run in {"", live.run, live.item} and not live.ended]
        if what in {"stop", "halt"} and going and self._left_over(going):
            self.saved.held = True
        for live in going:
            self._pool.say(live.run, {"do": what, "run": live.run})
        item = self._item(run)
        if item is not None and what in {"stop", "halt", "skip"} and (not going or what == "skip"):
            self._take_out(item, "taken out of the queue")
        if run and item is None and not going:
            self._log("warning", f"There is no run {run[:8]} that goes or waits.")

    def _left_over(self, going: Iterable[Live]) -> bool:
        single = {live.item for live in going}
        return any(item.left or item.id not in single for item in self.items)

    def _take_out(self, item: Item, why: str) -> None:
        item.cut = item.begun
        if not item.several and item.begun == 0:
            self._outcome(item.id, Outcome(state="stopped"))
            self._tell(
                {"event": "state", "run": item.id, "state": "stopped", "reason": why, "hint": "", "path": ""}
            )
        self._settle(item)

    def _make_safe(self, bench: str) -> None:
        benches = {str(live.order["bench"]) for live in self.live.values()}
        going = [live for live in self.live.values() if not live.ended]
        if self._left_over(going):
            self.saved.held = True
        for live in going:
            self._pool.say(live.run, {"do": "halt", "run": live.run})
        for name in sorted({bench, *benches} - {""}):
            self._pool.make_safe(name)

    def _extend(self, run: str, passes: int) -> None:
        item = self._item(run)
        if run in self.live:
            self._pool.say(run, {"do": "extend", "run": run, "passes": passes})
        elif item is not None and passes > 0:
            item.extend += passes
        else:
            self._log("warning", f"There is no run {run[:8]} that could be extended by {passes} passes.")

    def _arrange(self, run: str, changes: dict[str, Any]) -> None:
        item = self._item(run)
        unknown = set(changes) - {"position", "priority", "due", "after", "repeat"}
        if item is None or not item.left or unknown:
            why = f"{', '.join(sorted(unknown))} cannot be changed" if unknown else "it does not wait"
            self._log("warning", f"Run {run[:8]} stays as it is: {why}.")
            return
        fields = {name: value for name, value in changes.items() if name != "position"}
        if fields:
            order = Order.model_validate({**item.order.model_dump(mode="json"), **fields})
            at = self.items.index(item)
            self.items[at] = item.model_copy(
                update={"order": order, "problem": "", "plan": None if item.begun == 0 else item.plan}
            )
            self._asked.discard(run)
        if "position" in changes:
            self._move(run, int(changes["position"]))

    def _move(self, run: str, position: int) -> None:
        """Move a waiting item; what has been given out whole stands outside of the line."""
        waiting = [item for item in self.items if item.left]
        others = [item for item in self.items if not item.left]
        self.saved.items = [*others, *moved(waiting, run, position)]

    def _watch(self, bench: str, rules: list[dict[str, Any]]) -> None:
        good = [Rule.model_validate(rule) for rule in rules]
        self.saved.rules[bench] = [rule.model_dump(mode="json") for rule in good]
        for live in self.live.values():
            if live.order["bench"] == bench and not live.ended:
                self._pool.say(live.run, {"do": "watch", "run": live.run, "rules": self.rules(bench)})
        self._tell({"event": "watch", "bench": bench, "rules": self.rules(bench), "firing": []})

    # What bench processes say.

    def heard(self, event: Message) -> None:
        """Take what a bench process says and pass it on."""
        kind, run = str(event.get("event")), str(event.get("run", ""))
        live = self.live.get(run)
        if kind == "planned":
            self._planned(run, event)
            return
        if kind == "refused" and live is not None:
            self._refused(live, str(event["message"]))
            return
        if kind == "free":
            self._free(run)
            return
        if live is not None and kind in {"started", "state", "progress"} and not live.ended:
            before = live.path
            live.heard(event)
            self._dirty = self._dirty or live.path != before
        self._tell(event)
        if live is not None and kind == "state" and event["state"] in ENDED:
            self._ended(live, event)

    def _planned(self, run: str, event: Message) -> None:
        item = self._item(run)
        self._asked.discard(run)
        if item is None:
            return
        self._dirty = True
        if event.get("problem"):
            if item.begun == 0 and not item.order.loops:
                ended = {"event": "state", "run": run, "state": "failed", "path": ""}
                self._tell({**ended, "reason": event["problem"], "hint": event.get("hint", "")})
            else:
                self._log(
                    "error",
                    f"{item.title} cannot be played. {event['problem']} {event.get('hint', '')}".strip(),
                    run,
                )
            self._outcome(item.id, Outcome(state="failed"))
            item.cut, item.problem = item.begun, str(event["problem"])
            self._settle(item)
            return
        item.plan = Plan.model_validate(event["plan"])

    def _refused(self, live: Live, why: str) -> None:
        """Put a run back that could not have its instruments."""
        del self.live[live.run]
        self._dirty = True
        item = self._item(live.item)
        if item is not None:
            item.begun -= 1
            item.refused = why
            self._retry[item.id] = time.monotonic() + RETRY

    def _free(self, run: str) -> None:
        live = self.live.pop(run, None)
        self._dirty = True
        if live is not None and (item := self._item(live.item)) is not None:
            self._settle(item)

    def _ended(self, live: Live, event: Message) -> None:
        self._dirty = True
        state = str(event["state"])
        fits = (event.get("record") or {}).get("fits") or ()
        good = bool(fits) and all(fit.get("success") for fit in fits)
        self._outcome(live.run, Outcome(state=state, good_fit=good))
        item = self._item(live.item)
        if state == "finished":
            self._failures = 0
            self.saved.history.add(_kind(live.order), live.estimated, time.monotonic() - live.began)
        elif state in {"failed", "interrupted"}:
            self._failures += 1
            if self._failures == FAILURES and item is not None and item.several:
                self.saved.held = True
                self._log(
                    "error", f"{FAILURES} runs in a row failed: the queue is held. Release it to go on."
                )
        if item is None:
            return
        values = {
            p["name"]: (p["value"], p.get("error"))
            for fit in fits
            for p in fit["parameters"]
            if fit.get("success")
        }
        item.played.append(
            Played(run=live.run, number=live.number, point=live.point, state=state, path=str(event.get("path") or ""),
                   good_fit=good, values=values)
        )  # fmt: skip

    def _settle(self, item: Item) -> None:
        """Take an item out of the queue once nothing of it goes or waits."""
        if item.left or any(live.item == item.id for live in self.live.values()) or item not in self.items:
            return
        self.items.remove(item)
        if not item.several:
            return
        states = {played.state for played in item.played}
        state = "finished" if states == {"finished"} and item.cut is None else "stopped"
        if item.problem:
            state = "failed"
        self._outcome(item.id, Outcome(state=state, good_fit=all(p.good_fit for p in item.played)))
        self._tell({"event": "study", "study": item.id, "state": state, "reason": item.problem,
                    "runs": [_row(played) for played in item.played]})  # fmt: skip

    def _outcome(self, run: str, outcome: Outcome) -> None:
        self.saved.outcomes[run] = outcome
        for old in list(self.saved.outcomes)[:-OUTCOMES]:
            del self.saved.outcomes[old]

    # What happens by itself.

    def tick(self) -> None:
        """Ask for plans, begin what may begin, tell and keep what has changed. A few times a second is enough."""
        for item in self.items:
            if item.plan is None and item.id not in self._asked and not item.problem:
                self._asked.add(item.id)
                self._pool.ask({"do": "plan", "run": item.id, "order": item.order.model_dump(mode="json")})
        for run, when in list(self._retry.items()):
            if time.monotonic() > when:
                del self._retry[run]
                if (item := self._item(run)) is not None:
                    item.refused, self._dirty = "", True
        while any(standing.state == "ready" and self._begin(standing.item) for standing in self._line()):
            self._dirty = True
        self._keep()

    def forget_questions(self) -> None:
        """Ask again for every plan: the process that was asked is gone."""
        self._asked.clear()

    def _begin(self, item: Item) -> bool:
        plan = item.plan or Plan()
        try:
            point = next_point(plan, item.begun, item.played)
            order, about = child(item, point)
        except (QlabError, ValueError, TypeError) as error:
            item.problem = str(error)
            return False
        run = str(uuid.uuid4()) if item.several else item.id
        told = order.model_dump(mode="json")
        live = Live(run, item.id, told, item.begun, point, about, plan.resources)
        live.estimated = item.seconds
        live.expected = self._expected(item)
        message = {"do": "submit", "run": run, "order": told, "about": about, "extend": item.extend}
        if not self._pool.start(order.bench, {**message, "rules": self.rules(order.bench)}):
            return False
        self.live[run] = live
        item.begun += 1
        if item.several:
            self._tell({"event": "queued", "run": run, "order": told})
        return True

    def _line(self) -> list[Standing]:
        taken = {resource: live.title for live in self.live.values() for resource in live.resources}
        going = {live.item for live in self.live.values()} | set(self.live)
        now = Now(datetime.now(UTC).astimezone(), taken, going, self.saved.outcomes, self.saved.held)
        return standings([item for item in self.items if item.left], now)

    def _expected(self, item: Item) -> float:
        free_running = item.plan is not None and item.plan.simulated and item.order.pace is None
        return self.saved.history.expected(
            _kind(item.order.model_dump()), item.seconds, only_known=free_running
        )

    def _queue(self) -> Message:
        line = self._line()
        seconds = {standing.item.id: self._expected(standing.item) for standing in line}
        return queue_event(line, list(self.live.values()), self.saved.held, seconds)

    def _keep(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        event = self._queue()
        self._tell(event)
        if self._path is None:
            return
        self.saved.going = [
            saved.Going(
                run=live.run,
                item=live.item,
                order=live.order,
                path=live.path,
                number=live.number,
                point=live.point,
            )
            for live in self.live.values()
            if not live.ended
        ]
        try:
            saved.write(self.saved, self._path)
        except OSError as error:
            self._log(
                "error", f"The queue cannot be kept on disk ({error.strerror}): a restart would lose it."
            )

    def _item(self, run: str) -> Item | None:
        return next((item for item in self.items if item.id == run), None)

    def _log(self, level: str, message: str, run: str = "") -> None:
        self._tell({"event": "log", "level": level, "message": message, **({"run": run} if run else {})})

    def _note(self, level: str, message: str) -> None:
        self.notes.append({"event": "log", "level": level, "message": message})


def _kind(order: dict[str, Any]) -> str:
    return json.dumps([order["experiment"], order["bench"], order["pace"] is not None])


def _row(played: Played) -> dict[str, Any]:
    values = {name: list(value) for name, value in played.values.items()}
    point = played.point
    return {"run": played.run, "number": played.number, "index": list(point.index), "values": point.values,
            "state": played.state, "path": played.path, "good_fit": played.good_fit, "fit": values}  # fmt: skip
