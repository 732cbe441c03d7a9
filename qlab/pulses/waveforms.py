"""Waveforms: a timeline as samples of analogue channels and markers, with a sequence table; checked before upload."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.pulses.timeline import PICOSECOND, Event, Timeline

Volts = NDArray[np.float64]


@dataclass(frozen=True)
class SampledDevice:
    """What an AWG can play: `rate` in 1/s, `shortest` and `granularity` of a waveform and `memory` in samples."""

    name: str
    rate: float
    granularity: int
    shortest: int
    memory: int
    rows: int  # of the sequence table
    volts: float  # the largest that an output gives
    outputs: int
    markers: int


@dataclass(frozen=True)
class Drive:
    """How a drive channel is made: outputs of in-phase and quadrature, V for 1 Hz of Rabi frequency, carrier in Hz."""

    i: int
    q: int | None = None
    volts_per_hertz: float = 1e-7
    carrier: float = 0.0

    @classmethod
    def read(cls, text: Mapping[str, Any]) -> "Drive":
        """Return it from a bench file; raise UsageError where it is not written right."""
        try:
            return cls(**text)
        except TypeError as error:
            raise UsageError(
                f"A drive is not written right: {error}.", "Give i, q, volts_per_hertz, carrier."
            ) from None


@dataclass(frozen=True)
class Sampled:
    """A timeline as an AWG plays it.

    `waveforms` are the different ones, each (outputs, samples) in V; `markers` the same, bits of lines (samples,);
    `table` has a row for each point: which waveform, and how often.
    """

    waveforms: tuple[Volts, ...]
    markers: tuple[NDArray[np.uint8], ...]
    table: tuple[tuple[int, int], ...]
    rate: float
    timeline: Timeline  # with its edges where the samples are
    shifted: float  # s, the largest shift of an edge
    padded: float  # s, the largest lengthening of a shot

    def report(self) -> str:
        """Return in words what is played and what was rounded."""
        samples = sum(w.shape[1] for w in self.waveforms)
        said = f"{len(self.table)} points, {len(self.waveforms)} waveforms,"
        said += f" {samples} samples at {self.rate / 1e9:g} GS/s"
        if self.shifted > 0.5e-12:  # what is less is how numbers are rounded
            said += f"; edges shifted by up to {self.shifted * 1e12:.0f} ps"
        if self.padded:
            said += f"; shots lengthened by up to {self.padded * 1e9:.4g} ns"
        return said


def sampled(
    timeline: Timeline, drives: Mapping[str, Drive], markers: Mapping[str, int], device: SampledDevice
) -> Sampled:
    """Return a timeline as samples: `drives` of the channels that are played, `markers` of those that are switched.

    In phase is A cos(2π f t + φ), in quadrature A sin: t from the start of the shot, f the carrier and the frame's
    offset. Raises UsageError, naming the point, for what the device cannot play.
    """
    _check_wiring(drives, markers, device)
    found: dict[bytes, int] = {}
    waves: list[Volts] = []
    bits: list[NDArray[np.uint8]] = []
    table: list[tuple[int, int]] = []
    shifted = padded = 0.0
    for point in range(len(timeline)):
        wave, marks, shift, pad = _point(timeline, point, drives, markers, device)
        key = wave.tobytes() + marks.tobytes()
        if key not in found:
            found[key] = len(waves)
            waves.append(wave)
            bits.append(marks)
            _check_memory(waves, device, point)
        table.append((found[key], timeline.shots))
        shifted, padded = max(shifted, shift), max(padded, pad)
    if len(table) > device.rows:
        raise UsageError(
            f"The sweep has {len(table)} points, and the table of {device.name} holds {device.rows} rows.",
            "Sweep fewer points.",
        )
    lengths = np.array([waves[which].shape[1] for which, _ in table], dtype=float)
    played = timeline.rounded(
        lambda times: _moments(np.rint(times * PICOSECOND * device.rate), device), _moments(lengths, device)
    )
    return Sampled(tuple(waves), tuple(bits), tuple(table), device.rate, played, shifted, padded)


def _moments(samples: NDArray[np.float64], device: SampledDevice) -> NDArray[np.int64]:
    """Return when samples are, in ps."""
    return np.rint(samples / device.rate / PICOSECOND).astype(np.int64)


def _check_wiring(drives: Mapping[str, Drive], markers: Mapping[str, int], device: SampledDevice) -> None:
    outputs = [n for d in drives.values() for n in (d.i, d.q) if n is not None]
    if any(not 1 <= n <= device.outputs for n in outputs) or len(set(outputs)) < len(outputs):
        raise UsageError(
            f"{device.name} has the outputs 1 to {device.outputs}, each for one signal; asked for: {outputs}.",
            "Mend `drives` in the bench file.",
        )
    if any(not 1 <= n <= device.markers for n in markers.values()):
        raise UsageError(
            f"{device.name} has the markers 1 to {device.markers}; asked for: {sorted(markers.values())}.",
            "Mend `markers` in the bench file.",
        )


def _check_memory(waves: list[Volts], device: SampledDevice, point: int) -> None:
    used = sum(w.shape[1] for w in waves)
    if used > device.memory:
        raise UsageError(
            f"The waveforms up to point {point} of the sweep take {used} samples, and {device.name} holds"
            f" {device.memory}.",
            "Shorten the sequence, sweep fewer points or lower the sample rate.",
        )


def _point(
    timeline: Timeline,
    point: int,
    drives: Mapping[str, Drive],
    markers: Mapping[str, int],
    device: SampledDevice,
) -> tuple[Volts, NDArray[np.uint8], float, float]:
    exact = int(timeline.duration[point]) * PICOSECOND * device.rate
    count = max(int(np.ceil(exact - 1e-9)), device.shortest)
    count = -(-count // device.granularity) * device.granularity
    if count > device.memory:
        # Before anything of that size is made: a shot of a second would be gigabytes.
        raise UsageError(
            f"A shot takes {count} samples (point {point} of the sweep), and {device.name} holds {device.memory}.",
            "Shorten the sequence or lower the sample rate.",
        )
    wave = np.zeros((device.outputs, count))
    marks = np.zeros(count, dtype=np.uint8)
    shifted = 0.0
    for event in timeline.events:
        start, stop, shift = _samples(event, point, device)
        shifted = max(shifted, shift)
        if event.kind == "play":
            _draw(wave, event, point, slice(start, stop), drives, device)
        elif start < stop:
            marks[start:stop] |= np.uint8(1 << (_marker(event.channel, markers, device) - 1))
    high = float(np.abs(wave).max(initial=0.0))
    if high > device.volts * (1 + 1e-9):
        raise UsageError(
            f"{high:.4g} V would be needed (point {point} of the sweep), and {device.name} gives {device.volts:g} V.",
            "Lower the Rabi frequency, or amplify and calibrate volts_per_hertz anew.",
        )
    return wave, marks, shifted, (count - exact) / device.rate


def _samples(event: Event, point: int, device: SampledDevice) -> tuple[int, int, float]:
    """Return the first sample of an event, the one after its last, and by how much its edges were shifted, s."""
    edges = [int(event.start[point]), int(event.stop[point])]
    exact = [edge * PICOSECOND * device.rate for edge in edges]
    start, stop = (round(value) for value in exact)
    if edges[0] < edges[1] and start == stop:
        raise UsageError(
            f"{event.channel} of {(edges[1] - edges[0]) / 1000:g} ns would vanish (point {point} of the sweep):"
            f" a sample of {device.name} lasts {1e9 / device.rate:g} ns.",
            "Lengthen it.",
        )
    return start, stop, max(abs(start - exact[0]), abs(stop - exact[1])) / device.rate


def _draw(
    wave: Volts, event: Event, point: int, where: slice, drives: Mapping[str, Drive], device: SampledDevice
) -> None:
    if event.amplitude[point] == 0 or where.start == where.stop:
        return
    drive = drives.get(event.channel)
    if drive is None:
        raise UsageError(
            f"{device.name} has no drive for {event.channel!r}.",
            f"Add it to `drives`, beside {', '.join(drives) or 'none'}.",
        )
    times = np.arange(where.start, where.stop) / device.rate
    # The timeline's phase already turns with the frame's offset up to the start of the event.
    since = times - event.start[point] * PICOSECOND
    angle = 2 * np.pi * (drive.carrier * times + event.frequency[point] * since) + event.phase[point]
    height = event.amplitude[point] * drive.volts_per_hertz
    wave[drive.i - 1, where] += height * np.cos(angle)
    if drive.q is not None:
        wave[drive.q - 1, where] += height * np.sin(angle)
    elif drive.carrier == 0 and np.any(np.abs(np.sin(angle)) > 1e-9):
        raise UsageError(
            f"{event.channel} is asked for a phase (point {point} of the sweep), and has neither a second output nor a"
            " carrier.",
            "Give its drive q or carrier.",
        )


def _marker(name: str, markers: Mapping[str, int], device: SampledDevice) -> int:
    if name not in markers:
        raise UsageError(
            f"{device.name} has no marker for {name!r}.",
            f"Add it to `markers`, beside {', '.join(markers) or 'none'}.",
        )
    return markers[name]
