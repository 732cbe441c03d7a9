"""`qlab doctor`: every plug-in with its state, the versions, and the folders."""

import json
import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from qlab import profile
from qlab.cli.text import table
from qlab.errors import QlabError, UsageError
from qlab.provenance import software
from qlab.registry import KINDS, drop_in_folder, plugins
from qlab.settings import config_folder, load_settings, runtime_folder


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Load every plug-in and say what is broken and why; exit 1 where something is."""
    rows = []
    for kind in KINDS:
        for plugin in plugins(kind).values():
            try:
                plugin.load()
                state = "ok"
            except UsageError as error:
                state = error.message
            rows.append(
                {
                    "kind": kind,
                    "name": plugin.name,
                    "from": plugin.distribution,
                    "version": _version(plugin.distribution),
                    "state": state,
                }
            )
    settings, healed = load_settings()
    broken = any(row["state"] != "ok" for row in rows)
    if as_json:
        print(json.dumps({"plugins": rows, "software": software(), "healed": healed}, indent=2))
        raise typer.Exit(1 if broken else 0)
    table(["kind", "name", "from", "version", "state"], [list(row.values()) for row in rows])
    print()
    table(["package", "version"], [list(item) for item in software().items()])
    print()
    folder = settings.folder()
    print(f"data      {folder} ({_free(folder)} free)")
    print(f"settings  {config_folder()}")
    print(f"plug-ins  {drop_in_folder()}")
    print(f"runtime   {runtime_folder()}")
    print(f"profile   {_profile()}")
    for line in healed:
        print(f"healed    {line}")
    raise typer.Exit(1 if broken else 0)


def _version(distribution: str) -> str:
    """Return the version of what a plug-in comes from; "" for a lab's own file."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _profile() -> str:
    """Return which profile is in use, and what is wrong with it: a damaged one stops no run, but fills nothing in."""
    try:
        found = profile.load()
    except QlabError as error:
        return f"{profile.active()}: {error}"
    wrong = [f"{key}: {fault.message}" for key, fault in profile.faults(found)]
    return "; ".join([profile.active(), *wrong])


def _free(folder: "object") -> str:
    from pathlib import Path

    place = Path(str(folder))
    while not place.exists():
        place = place.parent
    return f"{shutil.disk_usage(place).free / 1e9:.0f} GB"
