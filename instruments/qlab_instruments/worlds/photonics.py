"""The world behind `sim-photonics`: an interferometer and a beam splitter for pairs on one optical table."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from qlab.errors import UsageError
from qlab.parameters import Parameters
from qlab.physics.judges.light import SolvedInterferometer
from qlab.physics.noise import slow_drift
from qlab.physics.systems.interferometer import Interferometer
from qlab.physics.systems.pairs import LIGHT_SPEED, PhotonPairs, spectral_width
from qlab.pulses import Timeline
from qlab.pulses.timeline import Event
from qlab.units import Radians, Unit
from qlab_instruments.worlds.seeded import SeededWorld, normalised

Share = Annotated[float, Ge(0), Le(1)]
Time = Annotated[float, Unit("s"), Gt(0)]
Length = Annotated[float, Unit("m"), Gt(0)]
Level = Annotated[float, Ge(0)]
DETECTORS, PHASE, DELAY = 6, 16, 26  # random streams
PLANCK = 6.62607015e-34
MOST_KEPT = 512  # distributions that are not computed again


class PhotonicsTruth(Parameters):
    """What is hidden on the simulated table.

    The interferometer is as good as that of Slussarenko et al., Nat. Photon. 11, 700 (2017) (transition-edge sensors);
    pairs of 3 nm at 810 nm as from a filtered crystal, after Hong, Ou and Mandel, PRL 59, 2044 (1987).
    """

    wavelength: Length = 1064e-9  # of laser, squeezer and NOON states
    phase_offset: Radians = 0.15
    shifter_scale: Annotated[float, Gt(0)] = 1.02
    arm_a: Share = 0.97
    arm_b: Share = 0.95
    spread: Annotated[float, Ge(0), Le(1)] = 0.05  # rad rms, phase from shot to shot
    phase_drift: Level = 1e-4  # rad/sqrt(s)
    efficiency: Share = 0.92
    dark_rate: Level = 100.0  # 1/s, each detector
    pair_wavelength: Length = 810e-9
    bandwidth: Length = 3e-9  # intensity FWHM of each photon
    pairs_per_watt: Level = 0.5  # pairs in a pulse per W of pump
    repetition: Annotated[float, Unit("Hz"), Gt(0)] = 80e6
    overlap: Share = 0.96
    reflectivity: Share = 0.49
    path_1: Share = 0.45
    path_2: Share = 0.42
    click_efficiency: Share = 0.6
    click_dark_rate: Level = 300.0  # 1/s
    gate: Time = 2e-9  # s, in which clicks count as one pulse's
    delay_offset: Annotated[float, Unit("s")] = 37e-15
    delay_drift: Level = 2e-17  # s/sqrt(s)


class PhotonicsWorld(SeededWorld):
    """Light in two arms, or pairs at a beam splitter: whichever source is open is what the detectors see."""

    hidden: PhotonicsTruth
    undrawn = "light in two paths has numbers of photons, not two levels."

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = PhotonicsTruth.read(truth)
        self._known: dict[tuple[Any, ...], NDArray[np.float64]] = {}

    def truth(self) -> dict[str, float]:
        """Return the process parameters and what follows from them."""
        sigma = self.pairs(0.0).sigma
        return {**self.settings(), "sigma": sigma, "dip_width": self.pairs(0.0).dip_width()}

    def pairs(self, pump: float) -> PhotonPairs:
        """Return the pairs at their beam splitter, for a pump power in W."""
        h = self.hidden
        return PhotonPairs(
            mean=h.pairs_per_watt * pump, sigma=spectral_width(h.pair_wavelength, h.bandwidth), overlap=h.overlap,
            reflectivity=h.reflectivity, paths=(h.path_1, h.path_2),
            detectors=(h.click_efficiency, h.click_efficiency), dark=h.click_dark_rate * h.gate,
        )  # fmt: skip

    def interferometer(self, window: float) -> Interferometer:
        """Return the interferometer with the light that the open sources send in a window (s)."""
        h, lines = self.hidden, self.lines
        power = lines.get("laser.power", 0.0) if lines.get("laser.on") else 0.0
        noon = round(lines.get("source.photons", 0.0)) if lines.get("source.on") else 0
        squeezing = lines.get("squeezer.squeezing", 0.0) if lines.get("squeezer.on") else 0.0
        if noon and (power or squeezing):
            raise UsageError("The laser shines where NOON states should be alone.", "Close one of both.")
        kind = SolvedInterferometer if self.solver == "qutip" else Interferometer
        return kind(
            photons=power * window * h.wavelength / (PLANCK * LIGHT_SPEED), squeezing=squeezing, noon=noon,
            arms=(h.arm_a, h.arm_b), spread=h.spread, efficiency=h.efficiency, dark=h.dark_rate * window,
            angle=lines.get("homodyne.angle", math.pi / 2),
        )  # fmt: skip

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return what the detectors see, by key, in the shapes of their roles."""
        del single  # the detectors of this table hand over what they have anyway
        seen: dict[str, NDArray[Any]] = {}
        for event in (e for e in timeline.events if e.kind == "acquire"):
            rows = [self._row(timeline, event, point) for point in range(len(timeline))]
            seen[event.key] = np.array(rows)
        return seen

    def _row(self, timeline: Timeline, event: Event, point: int) -> NDArray[Any]:
        window = float(event.duration[point]) * 1e-12
        rng = self.stream(DETECTORS, self.rows + point)
        if self.lines.get("pairs.on"):
            self.only_batched("pairs of every colour are summed in closed form.")
            return self._pair_clicks(timeline, event, point, window, rng)
        system = self.interferometer(window)
        asked = float(timeline.setpoints.get("shifter.phase", np.zeros(len(timeline)))[point])
        drift = float(slow_drift(np.asarray(self.elapsed), self.seed, PHASE)) * self.hidden.phase_drift
        phase = self.hidden.shifter_scale * asked + self.hidden.phase_offset + drift
        shots = timeline.shots
        if event.channel == "homodyne":
            self.only_batched("the field of bright light would be cut off in number.")
            if system.noon:
                system.signal(np.zeros(1), "homodyne")  # refuses, and says why
            phases = phase + system.spread * rng.normal(size=shots)
            mean, covariance = system.outputs(phases)
            along = np.array([math.cos(system.angle), math.sin(system.angle)])
            spread = np.sqrt(np.einsum("a,sab,b->s", along, covariance[:, 2:, 2:], along))
            return np.asarray(mean[:, 2:] @ along + spread * rng.normal(size=shots))
        if event.channel == "coincidences":
            shares = self._kept(system, phase, "clicks")
            _, a, b, both = rng.multinomial(shots, normalised(shares))
            return np.array([a + both, b + both, both])
        shares = self._kept(system, phase, "numbers")
        drawn = np.searchsorted(np.cumsum(shares.ravel() / shares.sum()), rng.random(shots))
        return np.stack(np.divmod(np.minimum(drawn, shares.size - 1), shares.shape[1]), axis=-1)

    def _kept(self, system: Interferometer, phase: float, what: str) -> NDArray[np.float64]:
        """Return the shares at a phase, to 0.1 mrad, far below what a row resolves; known ones are kept."""
        key = (system, round(phase, 4), what)
        if key not in self._known:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            self._known[key] = system.clicks(key[1]) if what == "clicks" else system.shares(key[1])
        return self._known[key]

    def _pair_clicks(
        self, timeline: Timeline, event: Event, point: int, window: float, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        if event.channel != "coincidences":
            raise UsageError(
                "Pairs are led to the coincidence counter.", "Read that one, or close the source."
            )
        h = self.hidden
        drift = float(slow_drift(np.asarray(self.elapsed), self.seed, DELAY)) * h.delay_drift
        asked = float(timeline.setpoints.get("delay.delay", np.zeros(len(timeline)))[point])
        system = self.pairs(self.lines.get("pairs.pump", 0.0))
        shares = system.clicks(np.asarray(asked - h.delay_offset - drift))
        pulses = round(h.repetition * window) * timeline.shots
        _, a, b, both = rng.multinomial(pulses, normalised(shares))
        return np.array([a + both, b + both, both])
