"""Trying instruments out before a bench has them: which drivers there are, who answers where, who this one is."""

import contextlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from qlab.bench import Bench
from qlab.benchfile import BenchEntry, parsed
from qlab.errors import QlabError
from qlab.holding import Holding
from qlab.instrument import Instrument
from qlab.registry import load, plugins
from qlab.roles import lacks, misread
from qlab.safety import make_safe

_GIVEN = {"self", "world"}


@dataclass(frozen=True)
class Option:
    """What a driver is made with: `default` as text, empty where it must be given."""

    name: str
    default: str = ""
    needed: bool = False


@dataclass(frozen=True)
class KnobCard:
    """A knob as a bench file can narrow it; limits in its unit."""

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True)
class DriverCard:
    """A driver as a chooser shows it; a broken one has only its `problem`."""

    name: str
    distribution: str
    about: str = ""
    simulated: bool = False
    options: tuple[Option, ...] = ()
    knobs: tuple[KnobCard, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Answer:
    """What an instrument said of itself; `roles` are those it can take."""

    name: str
    good: bool
    words: str
    hint: str = ""
    roles: tuple[str, ...] = ()
    knobs: tuple[KnobCard, ...] = ()


def drivers() -> list[DriverCard]:
    """Return every driver that is installed; a broken plug-in is a card with its reason."""
    return [_card(name, plugin.distribution) for name, plugin in plugins("instruments").items()]


def _card(name: str, distribution: str) -> DriverCard:
    try:
        kind = load("instruments", name)
        return DriverCard(
            name, distribution, (inspect.getdoc(kind) or "").partition("\n")[0], name.startswith("sim."),
            tuple(_options(kind)), _knobs(kind if isinstance(kind, type) else None),
        )  # fmt: skip
    except QlabError as error:
        return DriverCard(name, distribution, problem=error.message)
    except Exception as error:  # noqa: BLE001 - a stranger's driver may raise anything
        return DriverCard(name, distribution, problem=f"{type(error).__name__}: {error}")


def _knobs(kind: Any) -> tuple[KnobCard, ...]:
    """Return what can be narrowed of an instrument, or of a class of them; limits are the device's own."""
    if not (isinstance(kind, Instrument) or (isinstance(kind, type) and issubclass(kind, Instrument))):
        return ()
    own: Mapping[str, tuple[float, float]] = getattr(kind, "model_limits", {})
    return tuple(
        KnobCard(name, knob.unit, *own.get(name, knob.limits))
        for name, knob in kind.knobs().items()
        if knob.settable and knob.kind is float
    )


def _options(kind: Any) -> list[Option]:
    """Return what a driver is made with; `**options` are those of the class above it, or of its `TypedDict`."""
    makers = (
        [vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base)]
        if isinstance(kind, type)
        else [kind]
    )
    found: dict[str, Option] = {}
    for maker in makers:
        more = None
        for name, parameter in inspect.signature(maker).parameters.items():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                more = parameter
            elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL and name not in _GIVEN:
                needed = parameter.default is inspect.Parameter.empty
                default = "" if needed or parameter.default is None else str(parameter.default)
                found.setdefault(name, Option(name, default, needed))
        if more is None:
            break
        for told in get_args(more.annotation):
            for name in getattr(told, "__annotations__", {}):
                found.setdefault(name, Option(name))
    return sorted(found.values(), key=lambda option: option.name != "address")


def addresses() -> list[tuple[str, str]]:
    """Return (address, what it says of itself) of the instruments that the installed finders find."""
    found: list[tuple[str, str]] = []
    for finder in plugins("finders").values():
        with contextlib.suppress(QlabError):
            found += list(finder.load()((), library="", scan=True))
    return found


def roles() -> dict[str, type]:
    """Return the roles that installed experiments ask for, with their protocols."""
    found: dict[str, type] = {}
    for plugin in plugins("experiments").values():
        with contextlib.suppress(Exception):
            found |= plugin.load().roles()
    return dict(sorted(found.items()))


def try_out(data: Mapping[str, Any], name: str) -> Answer:
    """Open one instrument of a bench, ask who it is, make it safe and let go of it; nobody else's is touched."""
    try:
        entry = parsed({**_only(data, name), "name": "trial"}, "as it stands")
        bench = Bench(entry, None, {}, "trial")
        instrument = bench.instruments[name]
        holding = Holding.of(bench, "the bench editor")
    except QlabError as error:
        return Answer(name, False, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - as above
        return Answer(name, False, f"{type(error).__name__}: {error}")
    try:
        return _asked(name, instrument)
    finally:
        holding.release()


def _asked(name: str, instrument: Instrument) -> Answer:
    try:
        instrument.open()
        instrument.state = "open"
        identity = instrument.identity()
        knobs = _knobs(instrument)
        fits = tuple(r for r, p in roles().items() if not (lacks(instrument, p) or misread(instrument, p)))
    except QlabError as error:
        return Answer(name, False, error.message, error.hint)
    except Exception as error:  # noqa: BLE001 - as above
        return Answer(name, False, f"{type(error).__name__}: {error}", "See the manual of its driver.")
    finally:
        report = make_safe([instrument], close=True) if instrument.state == "open" else {}
    unsafe = [what for what in report.values() if what != "safe"]
    if unsafe:
        return Answer(
            name, False, f"It answered, but it was not made safe: {unsafe[0]}.", "Look at the device.", fits,
            knobs,
        )  # fmt: skip
    said = ", ".join(
        str(identity[key]) for key in ("vendor", "model", "serial", "firmware") if identity.get(key)
    )
    return Answer(name, True, said or "answers", "", fits, knobs)


def _only(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a bench with one instrument of it and its world."""
    kept = {key: data[key] for key in ("world",) if data.get(key)}
    return {**kept, "instruments": {name: data["instruments"][name]}}


def entry_of(data: Mapping[str, Any]) -> BenchEntry:
    """Return a bench that is being edited, checked as its file would be; raise UsageError with the place."""
    return parsed({"name": "bench", **data}, "as it stands")
