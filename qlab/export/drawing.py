"""Drawings of a run as SVG, made without any window or plotting library: curves with errors and fit, and maps."""

import base64
import math
import struct
import zlib
from collections.abc import Iterator
from html import escape

import numpy as np
from numpy.typing import NDArray

from qlab.grid import Grid
from qlab.record import FitResult, Record
from qlab.runs import Run
from qlab.units import si_prefix

Reals = NDArray[np.float64]
WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 20, 60
INK, BLUE, RED = "#222", "#1f5fa8", "#c23b22"
_MOST_PIXELS = 1 << 22
# Stops of a colour scale that grows evenly in lightness, from dark blue to pale yellow.
_SCALE = np.array(
    [(24, 15, 62), (69, 50, 120), (33, 113, 142), (53, 168, 123), (147, 209, 74), (250, 232, 110)], float
)


def figure(run: Run, signal: str = "") -> str:
    """Return a signal of a run as an SVG element; empty where there is nothing to draw."""
    view = run.grid(signal)
    if not np.isfinite(view.value).any():
        return ""
    if len(view.axes) == 1:
        fit = next((f for f in reversed(run.record.fits) if f.signal == view.signal.name and f.success), None)
        return _svg(_curve(run.record, view, fit), view.signal.long_name or view.signal.name)
    if len(view.axes) == 2 and view.value.size <= _MOST_PIXELS:
        return _svg(_map(view), view.signal.long_name or view.signal.name)
    return ""


def _svg(parts: Iterator[str], title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="13" fill="{INK}"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def _curve(record: Record, view: Grid, fit: FitResult | None) -> Iterator[str]:
    axis, x = view.axes[0]
    y, error = view.value, np.where(np.isfinite(view.error), view.error, 0.0)
    taken = np.isfinite(y) & np.isfinite(x)
    x, y, error = np.asarray(x, float)[taken], y[taken], error[taken]
    line_x, line_y = _fitted(record, fit, x) if fit is not None else (np.zeros(0), np.zeros(0))
    across = _Scale.over(x, axis.unit, LEFT, WIDTH - RIGHT)
    up = _Scale.over(np.concatenate([y - error, y + error, line_y]), view.signal.unit, HEIGHT - BOTTOM, TOP)
    yield from _frame(across, up, _label(axis.long_name or axis.name, across), _name(view, up))
    px, py = across(x), up(y)
    high, low = up(y + error), up(y - error)
    for a, b, top, bottom, e in zip(px, py, high, low, error, strict=True):
        if e > 0:
            yield f'<path d="M{a:.1f} {bottom:.1f}V{top:.1f}" stroke="{BLUE}" stroke-width="1" opacity=".5"/>'
        yield f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.4" fill="{BLUE}"/>'
    if len(line_x):
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across(line_x), up(line_y), strict=True))
        yield f'<polyline points="{points}" fill="none" stroke="{RED}" stroke-width="1.6"/>'


def _fitted(record: Record, fit: FitResult, x: Reals) -> tuple[Reals, Reals]:
    from qlab.errors import QlabError
    from qlab.fits import load_model

    empty = np.zeros(0)
    if len(x) < 2 or not all(np.isfinite(v) for v in fit.values.values()):
        return empty, empty
    try:
        model = load_model(fit.model, dict(fit.context or record.fit_context))
        dense = np.linspace(float(x.min()), float(x.max()), 600)
        drawn = np.asarray(model.evaluate(dense, fit.values), float)
    except (QlabError, KeyError):  # a model of a plug-in that is not installed here
        return empty, empty
    return (dense, drawn) if np.isfinite(drawn).all() else (empty, empty)


def _map(view: Grid) -> Iterator[str]:
    (outer, y), (inner, x) = view.axes
    across = _Scale.over(np.asarray(x, float), inner.unit, LEFT, WIDTH - RIGHT - 90, half=True)
    up = _Scale.over(np.asarray(y, float), outer.unit, HEIGHT - BOTTOM, TOP, half=True)
    finite = view.value[np.isfinite(view.value)]
    low, high = float(finite.min()), float(finite.max())
    yield _picture(view.value[::-1], low, high, LEFT, TOP, WIDTH - RIGHT - 90 - LEFT, HEIGHT - BOTTOM - TOP)
    yield from _frame(
        across, up, _label(inner.long_name or inner.name, across), _label(outer.long_name or outer.name, up)
    )
    bar = np.linspace(high, low, 128)[:, None]
    yield _picture(bar, low, high, WIDTH - RIGHT - 62, TOP, 14, HEIGHT - BOTTOM - TOP)
    colour = _Scale.over(np.array([low, high]), view.signal.unit, HEIGHT - BOTTOM, TOP, margin=0.0)
    for value in colour.ticks():
        yield f'<text x="{WIDTH - RIGHT - 44}" y="{colour(value) + 4:.1f}" font-size="11">{colour.text(value)}</text>'
    words = escape(_name(view, colour))
    yield f'<text x="{WIDTH - 6}" y="{HEIGHT - 32}" font-size="11" text-anchor="end">{words}</text>'


