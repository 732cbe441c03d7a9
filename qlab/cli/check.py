"""`qlab check` and `qlab recover`: is a file as it should be, and runs that a crash left open."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from qlab import fair
from qlab.errors import FileError
from qlab.record import Record
from qlab.store import check_file, open_run
from qlab.store import recover as recover_runs


def check(
    file: Annotated[Path, typer.Argument(help="A run file.")],
    publication: Annotated[
        bool, typer.Option("--publication", help="Also ask for what only a person can give.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a run file's layout and metadata and print its FAIR report; exit 1 where it is not as it should be.

    A metric that needs something of a person (a licence, a creator) counts only with --publication.
    """
    problems = check_file(file)
    if not readable(file):
        for line in problems:
            print(line)
        raise typer.Exit(1)
    judged, missing = fair.report(file), needed(open_run(file).record)
    missed = judged.missed if publication else ()
    if as_json:
        told = {"problems": problems, "fair": judged.to_dict(), "needed": [asdict(item) for item in missing]}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for line in problems:
            print(line)
        print_fair(judged)
        for item in missing:
            print(f"  needed for a publication: {item.label}. {item.what_to_do}")
    if problems or missed or (publication and missing):
        raise typer.Exit(1)
    if not as_json:
        print(f"{file.name}: good")


def readable(file: Path) -> bool:
    """Tell whether a file can be opened at all."""
    try:
        open_run(file)
    except FileError:
        return False
    return True


def needed(record: Record) -> list[fair.Item]:
    """Return what a publication still needs of a person."""
    return [item for item in fair.completion(record) if item.needed and not item.present]


def print_fair(judged: fair.FairReport) -> None:
    """Print a FAIR report for people."""
    print(f"FAIR: meets {judged.met} of the {judged.possible} metrics that a file can meet")
    for metric in judged.metrics:
        said = metric.found if metric.verdict == "met" else metric.what_to_do
        print(f"  {metric.verdict:<10} {metric.id}: {metric.text}: {said}")


def recover(path: Annotated[Path, typer.Argument(help="A .part.h5 file or a folder.")]) -> None:
    """Finalise runs that a crash left open; each is marked interrupted."""
    if not path.exists():
        raise FileError(f"{path} does not exist.", "Give a .part.h5 file or a folder.")
    done = recover_runs(path)
    for item in done:
        print(item)
    if not done:
        print("nothing to recover")
