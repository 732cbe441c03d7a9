"""Photon pairs at a beam splitter (card M11): Hong–Ou–Mandel interference with loss, several pairs and dark counts."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LIGHT_SPEED = 299792458.0


@dataclass(frozen=True)
class PhotonPairs:
    """Pulses with a Poisson number of pairs (`mean`), one photon of each into either port of a beam splitter.

    `sigma` is the rms spectral width of each photon in rad/s (independent Gaussian spectra), `overlap` how alike both
    are at no delay, `reflectivity` that of the splitter, `paths` the efficiencies before it, `detectors` those behind
    it, `dark` the dark counts of each detector in a pulse. `repetition` (pulses in a second) and `offset` (s, where no
    delay is) are those of a table. Source: HOM, PRL 59, 2044 (1987); physics.md M11, P33.
    """

    mean: float = 0.01
    sigma: float = 3.66e12
    overlap: float = 1.0
    reflectivity: float = 0.5
    paths: tuple[float, float] = (1.0, 1.0)
    detectors: tuple[float, float] = (1.0, 1.0)
    dark: float = 0.0
    repetition: float = 0.0
    offset: float = 0.0

    def alike(self, delay: Floats) -> Floats:
        """Return the overlap of both photons at a delay in s: overlap exp(-sigma^2 tau^2)."""
        return np.asarray(self.overlap * np.exp(-((self.sigma * np.asarray(delay)) ** 2)))

    def ideal_coincidence(self, delay: Floats) -> Floats:
        """Return the probability that both photons of one pair leave by different ports: R^2 + T^2 - 2RT overlap."""
        r = self.reflectivity
        return np.asarray(r**2 + (1 - r) ** 2 - 2 * r * (1 - r) * self.alike(delay))

    def clicks(self, delay: Floats) -> Floats:
        """Return the probabilities of a click in a pulse at neither, at a alone, at b alone, at both; (..., 4)."""
        none_a, none_b, neither = (
            self._dark(delay, watched) for watched in ((True, False), (False, True), (True, True))
        )
        return np.stack([neither, none_b - neither, none_a - neither, 1 - none_a - none_b + neither], axis=-1)

    def _dark(self, delay: Floats, watched: tuple[bool, bool]) -> Floats:
        """Return the probability that no watched detector clicks in a pulse."""
        seen = [eta if on else 0.0 for eta, on in zip(self.detectors, watched, strict=True)]
        r, t = self.reflectivity, 1 - self.reflectivity
        first = 1 - (t * seen[0] + r * seen[1])  # a photon from port 1 alone is not seen
        second = 1 - (r * seen[0] + t * seen[1])
        bunched = r * t * (1 + self.alike(delay))  # both at a; as likely both at b
        apart = self.ideal_coincidence(delay)
        both = bunched * ((1 - seen[0]) ** 2 + (1 - seen[1]) ** 2) + apart * (1 - seen[0]) * (1 - seen[1])
        one, other = self.paths
        unseen = (
            (1 - one) * (1 - other)
            + one * (1 - other) * first
            + (1 - one) * other * second
            + one * other * both
        )
        # Pairs are independent, and so are their numbers in a pulse (many spectral modes): Poisson.
        return np.asarray(np.exp(-self.mean * (1 - unseen) - sum(watched) * self.dark))

    def coincidence(self, delay: Floats) -> Floats:
        """Return the probability of a coincidence in a pulse at delays (s)."""
        return np.asarray(self.clicks(np.asarray(delay, dtype=float))[..., 3])

    def visibility(self) -> float:
        """Return the depth of the dip as it is measured: 1 - coincidences at no delay over those far off."""
        near, far = self.coincidence(np.array([0.0, 1e3 / self.sigma]))
        return float(1 - near / far)

    def quantum_fisher(self) -> float:
        """Return the quantum Fisher information on the delay from each pair, 2 sigma^2 (1/s^2).

        Generator (w1 - w2)/2 of two independent spectra; a perfect dip reaches it at no delay.
        """
        return 2 * self.sigma**2

    def dip_width(self) -> float:
        """Return the full width of the dip at half its depth, 2 sqrt(ln 2)/sigma, in s."""
        return 2 * math.sqrt(math.log(2)) / self.sigma


def spectral_width(wavelength: float, fwhm: float) -> float:
    """Return the rms width in rad/s of a spectrum of intensity FWHM `fwhm` at `wavelength`, both in m (P33)."""
    return 2 * math.pi * LIGHT_SPEED * fwhm / wavelength**2 / (2 * math.sqrt(2 * math.log(2)))
