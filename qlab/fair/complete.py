"""What a run or a profile still lacks for data that others can find and use, as plain data for a panel."""

from collections.abc import Iterator
from dataclasses import dataclass

from qlab.fair.vocabulary import FIELDS, faults
from qlab.profile import Profile
from qlab.profile import faults as profile_faults
from qlab.record import Record
from qlab.store.entities import devices_of, sample_of


@dataclass(frozen=True)
class Item:
    """One piece of metadata: is it there, why it matters, and what to do where it is not.

    `field` is the key of `qlab profile set` where there is one; `needed` tells what a publication cannot do without
    from what only makes it better. `value` is what there is, as people read it.
    """

    field: str
    label: str
    present: bool
    needed: bool
    why: str
    what_to_do: str
    value: str = ""


def completion(of: Record | Profile) -> tuple[Item, ...]:
    """Return every piece of metadata that a person can give to a run, or to a profile, present or not."""
    if isinstance(of, Profile):
        return tuple(_profile(of))
    return (*_words(of), *_profile(of.profile, of), *_devices(of), *_quantum(of))


def _profile(profile: Profile, record: Record | None = None) -> Iterator[Item]:
    wrong = dict(profile_faults(profile))

    def item(field: str, label: str, value: str, why: str, *, needed: bool = False, how: str = "") -> Item:
        fault = wrong.get(field)
        hint = f"{fault.message} {fault.hint}" if fault else how or f"qlab profile set {field} VALUE"
        return Item(field, label, bool(value) and fault is None, needed, why, hint, value)

    creator = profile.name or profile.affiliation
    yield item(
        "affiliation", "creator", creator, "Data without a creator cannot be cited; the organisation is enough.",
        needed=True, how="qlab profile set affiliation NAME, or name 'Family, Given' if you want to be named",
    )  # fmt: skip
    yield item("ror", "organisation's ROR", profile.ror, "It tells your institute from others of its name.")
    if profile.name:
        yield item("orcid", "ORCID iD", profile.orcid, "It tells you from others of your name.")
    yield item("publisher", "publisher", profile.publisher, "Where the data will be found.", needed=True,
               how="qlab profile set publisher Zenodo, or your institute's repository")  # fmt: skip
    yield item("license", "licence", profile.license, "Without one nobody may use the data.", needed=True,
               how="qlab profile set license CC-BY-4.0, or CC0-1.0")  # fmt: skip
    yield item("access", "access", profile.access, "It says who may read the data, and from when.", needed=True,
               how="qlab profile set access open, embargoed, restricted or metadata-only")  # fmt: skip
    if profile.access == "embargoed":
        yield item("embargo", "end of the embargo", profile.embargo, "An embargo without an end hides data for ever.",
                   needed=True, how="qlab profile set embargo 2027-06-30")  # fmt: skip
    yield item("project", "project", profile.project, "It ties runs of one project together.")
    grants = ", ".join(" ".join(filter(None, (a.funder, a.number))) for a in profile.funding if a.funder)
    yield item("funding.1.funder", "funding", grants, "Grants ask to be named with funder and number, as data.",
               how="qlab profile set funding.funder NAME, then funding.number")  # fmt: skip
    for index, award in enumerate(profile.funding, start=1):
        if award.funder:
            yield item(f"funding.{index}.number", f"number of grant {index}", award.number,
                       "A funder finds its data by this number.", needed=True)  # fmt: skip
    sample = profile.sample if record is None else sample_of(record)
    measured = record is not None and not record.simulated
    yield item("sample.name", "sample", sample.name, "Numbers of an unknown sample cannot be compared.",
               needed=measured)  # fmt: skip
    if record is None or measured:
        yield item(
            "sample.identifier", "sample's IGSN", sample.identifier, "It finds all data of one sample."
        )
    yield item("keywords", "keywords", ", ".join(profile.keywords), "They are what people search for.")
    related = ", ".join(r.identifier for r in profile.related if r.identifier)
    yield item("related.1.identifier", "related work", related, "A paper or a data management plan gives context.",
               how="qlab profile set related.identifier DOI, then related.relation IsSupplementTo")  # fmt: skip


def _words(record: Record) -> Iterator[Item]:
    fit = 5 <= len(record.title) <= 200 and record.title.lower() != "untitled"
    yield Item("title", "title", fit, True, "The first thing that people see.",
               "Give the next run a title of 5 to 200 characters: qlab run --title.", record.title)  # fmt: skip
    yield Item("description", "abstract", len(record.description) >= 50, True, "It says what was done, and how.",
               "Write at least 50 characters into the docstring of the experiment.", record.description)  # fmt: skip


def _devices(record: Record) -> Iterator[Item]:
    if record.simulated:
        return
    for name, facts in devices_of(record).items():
        known = " ".join(filter(None, (facts.get("manufacturer"), facts.get("model"))))
        yield Item(
            f"instrument.{name}", f"maker and model of {name}", "manufacturer" in facts and "model" in facts, True,
            "An instrument that nobody knows cannot be judged.",
            f"In the bench file: about = {{ manufacturer = ..., model = ... }} of {name}.", known,
        )  # fmt: skip
        for field, label in (
            ("identifier", "persistent identifier"),
            ("owner", "owner"),
            ("serial", "serial number"),
        ):
            yield Item(
                f"instrument.{name}.{field}", f"{label} of {name}", field in facts, False,
                "PIDINST: the same instrument is recognised in every data set.",
                f"In the bench file: about = {{ {field} = ... }} of {name}.", facts.get(field, ""),
            )  # fmt: skip


def _quantum(record: Record) -> Iterator[Item]:
    wrong = faults(record.quantum)
    for field in FIELDS:
        value = record.quantum.get(field, "")
        fault = next((line for line in wrong if f" {field} " in f"{line} " or f"/{field} " in line), "")
        yield Item(
            f"quantum.{field}", f"quantum pillar: {field}", bool(value) and not fault and value != "unspecified", True,
            "Terms of one vocabulary make data of many laboratories searchable together.",
            fault or f"Name the {field} in `quantum` of the experiment, by a term of qlab.fair.vocabulary.", value,
        )  # fmt: skip
