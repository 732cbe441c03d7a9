"""`qlab instrument`: put a driver through everything that an instrument must do."""

import contextlib
import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from qlab.bench import Bench
from qlab.cli.text import table
from qlab.errors import UsageError
from qlab.instrument import Instrument
from qlab.registry import load

app = typer.Typer(help="Instruments: drivers, ours and other people's.", no_args_is_help=True)


@app.callback()
def instruments() -> None:
    """Instruments: drivers, ours and other people's."""


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="A driver; with --bench, an instrument of that bench.")],
    bench: Annotated[str, typer.Option("--bench", help="A preset or a bench file.")] = "",
    role: Annotated[
        list[str] | None, typer.Option("--role", help="A role to look at; by default all that fit.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", help="An option of the driver, KEY=VALUE (TOML): address=..."),
    ] = None,
    move: Annotated[
        bool, typer.Option("--move", help="Move its knobs too: nothing may be connected to it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that a driver does all that it must, on a device, or on the simulated one that it comes with.

    Without --bench and --option the simulated device is used, and its knobs are moved.
    """
    from qlab.conformance import conform

    with _chosen(name, bench, option or []) as (instrument, simulated):
        checks = list(conform(instrument, tuple(role) if role else None, move=move or simulated))
    if as_json:
        print(
            json.dumps(
                [{"check": c.name, "ok": c.ok, "seen": c.seen} for c in checks], indent=2, ensure_ascii=False
            )
        )
    else:
        table(["check", "", "seen"], [[c.name, "ok" if c.ok else "NO", c.seen] for c in checks])
    if not all(c.ok for c in checks):
        raise typer.Exit(1)


@contextlib.contextmanager
def _chosen(name: str, bench: str, option: list[str]) -> Iterator[tuple[Instrument, bool]]:
    """Yield the instrument meant, and whether it is a simulated one."""
    if bench:
        made = Bench.load(bench)
        if name not in made.instruments:
            raise UsageError(
                f"Bench {made.name!r} has no instrument {name!r}.",
                f"There are: {', '.join(made.instruments)}.",
            )
        yield made.instruments[name], made.instruments[name].simulated
        return
    kind, _, target = name.partition(":")
    driver = load("instruments", kind)
    options = {**_options(option), **({"target": target} if target else {})}
    if options or not hasattr(driver, "rehearsal"):
        yield _made(driver, name, options), False
        return
    with driver.rehearsal() as rehearsed:
        yield _made(driver, name, rehearsed), True


def _made(driver: Any, name: str, options: dict[str, Any]) -> Instrument:
    try:
        made: Instrument = driver(**options)
    except TypeError as error:
        raise UsageError(f"The options do not fit {name}: {error}.", "Give them with -o KEY=VALUE.") from None
    made.name = name
    return made


def _options(texts: list[str]) -> dict[str, Any]:
    import tomllib

    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{text!r} is no option.", "Write KEY=VALUE, as in -o address=GPIB::27::INSTR.")
        try:
            found[key.strip()] = tomllib.loads(f"v = {value}")["v"]
        except tomllib.TOMLDecodeError:
            found[key.strip()] = value.strip()
    return found
