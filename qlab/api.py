"""The Python interface: an experiment, or a whole study, in one call."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from qlab.bench import Bench
from qlab.orders import played, prepared
from qlab.runner import Runner
from qlab.runs import Run
from qlab.scan import Scan, scan_text
from qlab.session import Loop, Order

Over = Mapping[str, "Scan[float] | str | Iterable[float]"]


def run(
    experiment: str,
    bench: Bench | str,
    *,
    out: str | Path = "data",
    seed: int | None = None,
    pace: float | None = None,
    title: str = "",
    knobs: Mapping[str, float | bool | str] | None = None,
    tell: Callable[[dict[str, Any]], None] | None = None,
    **parameters: Any,
) -> Run:
    """Run an experiment to its end and return the run, reopened from its file.

    `parameters` are values in SI units, text with units, or scans; `out` is the folder of the file; `seed` fixes
    the randomness of a simulated bench; `pace` stretches a simulated run to about that many seconds; `knobs`
    ("instrument.knob") are set before the first command; `tell` hears the events of `qlab.session.Session`. Raises
    UsageError before anything is written where the input is bad or another process has an instrument.
    """
    on = bench if isinstance(bench, Bench) else Bench.load(bench)
    order = Order(
        experiment=experiment, parameters=parameters, bench=on.source, seed=seed, out=str(out), pace=pace,
        title=title, knobs=dict(knobs or {}),
    )  # fmt: skip
    with prepared(order, bench=on, tell=tell, who="a script") as runner:
        return runner.run()


def study(
    experiment: str,
    bench: Bench | str,
    loops: Over | Iterable[Loop],
    *,
    order: Literal["given", "random", "adaptive"] = "given",
    refine: str = "",
    repeat: int = 1,
    out: str | Path = "data",
    seed: int | None = None,
    title: str = "",
    tell: Callable[[dict[str, Any]], None] | None = None,
    **parameters: Any,
) -> list[Run]:
    """Run an experiment once for each value of its loops and return the runs, in the order in which they were played.

    `loops` maps a parameter, or a knob as "instrument.knob", to the values it takes (a scan, text, or numbers in
    SI units): nested, the first one outermost; for more, give `qlab.session.Loop`s. `order` is that of every loop;
    an adaptive one puts its values where the fit value `refine` changes most. Every value is checked before the
    first run. Each record says its place in `study`: {id, run, of, index, values: {name: {value, unit}}}. With a
    `seed` the k-th run has the seed plus k. The study ends with its first run that does not finish.
    """
    on = bench if isinstance(bench, Bench) else Bench.load(bench)
    if isinstance(loops, Mapping):
        loops = [
            Loop(over=name, values=_text(values), order=order, refine=refine)
            for name, values in loops.items()
        ]
    whole = Order(
        experiment=experiment, parameters=parameters, bench=on.source, seed=seed, out=str(out), title=title,
        repeat=repeat, loops=tuple(loops),
    )  # fmt: skip
    return list(played(whole, Runner.run, tell=tell, bench=on))


def _text(values: "Scan[float] | str | Iterable[float]") -> str:
    if isinstance(values, str):
        return values
    if isinstance(values, Scan):
        return scan_text(values)
    return ",".join(repr(float(value)) for value in values)
