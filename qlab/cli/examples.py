"""`qlab examples`: the example runs, simulated into a folder once."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def examples(
    folder: Annotated[Path | None, typer.Argument(help="By default `examples` in the data folder.")] = None,
) -> None:
    """Simulate a dozen small runs to look at; those that are there already are left as they are."""
    from qlab.examples import EXAMPLES, FOLDER, make_example, missing
    from qlab.settings import load_settings

    where = folder or load_settings()[0].folder() / FOLDER
    for place in missing(where):
        print(f"{EXAMPLES[place].title} …", file=sys.stderr)
        make_example(where, place)
    print(where)
