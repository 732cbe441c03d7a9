"""The book of the queue: its items, how runs ended, the rules of each bench; kept on disk where it has a place."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qlab.queue import saved
from qlab.queue.item import Item, Outcome
from qlab.queue.rules import moved
from qlab.queue.study import Played
from qlab.service.channel import Message
from qlab.service.live import Live

OUTCOMES = 1000  # of so many past runs it is known how they ended


class Book:
    """What the queue remembers. `notes` are what the first window to come must hear."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.saved = saved.Saved()
        self.notes: list[str] = []

    @property
    def items(self) -> list[Item]:
        """What is in the queue, orders whose runs go included."""
        return self.saved.items

    @property
    def waiting(self) -> list[Item]:
        """The items that have runs left to play."""
        return [item for item in self.items if item.left]

    def item(self, run: str) -> Item | None:
        """Return the item of this id."""
        return next((item for item in self.items if item.id == run), None)

    def change(self, item: Item, **update: Any) -> None:
        """Put an item in place of its former self."""
        self.items[self.items.index(item)] = item.model_copy(update=update)

    def move(self, run: str, position: int) -> None:
        """Move a waiting item; what has been given out whole stands outside of the line."""
        others = [item for item in self.items if not item.left]
        self.saved.items = [*others, *moved(self.waiting, run, position)]

    def outcome(self, run: str, outcome: Outcome) -> None:
        """Take note of how a run or a study ended."""
        self.saved.outcomes[run] = outcome
        for old in list(self.saved.outcomes)[:-OUTCOMES]:
            del self.saved.outcomes[old]

    def took(self, live: Live) -> None:
        """Take note of how long a run took that has just finished."""
        self.saved.history.add(_kind(live.order), live.estimated, time.monotonic() - live.began)

    def expected(self, item: Item) -> float:
        """Return how long one run of an item will take (s); NaN where nobody knows."""
        # What a simulated bench estimates is virtual time, unless it is paced.
        virtual = item.plan is not None and item.plan.simulated and item.order.pace is None
        return self.saved.history.expected(_kind(item.order.model_dump()), item.seconds, only_known=virtual)

    def hold(self) -> None:
        """Begin no other run; what was wanted at once waits like the rest."""
        self.saved.held = True
        for item in self.items:
            if item.order.now:
                item.order = item.order.model_copy(update={"now": False})

    def restore(self) -> list[Live]:
        """Read what the queue was when its process ended; what waits is held. Return the runs that were going."""
        if self._path is None:
            return []
        self.saved, wrong = saved.read(self._path)
        if wrong:
            self.notes.append(wrong)
        going, self.saved.going = self.saved.going, []
        if self.waiting:
            self.hold()
            count = f"{len(self.waiting)} order{'s wait' if len(self.waiting) > 1 else ' waits'}"
            self.notes.append(f"The queue was interrupted; {count} in it, held. Release it to go on.")
        for item in self.items:
            # Benches and limits may have changed since.
            item.plan, item.refused = (None if item.begun == 0 else item.plan), ""
        return [
            Live(run.run, run.item, run.order, path=run.path, number=run.number, point=run.point)
            for run in going
        ]

    def write(self, lives: Iterable[Live]) -> str:
        """Write the book where it has a place; return what went wrong, if anything."""
        if self._path is None:
            return ""
        self.saved.going = [
            saved.Going(run=live.run, item=live.item, order=live.order, path=live.path,
                        number=live.number, point=live.point)
            for live in lives
            if not live.ended
        ]  # fmt: skip
        try:
            saved.write(self.saved, self._path)
        except OSError as error:
            return f"The queue cannot be kept on disk ({error.strerror}): a restart would lose it."
        return ""


def ended_run(live: Live, event: Message) -> Played:
    """Return what the queue keeps of a run from the `state` event of its end."""
    fits = (event.get("record") or {}).get("fits") or ()
    believed = [p for fit in fits if fit.get("success") for p in fit["parameters"]]
    return Played(
        run=live.run,
        number=live.number,
        point=live.point,
        state=str(event["state"]),
        path=str(event.get("path") or ""),
        good_fit=bool(fits) and all(fit.get("success") for fit in fits),
        values={p["name"]: (p["value"], p.get("error")) for p in believed},
    )


def study_event(item: Item, state: str) -> Message:
    """Return the `study` event; see `qlab.session.Session`."""
    runs = [
        {
            **played.model_dump(include={"run", "number", "state", "path", "good_fit"}),
            "index": list(played.point.index),
            "values": played.point.values,
            "fit": {name: list(value) for name, value in played.values.items()},
        }
        for played in item.played
    ]
    return {"event": "study", "study": item.id, "state": state, "reason": item.problem, "runs": runs}


def _kind(order: dict[str, Any]) -> str:
    return json.dumps([order["experiment"], order["bench"], order["pace"] is not None])
