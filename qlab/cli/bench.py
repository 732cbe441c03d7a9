"""`qlab bench`: check a bench before it is used."""

from typing import Annotated

import typer

from qlab.bench import Bench
from qlab.cli.text import table

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
