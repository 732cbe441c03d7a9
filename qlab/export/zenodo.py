"""Zenodo: a zip that is ready to be deposited: the run, its crate, DataCite, a readme, tables, the report."""

import json
import tempfile
from pathlib import Path
from typing import Any

from qlab.errors import FileError
from qlab.export import csv, datacite, report
from qlab.export.crates import fill
from qlab.export.writing import attributes, payload, writing, zipped
from qlab.fair import completion
from qlab.record import Record
from qlab.runs import Run
from qlab.store.metadata import acknowledgement, keywords, summary, title

_RIGHTS = {"open": "open", "embargoed": "embargoed", "restricted": "restricted", "metadata-only": "closed"}
_README = """\
# {title}

{simulated}{summary}

| | |
|---|---|
{facts}

## What is here

| file | what |
|---|---|
| `{file}` | the run itself: HDF5 with NeXus names and netCDF-4 dimension scales |
| `data.csv` | the gridded signals with their errors |
| `report.html` | figures, parameters, fits, figures of merit, FAIR report; open it in a browser |
| `ro-crate-metadata.json` | RO-Crate with Process Run Crate: what was done, by what, with what |
| `datacite.json`, `datacite.xml` | DataCite metadata for a DOI |
| `zenodo.json` | the same for the deposit API of Zenodo |

## How to read it

```python
import xarray

xarray.open_dataset("{file}", engine="h5netcdf", group="/entry/data")    # the curve, with units and errors
xarray.open_dataset("{file}", engine="h5netcdf", group="/entry/shots")   # every row, in the order taken
```
"""


def export(run: Run, path: Path) -> Path:
    """Write the zip; raises FileError where `path` has another ending."""
    if path.suffix != ".zip":
        raise FileError(f"{path.name} is no name for a zip.", "Let it end in .zip.")
    with tempfile.TemporaryDirectory() as name, writing(path):
        folder = Path(name)
        file = payload(run, folder)
        written = Run(run.record, run.rows, file)
        if run.record.signals:
            csv.export(written, folder / "data.csv")
        report.export(written, folder / "report.html")
        datacite.export(written, folder / "datacite.json")
        datacite.export(written, folder / "datacite.xml")
        (folder / "README.md").write_text(readme(written, file.name), encoding="utf-8")
        text = json.dumps({"metadata": deposit(run.record)}, indent=1, ensure_ascii=False)
        (folder / "zenodo.json").write_text(text, encoding="utf-8")
        fill(written, folder, old=True, file=file)
        return zipped(folder, path, run.record)


def readme(run: Run, file: str) -> str:
    """Return the readme of a deposit."""
    record = run.record
    known = attributes(run)
    shown = {
        "run": record.id, "experiment": record.experiment, "state": record.state, "measured": record.started,
        "creator": known.get("creator_name", ""), "institution": known.get("institution", ""),
        "licence": known.get("license", ""), "access": known.get("rights", ""),
        "embargo until": known.get("embargo_until", ""), "funding": known.get("acknowledgement", ""),
        "content sha256": _digest(run),
    }  # fmt: skip
    facts = "\n".join(f"| {key} | {_cell(value)} |" for key, value in shown.items() if value)
    note = "**These data are simulated.** " if record.simulated else ""
    text = _README.format(
        title=title(record), simulated=note, summary=summary(record), facts=facts, file=file
    )
    missing = [f"- {i.label}: {i.what_to_do}" for i in completion(record) if not i.present and i.needed]
    return text + ("\n## Not given\n\n" + "\n".join(missing) + "\n" if missing else "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _digest(run: Run) -> str:
    import h5py

    if run.path is None:
        return ""
    with h5py.File(run.path, "r", locking="best-effort") as file:
        return str(file.attrs.get("content_sha256", ""))


def deposit(record: Record) -> dict[str, Any]:
    """Return the metadata that the deposit API of Zenodo takes."""
    profile = record.profile
    creator = {"name": profile.name or profile.affiliation or profile.pseudonym or "unknown"}
    if profile.name and profile.affiliation:
        creator["affiliation"] = profile.affiliation
    if profile.name and profile.orcid:
        creator["orcid"] = profile.orcid.rpartition("/")[2]
    found: dict[str, Any] = {
        "title": title(record), "upload_type": "dataset", "description": summary(record), "creators": [creator],
        "keywords": keywords(record), "version": "1", "language": "eng",
        "access_right": _RIGHTS.get(profile.access, "restricted"),
        "dates": [{"start": record.started[:10], "end": record.ended[:10], "type": "Collected"}],
        "related_identifiers": [
            {"identifier": item["relatedIdentifier"],
             "relation": item["relationType"][0].lower() + item["relationType"][1:]}
            for item in datacite.described(record).get("relatedIdentifiers", ())
        ],
    }  # fmt: skip
    if profile.access == "embargoed" and profile.embargo:
        found["embargo_date"] = profile.embargo
    if profile.license and profile.access in {"open", "embargoed"}:
        found["license"] = profile.license.lower()
    if _RIGHTS.get(profile.access, "restricted") == "restricted":
        found["access_conditions"] = "Ask the creators."
    if thanks := acknowledgement(record):
        found["notes"] = thanks
    return found
