"""The rules of DataCite's XML schema, kernel 4.6, as a table: what stands where, in which order, with what attributes.

The schema itself comes in no package that can be installed; these are its facts, read from the repository
datacite/schema (source/meta/kernel-4.6). Its words for kinds of dates, relations and so on are checked with the JSON
schema.
"""

import re
from typing import NamedTuple

PLACE = "{http://datacite.org/schema/kernel-4}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
ANY = r"(?s).*"
FILLED = r"(?s).+"
URI = r"[^\s<>\"{}|\\^`]*"


class Rule(NamedTuple):
    """An element: its text, the attributes that it must and may have, and its children with (least, most) of each.

    Children stand in this order, or in any where `order` is false.
    """

    text: str = r"\s*"
    must: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    children: dict[str, tuple[int, float]] = {}
    order: bool = True


MANY, SOME, ONE, MAYBE = (0, float("inf")), (1, float("inf")), (1, 1), (0, 1)
_MARK = Rule(FILLED, ("nameIdentifierScheme",), ("schemeURI",))
_THERE = Rule(FILLED, (), ("affiliationIdentifier", "affiliationIdentifierScheme", "schemeURI"))
_PERSON = {"givenName": MAYBE, "familyName": MAYBE, "nameIdentifier": MANY, "affiliation": MANY}
_WRAPPERS = {
    "subjects": "subject", "contributors": "contributor", "dates": "date", "sizes": "size", "formats": "format",
    "alternateIdentifiers": "alternateIdentifier", "relatedIdentifiers": "relatedIdentifier", "rightsList": "rights",
    "descriptions": "description", "fundingReferences": "fundingReference",
}  # fmt: skip
RULES = {
    "resource": Rule(
        children={
            **dict.fromkeys(("identifier", "creators", "titles", "publisher", "publicationYear", "resourceType"), ONE),
            **dict.fromkeys((*_WRAPPERS, "language", "version", "geoLocations", "relatedItems"), MAYBE),
        },
        may=("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation",),
        order=False,
    ),
    "identifier": Rule(FILLED, ("identifierType",)),
    "creators": Rule(children={"creator": SOME}),
    "creator": Rule(children={"creatorName": ONE, **_PERSON}),
    "creatorName": Rule(ANY, (), ("nameType", LANGUAGE)),
    "givenName": Rule(ANY),
    "familyName": Rule(ANY),
    "nameIdentifier": _MARK,
    "affiliation": _THERE,
    "titles": Rule(children={"title": SOME}),
    "title": Rule(ANY, (), ("titleType", LANGUAGE)),
    "publisher": Rule(
        FILLED, (), ("publisherIdentifier", "publisherIdentifierScheme", "schemeURI", LANGUAGE)
    ),
    "publicationYear": Rule(r"\s*\d{4}\s*"),
    "resourceType": Rule(ANY, ("resourceTypeGeneral",)),
    **{wrapper: Rule(children={one: MANY}) for wrapper, one in _WRAPPERS.items()},
    "subject": Rule(ANY, (), ("subjectScheme", "schemeURI", "valueURI", "classificationCode", LANGUAGE)),
    "contributor": Rule(must=("contributorType",), children={"contributorName": ONE, **_PERSON}),
    "contributorName": Rule(FILLED, (), ("nameType", LANGUAGE)),
    "date": Rule(ANY, ("dateType",), ("dateInformation",)),
    "language": Rule(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*"),
    "alternateIdentifier": Rule(ANY, ("alternateIdentifierType",)),
    "relatedIdentifier": Rule(
        ANY, ("relatedIdentifierType", "relationType"),
        ("resourceTypeGeneral", "relatedMetadataScheme", "schemeURI", "schemeType"),
    ),
    "size": Rule(ANY),
    "format": Rule(ANY),
    "version": Rule(ANY),
    "rights": Rule(ANY, (), ("rightsURI", "rightsIdentifier", "rightsIdentifierScheme", "schemeURI", LANGUAGE)),
    "description": Rule(ANY, ("descriptionType",), (LANGUAGE,)),
    "fundingReference": Rule(
        children={"funderName": ONE, "funderIdentifier": MAYBE, "awardNumber": MAYBE, "awardTitle": MAYBE},
        order=False,
    ),
    "funderName": Rule(FILLED),
    "funderIdentifier": Rule(ANY, ("funderIdentifierType",), ("schemeURI",)),
    "awardNumber": Rule(ANY, (), ("awardURI",)),
    "awardTitle": Rule(ANY),
}  # fmt: skip


def objections(element, path=""):
    """Yield in words where an element, with all within it, breaks the schema."""
    name = element.tag.removeprefix(PLACE)
    here = f"{path}/{name}"
    if not element.tag.startswith(PLACE) or name not in RULES:
        yield f"{here}: no such element"
        return
    rule = RULES[name]
    text = (element.text or "") + "".join(child.tail or "" for child in element)
    if not re.fullmatch(rule.text, text):
        yield f"{here}: text {text!r}"
    yield from (f"{here}: lacks {key}" for key in rule.must if key not in element.attrib)
    for key, value in element.attrib.items():
        if key not in (*rule.must, *rule.may):
            yield f"{here}: no attribute {key}"
        if key.endswith("URI") and not re.fullmatch(URI, value):
            yield f"{here}: {key} {value!r} is no URI"
    found = [child.tag.removeprefix(PLACE) for child in element]
    for child, (least, most) in rule.children.items():
        if not least <= found.count(child) <= most:
            yield f"{here}: {found.count(child)} of {child}"
    places = [list(rule.children).index(child) for child in found if child in rule.children]
    if len(places) != len(found) or (rule.order and places != sorted(places)):
        yield f"{here}: {found} in this order"
    for child in element:
        yield from objections(child, here)
