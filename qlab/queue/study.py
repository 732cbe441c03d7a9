"""Studies: loops over whole runs, nested, zipped, in random order, or refined; which point is played next."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from qlab.errors import UsageError
from qlab.queue.refine import Known, next_value
from qlab.scan import parse_scan
from qlab.session import Loop

Value = float | bool | str
MOST_RUNS = 100_000


class Point(BaseModel):
    """One point of a study: what each loop is set to, and which of its values that is."""

    model_config = ConfigDict(frozen=True)

    index: tuple[int, ...] = ()
    values: dict[str, Value] = {}


class Refined(BaseModel):
    """The innermost loop of an adaptive study: `count` values of `over` between the ends, refined by a fit value."""

    model_config = ConfigDict(frozen=True)

    over: str
    low: float
    high: float
    count: int
    by: str


class Plan(BaseModel):
    """What an order comes to: its points, how long one run takes, what it needs, and what would be wrong with it.

    `resources` are the instruments that it needs for itself (see `qlab.holding`), `knobs` those names of `units`
    that are knobs of the bench and not parameters.
    """

    points: tuple[Point, ...] = (Point(),)
    refined: Refined | None = None
    units: dict[str, str] = {}
    knobs: tuple[str, ...] = ()
    seconds: float | None = None
    resources: tuple[str, ...] = ()
    simulated: bool = False

    @property
    def runs(self) -> int:
        """How many runs one turn of the study has."""
        return len(self.points) * (1 if self.refined is None else self.refined.count)


class Played(BaseModel):
    """One run of a study that has ended: its point, its file, and what its fit found (value, error)."""

    model_config = ConfigDict(frozen=True)

    run: str
    number: int
    point: Point
    state: str
    path: str = ""
    good_fit: bool = False
    values: dict[str, tuple[float, float | None]] = {}


def loop_values(loop: Loop, unit: str, *, words: bool) -> tuple[Value, ...]:
    """Return the values of a loop in the order typed; `words` for a choice, a switch or a text."""
    if words:
        found = tuple(part.strip() for part in loop.values.split(",") if part.strip())
        if not found:
            raise UsageError(f"The loop over {loop.over} has no values.", "Give them with commas between.")
        return found
    scan = parse_scan(loop.values, unit)
    scan.check()
    return tuple(float(v) for v in scan.values()[scan.played()])


def points(
    loops: Sequence[Loop], values: Mapping[str, Sequence[Value]], seed: int
) -> tuple[tuple[Point, ...], Refined | None]:
    """Return the points of a study in the order in which they are played, and the loop that is refined, if any.

    Loops are nested, the first outermost; zipped ones step together and must be of one length. Where every loop is
    random the whole grid is shuffled; else a random loop is shuffled anew for each value of those around it.
    """
    groups = _groups(loops)
    refined = _refined(groups, values)
    if refined is not None:
        groups = groups[:-1]
    sizes = [_size(group, values) for group in groups]
    if int(np.prod(sizes, dtype=float)) > MOST_RUNS:
        raise UsageError(f"This study has more than {MOST_RUNS} runs.", "Give fewer values.")
    shuffle = [group[0].order == "random" for group in groups]
    random = np.random.default_rng(seed)
    if groups and all(shuffle):
        grid = list(itertools.product(*(range(size) for size in sizes)))
        order = [grid[i] for i in random.permutation(len(grid))]
    else:
        order = _nested(sizes, shuffle, random)
    made = tuple(
        Point(
            index=index,
            values={
                loop.over: values[loop.over][i]
                for i, group in zip(index, groups, strict=True)
                for loop in group
            },
        )
        for index in order
    )
    return made, refined


def next_point(plan: Plan, begun: int, played: Sequence[Played]) -> Point:
    """Return the point of the run number `begun` (from 0); an adaptive one looks at what was played before."""
    number = begun % plan.runs
    if plan.refined is None:
        return plan.points[number]
    refined = plan.refined
    outer = plan.points[number // refined.count]
    inner = number % refined.count
    known = [
        Known(float(p.point.values[refined.over]), *p.values.get(refined.by, (None, None)))
        for p in played
        if begun - inner <= p.number < begun
    ]
    value = next_value(known, refined.low, refined.high, refined.count)
    return Point(index=(*outer.index, inner), values={**outer.values, refined.over: value})


def _groups(loops: Sequence[Loop]) -> list[list[Loop]]:
    """Return loops that step together as one group each."""
    names = [loop.over for loop in loops]
    if len(set(names)) < len(names):
        raise UsageError("Two loops go over the same thing.", "Give each its own.")
    groups: list[list[Loop]] = []
    joined = False
    for loop in loops:
        if joined:
            groups[-1].append(loop)
        else:
            groups.append([loop])
        joined = loop.zip_with_next
    if joined:
        raise UsageError(f"The loop over {loops[-1].over} is zipped with nothing after it.", "Add a loop.")
    for group in groups:
        if len({loop.order for loop in group}) > 1:
            raise UsageError("Loops that step together need the same order.", "Give them one order.")
    return groups


def _size(group: Sequence[Loop], values: Mapping[str, Sequence[Value]]) -> int:
    sizes = {loop.over: len(values[loop.over]) for loop in group}
    if len(set(sizes.values())) > 1:
        shown = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise UsageError(f"Loops that step together need equally many values: {shown}.", "")
    return next(iter(sizes.values()))


def _refined(groups: Sequence[Sequence[Loop]], values: Mapping[str, Sequence[Value]]) -> Refined | None:
    for group in groups:
        if group[0].order == "adaptive" and (group is not groups[-1] or len(group) > 1):
            raise UsageError(
                "Only the innermost loop can be adaptive, and by itself.", "Put it last, not zipped."
            )
    if not groups or groups[-1][0].order != "adaptive":
        return None
    loop = groups[-1][0]
    numbers = [v for v in values[loop.over] if isinstance(v, float)]
    if not loop.refine or len(numbers) < 3 or min(numbers) == max(numbers):
        raise UsageError(
            f"The adaptive loop over {loop.over} needs a range of 3 values or more, and what to refine by.",
            "Name a value of the fit, such as frequency.",
        )
    return Refined(over=loop.over, low=min(numbers), high=max(numbers), count=len(numbers), by=loop.refine)


def _nested(
    sizes: Sequence[int], shuffle: Sequence[bool], random: np.random.Generator
) -> list[tuple[int, ...]]:
    if not sizes:
        return [()]
    first = random.permutation(sizes[0]) if shuffle[0] else range(sizes[0])
    return [(int(i), *rest) for i in first for rest in _nested(sizes[1:], shuffle[1:], random)]
