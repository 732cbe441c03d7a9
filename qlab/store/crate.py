"""The master copy of the descriptive metadata: one RO-Crate JSON-LD record, which NeXus fields only mirror."""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from qlab.profile.identifiers import ACCESS, license_uri
from qlab.record import Record
from qlab.store import entities as made
from qlab.store import metadata as words
from qlab.store.entities import Entity
from qlab.store.names import FORMAT, FORMAT_VERSION, moment

PROCESS = "https://w3id.org/ro/wfrun/process/"
_STATUS = {"finished": "Completed", "stopped": "Completed", "failed": "Failed", "interrupted": "Failed"}


def crate(record: Record, name: str, rows: int, digest: str) -> Entity:
    """Return the RO-Crate record (1.3 with Process Run Crate 0.6) of a run, as plain JSON-LD data.

    `name` is the file's name, `rows` how many it holds, `digest` its `content_sha256`.
    """
    beside = {
        "people": made.people(record), "project": _project(record), "terms": made.terms(record),
        "awards": made.awards(record), "related": made.related(record), "rights": made.rights(record),
        "sample": made.sample(record), "devices": made.devices(record), "facts": made.facts(record),
        "variables": (made.variable(c.name, c.long_name, c.unit, c.role) for c in record.columns),
        "notes": made.notes(record),
    }  # fmt: skip
    lists = {key: list(items) for key, items in beside.items()}
    digests = [
        {"@id": "#content-sha256", "@type": "PropertyValue", "name": "content_sha256", "value": digest}
    ] if digest else []  # fmt: skip
    graph = [
        _descriptor(), _root(record, name, lists), _file(record, name, rows, digests), _action(record, name, lists),
        *_program(), *(item for items in lists.values() for item in items), *digests,
    ]  # fmt: skip
    return {"@context": "https://w3id.org/ro/crate/1.3/context", "@graph": list(_once(graph))}


def _descriptor() -> Entity:
    return {
        "@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
        "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.3"}], "license": {"@id": words.METADATA_LICENSE},
    }  # fmt: skip


def _root(record: Record, name: str, lists: dict[str, list[Entity]]) -> Entity:
    profile = record.profile
    root: Entity = {
        "@id": "./", "@type": "Dataset", "identifier": _urn(record), "name": words.title(record),
        "description": words.summary(record), "keywords": words.keywords(record), "datePublished": _day(record),
        "dateCreated": record.started, "temporalCoverage": f"{record.started}/{record.ended}",
        "hasPart": [{"@id": name}], "mentions": [{"@id": "#run"}], "version": "1", "inLanguage": "en",
        "conformsTo": [{"@id": f"{PROCESS}0.6"}], "sdLicense": {"@id": words.METADATA_LICENSE},
        "license": _license(record), "about": _links([*lists["terms"], *lists["sample"]]),
        "author": _links(item for item in lists["people"] if item["@type"] == "Person"),
        "variableMeasured": _links(lists["variables"]), "additionalProperty": _links(lists["facts"]),
    }  # fmt: skip
    if profile.publisher:
        root["publisher"] = {"@id": made.publisher_id(record)}
    if lists["awards"]:
        root["funding"] = _links(item for item in lists["awards"] if item["@type"] == "Grant")
        root["creditText"] = words.acknowledgement(record)
    if profile.access:
        root["conditionsOfAccess"] = {"@id": ACCESS[profile.access]}
    if profile.project:
        root["isPartOf"] = {"@id": "#project"}
    if lists["notes"]:
        root["comment"] = _links(lists["notes"])
    if lists["related"]:
        root["citation"] = _links(lists["related"])
    return root


def _file(record: Record, name: str, rows: int, digests: list[Entity]) -> Entity:
    part: Entity = {
        "@id": name, "@type": "File", "name": words.title(record), "encodingFormat": "application/x-hdf5",
        "additionalType": f"{FORMAT} {FORMAT_VERSION}", "size": f"{rows} rows", "license": _license(record),
    }  # fmt: skip
    return {**part, "additionalProperty": _links(digests)} if digests else part


def _action(record: Record, name: str, lists: dict[str, list[Entity]]) -> Entity:
    people = [item for item in lists["people"] if item["@type"] == "Person"]
    return {
        "@id": "#run", "@type": "CreateAction", "name": f"Run of {record.experiment}",
        "instrument": {"@id": "#qlab"}, "object": _links([*lists["devices"], *lists["sample"]]),
        "result": [{"@id": name}], "agent": _links(people[:1])[0],
        "startTime": record.started, "endTime": record.ended,
        "actionStatus": {"@id": f"http://schema.org/{_STATUS.get(record.state, 'Active')}ActionStatus"},
        "description": record.reason or f"The run ended as {record.state}.",
    }  # fmt: skip


def _program() -> Iterator[Entity]:
    yield {
        "@id": "#qlab", "@type": "SoftwareApplication", "name": "qlab", "url": words.PROGRAM_URL,
        "version": words.version(), "softwareVersion": words.version(),
        "license": {"@id": license_uri("BSD-3-Clause")},
    }  # fmt: skip
    yield {
        "@id": f"{PROCESS}0.6", "@type": ["CreativeWork", "Profile"], "name": "Process Run Crate", "version": "0.6",
    }  # fmt: skip


def _project(record: Record) -> Iterator[Entity]:
    if record.profile.project:
        yield {"@id": "#project", "@type": "Project", "name": record.profile.project}


def _license(record: Record) -> dict[str, Any]:
    return {"@id": license_uri(record.profile.license) or made.own_license(record.profile.license)}


def _links(items: Iterable[Entity]) -> list[Entity]:
    return [{"@id": item["@id"]} for item in items]


def _once(graph: list[Entity]) -> Iterator[Entity]:
    seen: set[str] = set()
    for item in graph:
        if item["@id"] not in seen:
            seen.add(item["@id"])
            yield item


def _urn(record: Record) -> str:
    try:
        return UUID(record.id).urn
    except ValueError:
        return record.id


def _day(record: Record) -> str:
    started = moment(record.ended) or moment(record.started)
    return f"{started:%Y-%m-%d}" if started else ""
