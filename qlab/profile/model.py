"""What a profile holds, as frozen data; every field is empty until somebody enters it."""

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Award(_Frozen):
    """One grant: who pays, under which number."""

    funder: str = ""
    funder_id: str = ""  # ROR, or a Crossref Funder DOI
    programme: str = ""
    number: str = ""
    acronym: str = ""
    title: str = ""
    uri: str = ""


class Sample(_Frozen):
    """What is measured; the identifier is an IGSN where there is one."""

    name: str = ""
    description: str = ""
    identifier: str = ""


class Related(_Frozen):
    """Something that belongs to the data: a paper, a plan, code; `relation` is a DataCite relationType."""

    identifier: str = ""
    relation: str = ""


class Profile(_Frozen):
    """One person in one project. `name` and `orcid` are written only because somebody entered them.

    `pseudonym` stands for the person wherever the name is left out; `consent` is the day on which a name or an
    ORCID was entered, which is the consent to write them.
    """

    name: str = ""
    pseudonym: str = ""
    orcid: str = ""
    consent: str = ""
    affiliation: str = ""
    ror: str = ""
    project: str = ""
    publisher: str = ""
    publisher_ror: str = ""
    keywords: tuple[str, ...] = ()
    license: str = ""
    access: str = ""
    embargo: str = ""
    sample: Sample = Sample()
    funding: tuple[Award, ...] = ()
    related: tuple[Related, ...] = ()

    @property
    def operator(self) -> str:
        """Who measures, as files say it: the name where it was entered, else the pseudonym."""
        return self.name or self.pseudonym

    @property
    def personal(self) -> bool:
        """Whether it says who a person is."""
        return bool(self.name or self.orcid)
