"""Benches: named instruments with their roles, limits and safe values; presets and TOML files."""

import inspect
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from qlab.errors import QlabError, UsageError
from qlab.instrument import Instrument
from qlab.profile.identifiers import day, web
from qlab.registry import load, plugins
from qlab.units import parse_quantity


class World(Protocol):
    """The hidden truth behind a simulated bench, shared by all its instruments."""

    elapsed: float

    def begin(self, seed: int, speed: float | None) -> None:
        """Start a run: the clock back to 0, random streams from `seed`, `speed` virtual s per real s or None."""
        ...

    def held(self, seconds: float) -> None:
        """Leave out real seconds that passed in a pause, so that pacing does not catch them up."""
        ...

    def truth(self) -> dict[str, float]:
        """Return the truth of this bench and what follows from it (T2*, resonance ...), in SI units."""
        ...

    def settings(self) -> dict[str, float]:
        """Return the process parameters that differ or not from the default, as `truth` arguments take them."""
        ...


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
    limits: dict[str, tuple[float | str, float | str]] = Field(default_factory=dict)
    safe: dict[str, float | bool | str] = Field(default_factory=dict)
    about: DeviceEntry = DeviceEntry()


class WorldEntry(BaseModel):
    """The world of a simulated bench."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    truth: dict[str, float | str] = Field(default_factory=dict)


class BenchEntry(BaseModel):
    """A bench file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    title: str = ""
    platform: str = ""
    world: WorldEntry | None = None
    instruments: dict[str, InstrumentEntry] = Field(default_factory=dict)
    roles: dict[str, str] = Field(default_factory=dict)
    sample: dict[str, str] = Field(default_factory=dict)