def _picture(values: Reals, low: float, high: float, x: float, y: float, width: float, height: float) -> str:
    share = np.clip((values - low) / ((high - low) or 1.0), 0.0, 1.0)
    place = np.nan_to_num(share) * (len(_SCALE) - 1)
    index = np.minimum(place.astype(int), len(_SCALE) - 2)
    part = (place - index)[..., None]
    colours = (_SCALE[index] * (1 - part) + _SCALE[index + 1] * part).astype(np.uint8)
    colours[~np.isfinite(values)] = 255
    raw = b"".join(b"\0" + row.tobytes() for row in colours)
    head = struct.pack(">IIBBBBB", colours.shape[1], colours.shape[0], 8, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(raw, 9))
        + _chunk(b"IEND", b"")
    )
    data = base64.b64encode(png).decode()
    return (
        f'<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


class _Scale:
    """One direction of a drawing: from values in SI units to places, with ticks in prefixed units."""

    def __init__(self, low: float, high: float, unit: str, start: float, stop: float) -> None:
        self.low, self.high, self.start, self.stop = low, high, start, stop
        self.factor, self.unit = si_prefix(max(abs(low), abs(high)), unit)

    @classmethod
    def over(
        cls, values: Reals, unit: str, start: float, stop: float, *, margin: float = 0.04, half: bool = False
    ) -> "_Scale":
        """Make a scale over some values; `half` leaves room for half a pixel of a map on both sides."""
        finite = values[np.isfinite(values)]
        low, high = float(finite.min()), float(finite.max())
        room = (high - low) * margin
        if half:
            room = (high - low) / (2 * max(len(values) - 1, 1))
        room = room or (0.0 if high > low else abs(high) * 0.5 or 0.5)
        return cls(low - room, high + room, unit, start, stop)

    def __call__(self, values: Reals | float) -> Reals:
        share = (np.asarray(values, float) - self.low) / (self.high - self.low)
        return np.asarray(self.start + share * (self.stop - self.start))

    def ticks(self) -> list[float]:
        """Return round values over the scale, in SI units."""
        low, high = self.low / self.factor, self.high / self.factor
        raw = (high - low) / 5
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw)
        first = math.ceil(low / step - 1e-9)
        return [i * step * self.factor for i in range(first, math.floor(high / step + 1e-9) + 1)]

    def text(self, value: float) -> str:
        """Return a tick as text."""
        return f"{value / self.factor:.6g}"


def _label(name: str, scale: _Scale) -> str:
    return f"{name} ({scale.unit})" if scale.unit not in {"", "1"} else name


def _name(view: Grid, scale: _Scale) -> str:
    return _label(view.signal.long_name or view.signal.name, scale)


def _frame(across: _Scale, up: _Scale, below: str, beside: str) -> Iterator[str]:
    left, right, bottom, top = across.start, across.stop, up.start, up.stop
    for value in across.ticks():
        x = float(across(value))
        yield f'<path d="M{x:.1f} {bottom}V{bottom + 5}" stroke="{INK}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 19}" text-anchor="middle">{across.text(value)}</text>'
    for value in up.ticks():
        y = float(up(value))
        yield f'<path d="M{left} {y:.1f}H{left - 5}" stroke="{INK}"/>'
        yield f'<text x="{left - 9}" y="{y + 4.5:.1f}" text-anchor="end">{up.text(value)}</text>'
    yield f'<path d="M{left} {top}H{right}V{bottom}H{left}Z" fill="none" stroke="{INK}"/>'
    yield f'<text x="{(left + right) / 2}" y="{HEIGHT - 14}" text-anchor="middle">{escape(below)}</text>'
    middle = (top + bottom) / 2
    yield f'<text x="18" y="{middle}" text-anchor="middle" transform="rotate(-90 18 {middle})">{escape(beside)}</text>'
