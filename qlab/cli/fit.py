"""`qlab fit`: a stored run fitted again with its figures of merit, or many runs against one parameter."""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from qlab.cli.show import print_fit, print_found
from qlab.cli.text import table
from qlab.errors import FileError, QlabError, UsageError
from qlab.fits.typed import assignments
from qlab.record import Figure, FitResult, StoredCurve
from qlab.runs import Run
from qlab.units import format_measured, format_quantity


def fit(
    path: Annotated[Path, typer.Argument(help="A run file, or a folder of runs.")],
    query: Annotated[str, typer.Argument(help="Of a folder: words to look for.")] = "",
    model: Annotated[
        str, typer.Option("--model", "-m", help="Fit model; the experiment's own by default.")
    ] = "",
    signal: Annotated[str, typer.Option(help="Signal; the first by default.")] = "",
    fix: Annotated[
        list[str] | None, typer.Option(help="Hold a parameter: NAME=VALUE, as T2_star=2us.")
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Intervals from the likelihood's profile.")
    ] = False,
    bootstrap: Annotated[int, typer.Option(help="Intervals from so many bootstrap fits.")] = 0,
    against: Annotated[
        str, typer.Option(help="Of a folder: a parameter of the runs, or `started`.")
    ] = "started",
    keep: Annotated[bool, typer.Option(help="Keep a good fit beside the run (NAME.notes.json).")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Of a folder: print comma-separated values.")] = False,
) -> None:
    """Fit a stored run again, with the code that fits it live, or every run of a folder against a parameter.

    Exit code 1 where the fit is not to be believed (of a folder: where none is).
    """
    from qlab.analysis import fit_runs

    if bootstrap < 0:
        raise UsageError(f"{bootstrap} bootstrap fits cannot be made.", "Give 0 or more, such as 200.")
    typed = assignments(fix or [])
    if path.is_dir():
        found = fit_runs(path, query, against=against, model=model, signal=signal, typed=typed)
        _print_series(found, as_json=as_json, as_csv=as_csv)
        if not found.success.any():
            raise typer.Exit(1)
        return
    _one(path, model, signal, typed, profile=profile, bootstrap=bootstrap, keep=keep, as_json=as_json)


def _keep(path: Path, result: FitResult) -> None:
    """Keep a fit; where the folder cannot be written it is still shown."""
    from qlab.store import edit_sidecar

    try:
        edit_sidecar(path, add_fit=result)
    except FileError as error:
        print(f"qlab: the fit was not kept: {error}", file=sys.stderr)


def _one(
    path: Path,
    model: str,
    signal: str,
    typed: dict[str, str],
    *,
    profile: bool,
    bootstrap: int,
    keep: bool,
    as_json: bool,
) -> None:
    from qlab.analysis import analyse, curves_of, typed_for
    from qlab.store import open_run

    run = open_run(path)
    if not (model or run.record.fit):
        _without_fit(run, as_json=as_json)
        return
    fixed = typed_for(run, model, typed, signal)
    figures: tuple[Figure, ...] = ()
    curves: tuple[StoredCurve, ...] = ()
    try:
        result, figures = analyse(run, model, signal=signal, fixed=fixed)
        curves = curves_of(run)
    except QlabError:
        # The experiment may come from a lab's plug-in that is not here: its data can be fitted all the same.
        result = run.fit(model, signal=signal, fixed=fixed)
    if keep and result.success:
        _keep(run.path or path, result)
    intervals: dict[str, dict[str, list[float]]] = {}
    if result.covariance:
        if profile:
            profiles = [result.profile(name) for name in result.free]
            intervals["profile"] = {curve.name: [curve.low, curve.high] for curve in profiles}
        if bootstrap:
            drawn = result.bootstrap(bootstrap)
            intervals["bootstrap"] = {name: list(drawn.interval(name)) for name in result.free}
    if as_json:
        shown = result.model_dump(mode="json") | {
            **_found(figures, curves),
            "intervals": intervals,
        }
        print(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        print_fit(result, run.record.expected_of(result))
        units = {p.name: (p.label or p.name, p.unit) for p in result.parameters}
        for kind, each in intervals.items():
            for name, (low, high) in each.items():
                label, unit = units[name]
                ends = f"{format_quantity(low, unit, 7)} to {format_quantity(high, unit, 7)}"
                print(f"    {label}, 68.3 % by {kind}: {ends}")
        print_found(figures, curves)
    if not result.success:
        raise typer.Exit(1)


def _without_fit(run: Run, *, as_json: bool) -> None:
    """Tell the figures and curves of a run whose experiment fits nothing."""
    from qlab.analysis import found_without_fit

    figures, curves = found_without_fit(run)
    if not (figures or curves):
        raise UsageError(f"The experiment {run.record.experiment} names no fit.", "Name a model: --model.")
    if as_json:
        print(json.dumps(_found(figures, curves), indent=2, ensure_ascii=False))
    else:
        print_found(figures, curves)


def _found(figures: tuple[Figure, ...], curves: tuple[StoredCurve, ...]) -> dict[str, Any]:
    return {
        "figures": {item.name: item.model_dump(mode="json") for item in figures},
        "curves": {item.name: item.model_dump(mode="json") for item in curves},
    }


def _print_series(found: Any, *, as_json: bool, as_csv: bool) -> None:
    for path, reason in found.left_out:
        print(f"left out {path.name}: {reason}", file=sys.stderr)
    names = found.names
    if as_json:
        rows = [
            {"against": float(place), "path": str(path), "fit": fit.model_dump(mode="json")}
            for place, path, fit in zip(found.against, found.paths, found.fits, strict=True)
        ]
        shown = {"parameter": found.parameter, "unit": found.unit, "runs": rows}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        return
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        heads = [part for name in names for part in (name, f"{name}_error")]
        writer.writerow([found.parameter, *heads, "success", "message", "file"])
        for place, path, fit in zip(found.against, found.paths, found.fits, strict=True):
            numbers = [part for name in names for part in (fit.values.get(name), fit.errors.get(name))]
            writer.writerow([float(place), *numbers, fit.success, fit.message, path])
        return
    labels = {p.name: p.label or p.name for fit in found.fits for p in fit.parameters}
    shown_rows = [
        [
            format_quantity(float(place), found.unit, 6),
            *(_cell(fit, name) for name in names),
            "good" if fit.success else f"not to be believed: {fit.message}",
        ]
        for place, fit in zip(found.against, found.fits, strict=True)
    ]
    table([found.parameter, *(labels[name] for name in names), "verdict"], shown_rows)


def _cell(fit: Any, name: str) -> str:
    known = next((p for p in fit.parameters if p.name == name), None)
    return format_measured(known.value, known.error, known.unit) if known else "–"