class Bench:
    """A set of instruments at work together.

    `Bench.load("sim-nv")` takes a preset, `Bench.load("setup.toml")` a file. `seed` fixes the randomness of a
    simulated bench, `truth` overrides its hidden truth ({"B": 2e-3} or {"B": "2 mT"}).
    """

    def __init__(
        self, entry: BenchEntry, seed: int | None, truth: Mapping[str, float | str], source: str
    ) -> None:
        self.entry = entry
        self.seed = seed
        self.source = source
        self.overrides = dict(truth)
        self.world = self._make_world(truth)
        self.instruments = {name: self._make(name, item) for name, item in entry.instruments.items()}
        self.is_open = False
        self._started = time.monotonic()

    @classmethod
    def load(
        cls, what: str | Path, seed: int | None = None, truth: Mapping[str, float | str] | None = None
    ) -> Self:
        """Return a bench from a preset's name or a TOML file; raise UsageError where it cannot be made."""
        return cls(read_bench(what), seed, truth or {}, str(what))

    @property
    def name(self) -> str:
        """The bench's name."""
        return self.entry.name

    @property
    def simulated(self) -> bool:
        """Whether any of its data come from a simulated instrument."""
        return any(instrument.simulated for instrument in self.instruments.values())

    def _make_world(self, truth: Mapping[str, float | str]) -> World | None:
        if self.entry.world is None:
            if truth:
                raise UsageError(
                    f"Bench {self.entry.name!r} is real: it has no truth to set.", "Leave --truth away."
                )
            return None
        made: World = load("worlds", self.entry.world.kind)({**self.entry.world.truth, **truth})
        return made

    def _make(self, name: str, item: InstrumentEntry) -> Instrument:
        driver: type[Instrument] = load("instruments", item.driver)
        options = dict(item.options)
        if "world" in inspect.signature(driver).parameters:
            if self.world is None:
                raise UsageError(f"{name} ({item.driver}) is simulated and needs a [world].", "Add one.")
            options["world"] = self.world
        try:
            instrument = driver(**options)
        except TypeError as error:
            raise UsageError(f"The options of {name} do not fit {item.driver}: {error}.", "") from error
        instrument.name = name
        knobs = instrument.knobs()
        for knob, (low, high) in item.limits.items():
            _need_knob(name, knob, knobs)
            unit = knobs[knob].unit
            instrument.soft_limits[knob] = (_number(low, unit), _number(high, unit))
        for knob, value in item.safe.items():
            _need_knob(name, knob, knobs)
            instrument.safe_values[knob] = (
                value if isinstance(value, bool) else _number(value, knobs[knob].unit)
            )
        return instrument

    def role(self, role: str) -> Instrument | None:
        """Return the instrument in a role, or None."""
        name = self.entry.roles.get(role)
        return self.instruments.get(name) if name is not None else None

    def now(self) -> float:
        """Return the seconds since the run began, on the virtual clock where there is one."""
        return self.world.elapsed if self.world is not None else time.monotonic() - self._started

    def begin(self, seed: int, speed: float | None = None) -> None:
        """Start a run's clock and random streams."""
        self._started = time.monotonic()
        if self.world is not None:
            self.world.begin(seed, speed)

    def held(self, seconds: float) -> None:
        """Say that a pause took so many seconds."""
        if self.world is not None:
            self.world.held(seconds)

    def open(self) -> None:
        """Connect to every instrument; those opened are closed again where one fails."""
        opened: list[Instrument] = []
        try:
            for instrument in self.instruments.values():
                instrument.open()
                opened.append(instrument)
        except BaseException:
            for instrument in opened:
                instrument.close()
            raise
        self.is_open = True

    def close(self) -> None:
        """Let go of every instrument."""
        if self.is_open:
            self.is_open = False
            for instrument in self.instruments.values():
                instrument.close()

    def make_safe(self) -> dict[str, str]:
        """Make every instrument safe, whatever happens to the others; return what became of each."""
        report: dict[str, str] = {}
        for name, instrument in self.instruments.items():
            try:
                instrument.make_safe()
                report[name] = "safe"
            except QlabError as error:
                report[name] = f"NOT SAFE: {error}"
            except Exception as error:  # noqa: BLE001 - a driver may raise anything; the others must still be made safe
                report[name] = f"NOT SAFE: {type(error).__name__}: {error}. Check {name} by hand."
        return report

    def snapshot(self) -> dict[str, Any]:
        """Return the bench as data: its name, roles, and each instrument's driver, identity, knobs and limits."""
        instruments = {
            name: {
                "driver": self.entry.instruments[name].driver,
                "simulated": instrument.simulated,
                "identity": instrument.identity(),
                "about": {k: v for k, v in self.entry.instruments[name].about if v},
                "knobs": instrument.snapshot(),
                "limits": {k: list(v) for k, v in instrument.soft_limits.items()},
            }
            for name, instrument in self.instruments.items()
        }
        return {
            "name": self.name,
            "title": self.entry.title or self.name,
            "platform": self.entry.platform,
            "source": self.source if self.source in plugins("benches") else "file",
            "entry": self.entry.model_dump(mode="json"),
            "truth": dict(self.overrides),
            "roles": dict(self.entry.roles),
            "sample": dict(self.entry.sample),
            "instruments": instruments,
        }


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


def _entry(data: Mapping[str, Any], source: str) -> BenchEntry:
    try:
        entry = BenchEntry.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"Bench {source}: {place}: {first['msg']}.", "Mend that entry.") from None
    for role, name in entry.roles.items():
        if name not in entry.instruments:
            raise UsageError(
                f"Bench {source}: role {role!r} names {name!r}, which is no instrument of it.",
                f"There are: {', '.join(entry.instruments) or 'none'}.",
            )
    return entry


def _need_knob(instrument: str, knob: str, knobs: Mapping[str, Any]) -> None:
    if knob not in knobs:
        raise UsageError(f"{instrument} has no knob {knob!r}.", f"There are: {', '.join(knobs)}.")


def _number(value: float | str, unit: str) -> float:
    return parse_quantity(value, unit) if isinstance(value, str) else float(value)
