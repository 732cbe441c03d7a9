"""Scans: a sweep as a value. Linear, logarithmic, around a centre, or a list; in order or shuffled."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Generic, Literal, Self, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from qlab.errors import UsageError
from qlab.expression import Expression, Symbol
from qlab.units import Unit, format_quantity, parse_quantity

T = TypeVar("T")
Order = Literal["sequential", "random"]
MOST_POINTS = 10_000_000


class Scan(Generic[T]):
    """The values that one parameter takes, in its SI unit. `Scan[Seconds]` is the type of a swept time."""

    kind: ClassVar[str]
    points: int
    unit: str
    order: Order
    seed: int

    def values(self) -> NDArray[np.float64]:
        """Return the values along the axis, ascending as asked for; shape (points,)."""
        raise NotImplementedError

    def played(self) -> NDArray[np.int64]:
        """Return the indices of `values()` in the order in which they are taken; shape (points,)."""
        count = len(self.values())
        if self.order == "sequential":
            return np.arange(count)
        return np.random.default_rng(self.seed).permutation(count)

    def __len__(self) -> int:
        return len(self.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the scan as plain JSON data."""
        return {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]

    def symbol(self, name: str) -> Expression:
        """Return the symbol that stands for this scan's value in a sequence."""
        return Symbol(name, self)  # type: ignore[arg-type]

    def shuffled(self, seed: int = 0) -> Self:
        """Return the same values, taken in a random order."""
        return replace(self, order="random", seed=seed)  # type: ignore[type-var]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        element = (get_args(source) or (float,))[0]
        unit = next((m.name for m in getattr(element, "__metadata__", ()) if isinstance(m, Unit)), "1")
        check = TypeAdapter(element)

        def validate(value: Any) -> Scan[float]:
            try:
                scan = replace(_read(value, unit), unit=unit)  # type: ignore[type-var]
                scan.check()
            except UsageError as error:
                raise PydanticCustomError("scan", "{text}", {"text": str(error)}) from None
            except (TypeError, ValueError) as error:
                text = f"This is not a scan: {error}"
                raise PydanticCustomError("scan", "{text}", {"text": text}) from None
            for extreme in {float(scan.values().min()), float(scan.values().max())}:
                try:
                    check.validate_python(extreme)
                except ValidationError as error:
                    text = f"{format_quantity(extreme, unit)} in the scan: {error.errors()[0]['msg']}"
                    raise PydanticCustomError("scan", "{text}", {"text": text}) from None
            return scan

        return core_schema.no_info_plain_validator_function(
            validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda scan: scan.to_dict()),
            metadata={"unit": unit},
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "object", "title": "Scan", "unit": schema.get("metadata", {}).get("unit", "1")}

    def check(self) -> None:
        """Raise UsageError where the scan has no points, too many, or values that are not finite."""
        _need_points(self.points)
        # Looked at before the values are made: numpy warns where an end is infinite.
        ends = [getattr(self, name) for name in ("start", "stop", "centre", "span") if hasattr(self, name)]
        if not np.all(np.isfinite(ends)) or not np.all(np.isfinite(self.values())):
            raise UsageError("A scan has a value that is not finite.", "Give finite start and stop values.")


def _need_points(points: int) -> None:
    if points < 1:
        raise UsageError(f"A scan of {points} points measures nothing.", "Give at least 1 point.")
    if points > MOST_POINTS:
        raise UsageError(f"A scan of {points} points is too long.", f"Give at most {MOST_POINTS} points.")


@dataclass(frozen=True)
class Linear(Scan[float]):
    """Evenly spaced values from `start` to `stop`, both included."""

    start: float
    stop: float
    points: int
    unit: str = "1"
    order: Order = "sequential"
    seed: int = 0
    kind: ClassVar[str] = "linear"

    def values(self) -> NDArray[np.float64]:
        """Return the values; shape (points,)."""
        return np.linspace(self.start, self.stop, self.points)


@dataclass(frozen=True)
class Log(Scan[float]):
    """Values from `start` to `stop`, evenly spaced in their logarithm."""

    start: float
    stop: float
    points: int
    unit: str = "1"
    order: Order = "sequential"
    seed: int = 0
    kind: ClassVar[str] = "log"

    def values(self) -> NDArray[np.float64]:
        """Return the values; shape (points,)."""
        return np.geomspace(self.start, self.stop, self.points)

    def check(self) -> None:
        """Raise UsageError also where there is no logarithm."""
        if not (self.start * self.stop > 0):
            raise UsageError(
                "A logarithmic scan needs start and stop above 0.", "Use a linear scan to include 0."
            )
        super().check()


