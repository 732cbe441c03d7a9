"""Experiments and benches as plain data: what the window's tree, form and chooser, and `qlab list`, are made of."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from qlab.errors import QlabError
from qlab.parameters import Parameters
from qlab.registry import plugins
from qlab.scan import Scan, scan_text
from qlab.settings import benches_folder
from qlab.units import Unit


def describe(name: str) -> dict[str, Any]:
    """Return an experiment as plain data: {name, title, platform, help, page, fields, roles ...} or {name, broken}.

    Each field is {name, title, description, group, kind, unit, default, minimum, maximum, choices}; `kind` is
    `quantity`, `scan`, `integer`, `number`, `boolean`, `choice` or `text`. The default is as people type it.
    """
    from qlab.experiment import Experiment

    try:
        experiment = plugins("experiments")[name].load()
        parameters: type[Parameters] = experiment.parameters_type()
        return {
            "name": name,
            "title": experiment.title or name,
            "group": experiment.group,
            "platform": name.partition(".")[0],
            "summary": (experiment.__doc__ or "").strip().splitlines()[0] if experiment.__doc__ else "",
            "help": (experiment.__doc__ or "").strip(),
            "preset": experiment.preset,
            "roles": {role: kind.__name__ for role, kind in experiment.roles().items()},
            "fit": experiment.fit,
            "curves": experiment.curves is not Experiment.curves,
            "fields": [_field(parameters, key, info) for key, info in parameters.model_fields.items()],
        }
    except QlabError as error:
        return {"name": name, "broken": str(error)}
    except Exception as error:  # noqa: BLE001 - what a stranger's plug-in offers may be anything at all
        return {"name": name, "broken": f"{type(error).__name__}: {error}"}


def catalogue() -> list[dict[str, Any]]:
    """Return every installed experiment as plain data."""
    return [describe(name) for name in plugins("experiments")]


def benches() -> list[dict[str, Any]]:
    """Return every bench there is: presets, and the bench files of this person, which stand in `benches_folder`.

    Each is {name, title, simulated, roles: [...]} or {name, title, broken}; `name` is what `Bench.load` takes.
    """
    from qlab.bench import read_bench

    found: list[dict[str, Any]] = []
    files = sorted(benches_folder().glob("*.toml")) if benches_folder().is_dir() else []
    for name in [*plugins("benches"), *map(str, files)]:
        try:
            entry = read_bench(name)
        except QlabError as error:
            found.append({"name": name, "title": Path(name).stem, "broken": str(error)})
        else:
            found.append(
                {
                    "name": name,
                    "title": entry.title or entry.name,
                    "simulated": entry.world is not None,
                    "roles": sorted(entry.roles),
                }
            )
    return found


def offer() -> dict[str, Any]:
    """Return what a bench process has to offer: {catalogue, benches}."""
    return {"catalogue": catalogue(), "benches": benches()}


def _field(parameters: type[Parameters], name: str, info: FieldInfo) -> dict[str, Any]:
    default = info.get_default(call_default_factory=True)
    annotation: Any = info.annotation
    unit = parameters.unit_of(name)
    choices: list[Any] = []
    if isinstance(default, Scan):
        kind, shown = "scan", scan_text(parameters.model_validate({}).scans()[name])
    elif get_origin(annotation) is Literal:
        kind, shown, choices = "choice", default, list(get_args(annotation))
    elif annotation is bool:
        kind, shown = "boolean", default
    elif annotation is int:
        kind, shown = "integer", default
    elif any(isinstance(mark, Unit) for mark in info.metadata):
        kind, shown = "quantity", default
    elif annotation is float:
        kind, shown = "number", default
    else:
        kind, shown = "text", default
    bounds = {
        key: getattr(mark, key)
        for mark in info.metadata
        for key in ("ge", "gt", "le", "lt")
        if hasattr(mark, key)
    }
    return {
        "name": name,
        "title": info.title or (name[:1].upper() + name[1:]).replace("_", " "),
        "description": info.description or "",
        "group": (info.json_schema_extra or {}).get("group", "")
        if isinstance(info.json_schema_extra, dict)
        else "",
        "kind": kind,
        "unit": unit,
        "default": shown,
        "minimum": bounds.get("ge", bounds.get("gt")),
        "maximum": bounds.get("le", bounds.get("lt")),
        "choices": choices,
    }


def world_fields(bench: str) -> list[dict[str, Any]]:
    """Return what is hidden in a simulated bench as fields, with its values as defaults; a real one hides nothing."""
    from qlab.bench import Bench

    world = Bench.load(bench).world
    if world is None:
        return []
    hidden = getattr(world, "hidden", None)
    kind = type(hidden) if isinstance(hidden, Parameters) else Parameters
    known = kind.model_fields
    found = []
    for name, value in world.settings().items():
        about = _field(kind, name, known[name]) if name in known else {"name": name, "kind": "number"}
        found.append({**about, "default": round(value) if about["kind"] == "integer" else value})
    return found


def check(name: str, parameters: dict[str, Any], bench: str) -> dict[str, Any]:
    """Return {problems: {field: line}, rows, seconds, program} of parameters as typed; field "" is the whole.

    `program` is what would be played, as `Program.to_dict` gives it; None for an experiment that plays none.
    """
    from pydantic import ValidationError

    from qlab.bench import Bench
    from qlab.parameters import problems
    from qlab.registry import load

    found: dict[str, str] = {}
    rows, seconds = 0, 0.0
    played: dict[str, Any] | None = None
    try:
        kind = load("experiments", name)
        try:
            settings = kind.parameters_type().model_validate(parameters)
        except ValidationError as error:
            found = {field: line.partition(": ")[2] for field, line in problems(error).items()}
        else:
            experiment = kind(settings)
            experiment.bind(Bench.load(bench))
            experiment.preflight()
            rows, seconds = experiment.estimate()
            program = experiment.program()
            played = program.to_dict() if program is not None else None
    except QlabError as error:
        found[""] = str(error)
    return {"problems": found, "rows": rows, "seconds": seconds, "program": played}
