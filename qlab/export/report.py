"""The report: one HTML page with figures, parameters, fits, figures of merit, sequence and FAIR report, all inside."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from qlab.errors import QlabError
from qlab.export.drawing import figure
from qlab.export.writing import attributes, whole
from qlab.fair import completion, report
from qlab.record import FitResult, Record
from qlab.runs import Run
from qlab.scan import KINDS, scan_words
from qlab.units import format_measured, format_quantity

_MOST_FIGURES = 8
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:860px;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.6em;margin-bottom:.1em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ccc}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.2em .6em .2em 0;vertical-align:top}
th{font-weight:600;border-bottom:1px solid #ccc}tr:nth-child(even) td{background:#f7f7f7}
.sim{background:#c23b22;color:#fff;border-radius:3px;padding:0 .4em;font-size:.8em}
.met{color:#197b30}.missed{color:#b3261e}.repository{color:#666}figcaption,small{color:#555}svg{width:100%;height:auto}
code{overflow-wrap:anywhere}
"""


def export(run: Run, path: Path) -> Path:
    """Write the report as one HTML file that needs nothing else, neither network nor qlab."""
    with whole(path) as place:
        place.write_text(page(run), encoding="utf-8")
    return path


def page(run: Run) -> str:
    """Return the page."""
    record = run.record
    body = "".join((
        *_head(run), *_figures(run), *_results(record), *_parameters(record), *_sequence(record),
        *_notes(record), *_metadata(run), *_fair(run), *_software(record),
    ))  # fmt: skip
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(record.title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def _head(run: Run) -> Iterator[str]:
    record = run.record
    mark = ' <span class="sim">SIMULATED</span>' if record.simulated else ""
    yield f"<h1>{escape(record.title)}{mark}</h1>"
    reason = f": {record.reason}" if record.reason else ""
    yield f"<p><code>{escape(record.experiment)}</code>, {escape(record.state + reason)}, {len(run)} rows<br>"
    yield f"{escape(record.started)} to {escape(record.ended)}<br>run <code>{escape(record.id)}</code></p>"
    yield f"<p>{escape(' '.join(record.description.split()))}</p>"


def _figures(run: Run) -> Iterator[str]:
    record = run.record
    yield "<h2>Data</h2>"
    for signal in record.signals[:_MOST_FIGURES]:
        try:
            drawn = figure(run, signal.name)
        except (QlabError, ValueError) as error:
            drawn = f"<p>{escape(str(error))}</p>"
        if drawn:
            fit = next((f for f in reversed(record.fits) if f.signal == signal.name and f.success), None)
            caption = f"{signal.long_name or signal.name}; error bars are one standard deviation"
            caption += f"; line: fit of {fit.model}" if fit else ""
            yield f"<figure>{drawn}<figcaption>{escape(caption)}. Run {escape(record.id)}.</figcaption></figure>"


def _results(record: Record) -> Iterator[str]:
    if record.figures:
        rows = [
            (f.label, format_measured(f.value, f.error, f.unit),
             f.definition + (f" A limit of {f.limit_of}." if f.limit_of else ""), f.source)
            for f in record.figures
        ]  # fmt: skip
        yield "<h2>Figures of merit</h2>"
        yield _table(("figure", "value", "definition", "source"), rows)
    for fit in record.fits:
        yield f"<h2>Fit: {escape(fit.model)}</h2><p>{escape(_verdict(fit))}</p>"
        truth = record.expected_of(fit)
        rows = [
            (p.label or p.name, format_measured(p.value, p.error, p.unit) if fit.found(p) else "not determined",
             "derived" if p.derived else "held" if fit.held(p) else "", _truth(truth, p.name, p.unit))
            for p in fit.parameters
        ]  # fmt: skip
        heads = ("parameter", "value", "", "hidden truth" if truth else "")
        yield _table(heads, rows)


def _verdict(fit: FitResult) -> str:
    good = "Good" if fit.success else "Not to be believed"
    return f"{good}; of {fit.signal}, reduced chi-squared {fit.reduced_chi2:.3g}. {fit.message}".strip()


def _truth(truth: dict[str, float], name: str, unit: str) -> str:
    return format_quantity(truth[name], unit, 7) if name in truth else ""


def _parameters(record: Record) -> Iterator[str]:
    rows = [(name, _value(value, record.units.get(name, "1"))) for name, value in record.parameters.items()]
    yield "<h2>Parameters</h2>"
    yield _table(("name", "value"), rows)


def _value(value: Any, unit: str) -> str:
    if isinstance(value, dict) and value.get("kind") in KINDS:
        fields = {k: v for k, v in value.items() if k != "kind"}
        if value["kind"] == "values":
            fields["given"] = tuple(fields["given"])
        return scan_words(KINDS[value["kind"]](**fields))
    return format_quantity(value, unit, 9) if isinstance(value, float) else str(value)


def _sequence(record: Record) -> Iterator[str]:
    for index, program in enumerate(record.programs[:4], start=1):
        yield f"<h2>Sequence{f' {index}' if len(record.programs) > 1 else ''}</h2>"
        rows = [
            (str(op.get("op", "")), str(op.get("channel") or ", ".join(op.get("channels", ())) or ""),
             _linear(op.get("duration"), "s"), _details(op))
            for op in _operations(program.get("body", ()))
        ]  # fmt: skip
        yield _table(("operation", "channel", "duration", ""), rows)
        held = ", ".join(
            f"{name} = {_linear(value, '') if isinstance(value, dict) else format(value, '.9g')}"
            for name, value in dict(program.get("setpoints", {})).items()
        )
        yield f"<p><small>{program.get('shots', '')} shots. Held: {escape(held) or 'nothing'}.</small></p>"


def _operations(body: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for op in body:
        if isinstance(op, dict):
            yield op
            yield from _operations(op.get("body", ()))


def _details(op: dict[str, Any]) -> str:
    known = {"op", "channel", "channels", "duration", "body"}
    units = {"amplitude": "Hz", "frequency": "Hz", "phase": "rad"}
    return ", ".join(
        f"{key} {_linear(value, units.get(key, '1'))}"
        for key, value in op.items()
        if key not in known and value
    )


def _linear(value: Any, unit: str) -> str:
    """Return a number, or one that depends on sweep symbols, as people write it."""
    if isinstance(value, dict) and "terms" in value:
        terms = [
            f"{name}" if factor == 1 else f"{factor:.6g}·{name}" for name, factor in value["terms"].items()
        ]
        constant = float(value.get("constant", 0.0))
        return " + ".join([*([format_quantity(constant, unit)] if constant else []), *terms])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format_quantity(float(value), unit)
    return "" if value is None else str(value)


def _notes(record: Record) -> Iterator[str]:
    if record.notes or record.tags:
        text = "<br>".join(escape(line) for line in record.notes.splitlines())
        yield f"<h2>Notes</h2><p>{text}</p><p><small>{escape(', '.join(record.tags))}</small></p>"
    if record.log:
        yield "<h2>Log</h2>"
        lines = [
            (str(i.get("time", "")), str(i.get("level", "")), str(i.get("message", ""))) for i in record.log
        ]
        yield _table(("time", "level", "message"), lines)


def _metadata(run: Run) -> Iterator[str]:
    rows = [*attributes(run).items(), *((f"quantum: {k}", v) for k, v in run.record.quantum.items())]
    yield "<h2>Metadata</h2>"
    yield _table(("field", "value"), [row for row in rows if row[0] not in {"title", "summary"}])
    missing = [(i.label, i.why, i.what_to_do) for i in completion(run.record) if not i.present and i.needed]
    if missing:
        yield "<p>Still needed for a publication:</p>"
        yield _table(("what", "why", "what to do"), missing)


def _fair(run: Run) -> Iterator[str]:
    if run.path is None:
        return
    judged = report(run.path)
    yield "<h2>FAIR report of the file</h2>"
    yield f"<p>It meets {judged.met} of the {judged.possible} metrics that a file can meet.</p>"
    yield "<table><tr><th>metric</th><th></th><th>verdict</th><th></th></tr>"
    for m in judged.metrics:
        yield (
            f"<tr><td>{m.id}</td><td>{escape(m.text)}</td><td class={m.verdict}>{m.verdict}</td>"
            f"<td>{escape(m.found or m.what_to_do)}</td></tr>"
        )
    yield "</table>"
    yield from (f"<p class=missed>{escape(line)}</p>" for line in judged.problems)


def _software(record: Record) -> Iterator[str]:
    words = ", ".join(f"{name} {version}" for name, version in record.software.items())
    seed = "" if record.seed is None else f" Seed {record.seed}."
    yield f"<p><small>{escape(words)}.{seed}</small></p>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(heads, "th") + "".join(line(row, "td") for row in rows) + "</table>"
