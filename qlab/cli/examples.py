"""`qlab examples`: the example runs, simulated into a folder once."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def examples(
    folder: Annotated[Path | None, typer.Argument(help="By default qlab/examples at home.")] = None,
) -> None:
    """Simulate a dozen small runs to look at; those that are there already are left as they are."""
    from qlab.examples import EXAMPLES, default_folder, make_example, missing

    where = folder or default_folder()
    for place in missing(where):
        print(f"{EXAMPLES[place].title} …", file=sys.stderr)
        make_example(where, place)
    print(where)
