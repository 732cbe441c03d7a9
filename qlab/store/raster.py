"""A small picture of a run's default plot, drawn with numpy alone."""

import numpy as np
from numpy.typing import NDArray

from qlab.grid import Grid

WIDTH, HEIGHT = 160, 100
_PAPER, _INK, _ERROR, _FRAME = 255, 20, 190, 215
_MARGIN = 4
Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]


def thumbnail(view: Grid) -> Picture | None:
    """Return the default plot as grey values, shape (100, 160), row 0 on top; None where nothing can be drawn."""
    value = np.asarray(view.value, dtype=float)
    axes = [values for _, values in view.axes]
    if not np.isfinite(value).any():
        return None
    if value.ndim >= 2:
        return _map(value.reshape(value.shape[0], value.shape[1], -1).mean(axis=2))
    x = np.asarray(axes[0], dtype=float) if axes else np.arange(value.size, dtype=float)
    return _curve(x, value.ravel(), np.asarray(view.error, dtype=float).ravel())


def _curve(x: Floats, y: Floats, error: Floats) -> Picture:
    picture = _sheet()
    good = np.isfinite(x) & np.isfinite(y)
    order = np.argsort(x[good], kind="stable")
    x, y, error = x[good][order], y[good][order], np.nan_to_num(error[good][order], posinf=0.0)
    column = _pixels(x, x.min(), x.max(), WIDTH)
    # A bar of one sigma must not shrink the curve to a line.
    spread = np.minimum(error, np.ptp(y) if np.ptp(y) > 0 else error)
    low, high = float((y - spread).min()), float((y + spread).max())
    row = HEIGHT - 1 - _pixels(y, low, high, HEIGHT)
    top, bottom = (HEIGHT - 1 - _pixels(y + side * spread, low, high, HEIGHT) for side in (1, -1))
    for at, start, stop in zip(column, top, bottom, strict=True):
        picture[start : stop + 1, at] = np.minimum(picture[start : stop + 1, at], _ERROR)
    for index in range(len(column) - 1):
        _line(picture, column[index], row[index], column[index + 1], row[index + 1])
    picture[row, column] = _INK
    return picture


def _line(picture: Picture, x0: int, y0: int, x1: int, y1: int) -> None:
    steps = int(max(abs(x1 - x0), abs(y1 - y0), 1))
    share = np.arange(steps + 1) / steps
    picture[np.rint(y0 + share * (y1 - y0)).astype(int), np.rint(x0 + share * (x1 - x0)).astype(int)] = _INK


def _map(value: Floats) -> Picture:
    """Draw a map, the first axis to the right and the second upwards, dark where the value is high."""
    picture = _sheet()
    inside = (HEIGHT - 2 * _MARGIN, WIDTH - 2 * _MARGIN)
    low, high = float(np.nanmin(value)), float(np.nanmax(value))
    share = (value - low) / (high - low) if high > low else np.zeros_like(value)
    grey = np.where(np.isfinite(share), np.rint(235 - 215 * np.nan_to_num(share)), _PAPER).astype(np.uint8)
    right = np.arange(inside[1]) * value.shape[0] // inside[1]
    up = np.arange(inside[0])[::-1] * value.shape[1] // inside[0]
    picture[_MARGIN : HEIGHT - _MARGIN, _MARGIN : WIDTH - _MARGIN] = grey.T[np.ix_(up, right)]
    return picture


def _sheet() -> Picture:
    picture = np.full((HEIGHT, WIDTH), _PAPER, dtype=np.uint8)
    picture[[0, -1], :] = picture[:, [0, -1]] = _FRAME
    return picture


def _pixels(values: Floats, low: float, high: float, size: int) -> NDArray[np.int64]:
    room = size - 1 - 2 * _MARGIN
    share = (values - low) / (high - low) if high > low else np.full(len(values), 0.5)
    return np.asarray(_MARGIN + np.rint(np.clip(share, 0, 1) * room), dtype=np.int64)
