"""Draws the pictures of the help pages from the experiments themselves: `python docs/help_pictures.py [NAME ...]`.

Above stands what is played, from the program of a simulated run (idle time squeezed), or, where something else than
pulses matters, a scheme of the parts; below what that run measured, with the expected curve or limits.
The colours are those that the help pane turns into its theme's.
"""

import html
import math
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import qlab
from qlab.catalogue import describe
from qlab.design import expected_curve
from qlab.grid import grid
from qlab.pulses import Program, compile_program
from qlab.record import Record
from qlab.registry import load, plugins
from qlab.units import format_quantity

Reals = NDArray[np.float64]
FOLDER = Path(__file__).parent.parent / "experiments" / "qlab_experiments" / "help"
OWN = {"transmon.ramsey"}  # drawn by hand
WIDE, LEFT, RIGHT, LANE = 520, 76, 500, 34
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#808080"
COLOURS = {"laser": GREEN, "mw": BLUE}
NAMES = {"mw": "pulses", "ms": "MS gate", "numbers": "photon numbers"}
SCHEMES = {
    "photon.hom": ("pump", "crystal: pairs", "delay τ", "beam splitter", "both click?"),
    "photon.mach_zehnder": ("state", "beam splitter", "phase φ", "beam splitter", "count"),
    "clock.servo": ("laser", "atoms ±1/(4T)", "count", "error", "servo ↩ laser"),
    "atom.gravity_lock": ("chirp α", "atoms fall", "count ±", "error", "servo ↩ α"),
    "atom.rydberg": ("probe", "vapour", "coupling", "microwave", "transmission"),
    "metrology.adaptive_phase": ("prior", "choose τ, φ", "measure", "Bayes", "posterior ↩"),
    "metrology.fisher": ("state", "channel(θ)", "measure", "F(θ)", "1/√F"),
    "generic.scan": ("set a knob", "wait", "read", "next ↩"),
    "custom.sweep": ("set your knob", "prepare", "pulse", "look", "next ↩"),
}


@dataclass(frozen=True)
class Measured:
    """A simulated run and what is drawn of it: its first curve, else its grid."""

    record: Record
    curve: Any
    view: Any


def main(names: list[str]) -> None:
    """Draw the pictures of these experiments, or of all."""
    for name in names or sorted(set(plugins("experiments")) - OWN):
        (FOLDER / f"{name}.svg").write_text(picture(name), encoding="utf-8")


def picture(name: str) -> str:
    """Return the picture of an experiment as SVG."""
    run = measured(name)
    parts: list[str] = []
    if name in SCHEMES:
        low = scheme(SCHEMES[name], parts)
    else:
        low = lanes(run.record.programs[-1], parts)
    if run is not None:
        low = plot(run, low + 14, parts)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {low}" width="{WIDE}" height="{low}">'
    )
    return "\n".join([head, *parts, "</svg>"]) + "\n"


def measured(name: str) -> Measured | None:
    """Return a simulated run with the default values; None where it would need a bench of one's own."""
    if name == "custom.sweep":
        return None
    with tempfile.TemporaryDirectory() as folder:
        run = qlab.run(name, str(describe(name).get("preset") or "sim-nv"), out=folder, seed=3)
        curves = load("experiments", name).read(run.record.parameters).curves(run)
        return Measured(
            run.record, curves[0] if curves else None, None if curves else grid(run.record, run.rows)
        )


def scheme(words: tuple[str, ...], parts: list[str]) -> float:
    """Draw boxes in a row with arrows between them; return where they end."""
    gap, top, high = 18, 16, 40
    wide = (WIDE - 20 - gap * (len(words) - 1)) / len(words)
    for place, word in enumerate(words):
        x = 10 + place * (wide + gap)
        parts.append(
            f'<rect x="{x:.1f}" y="{top}" width="{wide:.1f}" height="{high}" rx="6" fill="none" '
            f'stroke="{BLUE}" stroke-width="1.5"/>'
        )
        size = min(13.0, wide / (0.56 * max(len(word), 1)))
        parts.append(text(x + wide / 2, top + high / 2 + size / 3, word, size=size))
        if place:
            y = top + high / 2
            parts.append(line(x - gap + 2, y, x - 3, y, GREY, 1.5))
            parts.append(
                f'<path d="M{x - 8:.1f} {y - 4} L{x - 2:.1f} {y} L{x - 8:.1f} {y + 4} Z" fill="{GREY}"/>'
            )
    return top + high + 10


def lanes(program: dict, parts: list[str]) -> float:
    """Draw what is played in the middle of the sweep, a lane for each channel; return where they end."""
    read = Program.from_dict(program)
    timeline = compile_program(read)
    point = len(timeline) // 2
    events = [e for e in timeline.events if int(e.stop[point]) > int(e.start[point])]
    edges = sorted({int(t[point]) for e in events for t in (e.start, e.stop)})
    gaps = np.maximum(np.diff(edges), 1)
    share = 1 + 0.35 * np.log10(gaps / gaps.min())
    share = np.clip(share, 0, 2.6)
    at = LEFT + np.concatenate([[0.0], np.cumsum(share)]) / share.sum() * (RIGHT - LEFT)
    where = dict(zip(edges, at.tolist(), strict=True))
    channels = list(dict.fromkeys(e.channel for e in events))
    for place, channel in enumerate(channels):
        y = 14 + (place + 1) * LANE
        parts.append(text(8, y - 6, NAMES.get(channel, channel), anchor="start"))
        parts.append(line(LEFT, y, RIGHT, y, GREY, 1))
        for event in (e for e in events if e.channel == channel):
            x, end = where[int(event.start[point])], where[int(event.stop[point])]
            shade = COLOURS.get(channel, ORANGE)
            parts.append(
                f'<rect x="{x:.1f}" y="{y - 20}" width="{max(end - x, 1.5):.1f}" height="20" fill="{shade}" '
                f'fill-opacity="0.3" stroke="{shade}" stroke-width="1"/>'
            )
            name = turn(event, point)
            if name and end - x > 7 * len(name):
                parts.append(text((x + end) / 2, y - 6, name, size=12))
    low = 14 + LANE * len(channels)
    return low + 8


