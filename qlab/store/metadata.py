"""The descriptive metadata of a run: root attributes, and the master copy as an RO-Crate JSON-LD record."""

from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import UUID

import h5py

from qlab.record import Record
from qlab.store.hdf import fixed
from qlab.store.names import FORMAT, FORMAT_VERSION, moment
from qlab.store.storedunits import qudt_uri, stored_unit

NEXUS = "v2026.01"
METADATA_LICENSE = "https://creativecommons.org/publicdomain/zero/1.0/"
PROGRAM_URL = "urn:x-qlab:qlab-metrology"  # until the project has a home page
_ADDRESSES = {"address", "resource", "resource_name", "visa", "visa_address", "host", "hostname", "ip", "url"}
_STATUS = {"finished": "Completed", "stopped": "Completed", "failed": "Failed", "interrupted": "Failed"}


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
        *known,
        "quantum metrology",
        "simulation" if record.simulated else "experiment",
    ]
    return list(dict.fromkeys(word for word in words if word))


def root_attributes(file: h5py.File, record: Record, name: str) -> None:
    """Write the attributes of the root: NeXus, CF and ACDD at once."""
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


def crate(record: Record, name: str, rows: int, digest: str) -> dict[str, Any]:
    """Return the RO-Crate record (1.3 with Process Run Crate 0.6) of a run, as plain JSON-LD data."""
    told = {
        **record.quantum,
        "data origin": "simulation" if record.simulated else "experiment",
        "seed": "none" if record.seed is None else str(record.seed),
    }
    tool = {
        "@id": "#qlab", "@type": "SoftwareApplication", "name": "qlab", "url": PROGRAM_URL,
        "version": version(), "softwareVersion": version(),
    }  # fmt: skip
    variables = [_variable(c.name, c.long_name, c.unit, c.role) for c in record.columns]
    devices = _devices(record)
    root = {
        "@id": "./", "@type": "Dataset", "identifier": _urn(record), "name": title(record),
        "description": summary(record), "keywords": keywords(record), "datePublished": _day(record),
        "dateCreated": record.started, "temporalCoverage": f"{record.started}/{record.ended}",
        "hasPart": [{"@id": name}], "mentions": [{"@id": "#run"}], "version": "1", "inLanguage": "en",
        "conformsTo": [{"@id": "https://w3id.org/ro/wfrun/process/0.6"}],
        "sdLicense": {"@id": METADATA_LICENSE}, "variableMeasured": [{"@id": v["@id"]} for v in variables],
    }  # fmt: skip
    part = {
        "@id": name, "@type": "File", "name": title(record), "encodingFormat": "application/x-hdf5",
        "additionalType": f"{FORMAT} {FORMAT_VERSION}", "contentDigest": digest, "size": f"{rows} rows",
    }  # fmt: skip
    action = {
        "@id": "#run", "@type": "CreateAction", "name": f"Run of {record.experiment}",
        "instrument": {"@id": "#qlab"}, "object": [{"@id": d["@id"]} for d in devices],
        "result": [{"@id": name}], "startTime": record.started, "endTime": record.ended,
        "actionStatus": {"@id": f"http://schema.org/{_STATUS.get(record.state, 'Active')}ActionStatus"},
        "description": record.reason or f"The run ended as {record.state}.",
        "additionalProperty": [
            {"@type": "PropertyValue", "name": name, "value": value} for name, value in told.items()
        ],
    }  # fmt: skip
    descriptor = {
        "@id": "ro-crate-metadata.json", "@type": "CreativeWork", "about": {"@id": "./"},
        "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.3"}], "license": {"@id": METADATA_LICENSE},
    }  # fmt: skip
    return {
        "@context": "https://w3id.org/ro/crate/1.3/context",
        "@graph": [descriptor, root, part, action, tool, *devices, *variables],
    }


def _urn(record: Record) -> str:
    try:
        return UUID(record.id).urn
    except ValueError:
        return record.id


def _day(record: Record) -> str:
    started = moment(record.ended) or moment(record.started)
    return f"{started:%Y-%m-%d}" if started else ""


def _variable(name: str, long_name: str, unit: str, role: str) -> dict[str, Any]:
    stored = stored_unit(unit)
    entry = {
        "@id": f"#variable-{name}", "@type": "PropertyValue", "name": name,
        "description": f"{long_name or name} ({role})", "unitText": stored,
    }  # fmt: skip
    return {**entry, "unitCode": uri} if (uri := qudt_uri(stored)) else entry


def _devices(record: Record) -> list[dict[str, Any]]:
    found = record.bench.get("instruments", {})
    if not isinstance(found, dict):
        return []
    return [
        {"@id": f"#device-{name}", "@type": "IndividualProduct", "name": str(name), **_model(options)}
        for name, options in found.items()
    ]


def _model(options: Any) -> dict[str, str]:
    driver = options.get("driver", "") if isinstance(options, dict) else ""
    return {"model": str(driver)} if driver else {}
