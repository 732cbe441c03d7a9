"""The descriptive metadata of a run in words: title, summary, keywords, root attributes; and what is never written."""

from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import h5py

from qlab.record import Record
from qlab.store.hdf import fixed
from qlab.store.names import FORMAT, FORMAT_VERSION, moment

NEXUS = "v2026.01"
METADATA_LICENSE = "https://creativecommons.org/publicdomain/zero/1.0/"
PROGRAM_URL = "urn:x-qlab:qlab-metrology"  # until the project has a home page
_ADDRESSES = {"address", "resource", "resource_name", "visa", "visa_address", "host", "hostname", "ip", "url"}


@cache
def version() -> str:
    """Return the version of qlab."""
    try:
        return metadata.version("qlab-metrology")
    except metadata.PackageNotFoundError:
        return "0+unknown"


def title(record: Record) -> str:
    """Return the title of a run, made from its experiment where it has none."""
    if record.title:
        return record.title
    started = moment(record.started)
    return f"{record.experiment} of {started:%Y-%m-%d %H:%M:%S}" if started else record.experiment


def summary(record: Record) -> str:
    """Return what a stranger should know first, and how to read the file without qlab."""
    what = record.description or f"A run of the experiment {record.experiment}."
    made = "simulated" if record.simulated else "measured"
    return (
        f"{' '.join(what.split())} The data are {made}. Read it with xarray: "
        'open_dataset(file, engine="h5netcdf", group="/entry/data"), or group="/entry/shots" for every row.'
    )


def keywords(record: Record) -> list[str]:
    """Return keywords from what the record knows of itself."""
    known = [record.quantum.get(key, "") for key in ("platform", "protocol", "measurand", "area", "domain")]
    words = [
        record.experiment,
        *record.profile.keywords,
        *record.tags,
        *(word for word in known if word != "unspecified"),
        "quantum metrology",
        "simulation" if record.simulated else "experiment",
    ]
    return list(dict.fromkeys(word for word in words if word))


def acknowledgement(record: Record) -> str:
    """Return the sentence that thanks those who pay, empty where nobody was named."""
    grants = []
    for award in record.profile.funding:
        if award.funder:
            programme = f" ({award.programme})" if award.programme else ""
            number = f" under grant agreement No {award.number}" if award.number else ""
            acronym = f" ({award.acronym})" if award.acronym else ""
            grants.append(f"{award.funder}{programme}{number}{acronym}")
    return f"This work has received funding from {'; and from '.join(grants)}." if grants else ""


def root_attributes(file: h5py.File, record: Record, name: str) -> None:
    """Write the attributes of the root that a machine knows: NeXus, CF and ACDD at once."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    text = {
        "NX_class": "NXroot", "default": "entry", "format": FORMAT, "format_version": FORMAT_VERSION,
        "creator": "qlab", "creator_version": version(), "file_name": name, "file_time": now,
        "HDF5_Version": h5py.version.hdf5_version, "h5py_version": h5py.version.version,
        "NeXus_release": NEXUS,
        "Conventions": "CF-1.11, ACDD-1.3", "title": title(record), "summary": summary(record),
        "keywords": ", ".join(keywords(record)), "id": record.id, "experiment": record.experiment,
        "date_created": record.started or now, "date_modified": now, "time_coverage_start": record.started,
        "time_coverage_end": record.ended, "source": "simulation" if record.simulated else "experiment",
        "processing_level": "raw rows with derived grid",
        "history": f"{now} written by qlab {version()}",
    }  # fmt: skip
    for key, value in text.items():
        file.attrs[key] = value
    file.attrs["status"] = fixed(record.state, 16)


def scrubbed(record: Record) -> Record:
    """Return the record without what must never stand in a file: home path and instrument addresses."""
    home = str(Path.home())

    def clean(value: Any, *, bench: bool) -> Any:
        if isinstance(value, dict):
            return {
                key: clean(item, bench=bench)
                for key, item in value.items()
                if not (bench and str(key).lower() in _ADDRESSES and isinstance(item, str))
            }
        if isinstance(value, list | tuple):
            return type(value)(clean(item, bench=bench) for item in value)
        if isinstance(value, str) and len(home) > 1 and home in value:
            return value.replace(home + "/", "~/").replace(home + "\\", "~\\")
        return value

    free = (
        "parameters",
        "software",
        "description",
        "reason",
        "programs",
        "changes",
        "log",
        "safe_report",
        "title",
    )
    update = {key: clean(getattr(record, key), bench=False) for key in free}
    bench = {key: clean(getattr(record, key), bench=True) for key in ("bench", "bench_after", "calibrations")}
    return record.model_copy(update={**update, **bench})


def readable(record: Record) -> Record:
    """Return the record with texts that HDF5 can hold: no lone surrogates, no zero bytes."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {clean(key): clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(clean(item) for item in value)
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode().replace("\0", "")
        return value

    return Record.model_validate(clean(record.model_dump()))
