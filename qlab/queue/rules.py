"""The rules of the queue: what may play now, what an item waits for, and where it stands in line."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from qlab.queue.item import Item, Outcome
from qlab.session import After

_LOOKED_AT = "being looked at"


@dataclass(frozen=True)
class Now:
    """What the rules look at beside the items: the time, what is taken, what goes, how runs ended."""

    time: datetime
    taken: Mapping[str, str]  # resource -> title of the run that has it
    going: AbstractSet[str]  # ids of items that have a run going
    outcomes: Mapping[str, Outcome]
    held: bool = False
    room: bool = True  # another bench process may be started


@dataclass(frozen=True)
class Standing:
    """How an item stands: `ready` to play now, `waiting` for something that will come, `blocked` for good."""

    item: Item
    state: Literal["ready", "waiting", "blocked"]
    why: str = ""


def in_line(items: Sequence[Item]) -> list[Item]:
    """Return items in the order in which they play: what is wanted now, then by priority, then as they stand."""
    return sorted(items, key=lambda item: (not item.order.now, -item.order.priority))


def standings(items: Sequence[Item], now: Now) -> list[Standing]:
    """Say of each item, in line, how it stands.

    An item that only waits for instruments keeps them for itself: what comes later in line and needs one of
    them waits too, so that nothing overtakes on the same instruments; what needs others plays at once. Nothing
    overtakes an item whose instruments are not known yet.
    """
    kept: dict[str, str] = dict(now.taken)
    unknown = ""  # title of an item that is being looked at
    found: list[Standing] = []
    ids = {item.id for item in items}
    for item in in_line(items):
        state, why = _standing(item, now, kept, ids)
        if why == _LOOKED_AT:
            unknown = unknown or item.title
        elif state == "ready" and unknown:
            state, why = "waiting", f"comes after {unknown}, which is being looked at"
        found.append(Standing(item, state, why))
        if state == "ready" or why.startswith("its instruments"):
            for resource in item.plan.resources if item.plan else ():
                kept.setdefault(resource, item.title)
    return found


def _standing(
    item: Item, now: Now, kept: Mapping[str, str], ids: AbstractSet[str]
) -> tuple[Literal["ready", "waiting", "blocked"], str]:
    if item.problem:
        return "blocked", item.problem
    if item.order.after is not None:
        state, why = _after(item.order.after, now, ids)
        if state != "ready":
            return state, why
    due = due_time(item.order.due)
    if due is not None and due > now.time:
        return "waiting", f"due at {due.isoformat(timespec='seconds')}"
    if item.plan is None:
        return "waiting", _LOOKED_AT
    if not item.left:
        return "waiting", "its last run is going"
    if item.plan.refined is not None and item.id in now.going:
        return "waiting", "the next value depends on the run that is going"
    holder = next((kept[r] for r in item.plan.resources if r in kept), None)
    if holder is not None:
        return "waiting", f"its instruments are in use by {holder}"
    if item.refused:
        return "waiting", item.refused
    if now.held and not item.order.now:
        return "waiting", "the queue is held"
    return ("ready", "") if now.room else ("waiting", "enough runs are going")


def _after(
    after: After, now: Now, ids: AbstractSet[str]
) -> tuple[Literal["ready", "waiting", "blocked"], str]:
    outcome = now.outcomes.get(after.run)
    if outcome is None:
        if after.run in ids or after.run in now.going:
            return "waiting", f"comes after run {after.run[:8]}"
        return "blocked", f"the run {after.run[:8]} that it comes after is not known"
    if after.needs != "ended" and outcome.state != "finished":
        return "blocked", f"run {after.run[:8]} was {outcome.state}, not finished"
    if after.needs == "good_fit" and not outcome.good_fit:
        return "blocked", f"run {after.run[:8]} has no fit that is believed"
    return "ready", ""


def due_time(text: str) -> datetime | None:
    """Return a due time (ISO 8601; without an offset it is local time), None for none; raise ValueError."""
    return datetime.fromisoformat(text).astimezone() if text else None


def moved(items: Sequence[Item], run: str, position: int) -> list[Item]:
    """Return the items in line with one at a new position; its priority follows its new neighbours."""
    line = in_line(items)
    item = next(item for item in line if item.id == run)
    line.remove(item)
    position = min(max(position, 0), len(line))
    priority = item.order.priority
    if position > 0:
        priority = min(priority, line[position - 1].order.priority)
    if position < len(line):
        priority = max(priority, line[position].order.priority)
    changed = item.model_copy(update={"order": item.order.model_copy(update={"priority": priority})})
    return [*line[:position], changed, *line[position:]]
