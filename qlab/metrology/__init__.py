"""Metrology: Fisher information, sensitivities and magnetic fields from what was measured."""

from qlab.metrology.field import Measured, axial_field, field_from_pair, resonance_frequency
from qlab.metrology.fisher import (
    Bound,
    binomial_information,
    cramer_rao,
    gaussian_information,
    jacobian,
    poisson_information,
)
from qlab.metrology.sensitivity import (
    ReadoutNoise,
    WorkingPoint,
    best_working_point,
    cw_odmr_sensitivity,
    ramsey_dc_sensitivity,
    readout_noise_factor,
    sensitivity,
    spin_projection_limit,
)

__all__ = [
    "Bound",
    "Measured",
    "ReadoutNoise",
    "WorkingPoint",
    "axial_field",
    "best_working_point",
    "binomial_information",
    "cramer_rao",
    "cw_odmr_sensitivity",
    "field_from_pair",
    "gaussian_information",
    "jacobian",
    "poisson_information",
    "ramsey_dc_sensitivity",
    "readout_noise_factor",
    "resonance_frequency",
    "sensitivity",
    "spin_projection_limit",
]
