"""From an order to a runner: what it comes to before it plays, and the runner that plays it."""

import contextlib
import difflib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlab.bench import Bench
from qlab.catalogue import describe
from qlab.errors import QlabError, UsageError
from qlab.experiment import Experiment
from qlab.holding import Holding, needs
from qlab.queue.item import Item, child
from qlab.queue.rules import due_time
from qlab.queue.study import Plan, Played, Point, Value, loop_values, next_point, points
from qlab.registry import load
from qlab.runner import Runner
from qlab.running.hands import wanted
from qlab.running.telling import Tell
from qlab.runs import Run
from qlab.session import Order
from qlab.watch import Rule


def plan(order: Order, bench: Bench | None = None) -> Plan:
    """Return what an order comes to; raise UsageError where any of its runs would be refused.

    Every value of every loop, and every knob, is checked against every limit, before the first command: the message
    names the point.
    """
    _check_times(order)
    kind: type[Experiment[Any]] = load("experiments", order.experiment)
    bench = bench or Bench.load(order.bench, truth=order.truth)
    units, values, knobs = _loops(order, bench)
    grid, refined = points(order.loops, values, order.seed or 0)
    checks: list[Point] = list(grid)
    if refined is not None:
        ends = (refined.low, refined.high)
        checks = [Point(index=p.index, values={**p.values, refined.over: end}) for p in grid for end in ends]
    seconds = _check_all(order, kind, bench, checks, knobs)
    if bench.simulated and order.pace is not None:
        seconds = order.pace
    return Plan(
        points=grid,
        refined=refined,
        units=units,
        knobs=tuple(knobs),
        seconds=seconds,
        resources=tuple(needs(bench, independent=order.independent)),
        simulated=bench.simulated,
    )


def _check_times(order: Order) -> None:
    try:
        due_time(order.due)
    except ValueError:
        raise UsageError(f"{order.due!r} is not a time.", "Write it as 2026-01-31T22:30.") from None
    if order.repeat < 1:
        raise UsageError(f"A run cannot be repeated {order.repeat} times.", "Give 1 or more.")


def _loops(order: Order, bench: Bench) -> tuple[dict[str, str], dict[str, tuple[Value, ...]], list[str]]:
    """Return the unit and the values of each loop, and which of them are knobs."""
    fields = {field["name"]: field for field in describe(order.experiment).get("fields", ())}
    units: dict[str, str] = {}
    values: dict[str, tuple[Value, ...]] = {}
    knobs: list[str] = []
    for loop in order.loops:
        if loop.over in fields:
            field = fields[loop.over]
            unit, words = field["unit"], field["kind"] in {"choice", "text", "boolean"}
        elif "." in loop.over:
            device, name = bench.find(loop.over)
            quantity = device.knobs()[name]
            unit, words = quantity.unit, quantity.kind is bool
            knobs.append(loop.over)
        else:
            close = difflib.get_close_matches(loop.over, fields, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(fields)}, and knobs."
            raise UsageError(f"There is no parameter {loop.over!r} to loop over.", hint)
        units[loop.over] = unit
        values[loop.over] = loop_values(loop, unit, words=words)
    return units, values, knobs


def _check_all(
    order: Order, kind: type[Experiment[Any]], bench: Bench, grid: Sequence[Point], knobs: Sequence[str]
) -> float:
    """Check every point; return how long one run takes on average (s)."""
    known: dict[str, float] = {}
    total = 0.0
    for point in grid:
        settings = {n: v for n, v in point.values.items() if n not in knobs}
        key = json.dumps(settings, sort_keys=True)
        try:
            if key not in known:
                known[key] = _check(kind, bench, {**order.parameters, **settings})
            check_knobs(bench, {**order.knobs, **{n: point.values[n] for n in knobs if n in point.values}})
        except QlabError as error:
            if not point.values:
                raise
            where = ", ".join(f"{name} = {value}" for name, value in point.values.items())
            raise UsageError(f"At {where}: {error.message}", error.hint) from error
        total += known[key]
    return total / max(len(grid), 1)


def _check(kind: type[Experiment[Any]], bench: Bench, parameters: Mapping[str, Any]) -> float:
    experiment = kind.read(parameters)
    experiment.bind(bench)
    experiment.preflight()
    return experiment.estimate()[1]


def check_knobs(bench: Bench, knobs: Mapping[str, Value]) -> None:
    """Raise UsageError for the first knob that does not exist or must not take its value."""
    for name, value in knobs.items():
        instrument, _, knob = name.partition(".")
        wanted(bench, instrument, knob, value)


@contextlib.contextmanager
def prepared(
    order: Order,
    *,
    run: str = "",
    tell: Tell | None = None,
    bench: Bench | None = None,
    held: bool = False,
    rules: Sequence[Rule] = (),
    about: Mapping[str, Any] | None = None,
    who: str = "qlab run",
) -> Iterator[Runner]:
    """Give the runner of one order, with its instruments held; raise InUseError where another process has one.

    `bench` is one that is there already, `held` says that its instruments are, too; `about` is what the record
    says of the study.
    """
    made = bench or Bench.load(order.bench, seed=order.seed, truth=order.truth)
    check_knobs(made, order.knobs)
    runner = Runner(
        made,
        order.experiment,
        order.parameters,
        Path(order.out).expanduser(),
        seed=order.seed,
        pace=order.pace if made.simulated else None,
        title=order.title,
        run_id=run,
        tell=tell,
        rules=[rule for rule in rules if "." in rule.readout],
        knobs=order.knobs,
    )
    _watch_columns(runner, [rule for rule in rules if "." not in rule.readout])
    if about:
        runner.output.amend(study=dict(about))
    holding = Holding([]) if held else Holding.of(made, who)
    try:
        yield runner
    finally:
        holding.release()


def played(
    order: Order,
    play: Callable[[Runner], Run],
    *,
    tell: Tell | None = None,
    bench: Bench | None = None,
) -> Iterator[Run]:
    """Play an order here and now and give each run as it ends; when it is due and what it comes after do not count.

    `play` runs a runner to its end. A study ends with its first run that does not finish.
    """
    if not order.loops and order.repeat == 1:
        with prepared(order, tell=tell, bench=bench) as runner:
            yield play(runner)
        return
    item = Item(id=str(uuid.uuid4()), order=order, plan=plan(order, bench))
    while item.left:
        point = next_point(item.plan or Plan(), item.begun, item.played)
        made, about = child(item, point)
        with prepared(made, tell=tell, bench=bench, about=about) as runner:
            run = play(runner)
        fits = run.record.fits
        item.played.append(
            Played(run=run.id, number=item.begun, point=point, state=run.state, path=str(run.path or ""),
                   good_fit=bool(fits) and all(fit.success for fit in fits),
                   values={p.name: (p.value, p.error) for fit in fits if fit.success for p in fit.parameters})
        )  # fmt: skip
        item.begun += 1
        yield run
        if run.state != "finished":
            return


def _watch_columns(runner: Runner, rules: Sequence[Rule]) -> None:
    """Take the rules on columns that this run has; another experiment on the bench may have others."""
    columns = {column.name for column in runner.record.columns}
    here = [rule for rule in rules if rule.readout in columns]
    if here:
        runner.interlock.set_rules((*runner.interlock.rules, *here))
