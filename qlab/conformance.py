"""Conformance: what every instrument, and every instrument in a role, must do; any driver can be put through it."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from qlab import roles
from qlab.errors import LimitError, QlabError, UsageError
from qlab.instrument import Instrument, Quantity
from qlab.pulses import Acquire, Align, Gate, Program, Timeline, compile_program
from qlab.units import format_quantity, parse_quantity

ROLES: dict[str, type] = {
    "player": roles.PulsePlayer,
    "microwave": roles.MicrowaveSource,
    "counter": roles.PhotonCounter,
    "laser": roles.Laser,
    "coil": roles.FieldCoil,
    "digitizer": roles.IQDigitizer,
    "camera": roles.Camera,
    "oscillator": roles.LocalOscillator,
    "comparator": roles.FrequencyComparator,
    "voltage_source": roles.VoltageSource,
    "voltmeter": roles.Voltmeter,
    "lock_in": roles.LockIn,
    "phase_shifter": roles.PhaseShifter,
    "reference": roles.FrequencyReference,
}
COARSE = 2e-3  # relative rounding that a device may do without saying so
READS = 20  # of each of two threads


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it holds, and what was seen."""

    name: str
    ok: bool
    seen: str


class FaultError(QlabError):
    """What a driver does that it must not do."""


def protocol_of(role: str) -> type:
    """Return what a role asks for; `microwave_2` is a second microwave."""
    stem = role.rstrip("0123456789").rstrip("_") if role not in ROLES else role
    if stem not in ROLES:
        raise UsageError(f"There is no role {role!r}.", f"There are: {', '.join(ROLES)}.")
    return ROLES[stem]


def fitting(instrument: Instrument) -> list[str]:
    """Return the roles that an instrument can hold."""
    return [
        name for name, p in ROLES.items() if not (roles.lacks(instrument, p) or roles.misread(instrument, p))
    ]


def conform(
    instrument: Instrument, held: tuple[str, ...] | None = None, *, move: bool = False
) -> Iterator[Check]:
    """Put an instrument through everything it must do, and through its roles; yield what was seen, one by one.

    `held` are the roles to look at; None for all that fit. Without `move` no knob is moved but by make_safe: that is
    for simulated devices, and for real ones that nothing is connected to. The instrument is closed in the end.
    """
    opened = _look("opens", lambda: _opens(instrument))
    yield opened
    if not opened.ok:
        return
    try:
        for name, check in _GENERAL.items():
            yield _look(name, partial(check, instrument))
        if move:
            yield _look("sets what it reads back", lambda: _sets(instrument))
        for role in fitting(instrument) if held is None else held:
            yield from _role(instrument, role)
        yield _look("is made safe", lambda: _safe(instrument))
        yield _look("opens again as the same", lambda: _again(instrument))
    finally:
        instrument.close()
        instrument.state = "closed"


