"""The operations of a sequence, on channels with a frame each; JSON-serialisable."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Annotated, Literal, get_args

from pydantic import Field

from qlab.expression import Expression, Number
from qlab.scan import Scan

AcquireMode = Literal["counts", "iq", "bits", "timetags", "stream", "coincidences", "image"]


class _Chain:
    """What can be joined by `+` into a sequence."""

    def __add__(self, other: "_Chain") -> "Sequence":
        return Sequence((*_items(self), *_items(other)))


@dataclass(frozen=True)
class Play(_Chain):
    """A square pulse on a drive channel: `duration` s, `amplitude` as Rabi frequency in Hz, `phase` in rad."""

    channel: str
    duration: Number
    amplitude: Number
    phase: Number = 0.0
    op: Literal["play"] = "play"


@dataclass(frozen=True)
class Gate(_Chain):
    """A laser, shutter or switch held on for `duration` s."""

    channel: str
    duration: Number
    op: Literal["gate"] = "gate"


@dataclass(frozen=True)
class Delay(_Chain):
    """Nothing for `duration` s: on the channels named, or, with none named, on all after aligning them."""

    duration: Number
    channels: tuple[str, ...] = ()
    op: Literal["delay"] = "delay"


@dataclass(frozen=True)
class Align(_Chain):
    """What follows starts when all the channels named (all, with none named) have finished."""

    channels: tuple[str, ...] = ()
    op: Literal["align"] = "align"


@dataclass(frozen=True)
class ShiftPhase(_Chain):
    """Advance the frame of a drive channel by `phase` rad, at no cost in time."""

    channel: str
    phase: Number
    op: Literal["shift_phase"] = "shift_phase"


@dataclass(frozen=True)
class SetFrequency(_Chain):
    """Set the offset in Hz of a drive channel's frame from its carrier, phase-continuous with time zero."""

    channel: str
    frequency: Number
    op: Literal["set_frequency"] = "set_frequency"


@dataclass(frozen=True)
class Acquire(_Chain):
    """Read a detector for `duration` s into the column `key`."""

    channel: str
    duration: Number
    key: str
    mode: AcquireMode = "counts"
    op: Literal["acquire"] = "acquire"


@dataclass(frozen=True)
class Repeat(_Chain):
    """Play `body` `times` times, aligning before each."""

    times: int
    body: tuple["Operation", ...]
    op: Literal["repeat"] = "repeat"


Operation = Annotated[
    Play | Gate | Delay | Align | ShiftPhase | SetFrequency | Acquire | Repeat, Field(discriminator="op")
]
_KINDS: tuple[type, ...] = get_args(get_args(Operation)[0])


@dataclass(frozen=True)
class Sequence(_Chain):
    """Operations one after the other. Each channel has its own clock; `Align` and `Delay` join them."""

    operations: tuple[Operation, ...] = ()

    def sweeps(self) -> dict[str, Scan[float]]:
        """Return the scans behind the symbols used, in the order in which they first appear."""
        found: dict[str, Scan[float]] = {}
        for operation in _flat(self.operations):
            for item in fields(operation):
                value = getattr(operation, item.name)
                if isinstance(value, Expression):
                    for name, scan in value.sweeps.items():
                        found.setdefault(name, scan)
        return found


def _items(chain: _Chain) -> tuple[Operation, ...]:
    if isinstance(chain, Sequence):
        return chain.operations
    if isinstance(chain, _KINDS):
        return (chain,)  # type: ignore[return-value]
    raise TypeError(f"{chain!r} is not an operation")


def _flat(operations: tuple[Operation, ...]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, Repeat):
            yield from _flat(operation.body)
        else:
            yield operation
