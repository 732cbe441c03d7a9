"""The demonstration: a simulated Ramsey measurement with its result and its picture, for a place without a display."""

from pathlib import Path

import qlab
from qlab.cli.show import describe
from qlab.registry import load


def demonstrate(folder: Path | None = None) -> None:
    """Run a Ramsey measurement on the simulated NV bench and say where its file and picture are."""
    from qlab.settings import load_settings

    print("There is no display here: running the demonstration measurement instead of the window.")
    out = folder or load_settings()[0].folder()
    finished = qlab.run("nv.ramsey", qlab.Bench.load("sim-nv"), out=out)
    describe(finished)
    path = finished.path or out
    picture = load("exporters", "figure")(finished, path.with_suffix(".png"))
    print(f"picture: {picture}")
    print(f"file: {path}")
