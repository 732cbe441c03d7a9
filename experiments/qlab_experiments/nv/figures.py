"""Figures of merit of the NV protocols: field, sensitivity with overhead, and the quantum limit beside it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.experiment import Experiment
from qlab.fits import load_model
from qlab.metrology.field import axial_field
from qlab.metrology.propagation import propagated
from qlab.metrology.sensitivity import (
    WorkingPoint,
    best_working_point,
    cw_odmr_sensitivity,
    sensitivity,
    spin_projection_limit,
)
from qlab.physics.constants import A_PERPENDICULAR_14N, D_NV, GAMMA_NV, TWO_PI
from qlab.pulses import compile_program
from qlab.record import Figure, FitResult
from qlab.runs import Run

BARRY = "Barry et al., Rev. Mod. Phys. 92, 015004 (2020)"
DREAU = "Dréau et al., Phys. Rev. B 84, 195204 (2011)"


def hyperfine_pull(frequency: float) -> float:
    """Return by how much 14N's transverse coupling raises the mean of the three lines, in Hz (second order)."""
    other = 2 * D_NV - frequency
    return A_PERPENDICULAR_14N**2 * (4 / frequency + 2 / other) / 3


def field_from_frequency(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the axial field from a fitted resonance, and the sensitivity that the run reached."""
    del experiment
    return _field(run, fit, fit.values["frequency"])


def field_from_offset(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the axial field from a fitted offset of the microwave from resonance."""
    carrier = experiment.parameters.microwave_frequency
    return _field(run, fit, carrier - fit.values["frequency"])


def _field(run: Run, fit: FitResult, resonance: float) -> list[Figure]:
    error = fit.errors["frequency"]
    corrected = resonance - hyperfine_pull(resonance)
    field = axial_field(corrected, error, "lower" if corrected < D_NV else "upper")
    seconds = spent(run)
    return [
        Figure(
            name="resonance",
            label="resonance",
            value=resonance,
            error=error,
            unit="Hz",
            definition="mean of the three 14N lines",
        ),
        Figure(
            name="B",
            label="axial field",
            value=field.value,
            error=field.error,
            unit="T",
            definition="|f − D|/γ, corrected for the second-order hyperfine shift; D = 2.870 GHz taken as exact",
            source="Doherty et al., Phys. Rep. 528, 1 (2013)",
        ),
        Figure(
            name="sensitivity",
            label="sensitivity of this run",
            value=sensitivity(field.error, seconds),
            # An error that comes from so many points is itself known to one part in sqrt(2 dof).
            error=sensitivity(field.error, seconds) / math.sqrt(2 * max(fit.degrees_of_freedom, 1)),
            unit="T/√Hz",
            definition="standard deviation of the field times the square root of all time taken",
            source=BARRY,
        ),
    ]


def dc_field_sensitivity(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the sensitivity at the steepest point of the curve, and, for a fringe, its spin-projection limit."""
    program = experiment.program()
    if program is None:
        return []
    axis, x = run.grid().axes[0]
    timeline = compile_program(program)
    lasts = np.asarray(timeline.duration * 1e-12, dtype=float)
    seconds = np.interp(x, *_ascending(timeline.points[axis.name], lasts))
    model, noise = load_model(fit.model, fit.context), one_shot_noise(run, fit)

    def best(theta: Mapping[str, float]) -> WorkingPoint:
        one_shot = noise * np.sqrt(np.maximum(model.evaluate(x, theta), 0))
        return best_working_point(model, theta, x, one_shot, seconds, "frequency")

    point = best(fit.values)
    error = propagated(lambda theta: best(theta).sensitivity, fit)
    figures = [
        Figure(
            name="best_sensitivity",
            label="best working point",
            value=point.sensitivity / GAMMA_NV,
            error=None if error is None else error / GAMMA_NV,
            unit="T/√Hz",
            definition=f"photon noise over slope at {axis.name} = {point.x:.6g} {axis.unit}, overhead included",
            source=BARRY + ", eq. 14",
        )
    ]
    if "T2_star" in fit.values and point.x > 0:
        overhead = float(np.interp(point.x, *_ascending(x, seconds))) - point.x

        def limit(theta: Mapping[str, float]) -> float:
            return spin_projection_limit(
                point.x, theta["T2_star"], exponent=theta["exponent"], overhead=overhead
            )

        figures.append(
            Figure(
                name="standard_quantum_limit",
                label="standard quantum limit",
                value=limit(fit.values),
                error=propagated(limit, fit),
                unit="T/√Hz",
                definition="spin-projection noise of one spin with the same sequence and a perfect readout",
                source=BARRY + ", eq. 14 without readout noise",
                limit_of="best_sensitivity",
            )
        )
    return figures


def ac_field_sensitivity(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the AC sensitivity of an echo at its best precession time."""
    x = run.grid().axes[0][1]
    tau = np.linspace(x.min(), x.max(), 400)[1:]
    p = experiment.parameters
    overhead = 2 * p.laser_time + p.settle_time
    noise = one_shot_noise(run, fit)

    def resolved(theta: Mapping[str, float]) -> NDArray[np.float64]:
        decay = np.exp(-((tau / theta["time"]) ** theta["exponent"]))
        # A field in step with the echo turns the spin by (2/pi) gamma B tau; the slope is half the fringe's height.
        slope = abs(theta["amplitude"]) * decay * (2 / math.pi) * TWO_PI * GAMMA_NV * tau
        return np.asarray(noise * math.sqrt(theta["offset"]) / slope * np.sqrt(tau + overhead))

    best = int(np.argmin(resolved(fit.values)))
    return [
        Figure(
            name="ac_sensitivity",
            label="best AC sensitivity",
            value=float(resolved(fit.values)[best]),
            error=propagated(lambda theta: float(resolved(theta)[best]), fit),
            unit="T/√Hz",
            definition=f"photon noise over slope, field locked to an echo of {tau[best] * 1e6:.3g} µs, with overhead",
            source="Degen et al., Rev. Mod. Phys. 89, 035002 (2017), sec. VI",
        )
    ]


def relaxation_rate(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the relaxation rate 1/T1, which magnetic noise at the resonance adds to."""
    del experiment, run
    time, error = fit.values["time"], fit.errors["time"]
    return [
        Figure(
            name="relaxation_rate",
            label="relaxation rate",
            value=1 / time,
            error=error / time**2,
            unit="1/s",
            definition="1/T1, in events per second",
            source="Myers et al., Phys. Rev. Lett. 118, 197201 (2017)",
        )
    ]


def cw_sensitivity(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the photon-limited sensitivity of the steepest slope of one line."""
    del experiment, run
    if "fwhm" not in fit.values:
        return []
    return [
        Figure(
            name="photon_limit",
            label="photon-noise limit of one line",
            value=cw_odmr_sensitivity(fit.values["fwhm"], fit.values["contrast"], fit.values["level"]),
            unit="T/√Hz",
            definition="4/(3√3)·Δν/(γ C √R) of one hyperfine line",
            source=DREAU + ", eq. 4",
            limit_of="sensitivity",
        )
    ]


def microwave_field(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the π time and the microwave field that the Rabi frequency means."""
    del experiment, run
    rabi, error = fit.values["rabi_frequency"], fit.errors["rabi_frequency"]
    return [
        Figure(
            name="B1",
            label="microwave field (rotating)",
            value=rabi / (math.sqrt(2) * GAMMA_NV),
            error=error / (math.sqrt(2) * GAMMA_NV),
            unit="T",
            definition="Ω/(√2 γ), the circular component across the NV axis",
        )
    ]


def spent(run: Run) -> float:
    """Return the seconds that the run took, on the bench's clock."""
    return float(np.max(run["time"])) if len(run) else 0.0


def one_shot_noise(run: Run, fit: FitResult) -> float:
    """Return the photon noise of one shot over the square root of the signal.

    One number for the whole curve: the error of a point scatters with its counts, and the best of many points
    would be a lucky one.
    """
    grid = run.grid(fit.signal)
    good = np.isfinite(grid.error) & (grid.value > 0)
    shots = run["shots"].sum() / grid.value.size
    return float(np.median(grid.error[good] / np.sqrt(grid.value[good])) * math.sqrt(shots))


def _ascending(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    order = np.argsort(x, kind="stable")
    return x[order], y[order]
