"""`qlab profile`: who measures, for which project and under which terms, filled in once."""

import json
from typing import Annotated

import typer

from qlab import profile as profiles
from qlab.cli.text import table
from qlab.profile.typed import every_key

app = typer.Typer(help="Who measures, for which project, under which terms.", no_args_is_help=True)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A profile; the one in use by default.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a profile, and what it still lacks for data that can be published."""
    from qlab.fair import completion

    found = profiles.load(name)
    if as_json:
        print(json.dumps(found.model_dump(mode="json"), indent=2, ensure_ascii=False))
        return
    print(f"profile {name or profiles.active()}")
    table(["key", "value"], [[key, profiles.value_of(found, key) or "-"] for key in every_key(found)])
    for key, error in profiles.faults(found):
        print(f"  {key}: {error}")
    for item in completion(found):
        if not item.present and item.needed:
            print(f"  missing: {item.label}. {item.what_to_do}")


@app.command("set")
def set_(
    key: Annotated[str, typer.Argument(help="For example orcid, license, funding.number, sample.name.")],
    value: Annotated[str, typer.Argument(help="Empty clears it.")],
    name: Annotated[str, typer.Option("--profile", help="A profile; the one in use by default.")] = "",
) -> None:
    """Set one field; it is checked, and written into the files of all later runs."""
    changed = profiles.changed(profiles.load(name), key, value)
    profiles.save(changed, name)
    print(f"{key} = {profiles.value_of(changed, key) or '-'}")


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Its name.")],
    copy: Annotated[str, typer.Option(help="Start from this profile.")] = "",
) -> None:
    """Add a profile (for another person or project) and take it into use."""
    profiles.create(name, profiles.load(copy) if copy else None)
    profiles.use(name)
    print(f"profile {name} is in use")


@app.command("use")
def use(name: Annotated[str, typer.Argument(help="Its name.")]) -> None:
    """Take a profile into use, for all later runs."""
    profiles.use(name)
    print(f"profile {name} is in use")


@app.command("list")
def list_() -> None:
    """List the profiles; the one in use has a star."""
    for name in profiles.names():
        print(f"{'*' if name == profiles.active() else ' '} {name}")
