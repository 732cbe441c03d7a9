"""DataCite: the metadata of a run as DataCite 4 takes them, JSON or XML by the name of the file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from qlab.export.datacite_xml import KERNEL, UNKNOWN, xml
from qlab.export.writing import whole
from qlab.profile.identifiers import ACCESS, license_uri
from qlab.record import Record
from qlab.runs import Run
from qlab.store.entities import devices_of
from qlab.store.metadata import acknowledgement, keywords, summary, title
from qlab.store.names import moment

# What XML 1.0 cannot carry, not even escaped (section 2.2): DataCite keeps XML, so one such character, pasted into a
# tag, would spoil the whole record, also where it is handed in as JSON.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def export(run: Run, path: Path) -> Path:
    """Write DataCite metadata: XML where the name ends in .xml, else JSON. The DOI is added at registration."""
    size = run.path.stat().st_size if run.path is not None and run.path.exists() else 0
    data = described(run.record, size)
    text = xml(data) if path.suffix == ".xml" else json.dumps(data, indent=1, ensure_ascii=False)
    with whole(path) as place:
        place.write_text(text, encoding="utf-8")
    return path


def described(record: Record, size: int = 0) -> dict[str, Any]:
    """Return the metadata as plain data after the JSON schema of DataCite 4.5."""
    profile = record.profile
    data: dict[str, Any] = {
        "schemaVersion": KERNEL,
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": "Measurement run"},
        "creators": [_creator(record)],
        "titles": [{"title": title(record)}],
        "publisher": _publisher(record),
        "publicationYear": _year(record),
        "subjects": [{"subject": word} for word in keywords(record)],
        "dates": list(_dates(record)),
        "language": "en",
        "alternateIdentifiers": [
            {"alternateIdentifier": f"urn:uuid:{record.id}", "alternateIdentifierType": "UUID"}
        ],
        "formats": ["application/x-hdf5"],
        "version": "1",
        "descriptions": list(_descriptions(record)),
    }
    if profile.affiliation:
        data["contributors"] = [
            {"name": profile.affiliation, "nameType": "Organizational", "contributorType": "HostingInstitution",
             **_ror_identifier(profile.ror)}
        ]  # fmt: skip
    if size:
        data["sizes"] = [f"{size} bytes"]
    if rights := list(_rights(record)):
        data["rightsList"] = rights
    if awards := list(_awards(record)):
        data["fundingReferences"] = awards
    if related := list(_related(record)):
        data["relatedIdentifiers"] = related
    return dict(_clean(data))


def _clean(value: Any) -> Any:
    """Return plain data with a mark (U+FFFD) in the place of each character that XML cannot carry."""
    if isinstance(value, str):
        return _NOT_XML.sub("\ufffd", value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list) else value


def _year(record: Record) -> str:
    """Return the year in which the data can be had: that in which an embargo ends, as DataCite asks for."""
    ended = moment(record.ended) or moment(record.started)
    return max(record.profile.embargo[:4], f"{ended:%Y}" if ended else "")


def _creator(record: Record) -> dict[str, Any]:
    """Return the creator: the person only by name, else the organisation, else the pseudonym."""
    profile = record.profile
    if not profile.name and profile.affiliation:
        return {"name": profile.affiliation, "nameType": "Organizational", **_ror_identifier(profile.ror)}
    creator: dict[str, Any] = {"name": profile.operator or "(:unkn)", "nameType": "Personal"}
    family, comma, given = profile.name.partition(",")
    if comma:
        creator |= {"givenName": given.strip(), "familyName": family.strip()}
    if profile.orcid:
        creator["nameIdentifiers"] = [
            {
                "nameIdentifier": profile.orcid,
                "nameIdentifierScheme": "ORCID",
                "schemeUri": "https://orcid.org",
            }
        ]
    if profile.affiliation:
        there = {"name": profile.affiliation}
        if profile.ror:
            there |= {
                "affiliationIdentifier": profile.ror, "affiliationIdentifierScheme": "ROR",
                "schemeUri": "https://ror.org",
            }  # fmt: skip
        creator["affiliation"] = [there]
    return creator


def _ror_identifier(ror: str) -> dict[str, Any]:
    if not ror:
        return {}
    return {
        "nameIdentifiers": [
            {"nameIdentifier": ror, "nameIdentifierScheme": "ROR", "schemeUri": "https://ror.org"}
        ]
    }


def _publisher(record: Record) -> dict[str, str]:
    profile = record.profile
    found = {"name": profile.publisher or UNKNOWN}
    if profile.publisher_ror:
        found |= {
            "publisherIdentifier": profile.publisher_ror, "publisherIdentifierScheme": "ROR",
            "schemeUri": "https://ror.org",
        }  # fmt: skip
    return found


def _dates(record: Record) -> Iterator[dict[str, str]]:
    if record.started:
        yield {"date": _second(record.started), "dateType": "Created"}
    if record.started and record.ended:
        yield {"date": f"{_second(record.started)}/{_second(record.ended)}", "dateType": "Collected"}
    if record.profile.embargo:
        yield {"date": record.profile.embargo, "dateType": "Available"}


def _second(text: str) -> str:
    at = moment(text)
    return at.isoformat(timespec="seconds") if at else text


def _descriptions(record: Record) -> Iterator[dict[str, str]]:
    yield {"description": summary(record), "descriptionType": "Abstract"}
    devices = [
        " ".join(filter(None, (name + ":", f.get("manufacturer"), f.get("model"), f.get("identifier"))))
        for name, f in devices_of(record).items()
    ]
    if devices:
        yield {"description": f"Instruments: {'; '.join(devices)}", "descriptionType": "Methods"}
    if thanks := acknowledgement(record):
        yield {"description": thanks, "descriptionType": "Other"}


def _rights(record: Record) -> Iterator[dict[str, str]]:
    profile = record.profile
    if profile.license:
        right = {"rights": profile.license, "rightsIdentifier": profile.license}
        if uri := license_uri(profile.license):
            right |= {
                "rightsUri": uri, "rightsIdentifierScheme": "SPDX", "schemeUri": "https://spdx.org/licenses/",
            }  # fmt: skip
        yield right
    if profile.access:
        until = f" until {profile.embargo}" if profile.embargo else ""
        yield {"rights": f"{profile.access} access{until}", "rightsUri": ACCESS[profile.access]}


def _awards(record: Record) -> Iterator[dict[str, str]]:
    for award in record.profile.funding:
        if not award.funder:
            continue
        entry = {"funderName": award.funder}
        if award.funder_id:
            kind = "ROR" if "ror.org" in award.funder_id else "Crossref Funder ID"
            entry |= {"funderIdentifier": award.funder_id, "funderIdentifierType": kind}
        pairs = {"awardNumber": award.number, "awardTitle": award.title or award.acronym}
        entry |= {key: value for key, value in pairs.items() if value}
        if award.uri.startswith("http"):
            entry["awardUri"] = award.uri
        yield entry


def _related(record: Record) -> Iterator[dict[str, str]]:
    for item in record.profile.related:
        yield _relation(item.identifier, item.relation or "References")
    for facts in devices_of(record).values():
        if identifier := facts.get("identifier"):
            yield _relation(identifier, "IsCollectedBy")


def _relation(identifier: str, relation: str) -> dict[str, str]:
    starts = {"https://doi.org/": "DOI", "hdl:": "Handle", "urn:": "URN"}
    kind = next((kind for start, kind in starts.items() if identifier.startswith(start)), "URL")
    bare = identifier.removeprefix("https://doi.org/").removeprefix("hdl:")
    return {"relatedIdentifier": bare, "relatedIdentifierType": kind, "relationType": relation}
