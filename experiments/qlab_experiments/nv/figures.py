"""Figures of merit of the NV protocols: field, sensitivity with overhead, and the quantum limit beside it."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qlab.experiment import Experiment
from qlab.fits import load_model
from qlab.metrology.field import axial_field
from qlab.metrology.sensitivity import (
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
    return _field(run, fit.values["frequency"], fit.errors["frequency"])


def field_from_offset(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the axial field from a fitted offset of the microwave from resonance."""
    carrier = experiment.parameters.microwave_frequency
    return _field(run, carrier - fit.values["frequency"], fit.errors["frequency"])


def _field(run: Run, resonance: float, error: float) -> list[Figure]:
    corrected = resonance - hyperfine_pull(resonance)
    field = axial_field(corrected, error, "lower" if corrected < D_NV else "upper")
    spent = _spent(run)
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
            value=sensitivity(field.error, spent),
            unit="T/√Hz",
            definition="standard deviation of the field times the square root of all time taken",
            source=BARRY,
        ),
    ]


def dc_field_sensitivity(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the sensitivity at the steepest point of the fringe, and its spin-projection limit."""
    return _working_point(experiment, run, fit, "T", 1 / GAMMA_NV)


def line_sensitivity(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the sensitivity at the steepest point of the lines."""
    return _working_point(experiment, run, fit, "T", 1 / GAMMA_NV)


def _working_point(
    experiment: Experiment[Any], run: Run, fit: FitResult, unit: str, scale: float
) -> list[Figure]:
    grid = run.grid()
    axis, x = grid.axes[0]
    keep = np.isfinite(grid.error)
    shots = np.bincount(_positions(run, x), weights=run["shots"], minlength=len(x))
    program = experiment.program()
    if program is None:
        return []
    timeline = compile_program(program)
    seconds = timeline.duration[np.argsort(timeline.points[axis.name], kind="stable")] * 1e-12
    order = np.argsort(np.argsort(x, kind="stable"), kind="stable")
    model = load_model(fit.model, fit.context)
    one_shot = grid.error * np.sqrt(shots)
    point = best_working_point(model, fit.values, x[keep], one_shot[keep], seconds[order][keep], "frequency")
    figures = [
        Figure(
            name="best_sensitivity",
            label="best working point",
            value=point.sensitivity * scale,
            unit=f"{unit}/√Hz",
            definition=f"photon noise over slope at {axis.name} = {point.x:.6g} {axis.unit}, overhead included",
            source=BARRY + ", eq. 14",
        )
    ]
    if "T2_star" in fit.values and point.x > 0:
        whole = float(seconds[order][keep][np.argmin(np.abs(x[keep] - point.x))])
        limit = spin_projection_limit(
            point.x, fit.values["T2_star"], exponent=fit.values["exponent"], overhead=whole - point.x
        )
        figures.append(
            Figure(
                name="standard_quantum_limit",
                label="standard quantum limit",
                value=limit,
                unit="T/√Hz",
                definition="spin-projection noise of one spin with the same sequence and a perfect readout",
                source=BARRY + ", eq. 14 without readout noise",
                limit_of="best_sensitivity",
            )
        )
    return figures


def ac_field_sensitivity(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return the AC sensitivity of an echo at its best precession time."""
    grid = run.grid()
    tau = np.linspace(grid.axes[0][1].min(), grid.axes[0][1].max(), 400)[1:]
    decay = np.exp(-((tau / fit.values["time"]) ** fit.values["exponent"]))
    amplitude = abs(fit.values["amplitude"])
    p = experiment.parameters
    overhead = 2 * p.laser_time + p.settle_time
    one_shot = float(np.nanmedian(grid.error) * math.sqrt(run["shots"].sum() / grid.value.size))
    # A field in step with the echo turns the spin by (2/pi) gamma B tau; the fringe's slope is its half height.
    slope = amplitude * decay * (2 / math.pi) * TWO_PI * GAMMA_NV * tau
    eta = one_shot / slope * np.sqrt(tau + overhead)
    best = int(np.argmin(eta))
    return [
        Figure(
            name="ac_sensitivity",
            label="best AC sensitivity",
            value=float(eta[best]),
            unit="T/√Hz",
            definition=f"photon noise over slope, field locked to an echo of {tau[best] * 1e6:.3g} µs, with overhead",
            source="Degen et al., Rev. Mod. Phys. 89, 035002 (2017), sec. VI",
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


def _spent(run: Run) -> float:
    """Return the seconds that the run took, on the bench's clock."""
    return float(np.max(run["time"])) if len(run) else 0.0


def _positions(run: Run, x: NDArray[np.float64]) -> NDArray[np.int64]:
    taken = run[run.record.axes[0].name]
    nearest = np.abs(taken[:, None] - x[None, :]).argmin(axis=1)
    return np.asarray(nearest, dtype=np.int64)
