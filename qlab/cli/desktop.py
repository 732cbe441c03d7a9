"""`qlab install-desktop` and `qlab open`: qlab among the programs of the desktop, and files opened in the window."""

from pathlib import Path
from typing import Annotated

import typer


def install_desktop(
    remove: Annotated[bool, typer.Option("--remove", help="Take it away again.")] = False,
) -> None:
    """Put qlab into the desktop's menu with its icon, and offer it for HDF5 and NeXus files."""
    from qlab import desktop

    done = desktop.remove() if remove else desktop.install()
    for path in done:
        print(f"{'removed' if remove else 'wrote'} {path}")
    if not remove:
        print("Runs open with a right click on them, Open with qlab.")


def open_(
    paths: Annotated[list[Path] | None, typer.Argument(help="Runs, other HDF5 files, or folders.")] = None,
) -> None:
    """Open the window with runs, other HDF5 files, or a folder of runs."""
    from qlab.cli.window import open_window

    raise typer.Exit(open_window(["open", *map(str, paths or ())]))
