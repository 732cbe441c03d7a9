"""The Python interface: run an experiment in one call."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from qlab.bench import Bench
from qlab.runner import Runner
from qlab.runs import Run
from qlab.upkeep import Upkeep
from qlab.watch import Rule


def run(
    experiment: str,
    bench: Bench | str,
    *,
    out: str | Path = "data",
    seed: int | None = None,
    pace: float | None = None,
    title: str = "",
    tell: Callable[[dict[str, Any]], None] | None = None,
    rules: Sequence[Rule] = (),
    upkeep: Sequence[Upkeep] = (),
    **parameters: Any,
) -> Run:
    """Run an experiment to its end and return the run, reopened from its file.

    `parameters` are values in SI units, text with units, or scans; `out` is the folder of the file; `seed` fixes
    the randomness of a simulated bench; `pace` stretches a simulated run to about that many seconds; `tell` hears
    the events of `qlab.session.Session`; `rules` are watchdogs and `upkeep` what is interleaved, beside those of the
    bench. Raises UsageError before anything is written where the input is bad.
    """
    on = bench if isinstance(bench, Bench) else Bench.load(bench)
    return Runner(
        on,
        experiment,
        parameters,
        Path(out),
        seed=seed,
        pace=pace,
        title=title,
        tell=tell,
        rules=rules,
        upkeep=upkeep,
    ).run()