def turn(event: Any, point: int) -> str:
    """Return by how much a pulse turns the state, in words; nothing where that has no short name."""
    if event.kind != "play":
        return ""
    turns = 2 * float(event.amplitude[point]) * int(event.stop[point] - event.start[point]) * 1e-12
    known = {0.5: "π/2", 1.0: "π"}
    return next((word for value, word in known.items() if math.isclose(turns, value, rel_tol=0.02)), "")


def plot(run: Measured, top: float, parts: list[str]) -> float:
    """Draw what was measured, and what was expected; return where the plot ends."""
    logarithmic, expected, band = False, None, None
    if run.curve is not None:
        c = run.curve
        x, y, logarithmic = c.x, c.y, c.logarithmic
        across, unit, up = c.x_label, c.x_unit, c.label
        band = [(line_.x, line_.y) for line_ in c.limits[:2]]
        points = len(x) < 80
    else:
        view = run.view
        axis, x = view.axes[0]
        y = view.value.reshape(len(x), -1)[:, 0]
        across, unit = axis.long_name or axis.name, axis.unit
        up = view.signal.long_name or view.signal.name
        found = expected_curve(run.record, view.signal.name)
        expected = None if found is None or found.y.ndim > 1 else (found.x, found.y)
        points = True
    high, low = top + 20, top + 170
    lines = [(x, y), *([expected] if expected else []), *(band or [])]
    px, py = scales(lines, logarithmic, high, low)
    parts.append(text(LEFT, top + 8, capital(up), anchor="start"))
    parts.append(line(LEFT, high, LEFT, low, GREY, 1))
    parts.append(line(LEFT, low, RIGHT, low, GREY, 1))
    for xs, ys in band or []:
        parts.append(curve(px(xs), py(ys), GREY, 1.2, dash="5 4"))
    if expected is not None:
        parts.append(curve(px(expected[0]), py(expected[1]), ORANGE, 2))
    if points:
        kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), 101)).round().astype(int))
        parts += [
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.2" fill="{BLUE}"/>'
            for a, b in zip(px(x[kept]), py(y[kept]), strict=True)
            if np.isfinite(a) and np.isfinite(b)
        ]
        if run.curve is not None:
            parts.append(curve(px(x), py(y), BLUE, 1.5))
    else:
        parts.append(curve(*envelope(px(x), py(y)), BLUE, 1.2))
    left, right = float(np.nanmin(x[x > 0] if logarithmic else x)), float(np.nanmax(x))
    parts.append(text(LEFT, low + 17, shown(left, unit), anchor="start", size=12))
    parts.append(text(RIGHT, low + 17, shown(right, unit), anchor="end", size=12))
    parts.append(text((LEFT + RIGHT) / 2, low + 17, across.replace("_", " "), size=12))
    return low + 28


def scales(
    lines: list[tuple[Reals, Reals]], logarithmic: bool, high: float, low: float
) -> tuple[Callable[[Reals], Reals], Callable[[Reals], Reals]]:
    """Return how values become places; the axes hold all of the lines."""

    def bend(values: Reals) -> Reals:
        values = np.asarray(values, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(values > 0, np.log10(values), np.nan) if logarithmic else values

    xs = np.concatenate([bend(x) for x, _ in lines[:1]])
    ys = np.concatenate([bend(y) for _, y in lines])
    (x0, x1), (y0, y1) = ((np.nanmin(v), np.nanmax(v)) for v in (xs, ys))
    slack = 0.06 * ((y1 - y0) or 1.0)
    y0, y1, wide = y0 - slack, y1 + slack, (x1 - x0) or 1.0

    def across(x: Reals) -> Reals:
        return LEFT + 6 + (bend(x) - x0) / wide * (RIGHT - LEFT - 12)

    def up(y: Reals) -> Reals:
        return low - (bend(y) - y0) / (y1 - y0) * (low - high)

    return across, up


def envelope(x: Reals, y: Reals) -> tuple[Reals, Reals]:
    """Return a long line with the largest and smallest of each of 200 stretches: no peak is lost."""
    found = []
    for part in np.array_split(np.arange(len(x)), 200):
        found += sorted({part[int(np.nanargmin(y[part]))], part[int(np.nanargmax(y[part]))]})
    return x[found], y[found]


def curve(x: Reals, y: Reals, colour: str, width: float, dash: str = "") -> str:
    """Return a line through points as SVG."""
    good = np.isfinite(x) & np.isfinite(y)
    good &= (x >= LEFT) & (x <= RIGHT)
    places = " L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[good], y[good], strict=True))
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="M{places}" fill="none" stroke="{colour}" stroke-width="{width}" '
        f'stroke-linejoin="round"{dashed}/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    """Return a straight line as SVG."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}"/>'
    )


def text(x: float, y: float, words: str, *, anchor: str = "middle", size: float = 13) -> str:
    """Return words as SVG, in the colour of the text around the picture."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="sans-serif" font-size="{size:.3g}" '
        f'text-anchor="{anchor}" fill="currentColor">{html.escape(words)}</text>'
    )


def shown(value: float, unit: str) -> str:
    """Return the value at the end of an axis."""
    return format_quantity(value, unit, 4)


def capital(words: str) -> str:
    """Return words with a capital in front."""
    return words[:1].upper() + words[1:].replace("_", " ")


if __name__ == "__main__":
    main(sys.argv[1:])
