"""metrology.adaptive_phase: Bayesian adaptive Ramsey on any two-level bench."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from qlab.bayes import Following
from qlab.bench import Bench
from qlab.experiment import Blocks, Experiment
from qlab.fits.fringes import DampedCosineTriplet
from qlab.metrology.curves import Curve
from qlab.pulses import Delay, Play, Program, Sequence, compile_program
from qlab.record import Axis, Column, Figure, FitResult, Signal
from qlab.roles import PulsePlayer
from qlab.runs import Run
from qlab.units import Unit
from qlab_experiments.metrology.knowledge import Knowledge, Setting
from qlab_experiments.metrology.progress import figures, posterior, progress
from qlab_experiments.metrology.reading import (
    Bits,
    Clicks,
    Photons,
    Reading,
    TwoLevelParameters,
    one_row,
    reading_of,
)

KINDS = ("not turned", "fully turned", "measured")  # what a row is for


class AdaptiveParameters(TwoLevelParameters):
    """Settings of an adaptive search for a resonance offset."""

    reach: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        1e6, title="Reach", description="The offset lies within ± this, anywhere alike"
    )
    until: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        0.0, title="Measure until σ is below", description="0: all settings are taken"
    )
    passes: Annotated[int, Ge(1), Le(10_000)] = Field(60, title="Settings", description="At most so many")
    shots: Annotated[int, Ge(1), Le(10**8)] = Field(50_000, title="Shots", description="Of each setting")
    shortest: Annotated[float, Unit("s"), Gt(0)] = Field(60e-9, title="Shortest precession")
    longest: Annotated[float, Unit("s"), Gt(0)] = Field(4e-6, title="Longest precession")
    times: Annotated[int, Ge(1), Le(200)] = Field(
        14, title="Times to choose from", description="Evenly in ratio"
    )
    phases: Annotated[int, Ge(1), Le(64)] = Field(
        12, title="Phases to choose from", description="Of half a turn"
    )
    T2_star: Annotated[float, Unit("s"), Gt(0)] = Field(2e-6, title="T2*", description="As known beforehand")
    exponent: Annotated[float, Ge(0.5), Le(4)] = Field(2.0, title="Exponent of the decay")
    hyperfine: Annotated[float, Unit("Hz"), Ge(0)] = Field(
        2.14e6, title="Hyperfine splitting", description="Of three equal lines; 0 for one line"
    )
    calibration: Annotated[int, Ge(1), Le(10_000)] = Field(
        20,
        title="Calibration",
        description="So many times the shots, unturned and fully turned, at the beginning",
    )


class AdaptivePhase(Experiment[AdaptiveParameters]):
    """Ramsey, one setting at a time, each chosen for what it is expected to tell about the resonance offset.

    After every row the posterior of the offset f is exact (grid), with finite pulses, hyperfine lines and T2* of
    P = M + Re C·exp[i(2πfτ + φ) − (τ/T2*)^p]. The next (τ, φ) has the largest expected information (mutual
    information of outcome and f) per second, preparation and readout included. It stops at the number of settings, or
    once σ < `until`. Two rows first, unturned and fully turned, say what the readout gives. Works on every bench
    with a player and a counter or digitizer: photons beside a laser, bits, or clicks.
    Limits: standard quantum limit 1/(2π√Στ²), Heisenberg limit 1/(2πΣτ) of the same shots. References: Bonato et al.,
    Nat. Nanotechnol. 11, 247 (2016); Higgins et al., Nature 450, 393 (2007).
    Try: a reach of 5 MHz; `until` = 2 kHz; a truth that lies outside of the reach.
    """

    title = "Adaptive Ramsey"
    group = "Estimation"
    preset = "sim-nv"
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology", "area": "metrology", "platform": "other: any two-level system",
        "protocol": "adaptive estimation", "measurand": "frequency", "unit": "Hz",
    }  # fmt: skip

    player: PulsePlayer

    @cached_property
    def reading(self) -> Reading:
        """How the system of the bench is read."""
        return reading_of(self.bench) if self.bench is not None else Photons()

    def bind(self, bench: Bench) -> None:
        """Take the player, and see how the bench reads."""
        super().bind(bench)
        self.__dict__.pop("reading", None)
        self.reading  # noqa: B018 - a bench that cannot read is told before the run

    @property
    def overhead(self) -> float:
        """The seconds of a shot beyond the precession."""
        lasts = float(compile_program(self.program()).duration[0]) * 1e-12
        return lasts - self.parameters.longest

    def uses(self) -> frozenset[str]:
        """Return the instruments of the program, the detector among them."""
        found = set(super().uses())
        detector = self.bench.role(self.reading.role) if self.bench is not None else None
        return frozenset(found | ({detector.name} if detector is not None else set()))

    def middle(self, setting: Setting) -> Sequence:
        """Return π/2, wait, π/2 with a phase."""
        half = 1 / (4 * self.parameters.rabi_frequency)
        first = Play("mw", half, self.parameters.rabi_frequency)
        second = Play("mw", half, self.parameters.rabi_frequency, setting.phase)
        return first + Delay(setting.tau) + second

    def program(self) -> Program:
        """Return the longest of the programs: what is checked and estimated beforehand."""
        p = self.parameters
        return self.reading.program(p, self.middle(Setting(p.longest, 0.0)), p.shots)

    def estimate(self) -> tuple[int, float]:
        """Return the rows and the longest that they can take."""
        p = self.parameters
        _, each = super().estimate()
        return p.passes + 2, each * (p.passes + 2 * p.calibration)

    def axes(self) -> tuple[Axis, ...]:
        """Return the number of the setting."""
        count = self.parameters.passes + self.more
        return (Axis(name="step", long_name="setting", values=tuple(float(i + 1) for i in range(count))),)

    def measured(self) -> tuple[Column, ...]:
        """Return what was set, what was counted, and what is known after it."""
        return (
            Column(
                name="kind", long_name="; ".join(f"{i}: {kind}" for i, kind in enumerate(KINDS)), dtype="i8"
            ),
            Column(name="tau", unit="s", long_name="precession time"),
            Column(name="phase", unit="rad", long_name="phase of the second pulse"),
            *self.reading.columns(),
            Column(name="estimate", unit="Hz", long_name="offset so far", role="reduced"),
            Column(name="sigma", unit="Hz", long_name="its standard deviation", role="reduced"),
            Column(name="information", long_name="expected information, nats", role="reduced"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the standard deviation, the estimate and the times that were chosen."""
        return (
            Signal(name="sigma", unit="Hz", long_name="standard deviation so far", of="sigma"),
            Signal(name="estimate", unit="Hz", long_name="offset so far", of="estimate"),
            Signal(name="tau", unit="s", long_name="precession time chosen", of="tau"),
        )

    def run(self) -> Blocks:
        """Calibrate, then measure and choose in turn until enough is known."""
        p = self.parameters
        rows = []
        for kind, middle in enumerate((Sequence(()), self.middle(Setting(0.0, 0.0)))):
            row = one_row(self.play(self.reading.program(p, middle, p.shots * p.calibration), passes=1))
            rows.append(row)
            yield self._row(row, 0, kind, Setting(0.0, 0.0), None, 0.0)
        known = Knowledge(self, rows)
        for step in self.each_pass():
            setting, gain = known.choose()
            row = one_row(self.play(self.reading.program(p, self.middle(setting), p.shots), passes=1))
            known.add(setting, row)
            yield self._row(row, step + 1, 2, setting, known.following, gain)
            if known.following.sigma < p.until:
                return

    def _row(
        self, row: Mapping[str, Any], step: int, kind: int, setting: Setting, known: Following | None, gain: float
    ) -> dict[str, Any]:  # fmt: skip
        measured = {c.name: row[c.name] for c in self.reading.columns()}
        nothing = known is None
        said = {
            "step": float(step), "kind": kind, "tau": setting.tau, "phase": setting.phase,
            "estimate": math.nan if nothing else known.mean, "sigma": math.nan if nothing else known.sigma,  # type: ignore[union-attr]
            "information": gain, "valid": int(not nothing),
        }  # fmt: skip
        return {**{k: np.array([v]) for k, v in said.items()}, **measured, "time": row["time"]}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return the offset of the drive from the truth's resonance."""
        drive = self.parameters.microwave_frequency
        lines = [truth[name] for name in ("resonance", "qubit_frequency") if name in truth]
        return {"frequency": drive - lines[0]} if lines else {}

    def curve(self, theta: Mapping[str, float]) -> DampedCosineTriplet:
        """Return the curve over τ that the likelihood is made of, with more in its context (`fringe_frequency`)."""
        p = self.parameters
        context = {
            **self.reading.context(p), "rabi_frequency": p.rabi_frequency,
            "pulse_duration": 1 / (4 * p.rabi_frequency), **theta,
        }  # fmt: skip
        return DampedCosineTriplet(context)

    def model(self, theta: Mapping[str, float]) -> dict[str, Any]:
        """Return the chance of being turned for an offset `frequency` (Hz), over the times and phases to choose from.

        `tau` (times,) s, `phase` (phases,) rad, `transfer` (times, phases): what the likelihood holds for the offset.
        """
        p = self.parameters
        times, phases = np.geomspace(p.shortest, p.longest, p.times), np.arange(p.phases) * np.pi / p.phases
        ideal = [{c.name: np.array([float(p.shots)]) for c in self.reading.columns()} for _ in range(2)]
        known, at = Knowledge(self, ideal), np.array([theta["frequency"]])
        transfer = [[known.transfer(at, Setting(float(t), float(f)))[0] for f in phases] for t in times]
        return {"tau": times, "phase": phases, "transfer": np.array(transfer)}

    def knowledge(self, run: Run) -> "Knowledge | None":
        """Return what the rows of a run say, from the rows alone; None before the first setting."""
        names = {column.name for column in run.record.columns}
        self.__dict__["reading"] = next(r for r in (Bits(), Photons(), Clicks()) if r.counted in names)
        kind = np.asarray(run["kind"]).astype(int)
        columns = {n: np.asarray(run[n]) for n in ("tau", "phase", *(c.name for c in self.reading.columns()))}
        rows = [{n: column[[i]] for n, column in columns.items()} for i in range(len(kind))]
        if not {0, 1, 2} <= set(kind.tolist()):
            return None
        found = Knowledge(self, [rows[int(np.flatnonzero(kind == k)[0])] for k in (0, 1)])
        for i in np.flatnonzero(kind == 2):
            found.add(Setting(float(rows[i]["tau"][0]), float(rows[i]["phase"][0])), rows[i])
        return found

    def curves(self, run: Run) -> tuple[Curve, ...]:
        """Return σ against time with its limits, and the posterior."""
        known = self.knowledge(run)
        return () if known is None else (progress(run), posterior(known.following))

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the offset, what it cost, and the limits of the same shots."""
        del fit
        known = self.knowledge(run)
        return () if known is None else figures(self.parameters, run, known)
