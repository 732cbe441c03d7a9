"""transmon.ramsey: qubit frequency, coherence, and the transmon as a magnetometer of flux."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt
from pydantic import Field

from qlab.experiment import Experiment
from qlab.metrology.propagation import propagated
from qlab.physics.constants import TWO_PI
from qlab.physics.engine import play as play_on
from qlab.physics.levels import LevelSystem
from qlab.physics.systems.transmon import Transmon
from qlab.pulses import Acquire, Align, Delay, Program, compile_program
from qlab.record import Column, Figure, FitResult, Signal
from qlab.roles import IQDigitizer, MicrowaveSource, PulsePlayer, VoltageSource
from qlab.runs import Run
from qlab.scan import Linear, Scan
from qlab.units import Hertz, Seconds, Unit
from qlab_experiments.transmon.believed import believed_transmon, judged
from qlab_experiments.transmon.driven import QUANTUM, READOUT, DrivenParameters, Shots, half_pi

DANILIN = "Danilin et al., npj Quantum Inf. 4, 29 (2018)"


class RamseyParameters(DrivenParameters):
    """Settings of a Ramsey measurement on a transmon."""

    tau: Scan[Seconds] = Field(Linear(0, 40e-6, 161), title="Precession time")
    fringe_frequency: Hertz = Field(
        250e3, title="Fringe frequency", description="Programmed phase ramp, not the detuning that is fitted"
    )
    flux_voltage: Annotated[float, Unit("V")] = Field(0.0, title="Flux bias", description="Working point")
    flux_slope: Hertz = Field(
        -2.7e9,
        title="Flux slope",
        description="df01/dΦ at this bias, for one flux quantum",
        json_schema_extra=READOUT,
    )
    window: Annotated[float, Unit("s"), Gt(0)] = Field(
        1e-6, title="Readout window", json_schema_extra=READOUT
    )
    shots: Shots = Field(4000, title="Shots", description="Repetitions of each point, over all passes")
    passes: Annotated[int, Ge(1)] = Field(10, title="Passes", json_schema_extra=READOUT)


class Ramsey(Experiment[RamseyParameters]):
    """Two π/2 pulses around a free precession of a transmon: its frequency, T2*, and its sensitivity to flux.

    Sequence: wait for relaxation, π/2, wait τ, π/2 with phase 2π·f_fringe·τ, probe the resonator; each shot is judged
    by a threshold in the IQ plane. H = −2πΔ b†b + (α/2) b†²b² + (Ω/2)(b e^{iφ} + h.c.), three levels. The share of
    ones runs as A + B·cos(2π(f_fringe + Δ)τ + φ)·exp[−τ/T2 − (2πστ)²/2], Δ the drive's offset above the qubit;
    the fit's own parameters are T2*, where the exponent is 1, and the share of the Gaussian in it.
    Flux sensitivity: δΦ√T = σ_P √T_cycle/(2π τ |df/dΦ| B·envelope); limit: projection noise of a perfect readout.
    Reference: Danilin et al., npj Quantum Inf. 4, 29 (2018).
    Try: move the flux bias to the sweet spot (−0.2 V), where T2* grows and the sensitivity goes.
    """

    title = "Transmon Ramsey fringes"
    preset = "sim-transmon"
    group = "Coherence"
    fit = "cosine_of_two_decays"
    quantum: ClassVar = {**QUANTUM, "protocol": "Ramsey", "measurand": "magnetic flux", "unit": "Wb"}

    player: PulsePlayer
    microwave: MicrowaveSource
    digitizer: IQDigitizer
    flux: VoltageSource

    def program(self) -> Program:
        """Relax, precess between two π/2 pulses, probe."""
        p = self.parameters
        tau = p.tau.symbol("tau")
        pulses = half_pi(p) + Delay(tau) + half_pi(p, phase=TWO_PI * p.fringe_frequency * tau)
        return Program(
            Delay(p.reset_time) + pulses + Align() + Acquire("digitizer", p.window, "ones", "bits"),
            shots=p.shots,
            setpoints={**p.setpoints(), "flux.voltage": p.flux_voltage},
        )

    def measured(self) -> tuple[Column, ...]:
        """Return how many shots were judged to be 1."""
        return (
            Column(name="ones", long_name="shots above the threshold", dtype="i8"),
            Column(name="shots", long_name="shots judged", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the share of ones."""
        return (Signal(name="excited", long_name="share of ones", rule="fraction", of="ones", per="shots"),)

    def fit_context(self) -> dict[str, float]:
        """Return for how long two pulses let the coherence go: 2/π of each (Santarelli 1998)."""
        return {"lead": 1 / (math.pi * self.parameters.rabi_frequency)}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return the fringe frequency and T2* of the bench's truth at zero volts."""
        p = self.parameters
        if p.flux_voltage or "qubit_frequency" not in truth:
            return {}
        fringe = p.fringe_frequency + p.microwave_frequency - truth["qubit_frequency"]
        return {"frequency": abs(fringe), "T2_star": truth["T2_star"]}

    def believed(self, known: Mapping[str, float]) -> Transmon:
        """Return the transmon of the design at its flux bias."""
        return believed_transmon(known, self.parameters, self.parameters.flux_voltage)

    def model(self, system: LevelSystem) -> dict[str, Any]:
        """Return the share of shots that are judged to be 1 for a system; (points,).

        Of a transmon whose probe is known as it is judged; else of what is in |1> or above, judged perfectly.
        """
        levels = play_on(system, compile_program(self.program())).probability
        p = self.parameters
        if not isinstance(system, Transmon) or not system.photons_per_volt2:
            return {"excited": 1 - levels[:, 0]}
        return {"excited": levels @ judged(system, p, p.window, levels.shape[1])[1]}

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the qubit frequency and the flux sensitivity at its best precession time, with its limit."""
        del run
        if fit is None or not fit.success:
            return ()
        p = self.parameters
        error = fit.errors["frequency"]
        qubit = p.microwave_frequency - (fit.values["frequency"] - p.fringe_frequency)
        found = Figure(
            name="qubit_frequency", label="qubit frequency", value=qubit, error=error, unit="Hz",
            definition="drive minus (fringe frequency found − programmed)",
        )  # fmt: skip
        return (found, *self._flux_figures(fit))

    def _flux_figures(self, fit: FitResult) -> tuple[Figure, ...]:
        p = self.parameters
        slope = abs(p.flux_slope)
        if slope == 0:
            return ()
        overhead = p.reset_time + p.window + 1 / (2 * p.rabi_frequency)
        tau = np.linspace(0, float(p.tau.values().max()), 2001)[1:]

        def resolved(theta: Mapping[str, float], amplitude: float) -> Any:
            reduced, share = tau / theta["T2_star"], theta["slow_share"]
            envelope = np.exp(-reduced * (1 - share + share * reduced))
            level = float(np.clip(theta["offset"], 1e-6, 1 - 1e-6)) if amplitude < 0.5 else 0.5
            noise = math.sqrt(level * (1 - level))
            return noise * np.sqrt(tau + overhead) / (TWO_PI * tau * slope * amplitude * envelope)

        best = int(np.argmin(resolved(fit.values, fit.values["amplitude"])))
        limit = float(resolved(fit.values, 0.5)[best])
        reached = "projection and readout noise over slope at τ = {:.3g} µs, reset and readout included"
        return (
            Figure(
                name="flux_sensitivity", label="flux sensitivity", unit="Φ₀/√Hz",
                value=float(resolved(fit.values, fit.values["amplitude"])[best]),
                error=propagated(lambda t: float(resolved(t, t["amplitude"])[best]), fit),
                definition=reached.format(tau[best] * 1e6), source=DANILIN,
            ),
            Figure(
                name="standard_quantum_limit", label="standard quantum limit", unit="Φ₀/√Hz", value=limit,
                error=propagated(lambda t: float(resolved(t, 0.5)[best]), fit),
                definition="projection noise of one qubit, full contrast, same sequence", source=DANILIN,
                limit_of="flux_sensitivity",
            ),
        )  # fmt: skip
