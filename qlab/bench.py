"""Benches: named instruments with their roles, limits and safe values; presets and TOML files."""

import contextlib
import inspect
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from qlab.errors import UsageError
from qlab.instrument import Instrument
from qlab.profile.identifiers import day, web
from qlab.registry import load, plugins
from qlab.safety import make_safe
from qlab.units import parse_quantity
from qlab.upkeep import Upkeep
from qlab.watch import Rule

Limits = dict[str, tuple[float | str, float | str]]


class World(Protocol):
    """The hidden truth behind a simulated bench, shared by all its instruments."""

    elapsed: float
    solver: str

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
    limits: Limits = Field(default_factory=dict)
    rates: dict[str, float | str] = Field(default_factory=dict)  # largest change per second
    safe: dict[str, float | bool | str] = Field(default_factory=dict)
    about: DeviceEntry = DeviceEntry()
    timeout: float | None = Field(None, gt=0)  # s that one call may take


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
    watch: list[Rule] = Field(default_factory=list)
    upkeep: list[Upkeep] = Field(default_factory=list)


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
        self._limit_by_sample()
        self.is_open = False
        self.shifts: dict[str, float] = {}  # by how much upkeep moved what a program sets, `role.knob`
        self._started = time.monotonic()

    @classmethod
    def load(
        cls,
        what: str | Path,
        seed: int | None = None,
        truth: Mapping[str, float | str] | None = None,
        solver: str = "",
    ) -> Self:
        """Return a bench from a preset's name or a TOML file; raise UsageError where it cannot be made.

        `solver` ("batched" or "qutip") replaces the one that a simulated bench names for its physics.
        """
        return cls(_solved_by(read_bench(what), solver), seed, truth or {}, str(what))

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
        made.solver = self.entry.world.solver
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
        for knob, rate in item.rates.items():
            _need_knob(name, knob, knobs)
            instrument.soft_rates[knob] = _rate(name, knob, rate, knobs[knob].unit)
        if item.timeout is not None:
            instrument.call_timeout = item.timeout
        for knob, value in item.safe.items():
            _need_knob(name, knob, knobs)
            instrument.safe_values[knob] = (
                value if isinstance(value, bool) else _number(value, knobs[knob].unit)
            )
        return instrument

    def _limit_by_sample(self) -> None:
        name = self.entry.sample.get("name", "")
        limits = self.entry.samples[name].limits if name in self.entry.samples else {}
        for which, ranges in limits.items():
            if which not in self.instruments:
                raise UsageError(
                    f"The sample {name!r} limits {which!r}, which is no instrument of the bench.",
                    f"There are: {', '.join(self.instruments) or 'none'}.",
                )
            knobs = self.instruments[which].knobs()
            for knob, (low, high) in ranges.items():
                _need_knob(which, knob, knobs)
                unit = knobs[knob].unit
                self.instruments[which].sample_limits[knob] = (_number(low, unit), _number(high, unit))

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
        self.shifts.clear()
        if self.world is not None:
            self.world.begin(seed, speed)

    def held(self, seconds: float) -> None:
        """Say that a pause took so many seconds."""
        if self.world is not None:
            self.world.held(seconds)

    def find(self, knob: str) -> tuple[Instrument, str]:
        """Return (instrument, knob) of `instrument.knob`, where the first may also be a role; raise UsageError."""
        which, _, name = knob.partition(".")
        instrument = self.role(which) or self.instruments.get(which)
        if instrument is None:
            raise UsageError(
                f"Bench {self.name!r} has no instrument {which!r}.",
                f"There are: {', '.join(self.instruments) or 'none'}.",
            )
        _need_knob(which, name, instrument.knobs())
        return instrument, name

    def open(self) -> None:
        """Connect to every instrument; those opened are closed again where one fails."""
        opened: list[Instrument] = []
        try:
            for instrument in self.instruments.values():
                instrument.open()
                instrument.state, instrument.message = "open", ""
                opened.append(instrument)
        except BaseException:
            for instrument in opened:
                instrument.state = "closed"
                with contextlib.suppress(Exception):
                    instrument.close()
            raise
        self.is_open = True

    def close(self) -> None:
        """Let go of every instrument; one that cannot be closed does not keep the others open."""
        if self.is_open:
            self.is_open = False
            for instrument in self.instruments.values():
                instrument.state = "closed"
                with contextlib.suppress(Exception):
                    instrument.close()

    def make_safe(self, *, close: bool = False) -> dict[str, str]:
        """Make every instrument safe, whatever happens to the others, and let go of it where `close` says so.

        Returns what became of each: see `qlab.safety.make_safe`.
        """
        report = make_safe(self.instruments.values(), close=close)
        self.is_open = self.is_open and not close
        return report

    def panel(self) -> dict[str, Any]:
        """Return what is known of every instrument, without asking any; see `qlab.session.Session`."""
        return {name: instrument.panel() for name, instrument in self.instruments.items()}

    def refresh(self) -> None:
        """Read every knob that can be read, so that `panel` shows it; waits for the instruments.

        Only for a bench that no run owns: reading a detector of a simulated bench draws from its random streams.
        """
        for instrument in self.instruments.values():
            instrument.refresh()

    def snapshot(self) -> dict[str, Any]:
        """Return the bench as data: its name, roles, and each instrument's driver, identity, knobs and limits."""
        instruments = {
            name: {
                "driver": self.entry.instruments[name].driver,
                "simulated": instrument.simulated,
                "identity": _who(instrument),
                "about": {k: v for k, v in self.entry.instruments[name].about if v},
                "knobs": instrument.snapshot(),
                "limits": {k: list(v) for k, v in instrument.soft_limits.items()},
                "sample_limits": {k: list(v) for k, v in instrument.sample_limits.items()},
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


def _who(instrument: Instrument) -> dict[str, str]:
    instrument.known_identity = instrument.identity()
    return instrument.known_identity


def _rate(name: str, knob: str, rate: float | str, unit: str) -> float:
    value = _number(rate.removesuffix("/s") if isinstance(rate, str) else rate, unit)
    if not 0 < value < float("inf"):
        raise UsageError(f"The rate of {name}.{knob} is {value:g}.", "Give a change per second above 0.")
    return value


def _solved_by(entry: BenchEntry, solver: str) -> BenchEntry:
    """Return the entry with another solver in its world; "" changes nothing."""
    if not solver:
        return entry
    known = get_args(WorldEntry.model_fields["solver"].annotation)
    if entry.world is None:
        raise UsageError(f"Bench {entry.name!r} is real: nothing is solved for it.", "Leave --solver away.")
    if solver not in known:
        raise UsageError(f"There is no solver {solver!r}.", f"There are: {', '.join(known)}.")
    return entry.model_copy(update={"world": entry.world.model_copy(update={"solver": solver})})


def _need_knob(instrument: str, knob: str, knobs: Mapping[str, Any]) -> None:
    if knob not in knobs:
        raise UsageError(f"{instrument} has no knob {knob!r}.", f"There are: {', '.join(knobs)}.")


def _number(value: float | str, unit: str) -> float:
    return parse_quantity(value, unit) if isinstance(value, str) else float(value)
