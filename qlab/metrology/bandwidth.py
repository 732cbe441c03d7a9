"""Dynamic range and bandwidth of a sensor: how large and how fast a signal may be."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.metrology.fisher import Reals


@dataclass(frozen=True)
class DynamicRange:
    """The largest value that is not ambiguous (±, from the working point) over the least that is resolved."""

    largest: float
    least: float

    @property
    def ratio(self) -> float:
        """Largest over least."""
        return self.largest / self.least

    @property
    def decibels(self) -> float:
        """20·log10 of the ratio (amplitudes)."""
        return 20 * math.log10(self.ratio)


def phase_range(interrogation: float, resolution: float, *, scale: float = 1.0) -> DynamicRange:
    """Return the range of a phase sensor read on its slope: ±π/2, a quarter fringe to each side.

    interrogation (s); `scale` Hz per unit of signal (γ·Δm in Hz/T); `resolution` in units of the signal. The
    largest signal is 1/(4·scale·interrogation).
    """
    return DynamicRange(1 / (4 * scale * interrogation), resolution)


def response(frequency: ArrayLike, pulses: Sequence[float], duration: float) -> NDArray[np.complex128]:
    """Return Y(f) = ∫₀^T y(t) e^{−i2πft} dt in s, (k,), where y = ±1 flips at each of the times `pulses` (s).

    A field of amplitude B turns the phase by up to 2πγB|Y(f)|: |Y| = T|sinc(fT)| for Ramsey, 2T/π for a pulse
    train on resonance. Source: Degen RMP 89, 035002 (2017), section VI; physics.md P11.
    """
    f = np.asarray(frequency, dtype=float)
    edges = np.array([0.0, *pulses, duration])
    signs = (-1.0) ** np.arange(len(edges) - 1)
    middle, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    turns = np.exp(-2j * np.pi * np.multiply.outer(f, middle))
    return np.asarray((turns * (signs * width * np.sinc(np.multiply.outer(f, width)))).sum(axis=-1))


def half_power_band(
    pulses: Sequence[float], duration: float, *, largest: float | None = None
) -> tuple[float, float]:
    """Return the frequencies (Hz) around the strongest response where |Y|² has fallen to one half.

    The lower end is 0 for a sensor of steady fields. Searched up to `largest` (default: one and a half times the
    pulses' own frequency, or 2/duration).
    """
    top = largest or max((len(pulses) + 1) * 0.75, 2.0) / duration
    f = np.linspace(0, top, 4001)
    power = np.abs(response(f, pulses, duration)) ** 2
    peak = int(np.argmax(power))
    half = power[peak] / 2
    above = power >= half
    low = peak - int(np.argmin(above[: peak + 1][::-1])) if not above[: peak + 1].all() else 0
    high = peak + int(np.argmin(above[peak:])) if not above[peak:].all() else len(f) - 1
    return _crossing(f, power, low, half), _crossing(f, power, high - 1, half)


def _crossing(f: Reals, power: Reals, at: int, half: float) -> float:
    if at <= 0 and power[0] >= half:
        return 0.0
    a, b = power[at], power[at + 1]
    share = float(np.clip((half - a) / (b - a), 0, 1)) if b != a else 0.0
    return float(f[at] + share * (f[at + 1] - f[at]))


def sampling_bandwidth(cycle: float) -> float:
    """Return 1/(2·cycle) in Hz: beyond it, signals read once per `cycle` (s) look slower than they are."""
    return 1 / (2 * cycle)
