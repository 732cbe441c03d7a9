"""Bench files: what a bench is made of, read from a preset or a TOML file and checked."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from qlab.errors import UsageError
from qlab.profile.identifiers import day, web
from qlab.registry import load, plugins
from qlab.upkeep import Upkeep
from qlab.watch import Rule

Limits = dict[str, tuple[float | str, float | str]]


class DeviceEntry(BaseModel):
    """What a device is, after PIDINST: what its own answer to *IDN? leaves open."""

    model_config = ConfigDict(extra="forbid")

    identifier: str = ""  # its DOI or handle
    owner: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""
    type: str = ""
    calibrated: str = ""  # the day of its last calibration

    @field_validator("identifier", "calibrated")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        if not value:
            return value
        try:
            return web(value) if info.field_name == "identifier" else day(value)
        except UsageError as error:
            raise ValueError(str(error)) from None


class InstrumentEntry(BaseModel):
    """One instrument in a bench file."""

    model_config = ConfigDict(extra="forbid")

    driver: str
    options: dict[str, Any] = Field(default_factory=dict)
    limits: Limits = Field(default_factory=dict)
    rates: dict[str, float | str] = Field(default_factory=dict)  # largest change per second
    safe: dict[str, float | bool | str] = Field(default_factory=dict)
    start: dict[str, float | bool | str] = Field(default_factory=dict)  # set when the bench is opened
    about: DeviceEntry = DeviceEntry()
    timeout: float | None = Field(None, gt=0)  # s that one call may take


class CalibrationEntry(BaseModel):
    """What was found out about the bench and is relied on: `value` with its standard deviation `error`, in SI units.

    `knob` is the `instrument.knob` that it is about, or an instrument alone; runs that use that instrument record
    it, all runs of the bench where it is empty. `run` is the run that it comes from, `source` says otherwise how.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    value: float
    error: float | None = Field(None, ge=0)
    unit: str = "1"
    label: str = ""
    knob: str = ""
    date: str = ""
    valid_until: str = ""
    run: str = ""
    source: str = ""

    @field_validator("date", "valid_until")
    @classmethod
    def _days(cls, value: str) -> str:
        try:
            return day(value) if value else value
        except UsageError as error:
            raise ValueError(str(error)) from None


class SampleEntry(BaseModel):
    """What one sample allows, beside the limits of the bench: instrument -> knob -> limits."""

    model_config = ConfigDict(extra="forbid")

    description: str = ""
    limits: dict[str, Limits] = Field(default_factory=dict)


class WorldEntry(BaseModel):
    """The world of a simulated bench."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    truth: dict[str, float | str] = Field(default_factory=dict)
    solver: Literal["batched", "qutip"] = "batched"


class BenchEntry(BaseModel):
    """A bench file. `sample` says what is mounted; its limits are those of `samples` under the sample's name."""

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str = ""
    platform: str = ""
    world: WorldEntry | None = None
    instruments: dict[str, InstrumentEntry] = Field(default_factory=dict)
    roles: dict[str, str] = Field(default_factory=dict)
    sample: dict[str, str] = Field(default_factory=dict)
    samples: dict[str, SampleEntry] = Field(default_factory=dict)
    calibrations: list[CalibrationEntry] = Field(default_factory=list)
    watch: list[Rule] = Field(default_factory=list)
    upkeep: list[Upkeep] = Field(default_factory=list)


def read_bench(what: str | Path) -> BenchEntry:
    """Return the entry of a preset or of a TOML file."""
    known = plugins("benches")
    text = str(what)
    if text in known:
        return _entry(known[text].load()(), text)
    path = Path(what)
    if path.suffix != ".toml":
        load("benches", text)  # raises, with "did you mean"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"The bench file {path.name} cannot be read: {error.strerror}.", "Check its path."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The bench file {path.name} is not TOML: {error}.", "Mend that line.") from None
    return _entry({"name": path.stem, **data}, path.name)


def parsed(data: Mapping[str, Any], source: str) -> BenchEntry:
    """Return a bench given as data, checked as a file is; `source` says in errors whose it is."""
    return _entry(data, source)


def _place(data: Mapping[str, Any], parts: Sequence[str | int]) -> str:
    """Return where in a file something is wrong; what stands in a list is called by its name."""
    if len(parts) > 1 and isinstance(parts[1], int):
        named = data[str(parts[0])][parts[1]]
        name = named.get("name") if isinstance(named, Mapping) else None
        parts = (parts[0], str(name or parts[1]), *parts[2:])
    return ".".join(map(str, parts))


def _entry(data: Mapping[str, Any], source: str) -> BenchEntry:
    try:
        entry = BenchEntry.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = _place(data, first["loc"])
        raise UsageError(f"Bench {source}: {place}: {first['msg']}.", "Mend that entry.") from None
    for role, name in entry.roles.items():
        if name not in entry.instruments:
            raise UsageError(
                f"Bench {source}: role {role!r} names {name!r}, which is no instrument of it.",
                f"There are: {', '.join(entry.instruments) or 'none'}.",
            )
    for calibration in entry.calibrations:
        if calibration.knob and calibration.knob.partition(".")[0] not in entry.instruments:
            raise UsageError(
                f"Bench {source}: calibration {calibration.name!r} is about {calibration.knob!r}, no instrument of it.",
                f"There are: {', '.join(entry.instruments) or 'none'}.",
            )
    names = [calibration.name for calibration in entry.calibrations]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"Bench {source}: two calibrations are called {twice.pop()!r}.", "Rename one.")
    return entry
