"""A simulated experiment on any preset without its file: rows, grid and fit by the rules of a run, for statistics."""

import numpy as np

from qlab.bench import Bench
from qlab.grid import MemoryRows
from qlab.provenance import new_record
from qlab.registry import load
from qlab.runs import Run


def whole(bench, name, seed, truth=None, solver="", **parameters):
    """Play an experiment; return (its run with truth and expected values, its fit or None, the experiment)."""
    made = Bench.load(bench, seed=seed, truth=truth or {}, solver=solver)
    experiment = load("experiments", name).read(parameters)
    experiment.bind(made)
    made.open()
    try:
        made.begin(seed)
        known = made.world.truth()
        blocks = [block for block in experiment.run() if block]
    finally:
        made.make_safe()
        made.close()
    record = new_record(experiment, name, made, 0, seed, "", "")
    record = record.model_copy(update={"truth": known, "expected": experiment.expected(known)})
    rows = MemoryRows({key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]})
    run = Run(record, rows)
    return run, run.fit() if record.fit else None, experiment


def seeds(pulls, first=23_000):
    """Yield 50 seeds; where an rms of `pulls` (name -> list, filled meanwhile) is outside 0.8 to 1.2 then, 150 more.

    Of honest error bars one in twenty is outside after 50 runs, by chance; after 200 one in ten thousand.
    """
    yield from range(first, first + 50)
    if not all(0.8 < np.sqrt(np.mean(np.square(values))) < 1.2 for values in pulls.values()):
        yield from range(first + 50, first + 200)
