"""Edges: a timeline as states of digital lines, for devices that play them; checked before anything is sent."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.pulses.timeline import Event, Timeline

QUARTER = math.pi / 2
SAME = 1e-6  # relative difference of two amplitudes that are one, and rad of two phases


@dataclass(frozen=True)
class DigitalDevice:
    """What a device can play: times in ps; `steps` are states of all its lines between two changes."""

    name: str
    tick: int
    shortest: int
    longest: int
    steps: int
    lines: int
    granularity: int = 1  # of a whole shot


@dataclass(frozen=True)
class Pattern:
    """What one shot at one point is: states one after the other. `durations` in ps and `states` as bits of lines."""

    durations: NDArray[np.int64]
    states: NDArray[np.uint32]


@dataclass(frozen=True)
class Played:
    """A timeline as a device plays it: a pattern for each point, and what rounding did to it (ps)."""

    patterns: tuple[Pattern, ...]
    timeline: Timeline  # with its edges where the device has them
    shifted: int  # the largest shift of an edge
    padded: int  # the largest lengthening of a shot

    @property
    def shots(self) -> int:
        """How often each point is played."""
        return self.timeline.shots

    def report(self) -> str:
        """Return in words what was rounded."""
        steps = sum(len(p.durations) for p in self.patterns)
        said = f"{len(self.patterns)} points, {steps} steps, {self.shots} shots each"
        if self.shifted:
            said += f"; edges shifted by up to {self.shifted / 1000:g} ns"
        if self.padded:
            said += f"; shots lengthened by up to {self.padded / 1000:g} ns"
        return said


def digital(
    timeline: Timeline, channels: Mapping[str, int], device: DigitalDevice, rabi: float | None = None
) -> Played:
    """Return a timeline as states of lines; `channels` maps channels to lines, `mw@90` those of a phase in degrees.

    A line can only be on or off: pulses of several amplitudes are refused, and, with `rabi` (Hz) given, those of
    another. Raises UsageError, naming the point, for what the device cannot play.
    """
    _check_lines(channels, device)
    _check_amplitudes(timeline, device, rabi)
    line_of = [_lines(event, channels, device) for event in timeline.events]
    grain = device.granularity * device.tick
    whole = np.maximum(-(-_ticks(timeline.duration, device) // grain) * grain, grain)
    played = timeline.rounded(lambda times: _ticks(times, device), whole)
    _check_lasting(timeline, played, line_of, device)
    patterns = [_pattern(played, point, line_of, device) for point in range(len(timeline))]
    shifted = _furthest(timeline, played, line_of)
    padded = int(np.max(whole - timeline.duration, initial=0))
    return Played(tuple(patterns), played, shifted, padded)


def intervals(pattern: Pattern, line: int) -> list[tuple[int, int]]:
    """Return when a line is on in a pattern: (from, to) in ps."""
    ends = np.concatenate([[0], np.cumsum(pattern.durations)])
    on = np.concatenate([[0], (pattern.states >> line) & 1, [0]]).astype(np.int8)
    changes = np.flatnonzero(np.diff(on))
    return [(int(ends[a]), int(ends[b])) for a, b in changes.reshape(-1, 2)]


def _check_lines(channels: Mapping[str, int], device: DigitalDevice) -> None:
    wrong = [name for name, line in channels.items() if not 0 <= line < device.lines]
    if wrong:
        raise UsageError(
            f"{device.name} has the lines 0 to {device.lines - 1}, and {wrong[0]!r} is to be on {channels[wrong[0]]}.",
            "Mend `channels` in the bench file.",
        )


def _check_amplitudes(timeline: Timeline, device: DigitalDevice, rabi: float | None) -> None:
    found: dict[str, float] = {}
    for event in timeline.events:
        if event.kind != "play":
            continue
        if np.any(event.frequency != 0):
            raise UsageError(
                f"{device.name} switches {event.channel} and cannot shift its frequency.",
                "Use an AWG for it.",
            )
        for amplitude in np.unique(event.amplitude[event.amplitude != 0]):
            wanted = rabi or found.setdefault(event.channel, float(amplitude))
            if abs(amplitude - wanted) > SAME * abs(wanted):
                raise UsageError(
                    f"{device.name} switches {event.channel} at {wanted:g} Hz, and a pulse of {amplitude:g} Hz is asked"
                    " for.",
                    "Play one amplitude, or set the power of the source and `rabi` of the player to it.",
                )


def _lines(event: Event, channels: Mapping[str, int], device: DigitalDevice) -> NDArray[np.int64]:
    """Return the line of an event at each point, -1 where it leaves all lines off."""
    count = len(event.start)
    if event.kind != "play":
        return np.full(count, _line(event.channel, channels, device))
    turns = np.rint(event.phase / QUARTER).astype(int) % 4
    off = np.abs(event.phase / QUARTER - np.rint(event.phase / QUARTER)) * QUARTER > SAME
    lines = np.full(count, -1)
    for point in np.flatnonzero(event.amplitude != 0):
        degrees = 90 * int(turns[point])
        if off[point] or (degrees and f"{event.channel}@{degrees}" not in channels):
            raise UsageError(
                f"{device.name} cannot play {event.channel} with the phase"
                f" {math.degrees(event.phase[point]):.4g} degrees (point {point} of the sweep).",
                f"Give {event.channel}@{degrees} a line under `channels`, or use an AWG.",
            )
        lines[point] = _line(f"{event.channel}@{degrees}" if degrees else event.channel, channels, device)
    return lines


def _line(name: str, channels: Mapping[str, int], device: DigitalDevice) -> int:
    if name not in channels:
        raise UsageError(
            f"{device.name} has no line for {name!r}.",
            f"Add it to `channels`, beside {', '.join(channels) or 'none'}.",
        )
    return channels[name]


def _ticks(times: NDArray[np.int64], device: DigitalDevice) -> NDArray[np.int64]:
    return (times + device.tick // 2) // device.tick * device.tick


def _check_lasting(
    timeline: Timeline, played: Timeline, lines: list[NDArray[np.int64]], device: DigitalDevice
) -> None:
    for event, rounded, line in zip(timeline.events, played.events, lines, strict=True):
        gone = np.flatnonzero((line >= 0) & (event.duration > 0) & (rounded.duration == 0))
        if len(gone):
            raise UsageError(
                f"{event.channel} of {event.duration[gone[0]] / 1000:g} ns would vanish (point {gone[0]} of the sweep):"
                f" {device.name} counts in {device.tick / 1000:g} ns.",
                "Lengthen it.",
            )


def _furthest(timeline: Timeline, played: Timeline, lines: list[NDArray[np.int64]]) -> int:
    """Return by how much rounding has shifted an edge at most."""
    shifts = [
        np.max(
            np.abs(getattr(rounded, edge) - getattr(event, edge)),
            where=(line >= 0) & (event.duration > 0),
            initial=0,
        )
        for event, rounded, line in zip(timeline.events, played.events, lines, strict=True)
        for edge in ("start", "stop")
    ]
    return int(max(shifts, default=0))


def _pattern(played: Timeline, point: int, lines: list[NDArray[np.int64]], device: DigitalDevice) -> Pattern:
    changes: dict[int, list[tuple[int, int]]] = {}
    for event, line in zip(played.events, lines, strict=True):
        start, stop = int(event.start[point]), int(event.stop[point])
        if line[point] >= 0 and start < stop:
            changes.setdefault(start, []).append((int(line[point]), 1))
            changes.setdefault(stop, []).append((int(line[point]), -1))
    pattern = _states(changes, int(played.duration[point]))
    _check(pattern, point, device)
    return pattern


def _states(changes: dict[int, list[tuple[int, int]]], whole: int) -> Pattern:
    held: dict[int, int] = {}
    times, states = [0], [0]
    for moment in sorted(changes):
        for line, way in changes[moment]:
            held[line] = held.get(line, 0) + way
        state = sum(1 << line for line, count in held.items() if count)
        if moment == times[-1]:
            states[-1] = state
        elif state != states[-1]:
            times.append(moment)
            states.append(state)
    if times[-1] == whole:
        times.pop()
        states.pop()
    return Pattern(np.diff([*times, whole]).astype(np.int64), np.asarray(states, dtype=np.uint32))


def _check(pattern: Pattern, point: int, device: DigitalDevice) -> None:
    if len(pattern.durations) > device.steps:
        raise UsageError(
            f"A shot has {len(pattern.durations)} steps (point {point} of the sweep), and {device.name} holds"
            f" {device.steps}.",
            "Shorten the sequence.",
        )
    short = int(pattern.durations.min())
    if short < device.shortest:
        raise UsageError(
            f"Two edges are {short / 1000:g} ns apart (point {point} of the sweep), and {device.name} needs"
            f" {device.shortest / 1000:g} ns.",
            "Move them together or further apart.",
        )
    long = int(pattern.durations.max())
    if long > device.longest:
        raise UsageError(
            f"A step lasts {long * 1e-12:g} s, and {device.name} can hold {device.longest * 1e-12:g} s.",
            "Split the delay.",
        )
