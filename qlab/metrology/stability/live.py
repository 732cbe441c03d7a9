"""Deviations of a record that grows: each block costs what is new in it, not what is there already."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.metrology.stability.deviations import Deviations, estimate, estimator_of
from qlab.metrology.stability.estimators import WEIGHT, Estimator, Variance, difference, moving_mean
from qlab.metrology.stability.noise import Noise, identify
from qlab.metrology.stability.series import Flags, Kind, Reals, Series, Treatment

_RELEARN = 1.1  # the noise type is told anew when the record has grown by a tenth


@dataclass
class _Octave:
    """The sum of squares of one averaging factor so far, and where the next term starts."""

    factor: int
    total: float = 0.0
    terms: int = 0
    possible: int = 0
    start: int = 0
    noise: Noise | None = None
    known_at: int = 0


@dataclass
class LiveDeviations:
    """Octave deviations that are kept up to date while blocks come in.

    `add` takes new values; `result` returns the same numbers as `deviations` on everything so far (modified
    ones to rounding). Kinds: oadev, mdev, tdev, ohdev. NaN values are gaps; there is no drift removal and no
    outlier search, which need the whole record. Work per block: its length times the number of octaves (for
    modified ones also one window per octave); noise types are told anew when the record has grown by a tenth.
    """

    interval: float
    estimator: str = "oadev"
    kind: Kind = "frequency"
    confidence: float = 0.683
    unit: str = "1"
    _phase: Reals = field(default_factory=lambda: np.zeros(1024), repr=False)
    _gone: Flags = field(default_factory=lambda: np.zeros(1024, dtype=bool), repr=False)
    _count: int = 0
    _octaves: list[_Octave] = field(default_factory=list, repr=False)
    _last: float = 0.0
    _reference: float | None = None
    _gaps: list[int] = field(default_factory=list, repr=False)
    _values: int = 0

    def __post_init__(self) -> None:
        self._chosen: Estimator = estimator_of(self.estimator)
        if not self._chosen.overlapping or self._chosen.total:
            # A total deviation reflects the end of the record: every new value changes all of its terms.
            raise UsageError(
                f"{self.estimator!r} is not kept up to date while data come in.",
                "Choose oadev, mdev, tdev or ohdev; the others are computed at the end.",
            )
        if self.kind == "frequency":
            self._count = 1  # the phase before the first step is 0

    def __len__(self) -> int:
        return self._values

    def add(self, values: ArrayLike) -> None:
        """Take a block of new values (n,): they follow what came before without dead time."""
        block = np.array(values, dtype=float).ravel()
        if not len(block):
            return
        gone = ~np.isfinite(block)
        self._gaps.extend((self._values + np.flatnonzero(gone)).tolist())
        self._append(block, gone)
        self._values += len(block)
        while self._chosen.largest(self._count) >= 1 << len(self._octaves):
            self._octaves.append(_Octave(1 << len(self._octaves)))
        for octave in self._octaves:
            self._advance(octave)

    def result(self) -> Deviations:
        """Return the deviations of everything so far, with confidence intervals."""
        by_factor = {o.factor: o for o in self._octaves}

        def of(factor: int) -> Variance:
            octave = by_factor[factor]
            tau = factor * self.interval
            scale = WEIGHT[self._chosen.order] * tau**2
            value = octave.total / max(octave.terms, 1) / scale
            return Variance(value * tau**2 / 3 if self._chosen.time else value, octave.terms, octave.possible)

        data = self._series()

        def noise_of(factor: int) -> Noise | None:
            octave = by_factor[factor]
            if self._count >= _RELEARN * octave.known_at:
                octave.noise = identify(data, factor, lowest=-2 if self._chosen.order == 2 else -4)
                octave.known_at = self._count
            return octave.noise

        return estimate(data, self._chosen, tuple(by_factor), of, self.confidence, self.unit, noise_of)

    def _series(self) -> Series:
        gone = self._gone[: self._count]
        missing = gone[1:] if self.kind == "frequency" else gone
        treatment = Treatment(gaps=tuple(self._gaps))
        return Series(self._phase[: self._count], self.interval, self.kind, missing, treatment)

    def _append(self, block: Reals, gone: Flags) -> None:
        if self._reference is None and not gone.all():
            self._reference = float(block[~gone].mean())
        reference = self._reference or 0.0
        new = np.where(gone, reference, block) - reference
        if self.kind == "frequency":
            new = self._last + np.cumsum(new) * self.interval
        needed = self._count + len(new)
        if needed > len(self._phase):
            room = max(needed, 2 * len(self._phase))
            self._phase = np.concatenate((self._phase, np.zeros(room - len(self._phase))))
            self._gone = np.concatenate((self._gone, np.zeros(room - len(self._gone), dtype=bool)))
        self._phase[self._count : needed] = new
        self._gone[self._count : needed] = gone
        self._count, self._last = needed, float(new[-1])

    def _advance(self, octave: _Octave) -> None:
        m, chosen = octave.factor, self._chosen
        length = chosen.points * m - (1 if chosen.modified else 0)  # phase steps that one term spans
        stop = self._count - length
        if stop <= octave.start:
            return
        begin = octave.start
        phase = self._phase[begin : self._count]
        terms = self._modified(m, phase) if chosen.modified else difference(phase, m, chosen.order)
        octave.possible += len(terms)
        there = self._present(begin, stop, m)
        if there is not None:
            terms = terms[there]
        octave.total += float(np.dot(terms, terms))
        octave.terms += len(terms)
        octave.start = stop

    def _modified(self, m: int, phase: Reals) -> Reals:
        return moving_mean(difference(phase, m, self._chosen.order), m)

    def _present(self, begin: int, stop: int, m: int) -> Flags | None:
        if not self._gaps:
            return None
        gone = self._gone[begin : self._count]
        if self.kind == "phase" and not self._chosen.modified:
            count = stop - begin
            touched = [gone[k * m : k * m + count] for k in range(self._chosen.order + 1)]
            return np.asarray(~np.logical_or.reduce(touched))
        total = np.concatenate(([0], np.cumsum(gone)))
        length = len(gone) - (stop - begin)
        if self.kind == "frequency":
            # A step is stored with the phase point that it leads to.
            return np.asarray(total[length + 1 :] == total[1 : len(total) - length])
        return np.asarray(total[length + 1 :] == total[: len(total) - length - 1])
