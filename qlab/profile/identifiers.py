"""Identifiers and terms that a profile may hold: each checked the way its own registry defines it."""

import re
from collections.abc import Callable
from datetime import date

from qlab.errors import UsageError

# SPDX identifiers of licences that fit data (the first two are what European grants ask for), then those of code.
LICENSES = (
    "CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0",
    "CC-BY-3.0", "CC-BY-SA-3.0", "ODC-By-1.0", "ODbL-1.0", "PDDL-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0",
    "CDLA-Sharing-1.0", "DL-DE-BY-2.0", "DL-DE-ZERO-2.0", "etalab-2.0", "OGL-UK-3.0", "MIT", "BSD-3-Clause",
    "Apache-2.0",
)  # fmt: skip
# COAR Access Rights 1.0.
ACCESS = {
    "open": "http://purl.org/coar/access_right/c_abf2",
    "embargoed": "http://purl.org/coar/access_right/c_f1cf",
    "restricted": "http://purl.org/coar/access_right/c_16ec",
    "metadata-only": "http://purl.org/coar/access_right/c_14cb",
}
# DataCite 4.5 relationTypes that make sense from a data set to something else.
RELATIONS = (
    "IsCitedBy", "Cites", "IsSupplementTo", "IsSupplementedBy", "IsDescribedBy", "IsPartOf", "HasPart",
    "IsReferencedBy", "References", "IsDocumentedBy", "IsDerivedFrom", "IsSourceOf", "IsRequiredBy", "Requires",
    "IsCollectedBy", "IsNewVersionOf", "IsVersionOf", "IsContinuedBy", "Continues",
)  # fmt: skip
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_DOI = re.compile(r"10\.\d{4,9}/\S+")


def text(value: str) -> str:
    """Return a line of text without control characters; raise UsageError where it is too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    if len(line) > 300:
        raise UsageError("That is longer than 300 characters.", "Shorten it.")
    return line


def orcid(value: str) -> str:
    """Return an ORCID iD as its URL; raise UsageError where its check digit (ISO 7064, mod 11-2) is wrong."""
    found = re.fullmatch(
        r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])", value.strip(), re.IGNORECASE
    )
    if found is None:
        raise UsageError(f"{value!r} is no ORCID iD.", "It looks like 0000-0002-1825-0097.")
    digits = found[1].upper().replace("-", "")
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    if digits[-1] != ("X" if check == 10 else str(check)):
        raise UsageError(
            f"{value!r} is no ORCID iD: its last digit does not fit.", "Look for a typing error."
        )
    return f"https://orcid.org/{found[1].upper()}"


def ror(value: str) -> str:
    """Return a ROR as its URL; raise UsageError where its two check digits (mod 97) are wrong."""
    found = re.fullmatch(r"(?:https?://)?(?:ror\.org/)?(0[a-z0-9]{6}\d\d)", value.strip().lower())
    if found is None or any(c not in _CROCKFORD for c in found[1]):
        raise UsageError(
            f"{value!r} is no ROR.", "It looks like https://ror.org/04wxnsj81; find it at ror.org."
        )
    number = 0
    for letter in found[1][:7]:
        number = number * 32 + _CROCKFORD.index(letter)
    if 98 - number * 100 % 97 != int(found[1][7:]):
        raise UsageError(f"{value!r} is no ROR: its last two digits do not fit.", "Look for a typing error.")
    return f"https://ror.org/{found[1]}"


def doi(value: str) -> str:
    """Return a DOI as its URL; raise UsageError where it is none, or one of the prefix for tests."""
    bare = re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:)", "", value.strip(), flags=re.IGNORECASE)
    if not _DOI.fullmatch(bare):
        raise UsageError(f"{value!r} is no DOI.", "It looks like 10.5281/zenodo.1234567.")
    if bare.startswith("10.5072/"):
        raise UsageError(f"{value!r} is a DOI for tests only.", "Give the registered one.")
    return f"https://doi.org/{bare}"


def funder_id(value: str) -> str:
    """Return the identifier of a funder: a ROR, or a Crossref Funder DOI."""
    return doi(value) if "10.13039/" in value else ror(value)


def igsn(value: str) -> str:
    """Return the identifier of a sample: an IGSN (a DOI since 2022, `IGSN:...` before)."""
    if found := re.fullmatch(r"IGSN:\s*([A-Z0-9][A-Z0-9.\-]{4,})", value.strip(), re.IGNORECASE):
        return f"IGSN:{found[1].upper()}"
    try:
        return doi(value)
    except UsageError:
        raise UsageError(
            f"{value!r} is no IGSN.", "It looks like 10.58052/IEEVF0001 or IGSN:AU1243."
        ) from None


def web(value: str) -> str:
    """Return a persistent address: a DOI, a handle, a URN or an https URL."""
    value = value.strip()
    if _DOI.fullmatch(value) or value.lower().startswith("doi:"):
        return doi(value)
    if re.fullmatch(r"(?:https?://|hdl:|urn:)[^\s\"<>]{3,}", value):
        return value
    raise UsageError(f"{value!r} is no address.", "Give a DOI, or an address that starts with https://.")


def license_id(value: str) -> str:
    """Return a licence as SPDX spells it; raise UsageError with "did you mean" where SPDX has none such."""
    import difflib

    bare = value.strip().removeprefix("https://spdx.org/licenses/").removesuffix(".html")
    if re.fullmatch(r"LicenseRef-[A-Za-z0-9.\-]+", bare):
        return bare
    spelled = {item.lower(): item for item in LICENSES}
    wanted = bare.lower().replace(" ", "-")
    if wanted in spelled:
        return spelled[wanted]
    close = difflib.get_close_matches(wanted, list(spelled), n=1, cutoff=0.5)
    hint = f"Did you mean {spelled[close[0]]}?" if close else "CC-BY-4.0 and CC0-1.0 are what open data use."
    raise UsageError(
        f"{value!r} is no licence that SPDX has for data.", f"{hint} LicenseRef-NAME is your own."
    )


def license_uri(spdx: str) -> str:
    """Return the address of a licence, empty for one of your own."""
    return f"https://spdx.org/licenses/{spdx}" if spdx and not spdx.startswith("LicenseRef-") else ""


def day(value: str) -> str:
    """Return a day as ISO 8601; raise UsageError where it is none."""
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError:
        raise UsageError(f"{value!r} is no day.", "Write it as 2027-06-30.") from None


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a check that takes one of some words, however they are capitalised."""

    def check(value: str) -> str:
        spelled = {choice.lower(): choice for choice in choices}
        if value.strip().lower() not in spelled:
            raise UsageError(f"{value!r} is not known here.", f"Choose one of: {', '.join(choices)}.")
        return spelled[value.strip().lower()]

    return check
