"""photon.hom: the Hong–Ou–Mandel dip, and the delay that it tells."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import Field

from qlab.experiment import Blocks, Experiment
from qlab.fits import load_model
from qlab.metrology.propagation import propagated
from qlab.parameters import Parameters
from qlab.physics.systems.pairs import LIGHT_SPEED, PhotonPairs, spectral_width
from qlab.pulses import Acquire, Program, Sequence
from qlab.record import Column, Figure, FitResult, Signal
from qlab.roles import CoincidenceCounter, DelayLine, PairSource, PulsePlayer
from qlab.runs import Run
from qlab.scan import Linear, Scan
from qlab.units import Unit

Time = Annotated[float, Unit("s"), Gt(0)]
HOM = "Hong, Ou and Mandel, Phys. Rev. Lett. 59, 2044 (1987)"
LYONS = "Lyons et al., Sci. Adv. 4, eaap9416 (2018)"

# What has to be known of a table to say how many coincidences there are.
PAIRS = {
    "repetition", "pairs_per_watt", "pair_wavelength", "bandwidth", "overlap", "reflectivity", "path_1", "path_2",
    "click_efficiency", "click_dark_rate", "gate", "delay_offset",
}  # fmt: skip


class HOMParameters(Parameters):
    """Settings of a scan over the delay between two photons."""

    delay: Scan[Annotated[float, Unit("s")]] = Field(Linear(-0.9e-12, 0.9e-12, 61), title="Delay")
    dwell: Time = Field(0.2, title="Dwell", description="Counting time of a row")
    passes: Annotated[int, Ge(1), Le(10_000)] = Field(10, title="Passes", description="Rows of each delay")
    pump: Annotated[float, Unit("W"), Ge(0), Le(0.2)] = Field(
        10e-3, title="Pump", description="More pairs, shallower dip"
    )
    wavelength: Annotated[float, Unit("m"), Gt(0)] = Field(810e-9, title="Wavelength")
    bandwidth: Annotated[float, Unit("m"), Gt(0)] = Field(
        3e-9,
        title="Filter",
        description="FWHM in wavelength; for the closed forms",
        json_schema_extra={"group": "Model"},
    )


class HongOuMandel(Experiment[HOMParameters]):
    """Delay one photon of a pair before a beam splitter: alike photons leave together, and coincidences vanish.

    P(τ) = R² + T² − 2RT·V·exp[−σ²(τ−τ₀)²], σ the rms spectral width of each photon; two pairs in a pulse, loss and
    dark counts fill the dip. A perfect dip tells 2σ² about the delay from each pair, all that quantum mechanics
    allows, at τ₀ itself; a real one tells most on its flanks.
    Reference: Hong, Ou and Mandel, PRL 59, 2044 (1987); Lyons et al., Sci. Adv. 4, eaap9416 (2018).
    Try: ten times the pump power; a 10 nm filter in the truth (bandwidth=10nm) and a finer scan.
    """

    title = "Hong–Ou–Mandel dip"
    group = "Interferometry"
    fit = "hom_dip"
    preset = "sim-photonics"
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology", "area": "sensing", "platform": "photonic",
        "physical_system": "photon pairs at a beam splitter", "protocol": "Hong-Ou-Mandel interferometry",
        "measurand": "time delay", "unit": "s",
    }  # fmt: skip

    player: PulsePlayer
    pairs: PairSource
    delay: DelayLine
    coincidences: CoincidenceCounter

    def program(self) -> Program:
        """Count at each delay."""
        p = self.parameters
        return Program(
            Sequence((Acquire("coincidences", p.dwell, "clicks", "coincidences"),)),
            shots=p.passes,
            setpoints={"delay.delay": p.delay.symbol("delay"), "pairs.pump": p.pump, "pairs.on": 1.0},
        )

    def run(self) -> Blocks:
        """Play; coincidences and the time in which they were counted stand by themselves."""
        for block in self.play(self.program()):
            if not block:
                yield block
                continue
            yield {**block, "both": block["clicks"][:, 2], "exposure": block["shots"] * self.parameters.dwell}

    def measured(self) -> tuple[Column, ...]:
        """Return clicks, coincidences and counting time."""
        return (
            Column(
                name="clicks",
                long_name="clicks at a, at b, at both",
                dims=("pattern",),
                shape=(3,),
                dtype="i8",
            ),
            Column(name="both", long_name="coincidences", role="reduced", dtype="i8"),
            Column(name="exposure", unit="s", long_name="counting time"),
            Column(name="shots", long_name="windows of this row", dtype="i8"),
        )

    def signals(self) -> tuple[Signal, ...]:
        """Return the rate of coincidences."""
        return (
            Signal(
                name="rate", unit="1/s", long_name="coincidence rate", rule="rate", of="both", per="exposure"
            ),
        )

    def expected(self, truth: Mapping[str, float]) -> dict[str, float]:
        """Return where the dip lies and how wide it is."""
        names = {"centre": "delay_offset", "fwhm": "dip_width"}
        return {name: truth[known] for name, known in names.items() if known in truth}

    def believed(self, known: Mapping[str, float]) -> PhotonPairs | None:
        """Return the pairs of the design; how many there are has to be known."""
        p = self.parameters
        if not set(known) >= PAIRS:
            return None
        return PhotonPairs(
            mean=known["pairs_per_watt"] * p.pump, sigma=spectral_width(known["pair_wavelength"], known["bandwidth"]),
            overlap=known["overlap"], reflectivity=known["reflectivity"], paths=(known["path_1"], known["path_2"]),
            detectors=(known["click_efficiency"],) * 2, dark=known["click_dark_rate"] * known["gate"],
            repetition=known["repetition"], offset=known["delay_offset"],
        )  # fmt: skip

    def model(self, theta: PhotonPairs) -> dict[str, Any]:
        """Return for pairs the coincidences over the scan (in a pulse; as a rate), visibility, width, information."""
        coincidence = theta.coincidence(self.parameters.delay.values() - theta.offset)
        return {
            "rate": coincidence * theta.repetition, "coincidence": coincidence, "visibility": theta.visibility(),
            "fwhm": theta.dip_width(), "quantum_fisher": theta.quantum_fisher(), "sigma": theta.sigma,
        }  # fmt: skip

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the delay resolution on the best flank with its limit, and the dip against its filter."""
        if fit is None or not fit.success:
            return ()
        p, model = self.parameters, load_model(fit.model, fit.context)
        fine = np.linspace(p.delay.values().min(), p.delay.values().max(), 2001)[1:-1]
        step = 1e-3 * fit.values["fwhm"]

        def resolved(theta: Mapping[str, float]) -> Any:
            slope = (model.evaluate(fine + step, theta) - model.evaluate(fine - step, theta)) / (2 * step)
            return np.sqrt(np.maximum(model.evaluate(fine, theta), 1e-12)) / np.maximum(np.abs(slope), 1e-300)

        at = int(np.argmin(resolved(fit.values)))
        reached = float(resolved(fit.values)[at])
        error = propagated(lambda theta: float(resolved(theta)[at]), fit)
        filtered = PhotonPairs(sigma=spectral_width(p.wavelength, p.bandwidth))
        # Half of the pairs that are seen leave by different ports where the photons are unlike.
        limit = 1 / math.sqrt(2 * fit.values["level"] * filtered.quantum_fisher())
        whole, counted = fit.errors["centre"], float(np.sum(run["both"]))
        return (
            Figure(name="delay_sensitivity", label="delay sensitivity", value=reached, error=error, unit="s/√Hz",
                   definition=f"shot noise over slope, held at {fine[at] * 1e15:.0f} fs", source=LYONS),
            Figure(name="path_sensitivity", label="path sensitivity", value=reached * LIGHT_SPEED, unit="m/√Hz",
                   error=None if error is None else error * LIGHT_SPEED, definition="delay times c", source=LYONS),
            Figure(name="cramer_rao", label="quantum Cramér–Rao bound", value=limit, unit="s/√Hz", source=LYONS,
                   definition="1/(σ√2) from each pair seen, σ of the filter", limit_of="delay_sensitivity"),
            Figure(name="delay", label="delay of the dip", value=fit.values["centre"], error=whole, unit="s",
                   definition=f"from {counted:.0f} coincidences of the whole scan"),
            Figure(name="visibility", label="visibility", value=fit.values["contrast"], error=fit.errors["contrast"],
                   definition="depth of the dip over its rim; above 0.5 no classical light", source=HOM),
            Figure(name="filter_width", label="width expected of the filter", value=filtered.dip_width(), unit="s",
                   definition="2√(ln 2)/σ, independent Gaussian spectra", source=HOM),
        )  # fmt: skip
