"""`qlab new`: a file to begin with, an instrument or an experiment, that runs at once with its test."""

import keyword
from pathlib import Path
from typing import Annotated

import typer

from qlab.errors import UsageError
from qlab.registry import drop_in_folder

app = typer.Typer(help="Begin an instrument or an experiment of your own.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Its name: small letters, digits, underscores.")]
To = Annotated[Path | None, typer.Option("--to", help="The folder for it; by default the drop-in folder.")]


@app.callback()
def new() -> None:
    """Begin an instrument or an experiment of your own."""


@app.command("instrument")
def instrument(name: Name, to: To = None) -> None:
    """Write a driver with the dialogue that it is tested on."""
    _write("instruments", name, to)


@app.command("experiment")
def experiment(name: Name, to: To = None) -> None:
    """Write an experiment with its test on the simulated NV bench."""
    _write("experiments", name, to)


def _write(kind: str, name: str, to: Path | None) -> None:
    if not (name.isidentifier() and name.islower()) or keyword.iskeyword(name):
        raise UsageError(f"{name!r} is no name for a file.", "Use small letters, digits and underscores.")
    folder = (to or drop_in_folder()) / kind
    source, test = folder / f"{name}.py", folder / "tests" / f"test_{name}.py"
    for path in (source, test):
        if path.exists():
            raise UsageError(f"{path} is there already.", "Choose another name.")
    templates = Path(__file__).parent / "templates"
    for path, template in ((source, kind), (test, f"test_{kind}")):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = (templates / f"{template}.txt").read_text(encoding="utf-8")
        path.write_text(text.replace("NAME", name).replace("CLASS", _class(name)), encoding="utf-8")
    print(source)
    print(f"test it:  pytest {test}")
    if to is None:
        how = f"qlab instrument check {name}" if kind == "instruments" else f"qlab run {name} --bench sim-nv"
        print(f"try it:   {how}")


def _class(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_")) or "Own"
