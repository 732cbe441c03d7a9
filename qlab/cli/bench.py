"""`qlab bench`: check a bench before it is used, and keep one open for others."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from qlab.bench import Bench
from qlab.cli.text import table
from qlab.errors import UsageError

app = typer.Typer(help="Benches: instruments with their roles and limits.", no_args_is_help=True)


@app.callback()
def benches() -> None:
    """Benches: instruments with their roles and limits."""


@app.command("check")
def check(bench: Annotated[str, typer.Argument(help="A preset or a bench file.")]) -> None:
    """Open every instrument, ask who it is, and close it again."""
    made = Bench.load(bench)
    made.open()
    try:
        rows = []
        for name, instrument in made.instruments.items():
            who = instrument.identity()
            held = ", ".join(role for role, holder in made.entry.roles.items() if holder == name)
            rows.append([name, made.entry.instruments[name].driver, who.get("model", ""), held])
        table(["instrument", "driver", "model", "roles"], rows)
    finally:
        report = made.make_safe()
        made.close()
    for name, what in report.items():
        if what != "safe":
            print(f"{name}: {what}")
            raise typer.Exit(1)


@app.command("serve")
def serve(bench: Annotated[str, typer.Argument(help="A preset or a bench file.")]) -> None:
    """Keep a bench open for windows and `qlab run --attach`; Ctrl-C makes it safe and ends."""
    import signal
    import time

    from qlab.cli.attach import session, wait_for
    from qlab.cli.telling import tell

    path = Path(bench)
    bench = str(path.resolve()) if path.suffix == ".toml" else bench
    Bench.load(bench)
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _frame: asked.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with session("qlab bench serve") as made:
            made.serve(bench, on=True)
            served = wait_for(made, lambda e: e["event"] == "served" and e["bench"] == bench)
            if not served["ok"]:
                raise UsageError(
                    served["message"], "End that first, or attach to it with `qlab run --attach`."
                )
            held = ", ".join(f"{name} ({kind})" for name, kind in served["instruments"].items())
            print(f"serving {bench}: {held}", flush=True)
            while not asked:
                for event in made.events():
                    tell(event)
                    if event["event"] == "served" and event["bench"] == bench and not event["ok"]:
                        raise UsageError(event["message"], "Mend it, then serve it again.")
                time.sleep(0.1)
            print("making the bench safe", file=sys.stderr)
            made.command("make_safe")
            made.serve(bench, on=False)
            safe = wait_for(made, lambda e: e["event"] == "safe" and e.get("bench") == bench)
            for name, what in safe["report"].items():
                print(f"{name}: {what}")
            if set(safe["report"].values()) != {"safe"}:
                raise typer.Exit(1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
