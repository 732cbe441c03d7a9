"""Sensitivities: what a second of measuring resolves, overhead included."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qlab.metrology.fisher import CurveModel, Reals, jacobian
from qlab.physics.constants import GAMMA_NV, TWO_PI


@dataclass(frozen=True)
class ReadoutNoise:
    """How far an optical readout is from spin-projection noise: `sigma_R` ≥ 1 and `fidelity` = 1/σ_R."""

    sigma_R: float
    fidelity: float
    contrast: float
    photons: float


@dataclass(frozen=True)
class WorkingPoint:
    """Where a curve is best used as a sensor: x, the signal and its slope there, sensitivity per √Hz."""

    x: float
    signal: float
    slope: float
    sensitivity: float


def sensitivity(sigma: float, total_time: float) -> float:
    """Return η = σ·√T: unit of σ per √Hz. T (s) is all the time it took, overhead included.

    Source: Barry RMP 92, 015004 (2020); convention C6 of qlab.
    """
    return sigma * float(np.sqrt(total_time))


def readout_noise_factor(bright: float, dark: float) -> ReadoutNoise:
    """Return σ_R = √(1 + 2(a0+a1)/(a0−a1)²) for mean photons per shot a0 (m_S=0) and a1.

    σ_R is infinite where the two do not differ. Contrast is (a0−a1)/(a0+a1), photons (a0+a1)/2.
    Source: Taylor, Nat. Phys. 4, 810 (2008); Hopper, Micromachines 9, 437 (2018), eq. 3.
    """
    both, apart = bright + dark, bright - dark
    sigma = float(np.sqrt(1 + 2 * both / apart**2)) if apart else float("inf")
    return ReadoutNoise(sigma, 1 / sigma, abs(apart) / both if both > 0 else 0.0, both / 2)


def spin_projection_limit(
    precession: float,
    T2_star: float,
    *,
    exponent: float = 1.0,
    overhead: float = 0.0,
    spins: float = 1.0,
    delta_m: float = 1.0,
    gamma: float = TWO_PI * GAMMA_NV,
) -> float:
    """Return η = e^{(τ/T2*)^p}/(Δm γ √(N τ)) · √((τ + t_overhead)/τ) in T/√Hz: Ramsey with a perfect readout.

    τ, T2*, overhead in s; γ in rad/(s T). Source: Barry RMP 92, 015004 (2020), eq. 14 without readout noise.
    """
    decay = np.exp((precession / T2_star) ** exponent)
    duty = np.sqrt((precession + overhead) / precession)
    return float(decay * duty / (delta_m * gamma * np.sqrt(spins * precession)))


def ramsey_dc_sensitivity(
    precession: float,
    T2_star: float,
    *,
    contrast: float,
    photons: float,
    exponent: float = 1.0,
    overhead: float = 0.0,
    spins: float = 1.0,
    delta_m: float = 1.0,
    gamma: float = TWO_PI * GAMMA_NV,
) -> float:
    """Return the DC sensitivity of Ramsey magnetometry with photon noise and overhead, in T/√Hz.

    η = e^{(τ/T2*)^p}/(Δm γ √(N τ)) · √(1 + 1/(C² n)) · √((t_I + τ + t_R)/τ), with C = (a0−a1)/(a0+a1) and n
    photons per readout on average; times in s, overhead = t_I + t_R, γ in rad/(s T).
    Source: Barry RMP 92, 015004 (2020), eqs. 14 and 16; physics.md P07.
    """
    projection = spin_projection_limit(
        precession, T2_star, exponent=exponent, overhead=overhead, spins=spins, delta_m=delta_m, gamma=gamma
    )
    return projection * float(np.sqrt(1 + 1 / (contrast**2 * photons)))


def cw_odmr_sensitivity(fwhm: float, contrast: float, rate: float, *, gamma: float = GAMMA_NV) -> float:
    """Return η = 4/(3√3) · Δν/(γ C √R) in T/√Hz: a Lorentzian line of FWHM Δν (Hz) at its steepest point.

    R: detected photons per second off resonance; γ in Hz/T.
    Source: Dréau PRB 84, 195204 (2011), eq. 4; Rondin RPP 77, 056503 (2014), eq. 15; physics.md P04.
    """
    return float(4 / (3 * np.sqrt(3)) * fwhm / (gamma * contrast * np.sqrt(rate)))


def best_working_point(
    model: CurveModel,
    theta: Mapping[str, float],
    x: ArrayLike,
    sigma_single_shot: ArrayLike,
    time_per_shot: ArrayLike,
    parameter: str,
) -> WorkingPoint:
    """Return where along x one parameter is resolved best: the least of η(x) = σ₁(x)/|dy/dθ|·√t(x).

    Shapes: x (n,); σ₁ (one shot's standard deviation of y) and t (seconds per shot, overhead included) are
    (n,) or one number. Unit: that of the parameter per √Hz. The other parameters are taken as known.
    """
    points: Reals = np.asarray(x, dtype=float)
    slope = jacobian(model, points, theta, [parameter])[:, 0]
    sigma = np.broadcast_to(np.asarray(sigma_single_shot, dtype=float), points.shape)
    time = np.broadcast_to(np.asarray(time_per_shot, dtype=float), points.shape)
    steep = np.abs(slope)
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.where(steep > 0, sigma / np.where(steep > 0, steep, 1) * np.sqrt(time), np.inf)
    best = int(np.argmin(eta))
    signal = model.evaluate(points, theta)[best]
    return WorkingPoint(float(points[best]), float(signal), float(slope[best]), float(eta[best]))
