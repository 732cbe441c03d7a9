"""`qlab run`: one experiment on one bench; the last line of stdout is the file's path."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from qlab.cli import ordering
from qlab.cli.ordering import make_order
from qlab.cli.telling import tell
from qlab.errors import QlabError, UsageError
from qlab.orders import played
from qlab.runner import Runner
from qlab.runs import Run
from qlab.session import Order


def run(
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
    solver: ordering.Solver = "",
    attach: Annotated[
        bool, typer.Option("--attach", help="Play it on the bench that is served or shown in a window.")
    ] = False,
    queue: Annotated[
        bool, typer.Option("--queue", help="Put it into the queue, print its run id and leave.")
    ] = False,
) -> None:
    """Run an experiment. Ctrl-C stops at the next point, twice halts; what was measured is kept."""
    order = make_order(
        experiment,
        bench,
        set_,
        knob,
        truth,
        seed,
        out,
        pace,
        title,
        loop,
        loop_order,
        refine,
        repeat,
        solver=solver,
    )
    if attach and queue:
        raise UsageError("--attach waits for the run and --queue does not.", "Give one of them.")
    if attach or queue:
        from qlab.cli.attach import attach as follow
        from qlab.cli.queue import put

        (follow if attach else put)(ordering.elsewhere(order))
        return
    _here(order, out)


def _here(order: Order, out: Path) -> None:
    for done in played(order, watched, tell=tell):
        finished = done.path or Path()
        print(finished, flush=True)
        if not finished.resolve().is_relative_to(out.resolve()):
            raise QlabError(
                f"{out} took no more: the run is complete, but its file is {finished}.",
                f"Make room, then run `qlab recover {out}`: it brings the file home.",
            )


def watch(runner: Runner) -> Path:
    """Run to the end with Ctrl-C as stop, and again as halt; return the file's path."""
    return watched(runner).path or Path()


def watched(runner: Runner) -> Run:
    """Run to the end with Ctrl-C as stop, and again as halt."""

    def interrupted(number: int, frame: FrameType | None) -> None:
        del number, frame
        if asked:
            runner.halt()
        else:
            print("\nstopping at the next point (Ctrl-C again halts)", file=sys.stderr)
            runner.stop()
        asked.append(True)

    asked: list[bool] = []
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        return runner.run()
    except QlabError as error:
        kept = getattr(error, "final_path", None)
        if kept is not None:
            # The job failed after it began: bad use is what never got so far.
            raise QlabError(error.message, f"{error.hint} What was measured is in {kept}.".strip()) from error
        raise
    finally:
        signal.signal(signal.SIGINT, before)
        if sys.stderr.isatty():
            print(file=sys.stderr)
