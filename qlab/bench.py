"""Benches: named instruments with their roles, limits and safe values, opened, known and made safe together."""

import contextlib
import inspect
import time
from collections.abc import Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Protocol, Self, get_args

from qlab.benchfile import BenchEntry, InstrumentEntry, WorldEntry, read_bench
from qlab.errors import UsageError
from qlab.instrument import Instrument
from qlab.mixing import join
from qlab.registry import load, plugins
from qlab.safety import make_safe
from qlab.units import parse_quantity

__all__ = ["Bench", "BenchEntry", "World", "read_bench"]


class World(Protocol):
    """The hidden truth behind a simulated bench, shared by all its instruments."""

    elapsed: float
    solver: str
    timeline: Any

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
        if self.world is not None:
            join(self.world, self.instruments, entry.roles)
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
        # "qcodes:rohde_schwarz.SGS100A": what stands behind the colon is for the driver to find.
        kind, _, target = item.driver.partition(":")
        driver: type[Instrument] = load("instruments", kind)
        options = {**item.options, **({"target": target} if target else {})}
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
        for knob, first in item.start.items():
            _need_knob(name, knob, knobs)
            named = isinstance(first, bool) or bool(knobs[knob].labels)
            instrument.start_values[knob] = first if named else _number(first, knobs[knob].unit)
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
            for instrument in opened:
                for knob, value in instrument.start_values.items():
                    instrument.set_knob(instrument.knobs()[knob], value)
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

    def calibrations(self, used: Collection[str]) -> tuple[dict[str, Any], ...]:
        """Return the calibrations that a run relies on which uses these instruments, each with whether it is `expired`.

        Those about one of the instruments, and those about the bench as a whole.
        """
        today = date.today().isoformat()
        return tuple(
            {**item.model_dump(exclude_defaults=True), "expired": bool(item.valid_until) and item.valid_until < today}
            for item in self.entry.calibrations
            if not item.knob or item.knob.partition(".")[0] in used
        )  # fmt: skip

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
        there = f"There are: {', '.join(knobs)}." if knobs else "It has none."
        raise UsageError(f"{instrument} has no knob {knob!r}.", there)


def _number(value: float | str, unit: str) -> float:
    return parse_quantity(value, unit) if isinstance(value, str) else float(value)
