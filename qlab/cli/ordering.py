"""Orders as people type them: the options that `qlab run` and `qlab queue add` share."""

from pathlib import Path
from typing import Annotated

import typer

from qlab.errors import UsageError
from qlab.registry import load
from qlab.session import After, Loop, Order
from qlab.units import parse_quantity

Experiment = Annotated[str, typer.Argument(help="Name, as in `qlab list experiments`.")]
Bench = Annotated[
    str, typer.Option(help="A preset or a bench file; by default the preset of the experiment.")
]
Set = Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE, e.g. tau=0us:4us:201")]
Knobs = Annotated[
    list[str] | None,
    typer.Option("--knob", help="INSTRUMENT.KNOB=VALUE, set before the run, e.g. coil.bz=1mT"),
]
Truth = Annotated[list[str] | None, typer.Option(help="NAME=VALUE of a simulated bench, e.g. B=2mT")]
Seed = Annotated[int | None, typer.Option(help="Seed of a simulated bench.")]
Out = Annotated[Path, typer.Option(help="Folder of the file.")]
Pace = Annotated[str | None, typer.Option(help="Stretch a simulated run to about this long, e.g. 30s")]
Title = Annotated[str, typer.Option(help="Title of the run.")]
Loops = Annotated[
    list[str] | None,
    typer.Option(
        "--loop",
        help="NAME=VALUES: a run for each value of a parameter or an instrument.knob; several are nested, the first "
        "outermost; 'A=1,2;B=3,4' steps together.",
    ),
]
LoopOrder = Annotated[str, typer.Option(help="Order of the loops: given, random (by --seed) or adaptive.")]
Refine = Annotated[str, typer.Option(help="The fit value that an adaptive loop refines, e.g. frequency.")]
Solver = Annotated[str, typer.Option(help="Of a simulated bench: batched or qutip.")]
Repeat = Annotated[int, typer.Option(help="How often.")]
Priority = Annotated[int, typer.Option(help="Higher ones play first.")]
Due = Annotated[str, typer.Option(help="Not before this time, e.g. 2026-01-31T22:30.")]
AfterRun = Annotated[
    str, typer.Option("--after", help="RUN or RUN:NEEDS, where NEEDS is ended, finished or good_fit.")
]


def pairs(texts: list[str], option: str) -> list[tuple[str, str]]:
    """Return NAME=VALUE texts as pairs."""
    found = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} {text!r} is not NAME=VALUE.", f"Write {option} NAME=VALUE.")
        found.append((name.strip(), value.strip()))
    return found


def preset_of(experiment: str) -> str:
    """Return the simulated bench on which an experiment can be tried; raise UsageError where it is unknown."""
    kind = load("experiments", experiment)
    return str(getattr(kind, "preset", "")) or "sim-nv"


def make_order(
    experiment: str,
    bench: str,
    set_: list[str] | None,
    knob: list[str] | None,
    truth: list[str] | None,
    seed: int | None,
    out: Path,
    pace: str | None,
    title: str,
    loop: list[str] | None = None,
    loop_order: str = "given",
    refine: str = "",
    repeat: int = 1,
    priority: int = 0,
    due: str = "",
    after: str = "",
    solver: str = "",
) -> Order:
    """Return the order that these options make; raise UsageError where one is written wrong."""
    if repeat < 1:
        raise UsageError(f"A run cannot be repeated {repeat} times.", "Give 1 or more.")
    return Order(
        experiment=experiment,
        parameters=dict(pairs(set_ or [], "--set")),
        knobs=dict(pairs(knob or [], "--knob")),
        bench=bench or preset_of(experiment),
        seed=seed,
        truth=dict(pairs(truth or [], "--truth")),
        out=str(out),
        pace=None if pace is None else parse_quantity(pace, "s"),
        title=title,
        loops=tuple(made for text in loop or [] for made in _loops(text, loop_order, refine)),
        repeat=repeat,
        priority=priority,
        due=due,
        after=_after(after),
        solver=solver,
    )


def _loops(text: str, order: str, refine: str) -> list[Loop]:
    if order not in {"given", "random", "adaptive"}:
        raise UsageError(f"{order!r} is not an order of loops.", "Use given, random or adaptive.")
    together = pairs(text.split(";"), "--loop")
    return [
        Loop.model_validate(
            {
                "over": name,
                "values": values,
                "zip_with_next": i < len(together) - 1,
                "order": order,
                "refine": refine,
            }
        )
        for i, (name, values) in enumerate(together)
    ]


def _after(text: str) -> After | None:
    if not text:
        return None
    run, _, needs = text.partition(":")
    if needs not in {"", "ended", "finished", "good_fit"}:
        raise UsageError(f"{needs!r} cannot be needed of a run.", "Use ended, finished or good_fit.")
    return After.model_validate({"run": run, "needs": needs or "finished"})


def elsewhere(order: Order) -> Order:
    """Return the order as another process understands it: its paths do not depend on where it is."""
    path = Path(order.bench)
    bench = str(path.resolve()) if path.suffix == ".toml" else order.bench
    return order.model_copy(update={"out": str(Path(order.out).expanduser().resolve()), "bench": bench})
