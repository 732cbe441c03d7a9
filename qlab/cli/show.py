"""`qlab show`: what a run found."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from qlab.record import FitResult
from qlab.runs import Run
from qlab.scan import KINDS, scan_words
from qlab.store import check_file, open_run
from qlab.units import format_measured, format_quantity


def show(
    file: Annotated[Path, typer.Argument(help="A run file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show a run: state, parameters, fit, figures of merit, and what its metadata lack."""
    run = open_run(file)
    problems = check_file(run.path or file)
    if as_json:
        print(json.dumps(summary(run, problems), indent=2, ensure_ascii=False))
        return
    describe(run)
    for line in problems:
        print(f"  check: {line}")


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
        print_fit(item, record.expected)
    for figure in record.figures:
        bound = f"  (limit of {figure.limit_of})" if figure.limit_of else ""
        print(f"  {figure.label}: {format_measured(figure.value, figure.error, figure.unit)}{bound}")


def print_fit(result: FitResult, truth: dict[str, float] | None = None) -> None:
    """Print a fit, with the hidden truth of a simulated bench beside it where it has the same name."""
    print(f"  fit {result.model}: {'good' if result.success else 'not to be believed'}"
          f", reduced chi² {result.reduced_chi2:.3g}")  # fmt: skip
    if result.message:
        print(f"    {result.message}")
    for p in result.parameters:
        known = f"   truth {format_quantity(truth[p.name], p.unit, 7)}" if truth and p.name in truth else ""
        held = "" if p.error is not None else " (held)"
        print(f"    {p.label or p.name}: {format_measured(p.value, p.error, p.unit)}{held}{known}")


def _value(value: Any, unit: str) -> str:
    if isinstance(value, dict) and value.get("kind") in KINDS:
        fields = {k: v for k, v in value.items() if k != "kind"}
        if value["kind"] == "values":
            fields["given"] = tuple(fields["given"])
        return scan_words(KINDS[value["kind"]](**fields))
    return format_quantity(value, unit, 9) if isinstance(value, float) else str(value)
