"""The world behind `sim-transmon`: a flux-tunable transmon read through a resonator."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.typing import NDArray

from qlab.parameters import Parameters
from qlab.physics.dispersive import Resonator
from qlab.physics.engine import play
from qlab.physics.noise import slow_drift
from qlab.physics.path import Path, path_of
from qlab.physics.systems.transmon import Transmon
from qlab.pulses import Timeline
from qlab.units import Hertz, Unit
from qlab_instruments.worlds.seeded import SeededWorld, normalised

Positive = Annotated[float, Unit("Hz"), Gt(0)]
Time = Annotated[float, Unit("s"), Gt(0)]
Share = Annotated[float, Ge(0), Le(1)]
DIGITIZER, FLUX = 3, 13  # random streams


class TransmonTruth(Parameters):
    """What is hidden in the simulated transmon bench: a tunable transmon as in Blais et al., RMP 93, 025005 (2021).

    T1 and flux noise are typical of planar devices (a few microvolt-like 1/f flux noise of some 1e-6 flux quanta).
    """

    EJ: Positive = 15e9
    EC: Positive = 0.25e9
    asymmetry: Share = 0.1
    flux_offset: float = 0.1  # flux quanta through the loop at zero voltage
    flux_per_volt: Annotated[float, Unit("1/V")] = 0.5
    resonator: Positive = 7.0e9
    coupling: Hertz = 90e6
    kappa: Positive = 2e6
    T1: Time = 40e-6
    Tphi: Time = 80e-6
    excited: Annotated[float, Ge(0), Lt(0.5)] = 0.01
    flux_noise: Annotated[float, Ge(0)] = 3e-6
    tau_c: Time = 1.0
    flux_drift: Annotated[float, Ge(0)] = 5e-10
    efficiency: Annotated[float, Gt(0), Le(1)] = 0.3
    photons_per_volt2: Annotated[float, Unit("1/V^2"), Ge(0)] = 500.0
    drive_gain: Annotated[float, Ge(0)] = 1.0


class TransmonWorld(SeededWorld):
    """One transmon shared by all instruments of a bench.

    Each shot projects the transmon into a level, which may fall while the window is open; the digitizer sees the field
    of the resonator, integrated, with the noise of the chain (readout model R3).
    """

    hidden: TransmonTruth

    def __init__(self, truth: Mapping[str, float | str]) -> None:
        super().__init__()
        self.hidden = TransmonTruth.read(truth)

    def transmon(self, seconds: float) -> Transmon:
        """Return the transmon at a moment of virtual time, drift and flux bias included."""
        h = self.hidden
        drift = float(slow_drift(np.asarray(seconds), self.seed, FLUX)) * h.flux_drift
        return Transmon(
            EJ=h.EJ, EC=h.EC, flux=h.flux_offset + drift + h.flux_per_volt * self.lines.get("flux.voltage", 0.0),
            asymmetry=h.asymmetry, resonator=h.resonator, coupling=h.coupling, kappa=h.kappa, T1=h.T1, Tphi=h.Tphi,
            excited=h.excited, flux_noise=h.flux_noise, tau_c=h.tau_c, efficiency=h.efficiency,
            drive_gain=h.drive_gain, photons_per_volt2=h.photons_per_volt2,
        )  # fmt: skip

    def truth(self) -> dict[str, float]:
        """Return the process parameters and what follows from them."""
        made = self.transmon(0.0)
        low, high = made.resonator_frequencies()[:2]
        return {
            **self.settings(),
            "qubit_frequency": made.qubit_frequency(),
            "anharmonicity": made.anharmonicity(),
            "chi": made.dispersive_shift(),
            "readout_frequency": float(low + high) / 2,
            "flux_slope": made.flux_slope(),
            "T2_star": made.free_decay_time(),
        }

    def resonator(self, made: Transmon) -> Resonator:
        """Return the resonator as the probe tone drives it."""
        probe = self.lines.get("digitizer.frequency", made.resonator)
        return made.probed(probe, self.lines.get("digitizer.amplitude", 0.0))

    def detect(self, timeline: Timeline, *, single: bool = False) -> dict[str, NDArray[Any]]:
        """Return, by key, integrated IQ samples (points, shots, 2), or how many shots were found above threshold."""
        del single  # every shot is kept here anyway
        made = self.transmon(self.elapsed)
        setpoints = dict(timeline.setpoints)
        if self.lines.get("microwave.on", 1.0) == 0:
            setpoints["microwave.power"] = np.full(len(timeline), -math.inf)
        shares = play(made, timeline, self.solver).probability
        resonator = self.resonator(made)
        seen: dict[str, NDArray[Any]] = {}
        for event in (e for e in timeline.events if e.kind == "acquire"):
            iq = self._shots(resonator, shares, np.asarray(event.duration * 1e-12), timeline.shots)
            if event.mode == "bits":
                axis = np.exp(-1j * self.lines.get("digitizer.rotation", 0.0))
                above = (iq * axis).real > self.lines.get("digitizer.threshold", 0.0)
                seen[event.key] = above.sum(axis=1)
            else:
                seen[event.key] = np.stack([iq.real, iq.imag], axis=-1)
        return seen

    def path(self, timeline: Timeline, point: int) -> Path:
        """Return the state of the transmon along one point of a timeline."""
        return path_of(self.transmon(0.0), timeline, point)

    def _shots(
        self, resonator: Resonator, shares: NDArray[np.float64], windows: NDArray[np.float64], shots: int
    ) -> NDArray[np.complex128]:
        """Return what is integrated in each shot, (points, shots); `windows` in s."""
        points, names = shares.shape
        levels = np.empty((points, shots), dtype=np.int64)
        waits, noise = np.empty((points, 2, shots)), np.empty((points, 2, shots))
        for point in range(points):
            rng = self.stream(DIGITIZER, self.rows + point)
            levels[point] = rng.choice(names, size=shots, p=normalised(shares[point]))
            rng.standard_exponential(out=waits[point])
            rng.standard_normal(out=noise[point])
        # A level k falls at the rate k/T1; two steps at most.
        first = waits[:, 0] * self.hidden.T1 / np.maximum(levels, 1e-300)
        second = first + waits[:, 1] * self.hidden.T1 / np.maximum(levels - 1, 1e-300)
        seen = np.empty((points, shots), dtype=complex)
        for window in np.unique(windows):
            alike = windows == window
            down = np.array([first[alike].ravel(), second[alike].ravel()])
            means = resonator.integrate(levels[alike].ravel(), down, float(window))
            seen[alike] = means.reshape(-1, shots) + resonator.noise(float(window)) * (
                noise[alike, 0] + 1j * noise[alike, 1]
            )
        return seen
