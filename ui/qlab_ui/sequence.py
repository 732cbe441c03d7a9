"""A program laid out in time, as plain data for drawing; made on the worker from what the file or bench says."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.units import format_quantity

_MOST_POINTS = 2001
_AXES = {0.0: "x", 90.0: "y", 180.0: "−x", 270.0: "−y"}


@dataclass(frozen=True)
class Pulse:
    """One thing on one channel; arrays over the points of the sweep, times in s, phase in rad."""

    kind: str
    channel: str
    start: NDArray[np.float64]
    stop: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    phase: NDArray[np.float64]
    frequency: NDArray[np.float64]
    key: str

    def describe(self, point: int) -> str:
        """Return all there is to say of it at one point of the sweep."""
        start, stop = float(self.start[point]), float(self.stop[point])
        lines = [
            f"{self.channel}: {self.key or {'play': 'pulse', 'gate': 'on'}.get(self.kind, self.kind)}",
            f"from {format_quantity(start, 's', 6)} for {format_quantity(stop - start, 's', 6)}",
        ]
        if self.kind == "play":
            lines.append(f"Rabi frequency {format_quantity(float(self.amplitude[point]), 'Hz', 5)}")
            lines.append(f"phase {math.degrees(float(self.phase[point])) % 360:.4g}°")
            if self.frequency[point]:
                lines.append(f"offset {format_quantity(float(self.frequency[point]), 'Hz', 6)}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Played:
    """A sequence: its channels in the order in which they first act, its pulses, its sweep."""

    channels: tuple[str, ...]
    pulses: tuple[Pulse, ...]
    duration: NDArray[np.float64]
    points: tuple[tuple[str, str, NDArray[np.float64]], ...]  # name, unit, values at each point
    shots: int
    index: NDArray[np.int64]  # of each point in the whole sweep
    program: Mapping[str, Any]

    def drive_at(self, point: int, seconds: float) -> tuple[float, float, float] | None:
        """Return the axis (unit vector) about which a pulse turns the state at a moment; None without a pulse."""
        for pulse in self.pulses:
            on = float(pulse.start[point]) <= seconds < float(pulse.stop[point])
            if pulse.kind == "play" and on and pulse.amplitude[point]:
                phase = float(pulse.phase[point])
                phase += 2 * math.pi * float(pulse.frequency[point]) * (seconds - float(pulse.start[point]))
                return math.cos(phase), math.sin(phase), 0.0
        return None

    def at(self, point: int) -> str:
        """Return the swept values at a point, in words."""
        return ", ".join(
            f"{name} = {format_quantity(float(v[point]), unit, 5)}" for name, unit, v in self.points
        )


def lay_out(program: Mapping[str, Any]) -> Played:
    """Compile a program for each point of its sweep; a long sweep is thinned evenly."""
    from qlab.pulses import Program, compile_program

    read = Program.from_dict(program)
    timeline = compile_program(read)
    chosen = np.arange(len(timeline))
    if len(timeline) > _MOST_POINTS:
        chosen = np.unique(np.linspace(0, len(timeline) - 1, _MOST_POINTS).round().astype(np.int64))
        timeline = timeline.take(chosen)
    first: dict[str, int] = {}
    for event in timeline.events:
        first.setdefault(event.channel, len(first))
    pulses = tuple(
        Pulse(
            e.kind,
            e.channel,
            _seconds(e.start),
            _seconds(e.stop),
            np.asarray(e.amplitude, dtype=float),
            np.asarray(e.phase, dtype=float),
            np.asarray(e.frequency, dtype=float),
            e.key,
        )
        for e in timeline.events
    )
    points = tuple((name, read.sweeps[name].unit, values) for name, values in timeline.points.items())
    return Played(tuple(first), pulses, _seconds(timeline.duration), points, read.shots, chosen, program)


def _seconds(picoseconds: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(picoseconds * 1e-12, dtype=np.float64)


def rotation_name(rabi: float, duration: float, phase: float) -> str:
    """Name a resonant pulse after its rotation: `π/2 x`, `π y`, `0.73π 45°`."""
    turns = 2 * rabi * duration  # in units of π
    for value, name in ((0.25, "π/4"), (0.5, "π/2"), (1.0, "π"), (1.5, "3π/2"), (2.0, "2π")):
        if math.isclose(turns, value, rel_tol=2e-3):
            angle = name
            break
    else:
        angle = f"{turns:.2f}π"
    degrees = round(math.degrees(phase), 3) % 360
    axis = _AXES.get(float(round(degrees)) % 360 if abs(degrees - round(degrees)) < 0.01 else -1.0)
    return f"{angle} {axis or f'{degrees:.0f}°'}"
