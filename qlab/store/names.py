"""Names: of run files and their companions, and of what may stand inside them."""

import re
from datetime import datetime
from pathlib import Path

from qlab.record import Record

FORMAT = "qlab-run"
FORMAT_VERSION = "1.1"
PART = ".part.h5"
FINAL = ".h5"
ENDING = ".ending"  # beside a growing file: how it ended, by whoever ended its process
NOTES = ".notes.json"  # the sidecar: what is said of a run after it was taken
HOME = ".home.json"  # beside a spooled run: into which folder it belongs
ASIDE = ".aside"  # behind the name of a growing file that a complete one has made stale
DRAFT = ".draft"  # a final file while it is being written; worthless as long as it is called so
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
RESERVED = {
    "data", "shots", "scan_point", "definition", "title", "experiment_description", "start_time", "end_time",
    "entry_identifier_uuid", "identifier_experiment", "experiment_identifier", "program_name", "instrument",
    "sample", "operator", "process", "program", "bench", "figures", "calibrations", "notes", "preview",
    "log", "quantum", "funding", "access", "metadata", "journal", "timetags", "overview",
}  # fmt: skip


def run_stem(record: Record) -> tuple[str, str]:
    """Return (dated sub-folder, file name without suffix) of a run, in the local time of its start."""
    started = moment(record.started) or datetime.now().astimezone()
    experiment = re.sub(r"[^A-Za-z0-9_-]+", "-", record.experiment).strip("-") or "run"
    short = re.sub(r"[^A-Za-z0-9]+", "", record.id)[:8] or "0"
    return f"{started:%Y-%m-%d}", f"{started:%H%M%S}-{experiment[:80]}-{short}"


def stem(path: Path) -> str:
    """Return the name of a run's files without `.part.h5` or `.h5`."""
    for suffix in (PART, FINAL):
        if path.name.endswith(suffix):
            return path.name.removesuffix(suffix)
    return path.stem


def final_path(path: Path) -> Path:
    """Return where the finished file of a run stands."""
    return path.with_name(stem(path) + FINAL)


def part_path(path: Path) -> Path:
    """Return where the growing file of a run stands."""
    return path.with_name(stem(path) + PART)


def lock_path(path: Path) -> Path:
    """Return where the lock of a run stands."""
    return path.with_name(stem(path) + ".lock")


def sidecar_path(path: Path) -> Path:
    """Return where the sidecar of a run stands."""
    return path.with_name(stem(path) + NOTES)


def is_part(path: Path) -> bool:
    """Tell whether a path is that of a growing file."""
    return path.name.endswith(PART)


def inner(name: str) -> str:
    """Return a name made fit for an HDF5 object: letters, digits and underscores."""
    fit = re.sub(r"[^A-Za-z0-9_]", "_", name)[:64]
    return fit if NAME.fullmatch(fit) else f"_{fit}"


def moment(text: str) -> datetime | None:
    """Return an ISO 8601 text as a time with offset; None where it is none."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        return None
