"""The commands by name, and what `qlab` alone does: the window, or, with no display, the demonstration."""

from typing import Annotated

import typer

from qlab.cli import (
    bench,
    check,
    desktop,
    doctor,
    examples,
    export,
    fit,
    instrument,
    lists,
    new,
    profile,
    queue,
    reproduce,
    run,
    show,
)

app = typer.Typer(
    name="qlab",
    help="Quantum metrology and sensing, from the bench to the published file. Alone, it opens the window.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run.run)
app.command("list")(lists.list_)
app.command("runs")(lists.runs)
app.command("trash")(lists.trash)
app.command("show")(show.show)
app.command("fit")(fit.fit)
app.command("note")(show.note)
app.command("check")(check.check)
app.command("recover")(check.recover)
app.command("export")(export.export)
app.command("reproduce")(reproduce.reproduce)
app.command("examples")(examples.examples)
app.command("open")(desktop.open_)
app.command("install-desktop")(desktop.install_desktop)
app.command("doctor")(doctor.doctor)
app.add_typer(bench.app, name="bench")
app.add_typer(instrument.app, name="instrument")
app.add_typer(new.app, name="new")
app.add_typer(profile.app, name="profile")
app.add_typer(queue.app, name="queue")


@app.callback(invoke_without_command=True)
def window(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Open the window with default settings.")] = False,
) -> None:
    """Open the window; without a display, run the demonstration measurement instead."""
    if version:
        from qlab import __version__

        print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is not None:
        return
    from qlab.cli.window import open_window

    raise typer.Exit(open_window(["--fresh"] if fresh else []))
