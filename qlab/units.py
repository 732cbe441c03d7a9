"""Units: the marker on a parameter, quantities typed by people, and numbers shown to people."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from qlab.errors import UsageError

PREFIXES = {
    "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3,
    "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
}  # fmt: skip
_SHOWN_PREFIXES = {-15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_UNPREFIXED = {"", "1", "%", "dBm", "dB", "*", "1/s"}
# Written by people every day, and read by pint as something else (G is its gravitational constant).
_EVERYDAY = {
    ("G", "T"): 1e-4,
    ("mG", "T"): 1e-7,
    ("kG", "T"): 1e-1,
    ("Gauss", "T"): 1e-4,
    ("gauss", "T"): 1e-4,
}
_QUANTITY = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")
_MEASURED = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+))(?:\((\d+)\))?((?:[eE][-+]?\d+)?)\s*(.*?)\s*$")
_DIMENSIONS = {
    "s": "a time", "Hz": "a frequency", "T": "a magnetic field", "V": "a voltage", "A": "a current",
    "W": "a power", "K": "a temperature", "rad": "an angle", "m": "a length", "1": "a plain number",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """Marks a float with its SI unit: `Annotated[float, Unit("s")]`.

    The field then also takes text such as `"4 us"` or `"2.87 GHz"` and keeps the value in the unit itself.
    """

    name: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def from_text(value: Any) -> Any:
            if not isinstance(value, str):
                return value
            try:
                return parse_quantity(value, self.name)
            except UsageError as error:
                raise PydanticCustomError("quantity", "{text}", {"text": str(error)}) from None

        return core_schema.no_info_before_validator_function(from_text, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "unit": self.name}


Hertz = Annotated[float, Unit("Hz")]
Seconds = Annotated[float, Unit("s"), Ge(0)]
Tesla = Annotated[float, Unit("T")]
Watts = Annotated[float, Unit("W"), Ge(0)]
Radians = Annotated[float, Unit("rad")]


def parse_quantity(text: str, unit: str) -> float:
    """Return what a person typed, in `unit`. A bare number is taken to be in `unit` already.

    Raises UsageError where the text is no quantity or has another dimension ("4 MHz" for a time).
    """
    match = _QUANTITY.match(text)
    if match is None:
        raise UsageError(f"{text!r} is not a number with a unit.", _example(unit))
    number, typed = float(match[1]), match[2]
    if not math.isfinite(number):
        raise UsageError(f"{text!r} is too large a number.", _example(unit))
    if unit == "*":
        # Any unit at all: the quantity in the SI unit that was typed ("2.87 GHz" is 2.87e9).
        unit = next((u for u in sorted(_DIMENSIONS, key=len, reverse=True) if typed.endswith(u)), "1")
    return number if not typed else _convert(number, typed, unit)


def parse_measured(text: str) -> tuple[float, float | None, str]:
    """Return (value, error, unit) of a quantity in whatever unit, as `format_measured` shows it: "50.1(2) ns".

    Value and error are in the SI unit that was typed; any other unit is kept as it is ("MHz/mW", "dBm"). The error is
    None where none was typed. Raises UsageError where it is no quantity.
    """
    match = _MEASURED.match(text)
    if match is None or "(" in match[4]:
        raise UsageError(
            f"{text!r} is not a number with a unit.", "Type for example '50.1(2) ns' or '1.3 mT'."
        )
    digits, last, power, typed = match[1], match[2], match[3], match[4]
    unit = _si_of(typed)
    value = float(digits + power)
    if not math.isfinite(value):
        raise UsageError(f"{text!r} is too large a number.", "Type for example '50.1(2) ns'.")
    value = _convert(value, typed, unit) if typed else value
    if last is None:
        return value, None, unit
    error = float(f"{last}e{int(power[1:] or 0) - len(digits.partition('.')[2])}")
    return value, _convert(error, typed, unit) if typed else error, unit


def _si_of(typed: str) -> str:
    """Return the SI unit of one with a prefix; any other as it is."""
    for everyday, unit in _EVERYDAY:
        if typed == everyday:
            return unit
    for unit in sorted(_DIMENSIONS, key=len, reverse=True):
        if typed.endswith(unit) and typed.removesuffix(unit) in PREFIXES:
            return unit
    return typed or "1"


def _convert(number: float, typed: str, unit: str) -> float:
    if typed == unit:
        return number
    if unit not in _UNPREFIXED and typed.endswith(unit) and typed[: -len(unit)] in PREFIXES:
        # Divide by the exact power of ten where there is one, so that "4 us" is 4e-6 to the last bit.
        scale = PREFIXES[typed[: -len(unit)]]
        return number * scale if scale >= 1 else number / round(1 / scale)
    return number * _pint_factor(typed, unit)


@lru_cache(maxsize=256)
def _pint_factor(typed: str, unit: str) -> float:
    if (typed, unit) in _EVERYDAY:
        return _EVERYDAY[typed, unit]
    import pint

    registry = _pint_registry()
    try:
        return float(registry.Quantity(1.0, typed).to(unit if unit != "1" else "").magnitude)
    except pint.DimensionalityError:
        wanted = _DIMENSIONS.get(unit, f"a quantity in {unit}")
        raise UsageError(f"{typed!r} is not a unit of {wanted.split(' ', 1)[1]}.", _example(unit)) from None
    except (pint.UndefinedUnitError, pint.OffsetUnitCalculusError, AttributeError, ValueError, TypeError):
        raise UsageError(f"{typed!r} is not a unit that qlab knows.", _example(unit)) from None
    except Exception as error:  # noqa: BLE001 - pint's tokenizer raises many kinds on text that is no unit
        raise UsageError(f"{typed!r} cannot be read as a unit ({error}).", _example(unit)) from None


@lru_cache(maxsize=1)
def _pint_registry() -> Any:
    import pint

    return pint.UnitRegistry()


def _example(unit: str) -> str:
    examples = {
        "s": "4 us",
        "Hz": "2.87 GHz",
        "T": "2 mT",
        "rad": "1.57 rad",
        "W": "1 mW",
        "V": "10 mV",
        "1": "2.5",
    }
    return f"Type {_DIMENSIONS.get(unit, 'a quantity in ' + unit)}, for example {examples.get(unit, '1 ' + unit)!r}."


def si_prefix(magnitude: float, unit: str) -> tuple[float, str]:
    """Return (scale, prefixed unit) that show `magnitude` between 1 and 1000, e.g. (1e-6, "µs")."""
    if _bare(unit) or magnitude == 0 or not math.isfinite(magnitude):
        return 1.0, "" if unit in {"1", "*"} else unit
    exponent = 3 * math.floor((math.log10(abs(magnitude)) + 1e-12) / 3)
    exponent = min(max(exponent, -15), 12)
    return 10.0**exponent, _SHOWN_PREFIXES[exponent] + unit


def _bare(unit: str) -> bool:
    """Return whether a unit takes no prefix: plain numbers, decibels, and what is 1 over something."""
    return unit in _UNPREFIXED or unit.startswith("1/")


def format_quantity(value: float, unit: str, digits: int = 6, *, like: float | None = None) -> str:
    """Show a set value with a prefix: `format_quantity(4e-6, "s")` is `"4 µs"`.

    With `like` it takes the prefix of that number, so that two values can be read side by side.
    """
    scale, shown = si_prefix(value if like is None else like, unit)
    return f"{value / scale:.{digits}g} {shown}".rstrip()


def format_measured(value: float, error: float | None, unit: str = "1") -> str:
    """Show a measured value with its error in the last digits: `"3.02(5) µs"`.

    Two digits of the error are kept where its first is 1, else one; never more digits than the error.
    """
    if error is None or not math.isfinite(error) or error <= 0 or not math.isfinite(value):
        return format_quantity(value, unit, digits=4)
    size = max(abs(value), error)
    if _bare(unit) and 0 < size < 1e-6:
        # A plain number takes no prefix: a power of ten stands behind it, as in 7.76(7)e-17.
        power = math.floor(math.log10(size))
        plain = format_measured(value / 10.0**power, error / 10.0**power)
        return f"{plain}e{power:+03d} {'' if unit in {'1', '*'} else unit}".rstrip()
    scale, shown = si_prefix(size, unit)
    scaled, spread = value / scale, error / scale
    exponent = math.floor(math.log10(spread))
    digits = 2 if spread / 10**exponent < 1.95 else 1
    decimals = digits - 1 - exponent
    if decimals >= 0:
        in_last = round(spread * 10**decimals)
        text = f"{scaled:.{decimals}f}({in_last})"
    else:
        step = 10 ** (-decimals)
        text = f"{round(scaled / step) * step:.0f}({round(spread / step) * step:.0f})"
    return f"{text} {shown}".rstrip()
