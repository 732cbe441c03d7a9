"""What is found out about a quantity of somebody else's driver, and the knob that it becomes."""

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from qlab.errors import UsageError
from qlab.instrument import Choice, Knob, Quantity, Switch
from qlab.units import PREFIXES, parse_quantity

OVERLAYS = Path(__file__).parent / "overlays"
_KEYS = {
    "from", "unit", "limits", "safe", "settle", "ramp", "rate", "tolerance", "scale", "doc", "hidden", "off", "on",
    "kind", "calls",
}  # fmt: skip
_PREFIXED = (
    "Hz",
    "Ohm",
    "s",
    "V",
    "A",
    "W",
    "T",
    "m",
    "K",
    "rad",
)  # units that a driver may tell with a prefix
ON, OFF = {"on", "true", "1", "enable", "enabled"}, {"off", "false", "0", "disable", "disabled"}


@dataclass(frozen=True)
class Found:
    """A quantity of a driver: where it is, what it may be, and who said so. `raws` are the values it takes as such."""

    path: str
    kind: Literal["number", "switch", "choice"] = "number"
    unit: str = "1"
    low: float = -math.inf
    high: float = math.inf
    raws: tuple[Any, ...] = ()
    readable: bool = True
    settable: bool = True
    ramp: tuple[float, float] | None = None
    doc: str = ""
    origin: str = "driver"

    @property
    def name(self) -> str:
        """The knob's name: the path joined by underscores."""
        return self.path.replace(".", "_")

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON data."""
        plain = asdict(self)
        return {k: v for k, v in plain.items() if v != getattr(Found(""), k, None) or k == "path"}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Found":
        """Return what `to_dict` wrote."""
        ramp = data.get("ramp")
        return cls(**{**data, "raws": tuple(data.get("raws", ())), "ramp": tuple(ramp) if ramp else None})


def of_values(path: str, values: Sequence[Any], **more: Any) -> Found | None:
    """Return what a list of allowed values says: a switch, a choice by name, or numbers; None for anything else."""
    # Drivers that take "on", "ON" and "On" mean one thing.
    values = list(
        {str(v).casefold() if isinstance(v, str) else v: v for v in reversed(list(values))}.values()
    )[::-1]
    if pair := _switch(values):
        return Found(path, "switch", raws=pair, **more)
    if values and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return Found(path, raws=tuple(values), low=float(min(values)), high=float(max(values)), **more)
    if values and all(isinstance(v, str | int | float) for v in values):
        return Found(path, "choice", raws=tuple(values), **more)
    return None


def _switch(values: Sequence[Any]) -> tuple[Any, Any] | None:
    off = [v for v in values if str(v).lower() in OFF]
    on = [v for v in values if str(v).lower() in ON]
    return (off[0], on[0]) if off and on and len(off) + len(on) == len(values) else None


def unit_of(told: str) -> str:
    """Return the unit that a driver tells where qlab knows it, else "1": what is no unit is no reason to refuse."""
    text = told.strip()
    if text in {"", "1", "dBm", "dB", "%"}:
        return text or "1"
    try:
        parse_quantity(f"1 {text}", text)
    except UsageError:
        return "1"
    return text


def _without_prefix(unit: str) -> str:
    """Return the unit that is left of one with a prefix: knobs are in SI units, so that they fit roles."""
    for bare in _PREFIXED:
        if unit != bare and unit.endswith(bare) and unit.removesuffix(bare) in PREFIXES:
            return bare
    return unit


def overlay(library: str, target: str) -> dict[str, Any]:
    """Return the overlay of ours for a driver, {} where there is none."""
    path = OVERLAYS / library / f"{target}.toml"
    return read_overlay(path) if path.exists() else {}


def read_overlay(path: Path) -> dict[str, Any]:
    """Return the knobs of an overlay file; raise UsageError where it cannot be read."""
    try:
        return dict(tomllib.loads(path.read_text(encoding="utf-8")).get("knobs", {}))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"The overlay {path.name} cannot be read: {error}.", "Check its path and its TOML."
        ) from None


def knobs_of(
    found: Iterable[Found], over: Mapping[str, Mapping[str, Any]], *, only: bool = False
) -> dict[str, Quantity[Any]]:
    """Return the knobs of a driver with what an overlay adds; raise UsageError for one that names nothing.

    With `only`, just the knobs that the overlay names.
    """
    known = {f.name: f for f in found}
    taken: dict[str, tuple[Found, Mapping[str, Any]]] = (
        {} if only else {name: (f, {}) for name, f in known.items()}
    )
    for name, text in over.items():
        unknown = set(text) - _KEYS
        source = str(text.get("from", name)).replace(".", "_")
        if unknown:
            raise UsageError(
                f"The overlay of {name!r} has {', '.join(sorted(unknown))}.", f"Known: {sorted(_KEYS)}."
            )
        if source not in known:
            raise UsageError(
                f"The driver has no {text.get('from', name)!r} for the knob {name!r}.",
                f"It has: {', '.join(sorted(known))}.",
            )
        taken.pop(source if text.get("hidden") or name != source else "", None)
        if not text.get("hidden"):
            taken[name] = (known[source], text)
    return {name: _knob(f, text) for name, (f, text) in taken.items()}


def _knob(found: Found, text: Mapping[str, Any]) -> Quantity[Any]:
    if "on" in text or text.get("kind") == "switch":
        raws = (
            text.get("off", found.raws[0] if found.raws else False),
            text.get("on", (*found.raws, True, True)[1]),
        )
        found = replace(found, kind="switch", raws=raws)
    if calls := text.get("calls"):
        # Drivers that switch by calling disable() and enable().
        found = replace(found, kind="switch", raws=(False, True), settable=True)
    unit = str(text.get("unit", _without_prefix(found.unit)))
    # A driver that speaks in GHz is told GHz; what it left open, or a `scale` that says otherwise, is not converted.
    factor = 1.0 if found.unit == "1" or "scale" in text else parse_quantity(f"1 {found.unit}", unit)
    limits = tuple(_number(v, unit) for v in text.get("limits", (found.low * factor, found.high * factor)))
    told_ramp = (found.ramp[0] * factor, found.ramp[1]) if found.ramp else None
    ramp = text.get("ramp", told_ramp)
    common: dict[str, Any] = {
        "get": found.path,
        "set": "|".join(calls) if calls else found.path,
        "readable": found.readable,
        "settable": found.settable,
        "settle": _number(text.get("settle", 0.0), "s"),
        "doc": str(text.get("doc", found.doc)),
    }
    if found.kind == "switch":
        made: Quantity[Any] = Switch(safe=text.get("safe"), **common)
    elif found.kind == "choice":
        made = Choice({str(raw): str(raw) for raw in found.raws}, **common)
        made.safe = None if "safe" not in text else made.number(text["safe"])
    else:
        made = Knob(
            unit,
            limits=(limits[0], limits[1]),
            choices=[float(raw) * factor for raw in found.raws],
            ramp=(float(ramp[0]), float(ramp[1])) if ramp else None,
            rate=_number(text["rate"], unit) if "rate" in text else None,
            tolerance=_number(text["tolerance"], unit) if "tolerance" in text else None,
            safe=_number(text["safe"], unit) if "safe" in text else None,
            scale=float(text.get("scale", factor)),
            **common,
        )
    made.raws = found.raws  # type: ignore[attr-defined]
    return made


def _number(value: Any, unit: str) -> float:
    return parse_quantity(value, unit) if isinstance(value, str) else float(value)
