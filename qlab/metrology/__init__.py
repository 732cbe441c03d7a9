"""Metrology: information, bounds and limits, sensitivities, squeezing and fields from what was measured.

Stability over time is in `qlab.metrology.stability`, quantum Fisher information in `qlab.metrology.quantum`.
"""

from qlab.metrology.bandwidth import DynamicRange, half_power_band, phase_range, response, sampling_bandwidth
from qlab.metrology.bounds import (
    Prior,
    canonical_phase_variance,
    gaussian_error,
    helstrom_error,
    prior,
    van_trees,
    van_trees_matrix,
    ziv_zakai,
)
from qlab.metrology.clocks import dick_effect
from qlab.metrology.curves import Curve, Limit
from qlab.metrology.field import Measured, axial_field, field_from_pair, resonance_frequency
from qlab.metrology.fisher import (
    Bound,
    binomial_information,
    cramer_rao,
    gaussian_information,
    jacobian,
    poisson_information,
)
from qlab.metrology.limits import (
    DephasedLimits,
    Limits,
    Resources,
    clock_projection_noise,
    dephased_frequency_limits,
    field_limits,
    frequency_limits,
    phase_limits,
    photon_shot_noise,
    spin_projection_noise,
    vapour_projection_limit,
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
from qlab.metrology.squeezing import (
    Squeezing,
    collective_spins,
    squeezing_from_moments,
    squeezing_from_samples,
    squeezing_of_state,
)

__all__ = [
    "Bound",
    "Curve",
    "DephasedLimits",
    "DynamicRange",
    "Limit",
    "Limits",
    "Measured",
    "Prior",
    "ReadoutNoise",
    "Resources",
    "Squeezing",
    "WorkingPoint",
    "axial_field",
    "best_working_point",
    "binomial_information",
    "canonical_phase_variance",
    "clock_projection_noise",
    "collective_spins",
    "cramer_rao",
    "cw_odmr_sensitivity",
    "dephased_frequency_limits",
    "dick_effect",
    "field_from_pair",
    "field_limits",
    "frequency_limits",
    "gaussian_error",
    "gaussian_information",
    "half_power_band",
    "helstrom_error",
    "jacobian",
    "phase_limits",
    "phase_range",
    "photon_shot_noise",
    "poisson_information",
    "prior",
    "ramsey_dc_sensitivity",
    "readout_noise_factor",
    "resonance_frequency",
    "response",
    "sampling_bandwidth",
    "sensitivity",
    "spin_projection_limit",
    "spin_projection_noise",
    "squeezing_from_moments",
    "squeezing_from_samples",
    "squeezing_of_state",
    "van_trees",
    "van_trees_matrix",
    "vapour_projection_limit",
    "ziv_zakai",
]
