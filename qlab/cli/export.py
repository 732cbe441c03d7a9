"""`qlab export`: a run as something that another program reads, with or without personal data."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def export(
    file: Annotated[Path, typer.Argument(help="A run file.")],
    out: Annotated[Path, typer.Argument(help="The file or folder to write.")],
    to: Annotated[
        str, typer.Option(help="A format of `qlab list exporters`; the ending of the name says it too.")
    ] = "",
    redact: Annotated[
        bool, typer.Option("--redact", help="Without personal data; alone, it writes a run file.")
    ] = False,
    also: Annotated[
        list[str] | None, typer.Option(help="With --redact: another word to take out. May be repeated.")
    ] = None,
    profile: Annotated[str, typer.Option(help="A profile that fills what the run left empty.")] = "",
) -> None:
    """Write a run in another format, with its notes and later fits; the run itself is never changed."""
    from qlab.errors import UsageError
    from qlab.export.endings import format_of
    from qlab.export.make import make
    from qlab.export.redact import free_texts
    from qlab.profile import load
    from qlab.store import open_run

    if also and not redact:
        raise UsageError("--also takes words out, but nothing is redacted.", "Add --redact.")
    made = make(file, out, to, redacted=redact, also=also or (), profile=load(profile) if profile else None)
    if redact and not (to or format_of(out.name)):  # a run file, with all that people wrote freely
        for where, text in free_texts(open_run(made).record):
            print(f"please read, this stays in the file: {where}: {text}", file=sys.stderr)
    print(made)
