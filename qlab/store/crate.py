"""The master copy of the descriptive metadata: one RO-Crate JSON-LD record, which NeXus fields only mirror."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from qlab.profile import Sample
from qlab.profile.identifiers import ACCESS, license_uri
from qlab.record import Record
from qlab.store.metadata import (
    METADATA_LICENSE,
    PROGRAM_URL,
    acknowledgement,
    keywords,
    summary,
    title,
    version,
)
from qlab.store.names import FORMAT, FORMAT_VERSION, moment
from qlab.store.storedunits import qudt_uri, stored_unit

Entity = dict[str, Any]
PROCESS = "https://w3id.org/ro/wfrun/process/"
_STATUS = {"finished": "Completed", "stopped": "Completed", "failed": "Failed", "interrupted": "Failed"}
_TERMS = ("area", "platform", "protocol", "measurand")
NO_LICENSE = "#no-licence"


def crate(record: Record, name: str, rows: int, digest: str) -> Entity:
    """Return the RO-Crate record (1.3 with Process Run Crate 0.6) of a run, as plain JSON-LD data.

    `name` is the file's name, `rows` how many it holds, `digest` its `content_sha256`.
    """
    profile = record.profile
    people, terms = list(_people(record)), list(_terms(record))
    awards, related = list(_awards(record)), list(_related(record))
    devices, sample = list(_devices(record)), list(_sample(record))
    rights = list(_rights(record))
    variables = [_variable(c.name, c.long_name, c.unit, c.role) for c in record.columns]
    facts = list(_facts(record))
    notes = list(_notes(record))
    root: Entity = {
        "@id": "./", "@type": "Dataset", "identifier": _urn(record), "name": title(record),
        "description": summary(record), "keywords": keywords(record), "datePublished": _day(record),
        "dateCreated": record.started, "temporalCoverage": f"{record.started}/{record.ended}",
        "hasPart": [{"@id": name}], "mentions": [{"@id": "#run"}], "version": "1", "inLanguage": "en",
        "conformsTo": [{"@id": f"{PROCESS}0.6"}], "sdLicense": {"@id": METADATA_LICENSE},
        "license": {"@id": license_uri(profile.license) or _own_license(profile.license)},
        "about": _links([*terms, *sample]), "variableMeasured": _links(variables),
        "additionalProperty": _links(facts),
    }  # fmt: skip
    root["author"] = _links([item for item in people if item["@type"] == "Person"])
    if profile.publisher:
        root["publisher"] = {"@id": _publisher_id(record)}
    if awards:
        root["funding"] = _links([a for a in awards if a["@type"] == "Grant"])
        root["creditText"] = acknowledgement(record)
    if profile.access:
        root["conditionsOfAccess"] = {"@id": ACCESS[profile.access]}
    if profile.project:
        root["isPartOf"] = {"@id": "#project"}
    if notes:
        root["comment"] = _links(notes)
    if related:
        root["citation"] = _links(related)
    project = [{"@id": "#project", "@type": "Project", "name": profile.project}] if profile.project else []
    part: Entity = {
        "@id": name, "@type": "File", "name": title(record), "encodingFormat": "application/x-hdf5",
        "additionalType": f"{FORMAT} {FORMAT_VERSION}", "size": f"{rows} rows", "license": root["license"],
    }  # fmt: skip
    if digest:
        part["additionalProperty"] = {"@id": "#content-sha256"}
        facts.append(
            {"@id": "#content-sha256", "@type": "PropertyValue", "name": "content_sha256", "value": digest}
        )
    action: Entity = {
        "@id": "#run", "@type": "CreateAction", "name": f"Run of {record.experiment}",
        "instrument": {"@id": "#qlab"}, "object": _links([*devices, *sample]), "result": [{"@id": name}],
        "startTime": record.started, "endTime": record.ended,
        "actionStatus": {"@id": f"http://schema.org/{_STATUS.get(record.state, 'Active')}ActionStatus"},
        "description": record.reason or f"The run ended as {record.state}.",
    }  # fmt: skip
    if operator := next((item for item in people if item["@type"] == "Person"), None):
        action["agent"] = {"@id": operator["@id"]}
    tool: Entity = {
        "@id": "#qlab", "@type": "SoftwareApplication", "name": "qlab", "url": PROGRAM_URL,
        "version": version(), "softwareVersion": version(), "license": {"@id": license_uri("BSD-3-Clause")},
    }  # fmt: skip
    descriptor: Entity = {
        "@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
        "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.3"}], "license": {"@id": METADATA_LICENSE},
    }  # fmt: skip
    process: Entity = {
        "@id": f"{PROCESS}0.6", "@type": ["CreativeWork", "Profile"], "name": "Process Run Crate", "version": "0.6",
    }  # fmt: skip
    graph = [
        descriptor, root, part, action, tool, process, *people, *project, *terms, *awards, *related, *rights,
        *sample, *devices, *variables, *facts, *notes,
    ]  # fmt: skip
    return {"@context": "https://w3id.org/ro/crate/1.3/context", "@graph": list(_once(graph))}


def _links(items: list[Entity]) -> list[Entity]:
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


def _people(record: Record) -> Iterator[Entity]:
    """Yield who measured, for whom, and who publishes: the person only as far as somebody entered it."""
    profile = record.profile
    organisation = profile.ror or "#affiliation"
    person: Entity = {
        "@id": profile.orcid or "#operator", "@type": "Person", "name": profile.operator or "operator-unknown",
    }  # fmt: skip
    if profile.pseudonym:
        person["alternateName"] = profile.pseudonym
    if profile.affiliation:
        person["affiliation"] = {"@id": organisation}
    if profile.consent:
        person["description"] = f"Named with consent of {profile.consent}."
    elif not profile.name:
        person["description"] = "A pseudonym; the key to it stays with the laboratory."
    yield person
    if profile.affiliation:
        yield {"@id": organisation, "@type": "Organization", "name": profile.affiliation}
    if profile.publisher:
        yield {"@id": _publisher_id(record), "@type": "Organization", "name": profile.publisher}


def _publisher_id(record: Record) -> str:
    return record.profile.publisher_ror or "#publisher"


def _terms(record: Record) -> Iterator[Entity]:
    for field in _TERMS:
        if value := record.quantum.get(field, ""):
            term = {"@id": f"#{field}", "@type": "DefinedTerm", "name": value, "termCode": field}
            if field == "measurand" and (uri := record.quantum.get("measurand_uri")):
                term["sameAs"] = uri
            yield term


def _awards(record: Record) -> Iterator[Entity]:
    for index, award in enumerate(record.profile.funding, start=1):
        grant: Entity = {
            "@id": f"#award-{index}",
            "@type": "Grant",
            "name": award.title or award.acronym or award.number,
        }
        funder = award.funder_id or f"#funder-{index}"
        pairs = {"identifier": award.number, "url": award.uri, "alternateName": award.acronym}
        grant |= {key: value for key, value in pairs.items() if value}
        if award.programme:
            grant["description"] = award.programme
        if award.funder:
            grant["funder"] = {"@id": funder}
            yield {"@id": funder, "@type": "Organization", "name": award.funder}
        yield grant


def _related(record: Record) -> Iterator[Entity]:
    for item in record.profile.related:
        if item.identifier:
            yield {
                "@id": item.identifier, "@type": "CreativeWork", "name": item.identifier,
                "additionalType": item.relation or "References",
            }  # fmt: skip


def _rights(record: Record) -> Iterator[Entity]:
    profile = record.profile
    yield {
        "@id": METADATA_LICENSE,
        "@type": "CreativeWork",
        "name": "CC0 1.0 Universal",
        "identifier": "CC0-1.0",
    }
    if profile.license:
        link = license_uri(profile.license) or _own_license(profile.license)
        yield {"@id": link, "@type": "CreativeWork", "name": profile.license, "identifier": profile.license}
    else:
        text = "No licence has been chosen for these data: ask before you use them."
        yield {"@id": NO_LICENSE, "@type": "CreativeWork", "name": "no licence", "description": text}
    if profile.access:
        yield {
            "@id": ACCESS[profile.access],
            "@type": "DefinedTerm",
            "name": profile.access,
            "termCode": "access",
        }


def _own_license(spdx: str) -> str:
    return f"#{spdx}" if spdx else NO_LICENSE


def sample_of(record: Record) -> Sample:
    """Return the sample: the bench's own for a simulated run, else the profile's, completed by the bench file."""
    found = record.bench.get("sample", {})
    given = {k: str(v) for k, v in found.items()} if isinstance(found, dict) else {}
    bench = Sample.model_validate({k: v for k, v in given.items() if k in Sample.model_fields})
    chosen = record.profile.sample
    if record.simulated:
        return bench
    filled = {key: value for key, value in chosen.model_dump().items() if value}
    return bench.model_copy(update=filled)


def _sample(record: Record) -> Iterator[Entity]:
    sample = sample_of(record)
    if sample.name or sample.identifier:
        entry = {"@id": "#sample", "@type": "Thing", "name": sample.name or sample.identifier}
        pairs = {"description": sample.description, "identifier": sample.identifier}
        yield {**entry, **{key: value for key, value in pairs.items() if value}}


def device_facts(options: Any) -> dict[str, str]:
    """Return what is known of a device: what the bench file says, then what it answered itself (PIDINST fields)."""
    if not isinstance(options, dict):
        return {}
    identity, about = options.get("identity", {}), options.get("about", {})
    answered = {str(k): str(v) for k, v in identity.items()} if isinstance(identity, dict) else {}
    if "vendor" in answered:
        answered["manufacturer"] = answered.pop("vendor")
    entered = {str(k): str(v) for k, v in about.items()} if isinstance(about, dict) else {}
    driver = {"driver": str(options["driver"])} if options.get("driver") else {}
    return {key: value for key, value in {**driver, **answered, **entered}.items() if value}


def devices_of(record: Record) -> dict[str, dict[str, str]]:
    """Return the facts of each device by its name on the bench."""
    found = record.bench.get("instruments", {})
    return {str(n): device_facts(o) for n, o in found.items()} if isinstance(found, dict) else {}


def _devices(record: Record) -> Iterator[Entity]:
    for name, facts in devices_of(record).items():
        device: Entity = {"@id": f"#device-{name}", "@type": "IndividualProduct", "name": name}
        pairs = {
            "identifier": facts.get("identifier"), "model": facts.get("model") or facts.get("driver"),
            "serialNumber": facts.get("serial"), "additionalType": facts.get("type"),
            "manufacturer": facts.get("manufacturer"), "owner": facts.get("owner"),
        }  # fmt: skip
        yield {**device, **{key: value for key, value in pairs.items() if value}}


def _variable(name: str, long_name: str, unit: str, role: str) -> Entity:
    stored = stored_unit(unit)
    entry = {
        "@id": f"#variable-{name}", "@type": "PropertyValue", "name": name,
        "description": f"{long_name or name} ({role})", "unitText": stored,
    }  # fmt: skip
    return {**entry, "unitCode": uri} if (uri := qudt_uri(stored)) else entry


def _notes(record: Record) -> Iterator[Entity]:
    if record.notes or record.tags:
        yield {
            "@id": "#notes", "@type": "Comment", "name": "notes", "text": record.notes,
            "keywords": list(record.tags),
        }  # fmt: skip


def _facts(record: Record) -> Iterator[Entity]:
    told = {
        **{key: value for key, value in record.quantum.items() if key not in _TERMS},
        "data origin": "simulation" if record.simulated else "experiment",
        "seed": "none" if record.seed is None else str(record.seed),
        "embargo until": record.profile.embargo,
    }
    for name, value in told.items():
        if value:
            yield {
                "@id": f"#fact-{name.replace(' ', '-')}",
                "@type": "PropertyValue",
                "name": name,
                "value": value,
            }
