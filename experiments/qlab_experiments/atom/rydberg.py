"""atom.rydberg: the electric field of a radio wave from the splitting of a Rydberg transparency."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field
from pydantic.config import JsonDict

from qlab.experiment import Experiment
from qlab.expression import Number
from qlab.fits import load_model
from qlab.fits.rydberg import RydbergLines
from qlab.metrology.propagation import propagated
from qlab.parameters import Parameters
from qlab.physics.systems.rydberg import field_of, projection_limit, rabi_of
from qlab.pulses import Acquire, Delay, Program
from qlab.record import Column, Figure, FitResult, Signal
from qlab.roles import MicrowaveSource, Photodiode, PulsePlayer, TunedLaser
from qlab.runs import Run
from qlab.scan import Linear, Scan
from qlab.units import Hertz, Unit

SEDLACEK = "Sedlacek et al., Nat. Phys. 8, 819 (2012)"
HOLLOWAY = "Holloway et al., IEEE Trans. Antennas Propag. 62, 6169 (2014)"
FAN = "Fan et al., J. Phys. B 48, 202001 (2015)"
MODEL: JsonDict = {"group": "Model"}
ATOM: JsonDict = {"group": "Atom"}
Time = Annotated[float, Unit("s"), Gt(0)]


class RydbergParameters(Parameters):
    """Settings of a scan over a Rydberg transparency."""

    detuning: Scan[Hertz] = Field(
        Linear(-20e6, 20e6, 121), title="Detuning", description="Of the laser that is scanned"
    )
    scanned: Literal["coupling", "probe"] = Field(
        "coupling", title="Scanned laser", description="The other one is locked"
    )
    radio: bool = Field(True, title="Radio field", description="Off: transparency alone")
    radio_frequency: Annotated[float, Unit("Hz"), Gt(0)] = Field(17.0415e9, title="Radio frequency")
    radio_power: Annotated[float, Unit("dBm")] = Field(
        0.0, title="Radio power", description="6 dB are twice the field"
    )
    dwell: Time = Field(20e-3, title="Dwell", description="Of a row, after the lock has settled")
    settle: Time = Field(5e-3, title="Settling")
    passes: Annotated[int, Ge(2), Le(10_000)] = Field(
        20, title="Passes", description="Rows of each detuning; their scatter is the error"
    )
    depth: Annotated[float, Ge(0)] = Field(
        1.0, title="Optical depth", description="Of the probe alone, held in the fit", json_schema_extra=MODEL
    )
    temperature: Annotated[float, Unit("K"), Ge(0)] = Field(
        295.0, title="Temperature", json_schema_extra=MODEL
    )
    atoms: Annotated[float, Gt(0), Le(1e12)] = Field(
        1e5, title="Atoms", description="In the beams, for the limit", json_schema_extra=MODEL
    )
    radio_line: Annotated[float, Unit("Hz"), Gt(0)] = Field(
        17.0415e9, title="Radio line", json_schema_extra=ATOM
    )
    dipole: Annotated[float, Gt(0)] = Field(
        1443.45, title="Dipole moment", description="In e·a₀", json_schema_extra=ATOM
    )
    probe_wavelength: Annotated[float, Unit("m"), Gt(0)] = Field(
        780.241209686e-9, title="Probe", json_schema_extra=ATOM
    )
    coupling_wavelength: Annotated[float, Unit("m"), Gt(0)] = Field(
        480e-9, title="Coupling", json_schema_extra=ATOM
    )


class Rydberg(Experiment[RydbergParameters]):
    """Scan a laser over a ladder to a Rydberg state: a transparency, which a resonant radio field splits in two.

    H = (Ω_p/2)|1⟩⟨2| + (Ω_c/2)|2⟩⟨3| + (Ω_RF/2)|3⟩⟨4| + h.c. − detunings, T = exp(−depth·A), A averaged over the
    velocities (Δ_p − k_p v, Δ_c + k_c v). Split by Ω_RF/2π where the coupling is scanned, by λ_c/λ_p of it where the
    probe is; the field is E = h·Ω_RF/(2π d), d known from theory: an absolute measurement. Detuned: √(Ω² + δ²).
    Limit: projection noise of the atoms, h/(d√(N T₂)).
    Reference: Sedlacek et al., Nat. Phys. 8, 819 (2012); Holloway et al., IEEE TAP 62, 6169 (2014).
    Try: the probe as the scanned laser; −12 dBm, where the lines are no longer apart; a frequency 5 MHz off.
    """

    title = "Rydberg electrometry"
    group = "Electrometry"
    fit = "rydberg_lines"
    preset = "sim-rydberg"
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology", "area": "sensing", "platform": "atomic vapour",
        "physical_system": "Rydberg atoms in a vapour cell", "protocol": "Rydberg EIT electrometry",
        "measurand": "electric field strength", "unit": "V/m",
    }  # fmt: skip

    player: PulsePlayer
    probe: TunedLaser
    coupling: TunedLaser
    microwave: MicrowaveSource
    photodiode: Photodiode

    def program(self) -> Program:
        """Settle and look, at each detuning."""
        p = self.parameters
        locked = "probe" if p.scanned == "coupling" else "coupling"
        setpoints: dict[str, Number] = {
            f"{p.scanned}.detuning": p.detuning.symbol("detuning"), f"{locked}.detuning": 0.0,
            "microwave.frequency": p.radio_frequency, "microwave.power": p.radio_power, "microwave.on": float(p.radio),
        }  # fmt: skip
        return Program(
            Delay(p.settle) + Acquire("photodiode", p.dwell, "voltage", "stream"),
            shots=p.passes,
            setpoints=setpoints,
        )

    def measured(self) -> tuple[Column, ...]:
        """Return the voltage of each row."""
        return (
            Column(name="voltage", unit="V", long_name="photodiode voltage"),
            Column(name="shots", long_name="windows of this row", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the transmitted light."""
        return (Signal(name="transmitted", unit="V", long_name="transmitted probe light", of="voltage"),)

    def fit_context(self) -> dict[str, float]:
        """Return what is known of atom, cell and lasers; without the field its Rabi frequency is held at 0."""
        p = self.parameters
        known = {
            "depth": p.depth, "temperature": p.temperature, "probe": float(p.scanned == "probe"), "dipole": p.dipole,
            "radio_detuning": p.radio_frequency - p.radio_line, "probe_wavelength": p.probe_wavelength,
            "coupling_wavelength": p.coupling_wavelength,
        }  # fmt: skip
        return known if p.radio else {**known, "fix_radio": 0.0}

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return the field and what the lasers do on a bench with this truth."""
        p = self.parameters
        if "field_at_0dbm" not in truth:
            return {}
        offset = truth["line_offset"] * (-1 if p.scanned == "probe" else 1)
        found = {"coupling": truth["coupling_rabi"], "dephasing": truth["dephasing"]}
        if p.scanned == "coupling":
            found["frequency"] = offset
        if p.radio:
            field = truth["field_at_0dbm"] * 10 ** (p.radio_power / 20)
            found |= {"radio": rabi_of(field, truth["dipole"]), "electric_field": field}
        return found

    def believed(self, known: Mapping[str, float]) -> dict[str, float]:
        """Return the lines of the design."""
        p = self.parameters
        names = {"coupling": "coupling_rabi", "dephasing": "dephasing", "depth": "depth"}
        found = {name: known[n] for name, n in names.items() if n in known}
        found["level"] = known.get("light", 1.0) * known.get("efficiency", 1.0)
        if p.scanned == "coupling":
            found["frequency"] = known.get("line_offset", 0.0)
        if p.radio and "field_at_0dbm" in known:
            field = known["field_at_0dbm"] * 10 ** (p.radio_power / 20)
            found["radio"] = rabi_of(field, known.get("dipole", p.dipole))
        return found

    def model(self, theta: Mapping[str, float]) -> dict[str, Any]:
        """Return the transmission over the scan for `radio` or `field`, `coupling`, `dephasing` ..., and its splitting.

        `field` (V/m) of a `splitting` in Hz is that of P28 where `splitting` is given.
        """
        p, model = self.parameters, RydbergLines(self.fit_context())
        radio = theta.get("radio", rabi_of(theta["field"], p.dipole) if "field" in theta else 0.0)
        whole = {"frequency": 0.0, "coupling": 4e6, "dephasing": 2e5, "level": 1.0, "depth": p.depth, **theta}
        factor = p.coupling_wavelength / p.probe_wavelength if p.scanned == "probe" else 1.0
        return {
            "transmitted": model.evaluate(p.detuning.values(), {**whole, "radio": radio}),
            "splitting": factor * math.hypot(radio, p.radio_frequency - p.radio_line),
            "field": field_of(theta.get("splitting", factor * radio) / factor, p.dipole),
        }  # fmt: skip

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the field, the splitting as it is seen, and the sensitivity at the best detuning with its limit."""
        if fit is None or not fit.success:
            return ()
        p, radio = self.parameters, fit.values["radio"]
        limit = projection_limit(p.dipole, p.atoms, fit.values["dephasing"])
        found = [
            Figure(name="transparency_width", label="width of the transparency", unit="Hz",
                   value=2 * fit.values["dephasing"] + fit.values["coupling"] ** 2 / 6.0666e6,
                   definition="2γ + Ω_c²/Γ of atoms at rest; the vapour's own is narrower", source=SEDLACEK),
        ]  # fmt: skip
        if not p.radio or not radio > 0:
            return tuple(found)
        noise = float(np.sqrt(np.nanmean(_variances(run)) * p.dwell))
        best = self._slope(fit.values, fit)
        reached = noise / best
        error = math.hypot(propagated(lambda theta: noise / self._slope(theta, fit), fit) or 0.0,
                           reached / math.sqrt(2 * max(len(run) - len(p.detuning), 1)))  # fmt: skip
        seen = self.model({"radio": radio})["splitting"]
        per = fit.errors["radio"] / radio
        return (
            Figure(name="electric_field", label="electric field", value=fit.values["electric_field"], unit="V/m",
                   error=fit.values["electric_field"] * per, source=SEDLACEK,
                   definition="h·Ω_RF/(2π·d), from the whole line"),
            Figure(name="splitting", label="splitting of the scan", value=seen, error=seen * per, unit="Hz",
                   definition="√(Ω² + δ²), times λ_c/λ_p where the probe is scanned", source=HOLLOWAY),
            Figure(name="sensitivity", label="field sensitivity", value=reached, error=error, unit="V/m/√Hz",
                   definition="noise of the rows over the slope with the field, at the best detuning", source=SEDLACEK),
            Figure(name="standard_quantum_limit", label="projection noise of the atoms", value=limit, unit="V/m/√Hz",
                   definition="h/(d√(N·T₂)), T₂ = 1/(2πγ)", source=FAN, limit_of="sensitivity"),
            *found,
        )  # fmt: skip

    def _slope(self, theta: Mapping[str, float], fit: FitResult) -> float:
        """Return the largest change of the voltage with the field over the scan, V per V/m."""
        p, model = self.parameters, load_model(fit.model, fit.context)
        x, step = p.detuning.values(), 1e-3 * max(theta["radio"], 1e5)
        sides = [model.evaluate(x, {**theta, "radio": theta["radio"] + s}) for s in (step, -step)]
        return float(np.abs(sides[0] - sides[1]).max()) / field_of(2 * step, p.dipole)


def _variances(run: Run) -> Any:
    """Return the variance of the rows at each detuning."""
    where, voltage = (
        np.unique(run["detuning"], return_inverse=True)[1],
        np.asarray(run["voltage"], dtype=float),
    )
    count = np.bincount(where)
    mean = np.bincount(where, weights=voltage) / count
    return np.bincount(where, weights=(voltage - mean[where]) ** 2) / np.maximum(count - 1, 1)
