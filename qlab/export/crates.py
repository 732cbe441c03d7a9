"""RO-Crate: the run's file with its JSON-LD record beside it, as a folder or a zip (Process Run Crate)."""

import json
import tempfile
from pathlib import Path
from typing import Any

from qlab.errors import FileError
from qlab.export.writing import payload, sha256, writing, zipped
from qlab.runs import Run
from qlab.store.crate import PROCESS, crate

METADATA = "ro-crate-metadata.json"
_MEDIA = {
    ".h5": "application/x-hdf5", ".json": "application/json", ".xml": "application/xml", ".md": "text/markdown",
    ".html": "text/html", ".csv": "text/csv",
}  # fmt: skip
# What schema.org has and the context of RO-Crate 1.1 (of 2020) may lack.
_LATER = (
    "funding",
    "creditText",
    "owner",
    "conditionsOfAccess",
    "sdLicense",
    "Grant",
    "serialNumber",
    "termCode",
)


def export(run: Run, path: Path) -> Path:
    """Write an RO-Crate 1.1 with Process Run Crate 0.5, which today's validators cover; a zip where `path` ends so."""
    return _export(run, path, old=True)


def export_latest(run: Run, path: Path) -> Path:
    """Write an RO-Crate 1.3 with Process Run Crate 0.6, as the file itself carries it."""
    return _export(run, path, old=False)


def _export(run: Run, path: Path, *, old: bool) -> Path:
    if path.suffix == ".zip":
        with tempfile.TemporaryDirectory() as folder:
            fill(run, Path(folder), old=old)
            return zipped(Path(folder), path, run.record)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FileError(
            f"{path} is there already.", "Give the name of a new folder, or one that ends in .zip."
        )
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        fill(run, path, old=old)
    return path


def fill(run: Run, folder: Path, *, old: bool, file: Path | None = None) -> None:
    """Put the run's file (unless it is there) and the record of all files in the folder into it."""
    file = file or payload(run, folder)
    data = described(run, file, old=old)
    for extra in sorted(p for p in folder.iterdir() if p.is_file() and p not in {file, folder / METADATA}):
        part = {
            "@id": extra.name,
            "@type": "File",
            "name": extra.stem.replace("-", " "),
            **_file_facts(extra),
        }
        data["@graph"].append(part)
        data["@graph"][1]["hasPart"].append({"@id": extra.name})
    with writing(folder / METADATA):
        (folder / METADATA).write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")


def described(run: Run, file: Path, *, old: bool) -> dict[str, Any]:
    """Return the JSON-LD record of a run and its file, with the file's length and checksum."""
    data = crate(run.record, file.name, len(run), "")
    part = next(item for item in data["@graph"] if item["@id"] == file.name)
    part |= _file_facts(file)
    if not old:
        return data
    text = json.dumps(data)
    text = text.replace("https://w3id.org/ro/crate/1.3", "https://w3id.org/ro/crate/1.1").replace(
        f"{PROCESS}0.6", f"{PROCESS}0.5"
    )
    data = json.loads(text)
    for item in data["@graph"]:
        if item["@id"] == f"{PROCESS}0.5":
            item |= {"@type": "CreativeWork", "version": "0.5"}
        if item["@id"] == METADATA:
            item["conformsTo"] = {"@id": "https://w3id.org/ro/crate/1.1"}
    later = {term: f"http://schema.org/{term}" for term in _LATER}
    return {"@context": ["https://w3id.org/ro/crate/1.1/context", later], "@graph": data["@graph"]}


def _file_facts(path: Path) -> dict[str, str]:
    media = _MEDIA.get(path.suffix, "application/octet-stream")
    return {"encodingFormat": media, "contentSize": str(path.stat().st_size), "sha256": sha256(path)}