def _look(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except QlabError as error:
        return Check(name, False, str(error))
    except Exception as error:  # noqa: BLE001 - a stranger's driver may raise anything, which is a fault too
        return Check(name, False, f"{type(error).__name__}: {error}")


def _opens(instrument: Instrument) -> str:
    instrument.open()
    instrument.state = "open"
    return instrument.address or "no address"


def _identity(instrument: Instrument) -> str:
    who = instrument.identity()
    if not who.get("model"):
        raise FaultError(
            "It does not say which model it is.", "Return vendor, model, serial, firmware from identity()."
        )
    return " ".join(value for value in who.values() if value)


def _reads(instrument: Instrument) -> str:
    readable = [knob for knob in instrument.knobs().values() if knob.readable]
    for knob in readable:
        value = instrument.read_knob(knob)
        if type(value) is not knob.kind and not (knob.kind is float and type(value) is int):
            raise FaultError(f"{knob.name} reads {value!r}, which is no {knob.kind.__name__}.", "")
        low, high = knob.limits
        if knob.settable and not (math.isfinite(value) and low - 1e-9 <= value <= high + 1e-9 * abs(high)):
            raise FaultError(
                f"{knob.name} reads {_shown(knob, value)}, outside its own limits.", "Widen the limits."
            )
    return f"{len(readable)} knobs"


def _units(instrument: Instrument) -> str:
    for knob in instrument.knobs().values():
        if knob.kind is float and knob.unit not in {"1", "dBm", "dB", "degC", "1/s"}:
            parse_quantity(f"1 {knob.unit}", knob.unit)
    return ", ".join(sorted({k.unit for k in instrument.knobs().values()}))


def _refuses(instrument: Instrument) -> str:
    tried = 0
    for name, knob in instrument.knobs().items():
        if knob.kind is not float or not knob.settable:
            continue
        low, high = instrument.span(name)
        for wrong in (low - max(1.0, abs(low)), high + max(1.0, abs(high)), math.nan):
            if math.isinf(wrong):
                continue
            tried += 1
            try:
                instrument.set_knob(knob, wrong)
            except LimitError:
                continue
            raise FaultError(f"{name} took {wrong}, outside {_shown(knob, low)} to {_shown(knob, high)}.", "")
    return f"{tried} values outside refused"


def _one_at_a_time(instrument: Instrument) -> str:
    knobs = [k for k in instrument.knobs().values() if k.readable and k.settable][:2]
    if len(knobs) < 2:
        return "too few knobs to tell"
    stands = {knob.name: instrument.read_knob(knob) for knob in knobs}
    wrong: list[str] = []

    def read(knob: Quantity[Any]) -> None:
        for _ in range(READS):
            value = instrument.read_knob(knob)
            if value != stands[knob.name]:
                wrong.append(f"{knob.name} read {value} instead of {stands[knob.name]}")

    threads = [threading.Thread(target=read, args=(knob,), name="qlab conformance") for knob in knobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise FaultError(
            f"Two threads got each other's answers: {wrong[0]}.", "Answers must stay under the lock."
        )
    return f"{2 * READS} reads from two threads"


def _sets(instrument: Instrument) -> str:
    moved = 0
    for name, knob in instrument.knobs().items():
        if not (knob.settable and knob.readable):
            continue
        before = instrument.read_knob(knob)
        for wanted in _probes(instrument, knob, before):
            instrument.set_knob(knob, wanted)
            told = instrument.read_knob(knob)
            allowed = max(knob.tolerance or 0.0, COARSE * abs(wanted), 1e-12)
            if not abs(told - wanted) <= allowed:
                raise FaultError(
                    f"{name} was set to {_shown(knob, wanted)} and reads {_shown(knob, told)}.", ""
                )
            moved += 1
        instrument.set_knob(knob, before)
    return f"{moved} values set and read back"


def _probes(instrument: Instrument, knob: Quantity[Any], now: float) -> list[float]:
    if knob.kind is bool:
        return [not now]
    if knob.choices:
        return [c for c in (knob.choices[0], knob.choices[-1]) if c != now]
    low, high = instrument.span(knob.name)
    if not (math.isfinite(low) and math.isfinite(high)):
        return []
    return [low + 0.3 * (high - low), low + 0.6 * (high - low)]


def _safe(instrument: Instrument) -> str:
    instrument.make_safe()
    safe = {n: instrument.safe_values.get(n, k.safe) for n, k in instrument.knobs().items()}
    for name, value in safe.items():
        knob = instrument.knobs()[name]
        if value is None or not knob.readable:
            continue
        told = instrument.read_knob(knob)
        if abs(float(told) - float(value)) > max(knob.tolerance or 0.0, COARSE * abs(float(value)), 1e-9):
            raise FaultError(
                f"{name} reads {_shown(knob, told)} after make_safe instead of {_shown(knob, value)}.", ""
            )
    return (
        ", ".join(f"{name} {value}" for name, value in safe.items() if value is not None) or "nothing to do"
    )


def _again(instrument: Instrument) -> str:
    who = instrument.identity()
    instrument.close()
    instrument.open()
    again = instrument.identity()
    if again != who:
        raise FaultError(f"It was {who} and says it is {again}.", "")
    return "same identity"


_GENERAL: Mapping[str, Callable[[Instrument], str]] = {
    "says who it is": _identity,
    "reads every knob": _reads,
    "has units that are known": _units,
    "refuses what is outside its limits": _refuses,
    "answers one at a time": _one_at_a_time,
}


def _role(instrument: Instrument, role: str) -> Iterator[Check]:
    stem = next(name for name, protocol in ROLES.items() if protocol is protocol_of(role))
    yield _look(f"{role}: has what the role asks for", lambda: _has_all(instrument, role))
    if roles.lacks(instrument, protocol_of(role)):
        return
    yield _look(f"{role}: units", lambda: _role_units(instrument, stem))
    for name, check in _SPECIAL.get(stem, {}).items():
        yield _look(f"{role}: {name}", partial(check, instrument))


def _has_all(instrument: Instrument, role: str) -> str:
    missing = roles.lacks(instrument, protocol_of(role))
    if missing:
        raise FaultError(
            f"A {protocol_of(role).__name__} needs {', '.join(missing)}.",
            f"It has {', '.join(instrument.knobs()) or 'no knobs'}; `names` in its options maps one to the other.",
        )
    return protocol_of(role).__name__


def _role_units(instrument: Instrument, role: str) -> str:
    wrong = roles.misread(instrument, protocol_of(role))
    if wrong:
        raise FaultError(f"{'; '.join(wrong)}.", "Use scale, or an overlay.")
    return ", ".join(f"{n} in {u}" for n, u in roles.UNITS.get(protocol_of(role), {}).items()) or "none"


def _switches_off(instrument: Instrument) -> str:
    switch = instrument.knobs().get("on")
    if switch is None or switch.kind is not bool:
        raise FaultError("`on` is no switch.", "Declare it with Switch.")
    if instrument.safe_values.get("on", switch.safe) is not False:
        raise FaultError("make_safe does not switch it off.", "Give `on` the safe value false.")
    return "off when safe"


def _plays(instrument: Any) -> str:
    channel = _channel(instrument)
    instrument.load(_gate(channel, 2e-6))
    instrument.start()
    instrument.stop()
    instrument.stop()
    return f"a gate of 2 µs on {channel}, twice"


def _refuses_sequences(instrument: Any) -> str:
    """What cannot be played is refused when it is loaded, and what was loaded before can still be played."""
    if not isinstance(instrument, roles.RoundingPlayer):
        return "it plays whatever it is given"
    channel = _channel(instrument)
    instrument.load(_gate(channel, 2e-6))
    wrong = {"a gate of 1 ps": (channel, 1e-12), "a channel that it does not have": ("no such channel", 2e-6)}
    for what, (name, seconds) in wrong.items():
        try:
            instrument.load(_gate(name, seconds))
        except UsageError:
            continue
        raise FaultError(f"It took {what}.", "Let `load` raise UsageError for what the device cannot play.")
    instrument.start()
    instrument.stop()
    return f"{', '.join(wrong)}: refused, and what was loaded before still played"


def _tells_rounding(instrument: Any) -> str:
    """An edge between two ticks of the device is moved, and both the report and the timeline say so."""
    if not isinstance(instrument, roles.RoundingPlayer):
        return "nothing is rounded"
    channel, told = _channel(instrument), []
    for seconds in (2e-6, 2.000333e-6):
        instrument.load(_gate(channel, seconds))
        told.append(str(instrument.report()))
    if told[0] == told[1]:
        raise FaultError(
            f"Of a gate of 2.000333 µs it says no more than of one of 2 µs: {told[1]!r}.",
            "Let `report` say by how much edges were moved.",
        )
    gate = instrument.played().events[0]
    if abs(int(gate.duration[0]) - 2_000_333) >= 2_000_333 // 2:
        raise FaultError(
            f"A gate of 2.000333 µs is played for {gate.duration[0] / 1e6:g} µs, it says.",
            "Let `played` return the timeline with its edges where the device has them.",
        )
    return told[1]


def _channel(instrument: Any) -> str:
    found = [c for c in getattr(instrument, "channels", {}) if "@" not in c and c != "counter"]
    return found[0] if found else "laser"


def _gate(channel: str, seconds: float) -> Timeline:
    body = Gate(channel, seconds) + Align() + Acquire("counter", 1e-6, "counts")
    return compile_program(Program(body, shots=2))


def _counts(instrument: Any) -> str:
    if isinstance(instrument, roles.GatedCounter):
        instrument.expect(2)
    instrument.arm(["counts"], 1)
    seen = instrument.read(0.5)
    for key, values in seen.items():
        if len(values) > 1 or (len(values) and float(values[0]) < 0):
            raise FaultError(f"{key} is {values!r} after one point was armed.", "")
    return f"{len(seen.get('counts', ()))} points"


_SPECIAL: Mapping[str, Mapping[str, Callable[[Any], str]]] = {
    "microwave": {"does its work": _switches_off},
    "laser": {"does its work": _switches_off},
    "player": {
        "does its work": _plays,
        "refuses what it cannot play": _refuses_sequences,
        "tells what it rounds": _tells_rounding,
    },
    "counter": {"does its work": _counts},
}


def _shown(knob: Quantity[Any], value: float | bool) -> str:
    return str(value) if knob.kind is bool else format_quantity(float(value), knob.unit)
