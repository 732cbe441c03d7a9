"""One short run of every installed experiment: on its own preset, the first that can play it, or own physics."""

import re
from pathlib import Path

import qlab
from qlab.errors import QlabError
from qlab.registry import load, plugins

SHORT = {"shots": 1000, "passes": 2}
# A record has one pass, and rows of its own length.
OTHERWISE = {"nv.qdyne": {"shots": 2000, "segment": 500, "calibration": 2}}
OWN = "sim-molecule"  # the bench that docs/how-to/own-physics.md makes


def offer_own_physics():
    """Offer the world and the bench of the how-to: what custom experiments are played on."""
    page = Path(__file__).parents[1] / "docs" / "how-to" / "own-physics.md"
    code = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[0]
    exec(code.split("run = qlab.run")[0], {})


def short_parameters(name):
    """Return parameters that make a run short, as far as the experiment has them."""
    if name in OTHERWISE:
        return OTHERWISE[name]
    fields = load("experiments", name).parameters_type().model_fields
    return {key: value for key, value in SHORT.items() if key in fields}


def bench_for(name):
    """Return the name of a bench that the experiment binds to and can be played on."""
    reasons = []
    if name.startswith("custom."):
        offer_own_physics()
    preset = load("experiments", name).preset
    order = {preset: 0, OWN: 2}
    for bench in sorted(plugins("benches"), key=lambda bench: order.get(bench, 1)):
        experiment = load("experiments", name).read(short_parameters(name))
        try:
            experiment.bind(qlab.Bench.load(bench, seed=1))
            experiment.preflight()
        except QlabError as error:
            reasons.append(f"{bench}: {error}")
        else:
            return bench
    raise AssertionError(f"no preset bench can play {name}: {reasons}")


def run_once(name: str, out: Path):
    """Run an experiment once, shortly, and return the run."""
    return qlab.run(name, qlab.Bench.load(bench_for(name), seed=1), out=out, **short_parameters(name))
