"""`qlab bench`: find instruments, check a bench before it is used, and keep one open for others."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from qlab.bench import Bench
from qlab.cli.text import table
from qlab.errors import QlabError, UsageError
from qlab.instrument import Instrument
from qlab.safety import make_safe

app = typer.Typer(help="Benches: instruments with their roles and limits.", no_args_is_help=True)


@app.callback()
def benches() -> None:
    """Benches: instruments with their roles and limits."""


@app.command("new")
def new(
    file: Annotated[Path, typer.Argument(help="The bench file to write, NAME.toml.")],
    address: Annotated[
        list[str] | None,
        typer.Option("--address", help="A VISA address to ask, again for each: TCPIP::host::port::SOCKET"),
    ] = None,
    world: Annotated[
        str, typer.Option("--simulate", help="Fill the roles left with simulated instruments: nv, clock ...")
    ] = "",
    library: Annotated[
        str, typer.Option("--library", help='VISA library: "@py", "FILE.yaml@sim"; by default the system\'s.')
    ] = "",
    scan: Annotated[bool, typer.Option("--scan/--no-scan", help="Ask what VISA lists.")] = True,
) -> None:
    """Find instruments, choose their drivers, and write a bench file to be read and mended."""
    from qlab.benchmaking import proposal, recognise
    from qlab.registry import plugins

    if file.suffix != ".toml":
        raise UsageError(f"{file.name} is no name for a bench file.", "Call it NAME.toml.")
    if file.exists():
        raise UsageError(f"{file} is there already.", "Choose another name, or move it.")
    answers = []
    for finder in plugins("finders").values():
        answers += list(finder.load()(address or (), library=library, scan=scan))
    found = recognise(answers)
    table(
        ["address", "says", "driver"],
        [
            [one.address, one.says or "a serial port: not asked", ", ".join(one.drivers) or "-"]
            for one in found
        ],
    )
    if not world and not any(one.drivers for one in found):
        raise UsageError(
            "No instrument was found that a driver knows.",
            "Give its --address, write it by hand (docs/how-to/bench-file.md), or --simulate nv.",
        )
    file.write_text(proposal(file.stem, found, world), encoding="utf-8")
    print(f"wrote {file}: read it, then `qlab bench check {file}`")


@app.command("check")
def check(
    bench: Annotated[str, typer.Argument(help="A preset or a bench file.")],
    trace: Annotated[
        bool, typer.Option("--trace", help="Show every message to and from the instruments.")
    ] = False,
) -> None:
    """Open every instrument, ask who it is, see that it fits its roles, and make it safe; exit 1 where one does not."""
    made = Bench.load(bench)
    if not made.instruments:
        raise UsageError(f"Bench {made.name!r} has no instruments.", "Add one: `qlab bench new` finds them.")
    rows, wrong = [], []
    for name, instrument in made.instruments.items():
        held = [role for role, holder in made.entry.roles.items() if holder == name]
        try:
            instrument.open()
            instrument.state = "open"
            model = instrument.identity().get("model", "")
            wrong += _misfits(name, instrument, held)
        except QlabError as error:
            model = "does not answer"
            wrong.append(str(error))
        except Exception as error:  # noqa: BLE001 - a stranger's driver; the others are still looked at
            model = "broken"
            wrong.append(f"{name}: {type(error).__name__}: {error}")
        rows.append([name, made.entry.instruments[name].driver, model, ", ".join(held)])
    report = {
        k: v
        for k, v in make_safe(i for i in made.instruments.values() if i.state == "open").items()
        if v != "safe"
    }
    for instrument in made.instruments.values():
        if instrument.state == "open":
            instrument.close()
            instrument.state = "closed"
    table(["instrument", "driver", "model", "roles"], rows)
    if not made.entry.roles:
        wrong.append("No instrument has a role: no experiment but generic.scan can use this bench.")
    for line in (*wrong, *(f"{name}: {what}" for name, what in report.items())):
        print(line)
    if trace:
        for instrument in made.instruments.values():
            print("\n".join(getattr(instrument, "trace", ())))
    if wrong or report:
        raise typer.Exit(1)


def _misfits(name: str, instrument: Instrument, held: list[str]) -> list[str]:
    from qlab.conformance import protocol_of
    from qlab.roles import lacks, misread

    found = []
    for role in held:
        try:
            protocol = protocol_of(role)
        except UsageError:
            continue  # a role of somebody's own experiment
        wrong = [f"it has no {member}" for member in lacks(instrument, protocol)]
        wrong += misread(instrument, protocol)
        if wrong:
            found.append(f"{name} cannot be the {role!r}: {', '.join(wrong)}.")
    return found


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
