"""Files of waveforms: what an AWG would play, written to be looked at, and read a stretch at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from qlab.errors import FileError
from qlab.pulses.waveforms import Drive, Sampled

Floats = NDArray[np.float64]
KIND = "qlab waveforms"
_AT_ONCE = 4_000_000  # samples that are read together


@dataclass(frozen=True)
class Waves:
    """A stretch of what is played at one point of a sweep.

    `time` (n,) in s from the start of the shot; `low` and `high` (outputs, n) in V the least and the largest that an
    output gives until the next time (the same where every sample is shown), `dark` and `lit` (lines, n) the same of the
    markers; `seconds` of the whole shot. `point` of `points`, played `repeats` times.
    """

    path: str
    point: int
    points: int
    repeats: int
    seconds: float
    time: Floats
    outputs: tuple[str, ...]
    low: Floats
    high: Floats
    lines: tuple[str, ...]
    dark: NDArray[np.bool_]
    lit: NDArray[np.bool_]
    report: str

    @property
    def whole(self) -> bool:
        """Whether every sample is there."""
        return bool(np.array_equal(self.low, self.high) and np.array_equal(self.dark, ~self.lit))


def write_waves(made: Sampled, path: Path, drives: Mapping[str, Drive], markers: Mapping[str, int]) -> None:
    """Write a sampled timeline: `table` (points, 2: waveform, repeats), and each waveform with its markers."""
    outputs = made.waveforms[0].shape[0] if made.waveforms else 0
    with h5py.File(path, "w") as file:
        file.attrs["kind"] = KIND
        file.attrs["rate"] = made.rate
        file.attrs["rate_units"] = "1/s"
        file.attrs["report"] = made.report()
        file["table"] = np.asarray(made.table, dtype=np.int64)
        file["table"].attrs["columns"] = ["waveform", "repeats"]
        for number, (wave, marks) in enumerate(zip(made.waveforms, made.markers, strict=True)):
            group = file.create_group(f"waveform_{number}")
            group["outputs"] = wave
            group["outputs"].attrs["units"] = "V"
            group["outputs"].attrs["names"] = _output_names(drives, outputs)
            group["markers"] = marks
            group["markers"].attrs["names"] = _line_names(markers)


def read_waves(
    path: Path, point: int = 0, start: float = 0.0, stop: float = np.inf, columns: int = 2000
) -> Waves:
    """Return what is played at a point of the sweep from `start` to `stop` (s), in at most about `columns` stretches.

    Raises FileError where the file is none of waveforms or is damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("kind", "") != KIND:
                raise FileError(f"{path.name} holds no waveforms.", "Open a file that an AWG has written.")
            table = file["table"][:]
            if not len(table):
                raise FileError(f"{path.name} holds no point.", "Play something first.")
            point = min(max(point, 0), len(table) - 1)
            group, rate = file[f"waveform_{int(table[point][0])}"], float(file.attrs["rate"])
            outputs, markers = group["outputs"], group["markers"]
            count = outputs.shape[1]
            first = min(max(int(start * rate), 0), max(count - 1, 0))
            last = count if stop * rate >= count else max(int(np.ceil(stop * rate)) + 1, first + 1)
            step = max(1, -(-(last - first) // columns))
            low, high, dark, lit = _seen(outputs, markers, first, last, step)
            return Waves(
                str(path), point, len(table), int(table[point][1]), count / rate,
                (first + step * np.arange(low.shape[1])) / rate,
                tuple(map(str, outputs.attrs["names"])), low, high,
                tuple(map(str, markers.attrs["names"])), dark, lit, str(file.attrs["report"]),
            )  # fmt: skip
    except (OSError, KeyError, IndexError, ValueError, TypeError) as error:
        raise FileError(
            f"{path.name} cannot be read: {error}.", "It may be damaged; have it written again."
        ) from None


def _seen(
    outputs: h5py.Dataset, markers: h5py.Dataset, first: int, last: int, step: int
) -> tuple[Floats, Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the least and the largest value, and which lines are ever dark and ever lit, of each `step` samples."""
    lines = len(markers.attrs["names"])
    parts: list[tuple[NDArray[np.generic], ...]] = []
    block = max(_AT_ONCE // step, 1) * step
    for begin in range(first, last, block):
        end = min(begin + block, last)
        wave, bits = outputs[:, begin:end], markers[begin:end]
        edges = np.arange(0, end - begin, step)
        lit = (bits[None, :] >> np.arange(lines)[:, None]) & 1
        parts.append((
            np.minimum.reduceat(wave, edges, axis=1), np.maximum.reduceat(wave, edges, axis=1),
            np.minimum.reduceat(lit, edges, axis=1) == 0, np.maximum.reduceat(lit, edges, axis=1) == 1,
        ))  # fmt: skip
    low, high, dark, lit = (np.concatenate(each, axis=1) for each in zip(*parts, strict=True))
    return low, high, dark, lit


def _output_names(drives: Mapping[str, Drive], outputs: int) -> list[str]:
    found = [f"output {number + 1}" for number in range(outputs)]
    for name, drive in drives.items():
        found[drive.i - 1] = f"{name}, in phase" if drive.q is not None else name
        if drive.q is not None:
            found[drive.q - 1] = f"{name}, quadrature"
    return found


def _line_names(markers: Mapping[str, int]) -> list[str]:
    found = [f"marker {number + 1}" for number in range(max(markers.values(), default=0))]
    for name, number in markers.items():
        found[number - 1] = name
    return found
