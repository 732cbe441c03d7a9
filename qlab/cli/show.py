"""`qlab show` and `qlab note`: what a run found, and what is said of it later."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from qlab import fair
from qlab.errors import FileError, UsageError
from qlab.record import Figure, FitParameter, FitResult, StoredCurve
from qlab.runs import Run
from qlab.scan import KINDS, scan_words
from qlab.store import Sidecar, edit_sidecar, open_any, read_sidecar
from qlab.units import format_measured, format_quantity


def show(
    file: Annotated[Path, typer.Argument(help="A run file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a run: state, parameters, fit, figures of merit, how FAIR it is, and what its layout lacks.

    A NeXus or HDF5 file that is not ours is shown as far as it can be understood.
    """
    run = open_any(file)
    judged = fair.report(run.path or file) if run.record.experiment != "file" else None
    problems = list(judged.problems) if judged is not None else []
    said = Sidecar()
    try:
        said = read_sidecar(run.path or file)
    except FileError as error:
        problems.append(str(error))
    if as_json:
        told = {
            **summary(run, problems),
            **_said(said),
            "fair": judged.to_dict() if judged is not None else None,
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    describe(run)
    describe_sidecar(said)
    if judged is not None:
        print(f"  FAIR: {judged.met} of {judged.possible} metrics met; `qlab check` tells which")
    for line in problems:
        print(f"  check: {line}")


def note(
    file: Annotated[Path, typer.Argument(help="A run file.")],
    text: Annotated[
        str | None, typer.Option("--text", help="The notes, in place of those there are.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="Add a tag.")] = None,
    untag: Annotated[list[str] | None, typer.Option("--untag", help="Take a tag away.")] = None,
    star: Annotated[bool | None, typer.Option("--star/--unstar", help="Give or take the star.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say something about a run; without an option, show what was said."""
    changes = (text, tag, untag, star)
    if all(item is None for item in changes):
        if not file.exists():
            raise UsageError(f"There is no run {file}.", "Check the name.")
        said = read_sidecar(file)
    else:
        said = edit_sidecar(file, notes=text, add_tags=tag or (), remove_tags=untag or (), star=star)
    if as_json:
        print(json.dumps(_said(said), indent=2, ensure_ascii=False))
    else:
        describe_sidecar(said)


def _said(said: Sidecar) -> dict[str, Any]:
    later = [
        {"time": at, **item.model_dump(mode="json")}
        for item, at in zip(said.fits, said.fit_times, strict=True)
    ]
    return {"notes": said.notes, "tags": list(said.tags), "star": said.star, "later_fits": later}


def describe_sidecar(said: Sidecar) -> None:
    """Print what was said of a run after it was taken."""
    if said.star:
        print("  ★")
    if said.tags:
        print(f"  tags: {', '.join(said.tags)}")
    for line in said.notes.splitlines():
        print(f"  | {line}")
    for item, at in zip(said.fits, said.fit_times, strict=True):
        print(f"  later, {at[:19]}:")
        print_fit(item)


def summary(run: Run, problems: list[str]) -> dict[str, Any]:
    """Return a run as stable JSON data."""
    record = run.record
    return {
        "id": record.id,
        "experiment": record.experiment,
        "title": record.title,
        "state": record.state,
        "reason": record.reason,
        "started": record.started,
        "ended": record.ended,
        "rows": len(run),
        "simulated": record.simulated,
        "seed": record.seed,
        "truth": record.truth,
        "expected": record.expected,
        "parameters": record.parameters,
        "fits": [item.model_dump(mode="json") for item in record.fits],
        "figures": {item.name: item.model_dump(mode="json") for item in record.figures},
        "safe_report": record.safe_report,
        "software": record.software,
        "problems": problems,
        "profile": record.profile.model_dump(mode="json"),
        "quantum": record.quantum,
        "path": str(run.path),
    }


def describe(run: Run) -> None:
    """Print a run for people."""
    record = run.record
    mark = "  SIM" if record.simulated else ""
    print(f"{record.title} ({record.experiment}){mark}")
    print(
        f"  {record.state}{': ' + record.reason if record.reason else ''}, {len(run)} rows, {record.started}"
    )
    print(f"  run {record.id}")
    for name, value in record.parameters.items():
        print(f"  {name} = {_value(value, record.units.get(name, '1'))}")
    for item in record.fits:
        print_fit(item, record.expected_of(item))
    print_found(record.figures, record.curves)
    for stream, entries in run.streams.items():
        print(f"  stream {stream}: {len(entries)} entries")
    for calibration in record.calibrations:
        print(f"  calibration {_calibration(calibration)}")


def print_found(figures: Iterable[Figure], curves: Iterable[StoredCurve]) -> None:
    """Print figures of merit, and of each curve how far it goes."""
    for figure in figures:
        bound = f"  (limit of {figure.limit_of})" if figure.limit_of else ""
        print(f"  {figure.label}: {format_measured(figure.value, figure.error, figure.unit)}{bound}")
    for curve in curves:
        ends = " to ".join(format_quantity(x, curve.x_unit, 4) for x in (min(curve.x), max(curve.x)))
        least = min(range(len(curve.y)), key=curve.y.__getitem__)
        print(f"  {curve.label}: {len(curve.x)} points over {curve.x_label or 'x'} {ends}, least "
              f"{format_quantity(curve.y[least], curve.unit, 4)} at {format_quantity(curve.x[least], curve.x_unit, 4)}"
              )  # fmt: skip


def _calibration(item: Mapping[str, Any]) -> str:
    value = format_measured(float(item["value"]), item.get("error"), str(item.get("unit", "1")))
    until = f", valid until {item['valid_until']}" if item.get("valid_until") else ""
    return f"{item.get('label') or item['name']}: {value}{until}{', EXPIRED' if item.get('expired') else ''}"


def print_fit(result: FitResult, truth: dict[str, float] | None = None) -> None:
    """Print a fit, with the hidden truth of a simulated bench beside it where it has the same name.

    Of one that is not to be believed only what the data determine is shown.
    """
    quality = f", reduced chi² {result.reduced_chi2:.3g}" if math.isfinite(result.reduced_chi2) else ""
    print(f"  fit {result.model}: {'good' if result.success else 'not to be believed'}{quality}")
    if result.message:
        print(f"    {result.message}")
    if not result.success and result.told:
        print("    Where the search ended, for what it is worth:")
    for p in result.told:
        size = max(abs(p.value), p.error or 0.0) if math.isfinite(p.value) else None
        known = ""
        if truth and p.name in truth:
            known = f"   truth {format_quantity(truth[p.name], p.unit, 7, like=size)}"
        print(f"    {p.label or p.name}: {fitted_words(result, p)}{known}")


def fitted_words(result: FitResult, p: FitParameter) -> str:
    """Return a value of a fit as people read it: with its error, or why it has none."""
    if not result.found(p):
        return "not determined"
    return format_measured(p.value, p.error, p.unit) + (" (held)" if result.held(p) else "")


def _value(value: Any, unit: str) -> str:
    if isinstance(value, dict) and value.get("kind") in KINDS:
        fields = {k: v for k, v in value.items() if k != "kind"}
        if value["kind"] == "values":
            fields["given"] = tuple(fields["given"])
        return scan_words(KINDS[value["kind"]](**fields))
    return format_quantity(value, unit, 9) if isinstance(value, float) else str(value)
