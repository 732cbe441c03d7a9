"""DataCite metadata as XML, kernel 4."""

import xml.etree.ElementTree as ET
from typing import Any

KERNEL = "http://datacite.org/schema/kernel-4"
UNKNOWN = "(:tba)"  # DataCite's own word for what will be known at registration
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def xml(data: dict[str, Any]) -> str:
    """Return metadata, as plain data after the JSON schema of DataCite 4.5, as an XML document."""
    ET.register_namespace("", KERNEL)
    ET.register_namespace("xsi", _XSI)
    place = f"{KERNEL} https://schema.datacite.org/meta/kernel-4/metadata.xsd"
    root = ET.Element(f"{{{KERNEL}}}resource", {f"{{{_XSI}}}schemaLocation": place})
    _add(root, "identifier", data.get("doi", UNKNOWN), identifierType="DOI")
    creators = _add(root, "creators")
    for item in data["creators"]:
        _person(_add(creators, "creator"), "creatorName", item)
    titles = _add(root, "titles")
    for item in data["titles"]:
        _add(titles, "title", item["title"])
    publisher = data["publisher"]
    scheme = publisher.get("publisherIdentifierScheme")
    _add(root, "publisher", publisher["name"], publisherIdentifier=publisher.get("publisherIdentifier"),
         publisherIdentifierScheme=scheme, schemeURI=publisher.get("schemeUri"))  # fmt: skip
    _add(root, "publicationYear", data["publicationYear"])
    kind = data["types"]
    _add(root, "resourceType", kind["resourceType"], resourceTypeGeneral=kind["resourceTypeGeneral"])
    subjects = _add(root, "subjects")
    for item in data["subjects"]:
        _add(subjects, "subject", item["subject"])
    if data.get("contributors"):
        contributors = _add(root, "contributors")
        for item in data["contributors"]:
            one = _add(contributors, "contributor", contributorType=item["contributorType"])
            _person(one, "contributorName", item)
    dates = _add(root, "dates")
    for item in data["dates"]:
        _add(dates, "date", item["date"], dateType=item["dateType"])
    _add(root, "language", data["language"])
    _lists(root, data)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode")


def _lists(root: ET.Element, data: dict[str, Any]) -> None:
    others = _add(root, "alternateIdentifiers")
    for item in data["alternateIdentifiers"]:
        kind = item["alternateIdentifierType"]
        _add(others, "alternateIdentifier", item["alternateIdentifier"], alternateIdentifierType=kind)
    if data.get("relatedIdentifiers"):
        related = _add(root, "relatedIdentifiers")
        for item in data["relatedIdentifiers"]:
            _add(related, "relatedIdentifier", item["relatedIdentifier"], relationType=item["relationType"],
                 relatedIdentifierType=item["relatedIdentifierType"])  # fmt: skip
    for plural, singular in (("sizes", "size"), ("formats", "format")):
        if data.get(plural):
            group = _add(root, plural)
            for text in data[plural]:
                _add(group, singular, text)
    _add(root, "version", data["version"])
    if data.get("rightsList"):
        rights = _add(root, "rightsList")
        for item in data["rightsList"]:
            _add(rights, "rights", item["rights"], rightsURI=item.get("rightsUri"), schemeURI=item.get("schemeUri"),
                 rightsIdentifier=item.get("rightsIdentifier"),
                 rightsIdentifierScheme=item.get("rightsIdentifierScheme"))  # fmt: skip
    descriptions = _add(root, "descriptions")
    for item in data["descriptions"]:
        _add(descriptions, "description", item["description"], descriptionType=item["descriptionType"])
    if data.get("fundingReferences"):
        group = _add(root, "fundingReferences")
        for item in data["fundingReferences"]:
            one = _add(group, "fundingReference")
            _add(one, "funderName", item["funderName"])
            if "funderIdentifier" in item:
                _add(one, "funderIdentifier", item["funderIdentifier"],
                     funderIdentifierType=item["funderIdentifierType"])  # fmt: skip
            if "awardNumber" in item:
                _add(one, "awardNumber", item["awardNumber"], awardURI=item.get("awardUri"))
            if "awardTitle" in item:
                _add(one, "awardTitle", item["awardTitle"])


def _person(parent: ET.Element, name: str, item: dict[str, Any]) -> None:
    _add(parent, name, item["name"], nameType=item["nameType"])
    for field in ("givenName", "familyName"):
        if item.get(field):
            _add(parent, field, item[field])
    for mark in item.get("nameIdentifiers", ()):
        _add(parent, "nameIdentifier", mark["nameIdentifier"], schemeURI=mark["schemeUri"],
             nameIdentifierScheme=mark["nameIdentifierScheme"])  # fmt: skip
    for there in item.get("affiliation", ()):
        _add(parent, "affiliation", there["name"], affiliationIdentifier=there.get("affiliationIdentifier"),
             affiliationIdentifierScheme=there.get("affiliationIdentifierScheme"),
             schemeURI=there.get("schemeUri"))  # fmt: skip


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str | None) -> ET.Element:
    child = ET.SubElement(parent, f"{{{KERNEL}}}{name}", {k: v for k, v in attributes.items() if v})
    child.text = text or None
    return child
