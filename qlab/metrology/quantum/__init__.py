"""Quantum bounds: quantum Fisher information, compatibility of parameters, the Holevo bound."""

from qlab.metrology.quantum.fisher import (
    QuantumFisher,
    evolved,
    generator_fisher,
    measurement_fisher,
    pure_state_fisher,
    quantum_fisher,
    state_derivatives,
)
from qlab.metrology.quantum.holevo import HolevoBound, holevo_bound

__all__ = [
    "HolevoBound",
    "QuantumFisher",
    "evolved",
    "generator_fisher",
    "holevo_bound",
    "measurement_fisher",
    "pure_state_fisher",
    "quantum_fisher",
    "state_derivatives",
]
