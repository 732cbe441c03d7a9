"""A profile filled in whole, as a person types it."""

TYPED = {
    "name": "Curieux, Marguerite",
    "orcid": "0000-0002-1825-0097",
    "affiliation": "Institute of Quantum Things",
    "ror": "https://ror.org/04wxnsj81",
    "project": "Quiet Diamonds",
    "publisher": "Zenodo",
    "license": "cc-by-4.0",
    "embargo": "2031-06-30",
    "funding.funder": "European Commission",
    "funding.funder_id": "https://doi.org/10.13039/501100000780",
    "funding.programme": "Horizon Europe",
    "funding.number": "101012345",
    "funding.acronym": "QUIET",
    "related.identifier": "10.1103/PhysRevLett.118.197201",
    "related.relation": "IsSupplementTo",
    "sample.name": "diamond 7",
    "sample.identifier": "10.58052/IEEVF0001",
    "keywords": "diamond, magnetometry",
}
