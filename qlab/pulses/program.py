"""A program: a sequence with its sweeps, shots and setpoints; exactly what is played, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from pydantic import TypeAdapter

from qlab.errors import UsageError
from qlab.expression import Expression, Number
from qlab.pulses.operations import Operation, Sequence
from qlab.scan import Scan


@dataclass(frozen=True)
class Program:
    """A sequence played `shots` times at each point of its sweeps.

    `setpoints` are knobs set beside the sequence, named `role.knob`, swept or not ("microwave.frequency").
    `sweeps` are found from the symbols used; the last one varies fastest.
    """

    body: Sequence
    shots: int = 1
    setpoints: Mapping[str, Number] = field(default_factory=dict)
    sweeps: Mapping[str, Scan[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.shots < 1:
            raise UsageError(f"A program of {self.shots} shots measures nothing.", "Ask for at least 1 shot.")
        if not self.sweeps:
            found: dict[str, Scan[float]] = {}
            for value in self.setpoints.values():
                if isinstance(value, Expression):
                    found.update(value.sweeps)
            object.__setattr__(self, "sweeps", {**found, **self.body.sweeps()})

    @property
    def points(self) -> int:
        """The number of sweep points."""
        count = 1
        for scan in self.sweeps.values():
            count *= len(scan)
        return count

    def with_shots(self, shots: int) -> Self:
        """Return the same program with another number of shots."""
        return replace(self, shots=shots)

    def to_dict(self) -> dict[str, Any]:
        """Return the program as plain JSON data."""
        return {
            "version": 1,
            "body": _OPERATIONS.dump_python(self.body.operations, mode="json"),
            "shots": self.shots,
            "setpoints": _SETPOINTS.dump_python(dict(self.setpoints), mode="json"),
            "sweeps": {name: scan.to_dict() for name, scan in self.sweeps.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the program that `to_dict` wrote."""
        return cls(
            Sequence(_OPERATIONS.validate_python(data["body"])),
            shots=int(data["shots"]),
            setpoints=_SETPOINTS.validate_python(data["setpoints"]),
            sweeps={name: _scan(scan) for name, scan in data["sweeps"].items()},
        )


def _scan(data: Mapping[str, Any]) -> Scan[float]:
    # A bare `Scan[float]` has no unit of its own: the one that was written is put back.
    return replace(_SCAN.validate_python(data), unit=str(data.get("unit", "1")))  # type: ignore[type-var]


_OPERATIONS: TypeAdapter[tuple[Operation, ...]] = TypeAdapter(tuple[Operation, ...])
_SETPOINTS: TypeAdapter[dict[str, Number]] = TypeAdapter(dict[str, Number])
_SCAN: TypeAdapter[Scan[float]] = TypeAdapter(Scan[float])
