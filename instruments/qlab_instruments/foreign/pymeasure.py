"""Any PyMeasure driver: `driver = "pymeasure:srs.SR830"` in a bench file."""

import inspect
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Unpack

from qlab_instruments.foreign.found import Found, of_values, overlay
from qlab_instruments.foreign.instrument import ForeignInstrument, Options, built, class_at, reach

_SKIP = {"id", "complete", "status", "options", "next_error", "error"}
_UNITS = {
    "Hertz": "Hz",
    "Volts": "V",
    "Amps": "A",
    "Watts": "W",
    "Kelvin": "K",
    "seconds": "s",
    "degrees": "deg",
}
_UNIT = re.compile(
    rf"\bin (?:units of )?(Hz|kHz|MHz|GHz|V|mV|A|mA|W|mW|dBm|K|T|s|ms|Ohm|{'|'.join(_UNITS)})\b"
)


class PyMeasureInstrument(ForeignInstrument):
    """A PyMeasure driver behind our knobs."""

    library = "pymeasure"

    def _let_go(self, driver: Any) -> None:
        """Close its connection."""
        driver.adapter.close()

    def _who(self, driver: Any) -> dict[str, str]:
        """Ask for the identity where the driver knows how to."""
        fields = str(driver.id).split(",") if hasattr(type(driver), "id") else ["", driver.name]
        return dict(zip(("vendor", "model", "serial", "firmware"), (f.strip() for f in fields), strict=False))

    def _get(self, driver: Any, path: str) -> Any:
        """Read a property."""
        return reach(driver, path)

    def _put(self, driver: Any, path: str, value: Any) -> None:
        """Set a property."""
        *before, name = path.split(".")
        setattr(reach(driver, ".".join(before)) if before else driver, name, value)


def PyMeasure(
    target: str, address: str = "", dialogue: str = "", **options: Unpack[Options]
) -> ForeignInstrument:
    """Take any PyMeasure driver: `target` is its path, such as srs.SR830.

    `address` is a VISA address, `dialogue` a file with the exact messages expected instead of a device: lines
    `> sent` and `< answered`. What is not ours goes to the driver.
    """
    passed = {k: v for k, v in options.items() if k not in Options.__annotations__}

    def make(name: str) -> Any:
        del name
        kind = class_at(target, "pymeasure.instruments", "pymeasure")
        return kind(_adapter(address, dialogue), **passed)

    def learn() -> list[Found]:
        kind = class_at(target, "pymeasure.instruments", "pymeasure")
        wanted = {**overlay("pymeasure", target), **dict(options.get("knobs") or {})}
        named = {str(text.get("from", name)) for name, text in wanted.items()}
        return list(properties(kind, named | set(dict(options.get("names") or {}).values())))

    return built(PyMeasureInstrument, target, make, learn, {"address": address, **options})


def _adapter(address: str, dialogue: str) -> Any:
    if not dialogue:
        return address
    from pymeasure.adapters import ProtocolAdapter

    return ProtocolAdapter(messages(Path(dialogue)))


def messages(path: Path) -> list[tuple[str | None, str | None]]:
    """Return the pairs of a dialogue file: what is sent, and what is answered or None."""
    pairs: list[tuple[str | None, str | None]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("> "):
            pairs.append((line[2:], None))
        elif line.startswith("< ") and pairs:
            pairs[-1] = (pairs[-1][0], line[2:])
    return pairs


def properties(kind: type, named: set[str], before: str = "") -> Iterator[Found]:
    """Yield the quantities of a class and of its channels; other properties only where they are `named`."""
    for name, member in inspect.getmembers(kind):
        if isinstance(member, property) and name not in _SKIP and not name.startswith("_"):
            found = _found(f"{before}{name}", member, kind, name)
            if found is None and f"{before}{name}" in named:
                found = Found(
                    f"{before}{name}", settable=member.fset is not None, unit=_unit(member.__doc__ or "")
                )
            if found is not None:
                yield found
    if not before:
        for name, creator in _channels(kind):
            yield from properties(creator, named, f"{name}.")


def _channels(kind: type) -> Iterator[tuple[str, type]]:
    """Yield the attribute and the class of each channel that a class creates."""
    for name, creator in inspect.getmembers(kind, lambda m: hasattr(m, "pairs")):
        prefix = creator.kwargs.get("prefix") if hasattr(creator, "kwargs") else None
        for channel, number in creator.pairs:
            yield (f"{prefix}{number}" if prefix and len(creator.pairs) > 1 else name), channel


def _found(path: str, member: property, kind: type, name: str) -> Found | None:
    get, put = _defaults(member.fget), _defaults(member.fset)
    if "get_command" not in get and "set_command" not in put:
        return None
    readable = get.get("get_command") is not None
    settable = put.get("set_command") is not None
    # A dynamic property takes its values from attributes of the class where there are any.
    values = getattr(kind, f"{name}_values", put.get("values") if settable else get.get("values"))
    doc = " ".join((member.__doc__ or "").split()).removesuffix("(dynamic)")
    more: dict[str, Any] = {"readable": readable, "settable": settable, "doc": doc[:200]}
    check = getattr(put.get("validator"), "__name__", "")
    mapped = bool(put.get("map_values") or get.get("map_values"))
    if isinstance(values, Mapping) or mapped or check in {"strict_discrete_set", "truncated_discrete_set"}:
        found = of_values(path, list(values), **more) if values is not None and len(values) else None
        return (
            found if found is None or found.kind != "number" else Found(**{**vars(found), "unit": _unit(doc)})
        )
    if settable and check == "" and re.search(r"%\d*s", str(put.get("set_command"))):
        return None  # a text
    low, high = _range(values) if "range" in check else (-math.inf, math.inf)
    return Found(path, unit=_unit(doc), low=low, high=high, **more)


def _range(values: Any) -> tuple[float, float]:
    try:
        return float(min(values)), float(max(values))
    except (TypeError, ValueError):
        return -math.inf, math.inf


def _defaults(function: Any) -> dict[str, Any]:
    if function is None:
        return {}
    return {
        n: p.default for n, p in inspect.signature(function).parameters.items() if p.default is not p.empty
    }


def _unit(doc: str) -> str:
    found = _UNIT.search(doc)
    return _UNITS.get(found[1], found[1]) if found else "1"