@dataclass(frozen=True)
class Centre(Scan[float]):
    """Evenly spaced values over `span` around `centre`."""

    centre: float
    span: float
    points: int
    unit: str = "1"
    order: Order = "sequential"
    seed: int = 0
    kind: ClassVar[str] = "centre"

    def values(self) -> NDArray[np.float64]:
        """Return the values; shape (points,)."""
        return self.centre + np.linspace(-self.span / 2, self.span / 2, self.points)


@dataclass(frozen=True)
class Values(Scan[float]):
    """The values given, one by one."""

    given: tuple[float, ...]
    unit: str = "1"
    order: Order = "sequential"
    seed: int = 0
    kind: ClassVar[str] = "values"

    @property
    def points(self) -> int:  # type: ignore[override]
        """How many values there are."""
        return len(self.given)

    def values(self) -> NDArray[np.float64]:
        """Return the values; shape (points,)."""
        return np.asarray(self.given, dtype=float)


KINDS: dict[str, type[Linear] | type[Log] | type[Centre] | type[Values]] = {
    kind.kind: kind for kind in (Linear, Log, Centre, Values)
}
_HINT = "Write start:stop:points (0us:4us:201), log:start:stop:points, centre:value:span:points, or a,b,c."
_ORDER = re.compile(r"@random(?:=(\d+))?$")


def _read(value: Any, unit: str) -> Scan[float]:
    """Read a scan from what a form, a file or a command line gives."""
    if isinstance(value, Scan):
        return value
    if isinstance(value, Mapping):
        fields = dict(value)
        kind = fields.pop("kind", None)
        if kind not in KINDS:
            raise UsageError(f"{kind!r} is not a kind of scan.", f"Use one of {', '.join(KINDS)}.")
        if kind == "values":
            fields["given"] = tuple(float(v) for v in fields.get("given", ()))
        return KINDS[kind](**fields)
    if isinstance(value, str):
        return parse_scan(value, unit)
    if isinstance(value, int | float):
        return Values((float(value),))
    return Values(tuple(float(v) for v in value))


def parse_scan(text: str, unit: str) -> Scan[float]:
    """Read a scan as people type it: `0us:4us:201`, `log:1us:1ms:31`, `centre:2.8GHz:20MHz:101`, `1us,2us`.

    `@random` or `@random=SEED` at the end shuffles the order in which the values are taken.
    """
    text = text.strip()
    order: Order = "sequential"
    seed = 0
    if (match := _ORDER.search(text)) is not None:
        text, order, seed = text[: match.start()], "random", int(match[1] or 0)
    parts = [part.strip() for part in text.split(":")]
    kind = parts.pop(0).lower() if parts[0].lower() in {"linear", "log", "centre", "center"} else "linear"
    if len(parts) == 1 and kind == "linear":
        given = tuple(parse_quantity(part, unit) for part in text.split(",") if part.strip())
        return Values(given, order=order, seed=seed)
    if len(parts) != 3:
        raise UsageError(f"{text!r} is not a scan.", _HINT)
    try:
        points = int(parts[2])
    except ValueError:
        raise UsageError(f"{parts[2]!r} is not a number of points.", _HINT) from None
    first, second = parse_quantity(parts[0], unit), parse_quantity(parts[1], unit)
    made: type[Linear | Log | Centre] = {"linear": Linear, "log": Log}.get(kind, Centre)  # type: ignore[assignment]
    return made(first, second, points, order=order, seed=seed)


def scan_text(scan: Scan[float]) -> str:
    """Return the scan as `parse_scan` reads it back, with full precision in its unit."""
    tail = "" if scan.order == "sequential" else f"@random={scan.seed}"
    unit = "" if scan.unit in {"1", "*"} else scan.unit

    def shown(value: float) -> str:
        return f"{value!r}{unit}"

    match scan:
        case Linear(start, stop, points):
            return f"{shown(start)}:{shown(stop)}:{points}{tail}"
        case Log(start, stop, points):
            return f"log:{shown(start)}:{shown(stop)}:{points}{tail}"
        case Centre(centre, span, points):
            return f"centre:{shown(centre)}:{shown(span)}:{points}{tail}"
        case _:
            return ",".join(shown(float(v)) for v in scan.values()) + tail


def scan_words(scan: Scan[float]) -> str:
    """Return the scan as people read it: `0 s to 4 µs, 201 points`."""
    tail = "" if scan.order == "sequential" else ", random order"

    def shown(value: float) -> str:
        return format_quantity(value, scan.unit, 9)

    match scan:
        case Linear(start, stop, points):
            return f"{shown(start)} to {shown(stop)}, {points} points{tail}"
        case Log(start, stop, points):
            return f"{shown(start)} to {shown(stop)}, {points} logarithmic points{tail}"
        case Centre(centre, span, points):
            return f"{shown(span)} around {shown(centre)}, {points} points{tail}"
        case _:
            return ", ".join(shown(float(v)) for v in scan.values()) + tail
