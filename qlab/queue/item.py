"""What waits in the queue: orders with their plan, how far they are, and how their runs ended."""

import math
from typing import Any

from pydantic import BaseModel, ConfigDict

from qlab.queue.study import Plan, Played, Point
from qlab.session import Order
from qlab.units import format_quantity


class Outcome(BaseModel):
    """How a run, or a study as a whole, ended. `good_fit`: every fit of it is believed."""

    model_config = ConfigDict(frozen=True)

    state: str
    good_fit: bool = False


class Item(BaseModel):
    """One order in the queue.

    An order of one run plays under the item's own id. One that repeats or has loops is a study: each run has an id
    of its own and carries the item's id as its `study`. `plan` is None until a bench process has looked at the order.
    """

    id: str
    order: Order
    plan: Plan | None = None
    begun: int = 0
    played: list[Played] = []
    extend: int = 0
    refused: str = ""  # why the last attempt to start it was turned down
    problem: str = ""  # why it can never play
    cut: int | None = None  # how many runs it has in all, where it was taken out before its end

    @property
    def several(self) -> bool:
        """Whether it is a study: more than one run, or loops."""
        return self.order.repeat > 1 or bool(self.order.loops)

    @property
    def total(self) -> int:
        """How many runs it comes to."""
        if self.cut is not None:
            return self.cut
        return max(self.order.repeat, 1) * (1 if self.plan is None else self.plan.runs)

    @property
    def left(self) -> int:
        """How many runs have not been given out."""
        return max(self.total - self.begun, 0)

    @property
    def seconds(self) -> float:
        """How long one run of it is expected to take (s); NaN where nobody knows."""
        return math.nan if self.plan is None or self.plan.seconds is None else self.plan.seconds

    @property
    def title(self) -> str:
        """What people call it."""
        name = self.order.title or self.order.experiment
        return f"{name} ({self.begun} of {self.total} begun)" if self.several else name


def child(item: Item, point: Point) -> tuple[Order, dict[str, Any]]:
    """Return the order of the next run of an item, and what its record says of the study (empty for a single run).

    Parameters and knobs take the values of the point. With a seed the k-th run has the seed plus k: runs that
    repeat each other must not repeat each other's noise.
    """
    order = item.order
    if not item.several:
        return order, {}
    plan = item.plan or Plan()
    knobs = {name: value for name, value in point.values.items() if name in plan.knobs}
    settings = {name: value for name, value in point.values.items() if name not in plan.knobs}
    words = ", ".join(_words(name, value, plan.units.get(name, "1")) for name, value in point.values.items())
    made = order.model_copy(
        update={
            "parameters": {**order.parameters, **settings},
            "knobs": {**order.knobs, **knobs},
            "seed": None if order.seed is None else order.seed + item.begun,
            "title": f"{order.title or order.experiment}: {words or f'{item.begun + 1} of {item.total}'}",
            "loops": (),
            "repeat": 1,
            "after": None,
            "due": "",
            "study": item.id,
        }
    )
    values = {n: {"value": v, "unit": plan.units.get(n, "1")} for n, v in point.values.items()}
    about = {"id": item.id, "run": item.begun, "of": item.total, "index": list(point.index), "values": values}
    return made, about


def _words(name: str, value: float | bool | str, unit: str) -> str:
    numeric = isinstance(value, float | int) and not isinstance(value, bool)
    return f"{name} = {format_quantity(float(value), unit) if numeric else value}"
