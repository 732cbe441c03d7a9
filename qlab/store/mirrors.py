"""The mirrors: which NeXus fields and root attributes repeat the JSON-LD record, written and checked by one table."""

from collections.abc import Iterator, Mapping
from typing import Any

import h5py

from qlab.profile.identifiers import ACCESS
from qlab.store.entities import NO_LICENSE
from qlab.store.metadata import METADATA_LICENSE
from qlab.store.names import inner

Entity = Mapping[str, Any]
# Classes of the groups that mirrors need and nobody else makes.
_CLASSES = {
    "operator": "NXuser", "sample": "NXsample", "funding": "NXcollection", "access": "NXcollection",
    "quantum": "NXparameters", "fabrication": "NXfabrication", "instrument": "NXinstrument",
}  # fmt: skip


def device_group(name: str) -> str:
    """Return the name of the group of a device below `instrument`."""
    fit = inner(name)
    return f"{fit}_device" if fit in {"name", "environment"} else fit


def mirrored(crate: Entity) -> dict[str, str]:
    """Return what stands where: `@attribute` of the root, else a path below /entry, `path@attribute` of a field.

    Everything is read from the JSON-LD record alone; raises KeyError or TypeError where that is none of ours.
    """
    graph = {item["@id"]: item for item in crate["@graph"]}
    return {place: text for place, text in _places(graph) if text}


def write_mirrors(file: h5py.File, crate: Entity) -> None:
    """Write every mirror of a record."""
    entry = file["entry"]
    for place, text in mirrored(crate).items():
        path, _, attribute = place.partition("@")
        if not path:
            file.attrs[attribute] = text
            continue
        if attribute:
            entry[path].attrs[attribute] = text
            continue
        group = entry
        for part in path.split("/")[:-1]:
            if part not in group:
                kind = _CLASSES.get(
                    part, "NXsensor" if group.name.endswith("/instrument") else "NXcollection"
                )
                group.create_group(part).attrs["NX_class"] = kind
            group = group[part]
        if path.rpartition("/")[2] in group:
            del group[path.rpartition("/")[2]]
        group[path.rpartition("/")[2]] = text


def differing(file: h5py.File, crate: Entity) -> Iterator[str]:
    """Yield the places where the file does not repeat its JSON-LD record."""
    for place, text in mirrored(crate).items():
        path, _, attribute = place.partition("@")
        try:
            holder = file["entry"][path] if path else file
            found = holder.attrs[attribute] if attribute else holder[()]
        except (KeyError, TypeError):
            yield place
            continue
        if (found.decode("utf-8", "replace") if isinstance(found, bytes) else str(found)) != text:
            yield place


def _places(graph: Mapping[str, Entity]) -> Iterator[tuple[str, str]]:
    root = graph["./"]
    yield "@title", root["name"]
    yield "title", root["name"]
    yield "@summary", root["description"]
    yield "experiment_description", root["description"]
    yield "@keywords", ", ".join(root["keywords"])
    yield "@acknowledgement", root.get("creditText", "")
    yield from _agents(graph, root)
    yield from _access(graph, root)
    for field in ("area", "platform", "protocol", "measurand"):
        yield f"quantum/{field}", graph.get(f"#{field}", {}).get("name", "")
    for link in root.get("additionalProperty", ()):
        fact = graph[link["@id"]]
        if fact["name"] not in {"seed", "embargo until"}:
            yield f"quantum/{inner(fact['name'])}", fact["value"]
    yield "quantum/measurand_uri", graph.get("#measurand", {}).get("sameAs", "")
    yield from _funding(graph, root)
    sample = graph.get("#sample", {})
    for field in ("name", "description"):
        yield f"sample/{field}", sample.get(field, "")
    yield "sample/identifierPID", sample.get("identifier", "")
    if sample.get("identifier"):
        yield "sample/identifierPID@type", "IGSN"
    for link in graph["#run"]["object"]:
        if link["@id"].startswith("#device-"):
            yield from _device(graph[link["@id"]])


