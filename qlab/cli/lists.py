"""`qlab list` and `qlab runs`: what is installed, and what was measured."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from qlab.cli.text import table
from qlab.registry import plugins


class What(StrEnum):
    """The kinds of plug-in that can be listed."""

    experiments = "experiments"
    instruments = "instruments"
    fits = "fits"
    exporters = "exporters"
    benches = "benches"
    worlds = "worlds"


def list_(
    what: Annotated[What, typer.Argument(help="Which kind.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what is installed of one kind."""
    if what is What.experiments and as_json:
        from qlab.catalogue import catalogue

        print(json.dumps(catalogue(), indent=2, ensure_ascii=False))
        return
    if what is What.fits:
        _fits(as_json=as_json)
        return
    found = [
        {"name": p.name, "from": p.distribution, "target": p.target} for p in plugins(what.value).values()
    ]
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        table(["name", "from"], [[row["name"], row["from"]] for row in found])


def _fits(*, as_json: bool) -> None:
    from qlab.errors import QlabError

    found: list[dict[str, Any]] = []
    for plugin in plugins("fits").values():
        row: dict[str, Any] = {"name": plugin.name, "from": plugin.distribution, "target": plugin.target}
        try:
            model = plugin.load()
            row |= {"title": model.title, "formula": model.formula, "axis_unit": model.axis_unit}
            row["parameters"] = [
                {"name": v.name, "label": v.label, "unit": v.unit, "free": v.free} for v in model.parameters
            ]
        except (QlabError, AttributeError) as error:
            row["broken"] = str(error)
        found.append(row)
    if as_json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        table(
            ["name", "what", "y(x)"],
            [[r["name"], r.get("title", r.get("broken", "")), r.get("formula", "")] for r in found],
        )


def runs(
    folder: Annotated[Path, typer.Argument(help="Folder of runs.")],
    query: Annotated[
        str,
        typer.Argument(
            help="Words, and: experiment: state: tag: sample: operator: date:this-week is:star T2>2us shots=1000"
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the runs in a folder, newest first."""
    from qlab.errors import FileError
    from qlab.store import list_runs

    if not folder.is_dir():
        raise FileError(f"{folder} is not a folder.", "Give the folder that `qlab run --out` wrote to.")
    found = list_runs(folder, query)
    if as_json:
        print(json.dumps([item.to_dict() for item in found], indent=2, ensure_ascii=False))
        return
    if not found:
        said = f"no run of {folder} is found by {query!r}" if query else f"there is no run in {folder}"
        print(f"qlab: {said}", file=sys.stderr)
    rows = [
        [r.started[:19], r.experiment, r.state, str(r.rows), r.reason or r.headline, str(r.path)]
        for r in found
    ]
    table(["started", "experiment", "state", "rows", "figure", "file"], rows)
    if waiting := sum(not item.path.resolve().is_relative_to(folder.resolve()) for item in found):
        said = f"{waiting} of them wait in the spool, because {folder} could not take them"
        print(f"qlab: {said}; `qlab recover {folder}` brings them home", file=sys.stderr)


def trash(
    file: Annotated[Path, typer.Argument(help="A run file.")],
    folder: Annotated[
        Path | None, typer.Option("--in", help="The data folder; by default the one above the run's day.")
    ] = None,
    restore: Annotated[bool, typer.Option("--restore", help="Put a run from the trash back.")] = False,
) -> None:
    """Delete a run with its notes, to the trash of its data folder; or put it back."""
    from qlab.store import restore_run, trash_run

    print(restore_run(file) if restore else trash_run(file, folder or file.absolute().parent.parent))
