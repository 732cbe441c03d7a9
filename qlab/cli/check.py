"""`qlab check` and `qlab recover`: is a file as it should be, and runs that a crash left open."""

from pathlib import Path
from typing import Annotated

import typer

from qlab.errors import FileError
from qlab.store import check_file
from qlab.store import recover as recover_runs


def check(file: Annotated[Path, typer.Argument(help="A run file.")]) -> None:
    """Check a run file's layout and metadata; exit 1 where something is missing."""
    problems = check_file(file)
    for line in problems:
        print(line)
    if problems:
        raise typer.Exit(1)
    print(f"{file.name}: good")


def recover(path: Annotated[Path, typer.Argument(help="A .part.h5 file or a folder.")]) -> None:
    """Finalise runs that a crash left open; each is marked interrupted."""
    if not path.exists():
        raise FileError(f"{path} does not exist.", "Give a .part.h5 file or a folder.")
    done = recover_runs(path)
    for item in done:
        print(item)
    if not done:
        print("nothing to recover")
