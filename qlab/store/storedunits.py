"""Units as they stand in a file: what UCUM and UDUNITS both read, and no half powers."""

import re

_SPELLINGS = {
    "": "1", "µ": "u", "μ": "u", "Ω": "Ohm", "²": "2", "³": "3", "·": ".", "*": ".", "⁻¹": "-1", "⁻": "-",
    "¹": "1", "^": "",
}  # fmt: skip
_PLAIN = {
    "counts": "1",
    "count": "1",
    "photons": "1",
    "cps": "Hz",
    "kcps": "kHz",
    "deg": "rad",
    "°": "rad",
    "dB": "1",
}
_TOKEN = re.compile(r"([A-Za-z%]*)(-?\d*)")
QUDT = {
    "s": "SEC", "Hz": "HZ", "T": "T", "V": "V", "A": "A", "W": "W", "K": "K", "rad": "RAD", "m": "M",
    "Pa": "PA", "eV": "EV", "Ohm": "OHM", "1": "UNITLESS", "%": "PERCENT",
    "us": "MicroSEC", "ns": "NanoSEC", "ms": "MilliSEC", "kHz": "KiloHZ", "MHz": "MegaHZ", "GHz": "GigaHZ",
    "nT": "NanoT", "mT": "MilliT", "mV": "MilliV",
}  # fmt: skip


def stored_unit(unit: str) -> str:
    """Return a unit in the spelling of the file: `"µs"` is `"us"`, `""` is `"1"`, `"m/s²"` is `"m/s2"`."""
    for typed, stored in _SPELLINGS.items():
        if typed:
            unit = unit.replace(typed, stored)
    unit = unit.strip().replace(" ", ".")
    return _PLAIN.get(unit, unit) or "1"


def named(long_name: str, unit: str) -> str:
    """Return a long name that says what the stored unit cannot: UDUNITS has no decibel, so dB is stored as 1."""
    return f"{long_name} in dB" if unit == "dB" else long_name


def has_root(unit: str) -> bool:
    """Tell whether a unit has a half power (`T/√Hz`), which no file may carry."""
    return "√" in unit or bool(re.search(r"\^?\*{0,2}\(?-?(0\.5|1/2)\)?", unit))


def squared_unit(unit: str) -> str:
    """Return the unit of the square of a quantity: `"T/√Hz"` becomes `"T2/Hz"`."""
    unit = re.sub(r"([A-Za-z%]+)(\^|\*\*)\(?(0\.5|1/2)\)?", r"√\1", unit)
    over = False
    up: list[str] = []
    down: list[str] = []
    for piece in re.split(r"(/|·|\*|\.| )", unit):
        if piece == "/":
            over = True
        elif piece.strip() and piece not in {"·", "*", "."}:
            (down if over else up).append(_squared(piece))
            over = False
    top = ".".join(power for power in up if power != "1") or "1"
    bottom = [power for power in down if power != "1"]
    return "/".join([top, *bottom]) if top != "1" or bottom else "1"


def _squared(piece: str) -> str:
    rooted = piece.startswith("√")
    match = _TOKEN.fullmatch(stored_unit(piece.strip("√() ")))
    if match is None or not match[1]:
        return "1"
    power = int(match[2] or 1) * (1 if rooted else 2)
    return match[1] if power == 1 else f"{match[1]}{power}"


def qudt_uri(unit: str) -> str:
    """Return the QUDT identifier of a stored unit, or an empty text where none is known."""
    return f"http://qudt.org/vocab/unit/{QUDT[unit]}" if unit in QUDT else ""
