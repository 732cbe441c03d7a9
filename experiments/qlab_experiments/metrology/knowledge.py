"""What the rows of an adaptive Ramsey run say of the offset, and what to measure next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qlab.bayes import Binomial, Following, SpinPhotons, expected_information_gain, normal_information_gain
from qlab.fits.fringes import DampedCosineTriplet
from qlab_experiments.metrology.reading import Calibrated, Reading

Reals = NDArray[np.float64]
Complexes = NDArray[np.complex128]
EXACT = 12  # shots up to which all outcomes are listed to choose a setting
ENOUGH = 400  # values of the offset that a choice weighs
DEVIATIONS = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])  # by which either level of the calibration may be off


@dataclass(frozen=True)
class Setting:
    """A precession time (s) and the phase of the second pulse (rad)."""

    tau: float
    phase: float


class Asked(Protocol):
    """The experiment, as far as its knowledge asks it."""

    @property
    def parameters(self) -> Any:
        """Its parameters."""
        ...

    @property
    def reading(self) -> Reading:
        """How the system is read."""
        ...

    @property
    def overhead(self) -> float:
        """The seconds of a shot beyond the precession."""
        ...

    def curve(self, theta: Mapping[str, float]) -> DampedCosineTriplet:
        """Return the curve over τ for a context."""
        ...


class Knowledge:
    """What the rows so far say of the offset, and what to measure next."""

    def __init__(self, experiment: Asked, calibration: Sequence[Mapping[str, Any]]) -> None:
        p = experiment.parameters
        self.experiment = experiment
        self.following = Following(
            "frequency", -p.reach, p.reach, 1001, {"low": DEVIATIONS, "high": DEVIATIONS}
        )
        self._model = experiment.curve({})
        self._kept: dict[bytes, tuple[Reals, Reals, Complexes, Complexes]] = {}
        (low, off), (turned, spread) = (experiment.reading.rate(row) for row in calibration)
        # A pulse of finite strength does not turn everything: what it turns on average, before anything is known.
        share = float(np.mean(self.transfer(self.following.axis, Setting(0.0, 0.0))))
        self.given = Calibrated(low, low + (turned - low) / share)
        lows, turns = low + off * DEVIATIONS[:, None], turned + spread * DEVIATIONS
        self.spread = Calibrated(lows, lows + (turns - lows) / share)
        self.taken: list[tuple[Setting, Mapping[str, Any]]] = []
        self._last = calibration[0]

    def transfer(self, frequency: Reals, setting: Setting) -> Reals:
        """Return the probability of being turned at a setting for each offset (n,), Hz."""
        mean, wave = self._parts(frequency, setting.tau)
        return np.asarray(np.clip(mean + (wave * np.exp(1j * setting.phase)).real, 0, 1))

    def _parts(self, frequency: Reals, tau: float) -> tuple[Reals, Complexes]:
        """Return mean and complex fringe at one time for each offset."""
        p = self.experiment.parameters
        delta, mean, coherence, delay = self._pulses(frequency)
        loss = ((tau + delay) / p.T2_star) ** p.exponent
        wave = coherence * np.exp(2j * np.pi * delta * tau - np.where(loss.real < 700, loss, 700))
        return mean, wave.mean(axis=0)

    def _pulses(self, frequency: Reals) -> tuple[Reals, Reals, Complexes, Complexes]:
        """Return detunings, mean, coherence and delay of the pulses, kept for the last grids."""
        key = frequency.tobytes()
        if key not in self._kept:
            while len(self._kept) > 3:
                self._kept.pop(next(iter(self._kept)))
            theta = {"frequency": frequency, "hyperfine": self.experiment.parameters.hyperfine}
            delta = self._model.detunings(theta)
            mean, coherence, delay = self._model.pulses(delta)
            self._kept[key] = delta, mean.mean(axis=0), coherence, delay
        return self._kept[key]

    def response(self, theta: Mapping[str, Reals], setting: Setting) -> Reals:
        """Return the probability of being turned, as a likelihood asks for it: along the first axis of its values."""
        values = theta["frequency"]
        along = values.reshape(len(values), -1)[:, 0]
        return self.transfer(along, setting).reshape(-1, *[1] * (values.ndim - 1))

    def add(self, setting: Setting, row: Mapping[str, Any]) -> None:
        """Take a row in."""
        reading = self.experiment.reading
        likelihood = reading.likelihood(self.response, self.spread, row)
        self.following.add(likelihood, setting, float(row[reading.counted][0]))
        self.taken.append((setting, row))
        self._last = row

    def choose(self) -> tuple[Setting, float]:
        """Return the setting of most expected information per second, and that information (nats)."""
        p = self.experiment.parameters
        theta, weights = self.following.likely()
        frequency = theta["frequency"]
        if len(frequency) > ENOUGH:
            # What a setting tells does not hang on every grid point.
            kept = slice(None, None, len(frequency) // ENOUGH + 1)
            frequency, weights = frequency[kept], weights[kept] / weights[kept].sum()
        overhead = self.experiment.overhead
        best: tuple[float, Setting, float] = (-1.0, Setting(p.shortest, 0.0), 0.0)
        for tau in np.geomspace(p.shortest, p.longest, p.times):
            mean, wave = self._parts(frequency, float(tau))
            for phase in np.arange(p.phases) * np.pi / p.phases:
                turned = np.clip(mean + (wave * np.exp(1j * phase)).real, 0, 1)
                gain = self._gain(frequency, turned, weights)
                if gain / (tau + overhead) > best[0]:
                    best = (gain / (tau + overhead), Setting(float(tau), float(phase)), gain)
        # Half a turn further is as good. In turn, so that an error of the calibration takes itself off.
        turned = np.pi * (len(self.taken) % 2)
        return Setting(best[1].tau, best[1].phase + turned), best[2]

    def _gain(self, frequency: Reals, turned: Reals, weights: Reals) -> float:
        """Return the expected information of a setting at which each offset is turned so likely."""
        likelihood = self.likelihood_of(turned)
        theta = {"frequency": frequency}
        if isinstance(likelihood, Binomial) and likelihood.shots <= EXACT:
            return float(expected_information_gain(likelihood, theta, weights, [None])[0])
        mean, variance = likelihood.moments(theta, None)
        return float(normal_information_gain(mean[None], variance[None], weights)[0])

    def likelihood_of(self, turned: Reals) -> Binomial | SpinPhotons:
        """Return the likelihood of a row to come, the system being turned so likely at each value."""
        shots = self.experiment.parameters.shots
        row = {"shots": np.array([shots])}
        if "reference" in self._last:
            row["reference"] = self._last["reference"] * shots / self._last["shots"]
        return self.experiment.reading.likelihood(lambda *_: turned, self.given, row)

    def information(self) -> float:
        """Return the Fisher information of the rows taken at the estimate, in 1/Hz²."""
        at = self.following.mean + np.array([-1.0, 0.0, 1.0]) * 1e-4 * max(self.following.sigma, 1e-9)
        total = 0.0
        for setting, row in self.taken:
            likelihood = self.experiment.reading.likelihood(self.response, self.given, row)
            mean, variance = likelihood.moments({"frequency": at}, setting)
            total += float(((mean[2] - mean[0]) / (at[2] - at[0])) ** 2 / variance[1])
        return total