def _agents(graph: Mapping[str, Entity], root: Entity) -> Iterator[tuple[str, str]]:
    authors = [graph[link["@id"]] for link in root.get("author", ())]
    person = next((a for a in authors if a["@type"] == "Person"), {})
    organisation = graph.get(person.get("affiliation", {}).get("@id", ""), {})
    named = "consent" in person.get("description", "")
    yield "operator/name", person.get("name", "")
    yield "operator/role", "operator" if person else ""
    yield "operator/affiliation", organisation.get("name", "")
    orcid = person.get("@id", "") if str(person.get("@id", "")).startswith("https://orcid.org/") else ""
    yield "operator/orcid", orcid
    # ACDD's creator: a person only with consent, else the organisation.
    yield "@creator_name", person["name"] if named else organisation.get("name", "")
    if named or organisation:
        yield "@creator_type", "person" if named else "institution"
    yield "@institution", organisation.get("name", "")
    yield "@creator_url", orcid or _address(organisation)
    publisher = graph.get(root.get("publisher", {}).get("@id", ""), {})
    yield "@publisher_name", publisher.get("name", "")
    yield "@publisher_url", _address(publisher)
    yield "@project", graph.get("#project", {}).get("name", "")


def _access(graph: Mapping[str, Entity], root: Entity) -> Iterator[tuple[str, str]]:
    license_link = root.get("license", {}).get("@id", NO_LICENSE)
    if license_link != NO_LICENSE:
        yield "@license", graph[license_link]["@id"].removeprefix("#")
        yield "access/license", graph[license_link]["name"]
    yield "access/metadata_license", METADATA_LICENSE
    uri = root.get("conditionsOfAccess", {}).get("@id", "")
    yield "access/rights_uri", uri
    yield "access/rights", next((word for word, known in ACCESS.items() if known == uri), "")
    yield "access/embargo_until", graph.get("#fact-embargo-until", {}).get("value", "")
    authors = [graph[link["@id"]] for link in root.get("author", ())]
    named = any("consent" in a.get("description", "") for a in authors)
    yield "access/contains_personal_data", "yes" if named else "pseudonymous" if authors else "no"


def _funding(graph: Mapping[str, Entity], root: Entity) -> Iterator[tuple[str, str]]:
    for index, link in enumerate(root.get("funding", ()), start=1):
        grant = graph[link["@id"]]
        funder = graph.get(grant.get("funder", {}).get("@id", ""), {})
        here = f"funding/award_{index}"
        yield f"{here}/funder", funder.get("name", "")
        yield f"{here}/funder_identifier", _address(funder)
        yield f"{here}/programme", grant.get("description", "")
        yield f"{here}/number", grant.get("identifier", "")
        yield f"{here}/acronym", grant.get("alternateName", "")
        yield f"{here}/title", grant["name"] if grant["name"] != grant.get("identifier") else ""
        yield f"{here}/uri", grant.get("url", "")


def _device(device: Entity) -> Iterator[tuple[str, str]]:
    here = f"instrument/{device_group(device['name'])}"
    yield f"{here}/name", device["name"]
    yield f"{here}/model", device.get("model", "unknown")
    yield f"{here}/type", device.get("additionalType", "")
    identifier = device.get("identifier", "")
    yield f"{here}/identifierPID", identifier
    if identifier:
        yield (
            f"{here}/identifierPID@type",
            "DOI" if "doi.org/" in identifier else "Hdl" if "hdl" in identifier else "URL",
        )
    yield f"{here}/fabrication/vendor", device.get("manufacturer", "")
    yield f"{here}/fabrication/serial_number", device.get("serialNumber", "")
    yield f"{here}/owner", device.get("owner", "")


def _address(entity: Entity) -> str:
    address = str(entity.get("@id", ""))
    return address if address.startswith("http") else ""
