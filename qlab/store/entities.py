"""The entities of the JSON-LD record beside the run: people, terms, grants, rights, sample, devices, variables."""

from collections.abc import Iterator
from typing import Any

from qlab.profile import Sample
from qlab.profile.identifiers import ACCESS, license_uri
from qlab.record import Record
from qlab.store.metadata import METADATA_LICENSE
from qlab.store.storedunits import qudt_uri, stored_unit

Entity = dict[str, Any]
NO_LICENSE = "#no-licence"
_TERMS = ("area", "platform", "protocol", "measurand")


def people(record: Record) -> Iterator[Entity]:
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
        yield {"@id": publisher_id(record), "@type": "Organization", "name": profile.publisher}


def publisher_id(record: Record) -> str:
    """Return the identifier of the publisher."""
    return record.profile.publisher_ror or "#publisher"


def terms(record: Record) -> Iterator[Entity]:
    """Yield the terms of the quantum pillar that the run is described by."""
    for field in _TERMS:
        if value := record.quantum.get(field, ""):
            term = {"@id": f"#{field}", "@type": "DefinedTerm", "name": value, "termCode": field}
            if field == "measurand" and (uri := record.quantum.get("measurand_uri")):
                term["sameAs"] = uri
            yield term


def awards(record: Record) -> Iterator[Entity]:
    """Yield each grant and its funder."""
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


def related(record: Record) -> Iterator[Entity]:
    """Yield what belongs to the data."""
    for item in record.profile.related:
        if item.identifier:
            yield {
                "@id": item.identifier, "@type": "CreativeWork", "name": item.identifier,
                "additionalType": item.relation or "References",
            }  # fmt: skip


def rights(record: Record) -> Iterator[Entity]:
    """Yield the licences of data and metadata, and the access right."""
    profile = record.profile
    yield {
        "@id": METADATA_LICENSE,
        "@type": "CreativeWork",
        "name": "CC0 1.0 Universal",
        "identifier": "CC0-1.0",
    }
    if profile.license:
        link = license_uri(profile.license) or own_license(profile.license)
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


def own_license(spdx: str) -> str:
    """Return the local name of a licence that SPDX has not, or that of having none."""
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


def sample(record: Record) -> Iterator[Entity]:
    """Yield the sample, where it has a name."""
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


def devices(record: Record) -> Iterator[Entity]:
    """Yield the devices of the bench."""
    for name, facts in devices_of(record).items():
        device: Entity = {"@id": f"#device-{name}", "@type": "IndividualProduct", "name": name}
        pairs = {
            "identifier": facts.get("identifier"), "model": facts.get("model") or facts.get("driver"),
            "serialNumber": facts.get("serial"), "additionalType": facts.get("type"),
            "manufacturer": facts.get("manufacturer"), "owner": facts.get("owner"),
        }  # fmt: skip
        yield {**device, **{key: value for key, value in pairs.items() if value}}


def variable(name: str, long_name: str, unit: str, role: str) -> Entity:
    """Return what is known of a column."""
    stored = stored_unit(unit)
    entry = {
        "@id": f"#variable-{name}", "@type": "PropertyValue", "name": name,
        "description": f"{long_name or name} ({role})", "unitText": stored,
    }  # fmt: skip
    return {**entry, "unitCode": uri} if (uri := qudt_uri(stored)) else entry


def notes(record: Record) -> Iterator[Entity]:
    """Yield what people said later."""
    if record.notes or record.tags:
        yield {
            "@id": "#notes", "@type": "Comment", "name": "notes", "text": record.notes,
            "keywords": list(record.tags),
        }  # fmt: skip


def facts(record: Record) -> Iterator[Entity]:
    """Yield what else is told: data origin, seed, embargo."""
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
