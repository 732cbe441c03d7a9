"""Migrations: the record of a file of an older format, brought to the present one step by step, in memory only."""

from collections.abc import Callable
from typing import Any

from qlab.store.names import FORMAT_VERSION

Data = dict[str, Any]


def present(data: Any, version: str) -> Any:
    """Return the plain data of a record written by format `version` as the present format has it.

    A file is never changed by this. A later minor version is taken as it is: what it added is not understood, and
    what it shares with this one means the same.
    """
    minor = _minor(version)
    while isinstance(data, dict) and minor < _minor(FORMAT_VERSION):
        data = STEPS[minor](dict(data))
        minor += 1
    return data


def _minor(version: str) -> int:
    text = version.partition(".")[2].partition(".")[0]
    return int(text[:9]) if text.isdigit() else 0


def _to_1_1(data: Data) -> Data:
    """1.1 has streams, a bench snapshot at the end and calibrations; the environment names an installation."""
    data.setdefault("streams", [])
    data.setdefault("bench_after", {})
    data.setdefault("calibrations", [])
    software = data.get("software")
    if isinstance(software, dict):
        data["software"] = {"installation": "unknown", **software}
    return data


STEPS: dict[int, Callable[[Data], Data]] = {0: _to_1_1}
