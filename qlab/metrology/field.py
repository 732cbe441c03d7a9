"""Magnetic fields from NV resonance frequencies, and back."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from qlab.errors import UsageError
from qlab.physics.constants import D_NV, GAMMA_NV

Branch = Literal["lower", "upper"]


@dataclass(frozen=True)
class Measured:
    """A value with one standard deviation."""

    value: float
    error: float = 0.0


def _sign(branch: Branch) -> float:
    return 1.0 if branch == "upper" else -1.0


def resonance_frequency(
    field: float, branch: Branch = "lower", *, zero_field: float = D_NV, gamma: float = GAMMA_NV
) -> float:
    """Return D ± γB (Hz) for an axial field B (T): m_S=0 to +1 (`upper`) or −1 (`lower`), no strain.

    Source: H/h = D S_z² + γ B S_z, physics.md convention C4.
    """
    return zero_field + _sign(branch) * gamma * field


def axial_field(
    frequency: float,
    error: float = 0.0,
    branch: Branch = "lower",
    *,
    zero_field: float = D_NV,
    zero_field_error: float = 0.0,
    gamma: float = GAMMA_NV,
) -> Measured:
    """Return the axial field B = ±(f − D)/γ in T from one resonance (Hz), with its standard deviation (T).

    The errors of f and D are taken as independent. Valid for a field along the axis and below the level
    crossing at D/γ = 102 mT.
    """
    value = _sign(branch) * (frequency - zero_field) / gamma
    return Measured(value, float(np.hypot(error, zero_field_error)) / gamma)


def field_from_pair(
    lower: float,
    upper: float,
    lower_error: float = 0.0,
    upper_error: float = 0.0,
    *,
    zero_field: float = D_NV,
    gamma: float = GAMMA_NV,
) -> tuple[Measured, Measured]:
    """Return |B| (T) and its angle to the axis (rad, 0 to π/2) from the two lines of one NV orientation (Hz).

    B² = (f+² + f−² − f+ f− − D²)/(3γ²);
    D cos 2θ = [7D³ + 2(f+ + f−)(2(f+² + f−²) − 5 f+ f−) − 3D(f+² + f−² − f+ f−)]/[9(f+² + f−² − f+ f− − D²)].
    Without strain. Raises UsageError for frequencies that no field gives.
    Source: Balasubramanian, Nature 455, 648 (2008), supplement; physics.md P02.
    """
    magnitude, angle = _invert(lower, upper, zero_field, gamma)
    variance = np.zeros(2)
    for error, direction in ((lower_error, (1.0, 0.0)), (upper_error, (0.0, 1.0))):
        if error > 0:
            # A tenth of an error, but never so little that rounding of gigahertz shows.
            step = max(0.1 * error, 1e-9 * zero_field)
            sides = [
                np.array(_invert(lower + s * direction[0], upper + s * direction[1], zero_field, gamma))
                for s in (step, -step)
            ]
            variance += ((sides[0] - sides[1]) / (2 * step) * error) ** 2
    errors = np.sqrt(variance)
    return Measured(magnitude, float(errors[0])), Measured(angle, float(errors[1]))


def _invert(lower: float, upper: float, zero_field: float, gamma: float) -> tuple[float, float]:
    # In units of D, so that cubes of gigahertz do not lose digits.
    low, high = lower / zero_field, upper / zero_field
    square = high**2 + low**2 - high * low
    if not np.isfinite(square) or square < 1 - 1e-9:
        raise UsageError(
            f"No magnetic field gives lines at {lower:.6g} and {upper:.6g} Hz.",
            f"Check that both belong to one orientation and that D is {zero_field:.6g} Hz.",
        )
    excess = max(square - 1, 0.0)
    if excess < 1e-15:
        return 0.0, 0.0
    numerator = 7 + 2 * (high + low) * (2 * (high**2 + low**2) - 5 * high * low) - 3 * square
    cosine = float(np.clip(numerator / (9 * excess), -1, 1))
    return zero_field / gamma * float(np.sqrt(excess / 3)), 0.5 * float(np.arccos(cosine))
