"""Numbers that may be affine in sweep symbols: durations, phases, frequencies, amplitudes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    from qlab.scan import Scan


@dataclass(frozen=True)
class Expression:
    """constant + sum of coefficient * symbol; enough for every sequence of the catalogue.

    `sweeps` remembers which scan each symbol stands for, so that a program finds its own axes.
    """

    constant: float = 0.0
    terms: Mapping[str, float] = field(default_factory=dict)
    sweeps: Mapping[str, "Scan[float]"] = field(default_factory=dict, compare=False, repr=False)

    def __add__(self, other: "Number") -> "Expression":
        other = as_expression(other)
        terms = dict(self.terms)
        for name, coefficient in other.terms.items():
            terms[name] = terms.get(name, 0.0) + coefficient
        return Expression(self.constant + other.constant, terms, {**self.sweeps, **other.sweeps})

    def __mul__(self, factor: float) -> "Expression":
        terms = {name: coefficient * factor for name, coefficient in self.terms.items()}
        return Expression(self.constant * factor, terms, self.sweeps)

    def __neg__(self) -> "Expression":
        return self * -1.0

    def __sub__(self, other: "Number") -> "Expression":
        return self + (-as_expression(other))

    def __rsub__(self, other: "Number") -> "Expression":
        return as_expression(other) - self

    def __truediv__(self, divisor: float) -> "Expression":
        return self * (1.0 / divisor)

    __radd__ = __add__
    __rmul__ = __mul__

    def at(self, point: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the values where the symbols take `point`; shape of the symbols' arrays, or ()."""
        total: NDArray[np.float64] = np.asarray(self.constant, dtype=float)
        for name, coefficient in self.terms.items():
            total = total + coefficient * point[name]
        return total

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def validate(value: Any) -> "Expression":
            if isinstance(value, Expression):
                return value
            if isinstance(value, Mapping):
                terms = {str(name): float(c) for name, c in dict(value.get("terms", {})).items()}
                return cls(float(value.get("constant", 0.0)), terms)
            raise ValueError("an expression is {constant, terms}")

        def dump(value: "Expression") -> dict[str, Any]:
            return {"constant": value.constant, "terms": dict(value.terms)}

        return core_schema.no_info_plain_validator_function(
            validate, serialization=core_schema.plain_serializer_function_ser_schema(dump)
        )


Number = float | Expression


def as_expression(value: Number) -> Expression:
    """Return a number as an expression."""
    return value if isinstance(value, Expression) else Expression(float(value))


def Symbol(name: str, scan: "Scan[float]") -> Expression:  # a noun of the language, written like one
    """Return the symbol that stands for a scan's value in a sequence."""
    return Expression(0.0, {name: 1.0}, {name: scan})
