"""`qlab queue`: what waits and when it will be; add, skip, hold, release, move."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from qlab.cli import ordering
from qlab.cli.attach import enqueue, session, wait_for
from qlab.cli.ordering import make_order
from qlab.cli.text import table
from qlab.errors import UsageError
from qlab.service.client import RemoteSession
from qlab.session import Event, Order

app = typer.Typer(help="The queue: what waits, and when it will be.", no_args_is_help=False)
_Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
_Run = Annotated[str, typer.Argument(help="The beginning of a run's id.")]


@app.callback(invoke_without_command=True)
def show(context: typer.Context, as_json: _Json = False) -> None:
    """Show the queue of this user's bench process."""
    if context.invoked_subcommand is None:
        with session() as made:
            _print(_queue(made), as_json)


@app.command("add")
def add(
    experiment: ordering.Experiment,
    bench: ordering.Bench = "",
    set_: ordering.Set = None,
    knob: ordering.Knobs = None,
    truth: ordering.Truth = None,
    seed: ordering.Seed = None,
    out: ordering.Out = Path("data"),
    pace: ordering.Pace = None,
    title: ordering.Title = "",
    loop: ordering.Loops = None,
    loop_order: ordering.LoopOrder = "given",
    refine: ordering.Refine = "",
    repeat: ordering.Repeat = 1,
    priority: ordering.Priority = 0,
    due: ordering.Due = "",
    after: ordering.AfterRun = "",
) -> None:
    """Put an order into the queue and print its run id."""
    order = make_order(
        experiment, bench, set_, knob, truth, seed, out, pace, title, loop, loop_order, refine, repeat,
        priority, due, after,
    )  # fmt: skip
    put(ordering.elsewhere(order))


def put(order: Order) -> None:
    """Put an order into the queue and print its run id."""
    with session() as made:
        print(enqueue(made, order))


@app.command("skip")
def skip(run: _Run = "") -> None:
    """End the run that goes and go on with the next, or take out one that waits."""
    with session() as made:
        queue = _queue(made)
        if not run and not any(item["state"] == "running" for item in queue["items"]):
            raise UsageError("No run goes.", "Name one that waits, see `qlab queue`.")
        made.command("skip", _find(queue, run) if run else "")
        _print(_queue(made), as_json=False)


@app.command("hold")
def hold() -> None:
    """Let nothing more begin."""
    _tell("hold")


@app.command("release")
def release() -> None:
    """Go on with the queue."""
    _tell("release")


@app.command("move")
def move(run: _Run, position: Annotated[int, typer.Argument(help="0 is next.")]) -> None:
    """Move an order that waits to another place in line."""
    with session() as made:
        made.arrange(_find(_queue(made), run), {"position": position})
        _print(_queue(made), as_json=False)


def _tell(what: Any) -> None:
    with session() as made:
        _queue(made)
        made.command(what)
        event = wait_for(made, lambda e: e["event"] == "queue" and e["held"] == (what == "hold"))
        _print(event, as_json=False)


def _queue(made: RemoteSession) -> Event:
    """Return the queue as it is, or after what was just said."""
    return wait_for(made, lambda event: event["event"] == "queue")


def _find(queue: Event, start: str) -> str:
    ids = {str(run) for item in queue["items"] for run in (item["run"], item["study"]) if run}
    found = [run for run in ids if run.startswith(start)]
    if len(found) == 1:
        return found[0]
    what = "No order" if not found else "More than one order"
    raise UsageError(f"{what} of the queue begins with {start!r}.", "See `qlab queue`.")


def _print(queue: Event, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"held": queue["held"], "items": queue["items"]}, indent=2))
        return
    if queue["held"]:
        print("The queue is held: `qlab queue release` goes on.")
    if not queue["items"]:
        print("Nothing goes and nothing waits.")
        return
    rows = [
        [
            item["run"][:8],
            item["state"],
            item["title"],
            item["order"]["bench"],
            _clock(item["starts"]),
            _clock(item["ends"]),
            item["why"],
        ]
        for item in queue["items"]
    ]
    table(["run", "state", "title", "bench", "starts", "ends", "waits for"], rows)


def _clock(when: str) -> str:
    return when[5:16].replace("T", " ")
