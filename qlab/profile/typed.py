"""Profiles as people type them: `KEY VALUE`, each value checked, and what does not hold together."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from qlab.errors import UsageError
from qlab.profile import identifiers as check
from qlab.profile.model import Profile

Check = Callable[[str], str]
# Every key with its check and what it is; `funding.` and `related.` may carry a number: `funding.2.number`.
KEYS: dict[str, tuple[Check, str]] = {
    "name": (
        check.text,
        "your name, as a citation spells it: Family, Given; leave it empty to stay a pseudonym",
    ),
    "pseudonym": (check.text, "what stands for you where the name is left out"),
    "orcid": (check.orcid, "your ORCID iD"),
    "affiliation": (check.text, "the organisation you measure for"),
    "ror": (check.ror, "its identifier at ror.org"),
    "project": (check.text, "the project"),
    "publisher": (check.text, "the repository that will publish the data"),
    "publisher_ror": (check.ror, "its identifier at ror.org"),
    "keywords": (check.text, "keywords, separated by commas"),
    "license": (check.license_id, "the licence of the data, as SPDX spells it"),
    "access": (check.one_of(*check.ACCESS), "open, embargoed, restricted or metadata-only"),
    "embargo": (check.day, "the day on which an embargo ends"),
    "sample.name": (check.text, "the sample"),
    "sample.description": (check.text, "what the sample is"),
    "sample.identifier": (check.igsn, "its IGSN"),
    "funding.funder": (check.text, "who pays"),
    "funding.funder_id": (check.funder_id, "the funder's ROR or Crossref Funder DOI"),
    "funding.programme": (check.text, "the programme of the grant"),
    "funding.number": (check.text, "the grant number"),
    "funding.acronym": (check.text, "the acronym of the funded project"),
    "funding.title": (check.text, "its title"),
    "funding.uri": (check.web, "its address"),
    "related.identifier": (check.web, "a paper, a data management plan, code that belongs to the data"),
    "related.relation": (
        check.one_of(*check.RELATIONS),
        "how it belongs: IsSupplementTo, IsDocumentedBy ...",
    ),
}
_NUMBERED = re.compile(r"(funding|related)\.(\d{1,2})\.(\w+)")


def changed(profile: Profile, key: str, value: str) -> Profile:
    """Return the profile with one field as typed; an empty value clears it. Raises UsageError for a bad one."""
    plain, place = _place(key)
    value = KEYS[plain][0](value) if value.strip() else ""
    data = profile.model_dump()
    group, _, field = plain.partition(".")
    if place is not None:
        items = data[group] = [dict(item) for item in data[group]]
        if place > len(items):
            raise UsageError(f"There is no {group} number {place} yet.", f"Fill number {len(items)} first.")
        if place == len(items):
            items.append({})
        items[place][field] = value
        data[group] = [item for item in items if any(item.values())]
    elif field:
        data[group] = {**data[group], field: value}
    elif plain == "keywords":
        data[plain] = tuple(dict.fromkeys(w.strip() for w in value.split(",") if w.strip()))
    else:
        data[plain] = value
    return Profile.model_validate(_consequences(data, plain))


def _consequences(data: dict[str, Any], key: str) -> dict[str, Any]:
    if key in {"name", "orcid"}:
        personal = bool(data["name"] or data["orcid"])
        data["consent"] = (data["consent"] or datetime.now(UTC).date().isoformat()) if personal else ""
    if key == "embargo" and data["embargo"]:
        data["access"] = "embargoed"
    return data


def value_of(profile: Profile, key: str) -> str:
    """Return a field as people typed it."""
    plain, place = _place(key)
    group, _, field = plain.partition(".")
    if place is not None:
        items = getattr(profile, group)
        return str(getattr(items[place], field)) if place < len(items) else ""
    if field:
        return str(getattr(getattr(profile, group), field))
    value = getattr(profile, plain)
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def faults(profile: Profile) -> Iterator[tuple[str, UsageError]]:
    """Yield (key, error) for each field that a hand-edited profile has wrong."""
    for key in every_key(profile):
        value = value_of(profile, key)
        if value:
            try:
                KEYS[_place(key)[0]][0](value)
            except UsageError as error:
                yield key, error
    if profile.access == "embargoed" and not profile.embargo:
        yield "embargo", UsageError("The data are under embargo without an end.", "Set `embargo` to a day.")
    if profile.embargo and profile.access not in {"", "embargoed"}:
        yield (
            "access",
            UsageError("There is an embargo, but the access is another.", "Set `access` to embargoed."),
        )
    for index, award in enumerate(profile.funding, start=1):
        european = re.search(r"horizon|euratom|\bERC\b|H2020", award.programme, re.IGNORECASE)
        if european and not re.fullmatch(r"\d{6,9}", award.number):
            yield (
                f"funding.{index}.number",
                UsageError("A European grant has a number of 9 digits (older ones 6).", "Find it at CORDIS."),
            )


def every_key(profile: Profile) -> list[str]:
    """Return the keys of a profile, those of lists once for each entry."""
    found: list[str] = []
    for key in KEYS:
        group = key.split(".")[0]
        if group not in {"funding", "related"}:
            found.append(key)
        elif not any(other.startswith(f"{group}.") for other in found):
            fields = [other.split(".")[1] for other in KEYS if other.startswith(f"{group}.")]
            count = max(1, len(getattr(profile, group)))
            found += [f"{group}.{i}.{field}" for i in range(1, count + 1) for field in fields]
    return found


def _place(key: str) -> tuple[str, int | None]:
    """Return (key without its number, index in the list); raise UsageError with "did you mean"."""
    import difflib

    key = key.strip().lower()
    plain, number = key, 1
    if found := _NUMBERED.fullmatch(key):
        plain, number = f"{found[1]}.{found[3]}", max(1, int(found[2]))
    if plain not in KEYS:
        close = difflib.get_close_matches(plain, list(KEYS), n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(KEYS)}."
        raise UsageError(f"A profile has no {key!r}.", hint)
    return plain, number - 1 if plain.split(".")[0] in {"funding", "related"} else None
