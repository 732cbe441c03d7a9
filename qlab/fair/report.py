"""The FAIR report of a run file against the metrics of FAIRsFAIR (F-UJI, v0.8), each miss with what to do."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import h5py

from qlab.errors import FileError
from qlab.profile.identifiers import ACCESS
from qlab.store import check_file, open_run
from qlab.store.document import load

Verdict = Literal["met", "missed", "repository"]
Graph = Mapping[str, Mapping[str, Any]]
Answer = tuple[str, str]  # what was found (empty: nothing), what to do where it is missing
SEMANTIC = (
    "http://qudt.org/",
    "https://spdx.org/",
    "http://purl.org/coar/",
    "https://orcid.org/",
    "https://ror.org/",
)


@dataclass(frozen=True)
class Metric:
    """One metric: `met` or `missed` by the file, or one that only a `repository` can meet."""

    id: str
    principle: str
    text: str
    verdict: Verdict
    found: str = ""
    what_to_do: str = ""


@dataclass(frozen=True)
class FairReport:
    """The report of one file. A file alone can meet 12 of the 17 metrics; the others need a repository."""

    path: str
    metrics: tuple[Metric, ...]
    problems: tuple[str, ...] = ()

    @property
    def met(self) -> int:
        """How many metrics the file meets."""
        return sum(metric.verdict == "met" for metric in self.metrics)

    @property
    def possible(self) -> int:
        """How many a file can meet."""
        return sum(metric.verdict != "repository" for metric in self.metrics)

    @property
    def missed(self) -> tuple[Metric, ...]:
        """Those that the file could meet and does not."""
        return tuple(metric for metric in self.metrics if metric.verdict == "missed")

    def to_dict(self) -> dict[str, Any]:
        """Return the report as stable JSON data."""
        counts = {"met": self.met, "possible": self.possible, "problems": list(self.problems)}
        return {**counts, "metrics": [asdict(metric) for metric in self.metrics]}


def report(path: Path | str) -> FairReport:
    """Judge a run file by what stands in it; raises FileError where it is no run file that can be read."""
    run = open_run(path)
    path = Path(run.path or path)
    return FairReport(str(path), tuple(_judged(*_read(path))), tuple(check_file(path)))


def _read(path: Path) -> tuple[Graph, dict[str, str]]:
    """Return the JSON-LD graph by @id, and the root attributes that are text."""
    with h5py.File(path, "r", swmr=path.name.endswith(".part.h5"), locking="best-effort") as file:
        attributes = {key: str(value) for key, value in file.attrs.items() if isinstance(value, str)}
        attributes["definition"] = _text(file, "entry/definition")
        text = _text(file, "entry/metadata/data")
        environment = "entry/process/environment/data" in file
    attributes["environment"] = "yes" if environment else ""
    try:
        items = load(text)["@graph"] if text else []
        return {item["@id"]: item for item in items}, attributes
    except (FileError, LookupError, TypeError):
        return {}, attributes


def _text(file: h5py.File, place: str) -> str:
    if place not in file:
        return ""
    value = file[place][()]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _judged(graph: Graph, attributes: Mapping[str, str]) -> Iterator[Metric]:
    root = graph.get("./", {})
    for code, text, judge in METRICS:
        principle = code.removeprefix("FsF-").split("-")[0]
        if judge is None:
            yield Metric(
                code, principle, text, "repository", "", "Deposit the run: `qlab export --to zenodo`."
            )
            continue
        try:
            found, to_do = judge(graph, root, attributes)
        except (LookupError, TypeError, AttributeError):  # a JSON-LD record of another shape than ours
            found, to_do = (
                "",
                "The record in the file is of an unknown shape: record or export anew with qlab.",
            )
        yield Metric(code, principle, text, "met" if found else "missed", found, "" if found else to_do)


def _named(graph: Graph, link: Any) -> str:
    links = link if isinstance(link, list) else [link] if link else []
    return ", ".join(str(graph.get(item["@id"], {}).get("name", "")) for item in links if "@id" in item)


def _identifier(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del graph, attributes
    found = str(root.get("identifier", ""))
    return (
        found if found.startswith("urn:uuid:") or "doi.org/" in found else ""
    ), "The run has no UUID: record anew."


def _core(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    core = {
        "creator": attributes.get("creator_name", ""), "title": root.get("name"), "identifier": root.get("identifier"),
        "publisher": _named(graph, root.get("publisher")), "publication date": root.get("datePublished"),
        "summary": root.get("description"), "keywords": root.get("keywords"),
    }  # fmt: skip
    missing = [name for name, value in core.items() if not value]
    ways = {
        "creator": "qlab profile set affiliation NAME (or name)",
        "publisher": "qlab profile set publisher NAME",
    }
    how = "; ".join(ways.get(name, f"record it with a {name}") for name in missing)
    return (
        "" if missing else ", ".join(core)
    ), f"Missing: {', '.join(missing)}. {how}, then record or export anew."


def _data_identifier(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    part = next((graph.get(item["@id"], {}) for item in root.get("hasPart", ())), {})
    stated = str(graph.get("#content-sha256", {}).get("value", "") or part.get("contentDigest", ""))
    good = part.get("encodingFormat") and stated and stated == attributes.get("content_sha256")
    found = f"{part.get('@id', '')}, sha256 {stated[:12]}..." if good else ""
    return found, "The run was not finalised: qlab recover FILE."


def _access(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del attributes
    uri = root.get("conditionsOfAccess", {}).get("@id", "")
    until = graph.get("#fact-embargo-until", {}).get("value", "")
    word = next((word for word, known in ACCESS.items() if known == uri), "")
    if word == "embargoed" and not until:
        return "", "qlab profile set embargo DAY: an embargo needs an end."
    return (
        f"{word} until {until}" if until else word,
        "qlab profile set access open (or embargoed, restricted ...)",
    )


def _formal(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del root, attributes
    return (
        f"JSON-LD, {len(graph)} entities" if graph else ""
    ), "The file holds no JSON-LD record: record anew."


def _semantic(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del root, attributes
    words = [str(v) for item in graph.values() for k, v in item.items() if k in {"@id", "unitCode", "sameAs"}]
    used = sorted({start for start in SEMANTIC if any(word.startswith(start) for word in words)})
    units = any(word.startswith("http://qudt.org/") for word in words)
    return (
        ", ".join(used) if units else ""
    ), "No unit or measurand has a QUDT identifier: use those of the vocabulary."


def _linked(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del attributes
    links = [item["@id"] for item in root.get("citation", ())]
    people = [
        i for i in graph if i.startswith(("https://orcid.org/", "https://ror.org/", "https://doi.org/"))
    ]
    found = ", ".join([*links, *people])
    return found, "Link what belongs to it: qlab profile set related.identifier DOI; orcid and ror count too."


def _content(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del attributes
    variables = [graph.get(item["@id"], {}) for item in root.get("variableMeasured", ())]
    bare = [str(v.get("name")) for v in variables if not v.get("unitText")]
    part = next((graph.get(item["@id"], {}) for item in root.get("hasPart", ())), {})
    good = variables and not bare and part.get("size")
    return (
        f"{len(variables)} variables with units, {part.get('size')}" if good else ""
    ), "Give every column a unit."


def _license(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del attributes
    link = root.get("license", {}).get("@id", "")
    good = link.startswith("https://spdx.org/licenses/")
    return (str(graph.get(link, {}).get("name", link)) if good else ""), "qlab profile set license CC-BY-4.0"


def _provenance(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del root
    action = graph.get("#run", {})
    needed = ("instrument", "startTime", "endTime", "result")
    good = all(action.get(key) for key in needed) and attributes.get("environment")
    return (f"CreateAction of {action.get('startTime')}, versions of all packages" if good else ""), (
        "The record lacks the action that made the data: finalise the run (`qlab recover`) or record anew."
    )


def _standard(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del graph, root
    good = attributes.get("definition") and "CF-" in attributes.get("Conventions", "")
    return (
        f"NeXus {attributes['definition']}, {attributes['Conventions']}" if good else ""
    ), "Record anew with qlab."


def _format(graph: Graph, root: Mapping[str, Any], attributes: Mapping[str, str]) -> Answer:
    del attributes
    part = next((graph.get(item["@id"], {}) for item in root.get("hasPart", ())), {})
    good = part.get("encodingFormat") == "application/x-hdf5" and str(part.get("@id", "")).endswith(".h5")
    return ("HDF5 (.h5)" if good else ""), "Keep the file's name ending in .h5."


Judge = Callable[[Graph, Mapping[str, Any], Mapping[str, str]], Answer]
METRICS: tuple[tuple[str, str, Judge | None], ...] = (
    ("FsF-F1-01MD", "a globally unique identifier", _identifier),
    ("FsF-F1-02MD", "a persistent identifier (a DOI)", None),
    ("FsF-F2-01M", "core descriptive metadata", _core),
    ("FsF-F3-01M", "metadata include the identifier of the data", _data_identifier),
    ("FsF-F4-01M", "metadata that search engines read", None),
    ("FsF-A1-01M", "access level and conditions", _access),
    ("FsF-A1-02MD", "data and metadata can be retrieved by identifier", None),
    ("FsF-A1.1-01MD", "a standard protocol", None),
    ("FsF-A1.2-01MD", "a protocol with authentication", None),
    ("FsF-I1-01M", "metadata in a formal language", _formal),
    ("FsF-I2-01M", "metadata use semantic resources", _semantic),
    ("FsF-I3-01M", "qualified links to related entities", _linked),
    ("FsF-R1-01M", "the content of the data is described", _content),
    ("FsF-R1.1-01M", "a licence that machines read", _license),
    ("FsF-R1.2-01M", "provenance", _provenance),
    ("FsF-R1.3-01M", "a metadata standard of the community", _standard),
    ("FsF-R1.3-02D", "a file format of the community", _format),
)
