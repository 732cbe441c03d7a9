"""The state along a sequence on a simulated bench, as plain data: what the window draws on its sphere."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from qlab.bench import Bench
from qlab.errors import UsageError
from qlab.pulses import Program, Timeline, compile_program

MOST_LEVELS = 12  # that are drawn by name


def follow(program: Mapping[str, Any], point: int, bench: str, truth: Mapping[str, float]) -> dict[str, Any]:
    """Return {times, levels: {name: [...]}, pair: [upper, lower], bloch: [x, y, z], note} at one point of a sweep.

    `program` as `Program.to_dict` gives it; `truth` replaces that of the bench, names that it does not have are left
    out. Times in s, populations 0 to 1, the Bloch vector (each (n,)) in the frame of the drive. Raises UsageError for
    a bench that is real, or whose state cannot be drawn.
    """
    timeline = compile_program(Program.from_dict(dict(program)))
    if not 0 <= point < len(timeline):
        raise UsageError(f"The sweep has no point {point}.", f"It has {len(timeline)}.")
    used = _bench(bench, truth)
    path = used.world.path(_lines(used, timeline.take(slice(point, point + 1))), 0)  # type: ignore[union-attr]
    if len(path.names) > MOST_LEVELS:
        raise UsageError(f"{len(path.names)} levels are too many to draw.", "Use a smaller system.")
    levels = {name: _short(values) for name, values in zip(path.names, path.populations, strict=True)}
    pair = [path.names[i] for i in path.pair]
    return {
        "times": [float(t) for t in path.times],
        "levels": levels,
        "pair": pair,
        "bloch": [_short(values) for values in path.bloch],
        "note": path.note,
    }


def _bench(name: str, truth: Mapping[str, float]) -> Bench:
    bench = Bench.load(name)
    if bench.world is None:
        raise UsageError("On a real bench nobody knows the state.", "Choose a simulated bench.")
    known = bench.world.settings()
    chosen = {key: value for key, value in truth.items() if key in known and value != known[key]}
    return Bench.load(name, truth=chosen) if chosen else bench


def _lines(bench: Bench, timeline: Timeline) -> Timeline:
    """Return a timeline whose setpoints are called as the lines of the world, those of the bench included."""
    lines = dict(getattr(bench.world, "lines", {}))
    setpoints = {name: np.full(len(timeline), float(value)) for name, value in lines.items()}
    for name, values in timeline.setpoints.items():
        role, _, knob = name.partition(".")
        line = getattr(bench.role(role), "line", "") or role
        setpoints[f"{line}.{knob}"] = values
    return replace(timeline, setpoints=setpoints)


def _short(values: Any) -> list[float]:
    return [round(float(value), 6) for value in values]
