"""Tones: periodic fields that modulate the levels of a system, with exact integrals over any stretch of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Tone:
    """strength * cos(omega t + phase) added to the detuning of the levels, rad/s, t from the start of the shot.

    Each one value or (points,); the energy of a level shifts by its `order` times this.
    """

    strength: Floats
    omega: Floats
    phase: Floats

    def take(self, chosen: NDArray[np.int64] | slice) -> "Tone":
        """Return the tone at some of the points."""
        return Tone(*(v[chosen] if v.ndim and v.size > 1 else v for v in self.each()))

    def each(self) -> tuple[Floats, Floats, Floats]:
        """Return strength, omega and phase as arrays."""
        made = (np.asarray(v, dtype=float) for v in (self.strength, self.omega, self.phase))
        strength, omega, phase = made
        return strength, omega, phase

    def at(self, moment: Floats) -> Floats:
        """Return the tone at a moment, rad/s."""
        strength, omega, phase = self.each()
        return np.asarray(strength * np.cos(omega * moment + phase))

    def integral(self, start: Floats, seconds: Floats) -> Floats:
        """Return the angle that it turns a level of order 1 by, rad; exact for any length."""
        strength, omega, phase = self.each()
        half = seconds / 2
        # As a product: no difference of large phases is taken, and omega = 0 is a constant shift.
        return np.asarray(
            strength * seconds * np.sinc(omega * half / np.pi) * np.cos(omega * (start + half) + phase)
        )

    @property
    def silent(self) -> bool:
        """Whether there is no tone at any point."""
        return not np.any(self.strength)


@runtime_checkable
class Modulated(Protocol):
    """A system whose levels periodic fields modulate."""

    def tones(self, setpoints: Mapping[str, Floats]) -> tuple[Tone, ...]:
        """Return the tones at each point of a timeline with these setpoints."""
        ...
