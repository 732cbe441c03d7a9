"""`qlab export`: a run as something that another program reads."""

from pathlib import Path
from typing import Annotated

import typer

from qlab.errors import FileError
from qlab.registry import load
from qlab.store import open_run


def export(
    file: Annotated[Path, typer.Argument(help="A run file.")],
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    to: Annotated[str, typer.Option(help="A format of `qlab list exporters`.")],
) -> None:
    """Write a run in another format; the run itself is never changed."""
    exporter = load("exporters", to)
    run = open_run(file)
    if out.resolve() == Path(run.path or file).resolve():
        raise FileError("That would replace the run itself.", "Give another name.")
    print(exporter(run, out))
