"""`qlab run`: one experiment on one bench; the last line of stdout is the file's path."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from qlab.bench import Bench
from qlab.errors import QlabError, UsageError
from qlab.runner import Runner
from qlab.units import parse_quantity


def run(
    experiment: Annotated[str, typer.Argument(help="Name, as in `qlab list experiments`.")],
    bench: Annotated[str, typer.Option(help="A preset or a bench file.")] = "sim-nv",
    set_: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE, e.g. tau=0us:4us:201")] = None,
    truth: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of a simulated bench, e.g. B=2mT")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of a simulated bench.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the file.")] = Path("data"),
    pace: Annotated[
        str | None, typer.Option(help="Stretch a simulated run to about this long, e.g. 30s")
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the run.")] = "",
    solver: Annotated[str, typer.Option(help="Of a simulated bench: batched or qutip.")] = "",
) -> None:
    """Run an experiment. Ctrl-C stops at the next point, twice halts; what was measured is kept."""
    seconds = None if pace is None else parse_quantity(pace, "s")
    made = Bench.load(bench, seed=seed, truth=dict(pairs(truth or [], "--truth")), solver=solver)
    runner = Runner(
        made,
        experiment,
        dict(pairs(set_ or [], "--set")),
        out,
        seed=seed,
        pace=seconds,
        title=title,
        tell=_tell,
    )
    finished = watch(runner)
    print(finished)
    if not finished.resolve().is_relative_to(out.resolve()):
        raise QlabError(
            f"{out} took no more: the run is complete, but its file is {finished}.",
            "Make room, then move the file where it belongs.",
        )


def pairs(texts: list[str], option: str) -> list[tuple[str, str]]:
    """Return NAME=VALUE texts as pairs."""
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} {text!r} is not NAME=VALUE.", f"Write {option} NAME=VALUE.")
        found.append((name.strip(), value.strip()))
    return found


def watch(runner: Runner) -> Path:
    """Run to the end with Ctrl-C as stop, and again as halt; return the file's path."""

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
        finished = runner.run()
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
    return finished.path or Path()


def _tell(event: dict[str, Any]) -> None:
    match event["event"]:
        case "progress" if event["total"] and sys.stderr.isatty():
            share = event["done"] / event["total"]
            bar = "#" * round(30 * share)
            print(
                f"\r[{bar:<30}] {event['done']}/{event['total']}  {event['remaining']:.0f} s left ",
                end="",
                file=sys.stderr,
            )
        case "state" if event["state"] in {"running", "finished", "stopped", "failed"}:
            print(f"{event['state']}{': ' + event['reason'] if event['reason'] else ''}", file=sys.stderr)
        case "log":
            print(f"{event['level']}: {event['message']}", file=sys.stderr)
        case "safe":
            for name, what in event["report"].items():
                if what != "safe":
                    print(f"{name}: {what}", file=sys.stderr)
