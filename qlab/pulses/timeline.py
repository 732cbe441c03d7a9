"""A timeline: a program compiled to events in integer picoseconds, for all sweep points at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.expression import Number, as_expression
from qlab.pulses.operations import (
    Acquire,
    Align,
    Delay,
    Gate,
    Operation,
    Play,
    Repeat,
    SetFrequency,
    ShiftPhase,
)
from qlab.pulses.program import Program

PICOSECOND = 1e-12
LONGEST = 2**62  # ps, about 53 days; beyond it integer times would overflow
Picoseconds = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Event:
    """One thing on one channel. Arrays over the sweep points, shape (points,); times in ps, phase in rad."""

    kind: Literal["play", "gate", "acquire"]
    channel: str
    start: Picoseconds
    duration: Picoseconds
    amplitude: Floats
    phase: Floats
    frequency: Floats
    key: str = ""
    mode: str = ""

    @property
    def stop(self) -> Picoseconds:
        """When it ends, in ps; shape (points,)."""
        return self.start + self.duration


@dataclass(frozen=True)
class Timeline:
    """A compiled program: its events, the swept values and setpoints of each point, and its length.

    `points` maps each sweep symbol to its value at each point, in the order in which points are played;
    `rounding` is the largest change in seconds that rounding to picoseconds made.
    """

    events: tuple[Event, ...]
    points: Mapping[str, Floats]
    setpoints: Mapping[str, Floats]
    duration: Picoseconds
    shots: int
    rounding: float = 0.0

    def __len__(self) -> int:
        return len(self.duration)

    def take(self, chosen: NDArray[np.int64] | slice) -> Self:
        """Return the timeline of some of its points."""
        events = tuple(
            replace(
                event,
                start=event.start[chosen],
                duration=event.duration[chosen],
                amplitude=event.amplitude[chosen],
                phase=event.phase[chosen],
                frequency=event.frequency[chosen],
            )
            for event in self.events
        )
        return replace(
            self,
            events=events,
            points={name: values[chosen] for name, values in self.points.items()},
            setpoints={name: values[chosen] for name, values in self.setpoints.items()},
            duration=self.duration[chosen],
        )

    def rounded(self, nearest: Callable[[Picoseconds], Picoseconds], duration: Picoseconds) -> Self:
        """Return it with every edge where `nearest` puts it (ps to ps), and shots as long as `duration` says."""
        starts = [nearest(event.start) for event in self.events]
        stops = [nearest(event.stop) for event in self.events]
        events = tuple(
            replace(event, start=start, duration=stop - start)
            for event, start, stop in zip(self.events, starts, stops, strict=True)
        )
        return replace(self, events=events, duration=duration)

    def channel(self, name: str) -> tuple[Event, ...]:
        """Return the events of one channel."""
        return tuple(event for event in self.events if event.channel == name)


@dataclass
class _Compiler:
    """Walks a sequence with one clock and one frame for each channel."""

    points: Mapping[str, Floats]
    count: int
    events: list[Event] = field(default_factory=list)
    clocks: dict[str, Picoseconds] = field(default_factory=dict)
    phases: dict[str, Floats] = field(default_factory=dict)
    offsets: dict[str, Floats] = field(default_factory=dict)
    latest: Picoseconds = field(init=False)
    floor: Picoseconds = field(init=False)
    rounding: float = 0.0

    def __post_init__(self) -> None:
        self.latest = np.zeros(self.count, dtype=np.int64)
        self.floor = np.zeros(self.count, dtype=np.int64)

    def values(self, number: Number) -> Floats:
        return np.broadcast_to(as_expression(number).at(self.points), (self.count,)).astype(float)

    def ticks(self, number: Number, what: Operation) -> Picoseconds:
        seconds = self.values(number)
        if not np.all(np.isfinite(seconds)):
            raise UsageError(f"A {what.op} has a duration that is not finite.", "Check the sweep.")
        if np.any(seconds < 0):
            raise UsageError(
                f"A {what.op} would last {seconds.min():.4g} s at point {int(seconds.argmin())} of the sweep.",
                "Durations cannot be negative: lengthen the sweep's start or shorten the pulses.",
            )
        if np.any(seconds > LONGEST * PICOSECOND):
            raise UsageError(f"A {what.op} would last {seconds.max():.4g} s.", "Shorten it.")
        exact = seconds / PICOSECOND
        rounded = np.rint(exact)
        self.rounding = max(self.rounding, float(np.max(np.abs(exact - rounded))) * PICOSECOND)
        return rounded.astype(np.int64)

    def clock(self, channel: str) -> Picoseconds:
        return self.clocks.get(channel, self.floor)

    def align(self, channels: tuple[str, ...], extra: Picoseconds | int = 0) -> None:
        if channels:
            moment = np.max([self.clock(c) for c in channels], axis=0) + extra
            self.clocks.update(dict.fromkeys(channels, moment))
        else:
            # All channels, those not yet seen included: they start no earlier than here.
            self.floor = self.latest + extra
            self.clocks.clear()
            moment = self.floor
        self.latest = np.maximum(self.latest, moment)

    def occupy(self, event: Event) -> None:
        self.events.append(event)
        self.clocks[event.channel] = event.stop
        self.latest = np.maximum(self.latest, event.stop)

    def walk(self, operations: tuple[Operation, ...]) -> None:
        for operation in operations:
            self.step(operation)

    def step(self, operation: Operation) -> None:
        match operation:
            case Play():
                self.play(operation)
            case Gate(channel, duration):
                self.occupy(self.plain("gate", channel, self.ticks(duration, operation)))
            case Acquire(channel, duration, key, mode):
                event = self.plain("acquire", channel, self.ticks(duration, operation))
                self.occupy(replace(event, key=key, mode=mode))
            case Delay(duration, channels) if channels:
                for channel in channels:
                    self.align((channel,), self.ticks(duration, operation))
            case Delay(duration, _):
                self.align((), self.ticks(duration, operation))
            case Align(channels):
                self.align(channels)
            case ShiftPhase(channel, phase):
                self.phases[channel] = self.phases.get(channel, np.zeros(self.count)) + self.values(phase)
            case SetFrequency(channel, frequency):
                self.offsets[channel] = self.values(frequency)
            case Repeat(times, body):
                for _ in range(times):
                    self.align(())
                    self.walk(body)

    def play(self, operation: Play) -> None:
        channel = operation.channel
        event = self.plain("play", channel, self.ticks(operation.duration, operation))
        offset = self.offsets.get(channel, np.zeros(self.count))
        # An offset frame keeps its phase continuous with time zero, as a numerical oscillator does.
        phase = self.values(operation.phase) + self.phases.get(channel, np.zeros(self.count))
        phase = phase + 2 * np.pi * offset * (event.start * PICOSECOND)
        self.occupy(replace(event, amplitude=self.values(operation.amplitude), phase=phase, frequency=offset))

    def plain(self, kind: Literal["play", "gate", "acquire"], channel: str, ticks: Picoseconds) -> Event:
        zero = np.zeros(self.count)
        return Event(kind, channel, self.clock(channel), ticks, zero, zero, zero)


def compile_program(program: Program) -> Timeline:
    """Compile a program for all points of its sweeps at once.

    Raises UsageError for a negative or endless duration, naming the point of the sweep.
    """
    points = _points(program)
    compiler = _Compiler(points, program.points)
    compiler.walk(program.body.operations)
    setpoints = {name: compiler.values(value) for name, value in program.setpoints.items()}
    return Timeline(
        tuple(compiler.events), points, setpoints, compiler.latest, program.shots, compiler.rounding
    )


def _points(program: Program) -> dict[str, Floats]:
    """Return each symbol's value at each point, in the order in which the points are played."""
    if not program.sweeps:
        return {}
    values = [scan.values()[scan.played()] for scan in program.sweeps.values()]
    grids = np.meshgrid(*values, indexing="ij")
    return {name: grid.ravel() for name, grid in zip(program.sweeps, grids, strict=True)}
