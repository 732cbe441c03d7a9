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
from qlab.metrology.quantum.nagaoka import NagaokaBound, nagaoka_hayashi_bound
from qlab.metrology.quantum.systems import SystemFisher, best_time, system_fisher

__all__ = [
    "HolevoBound",
    "NagaokaBound",
    "QuantumFisher",
    "SystemFisher",
    "best_time",
    "evolved",
    "generator_fisher",
    "holevo_bound",
    "measurement_fisher",
    "nagaoka_hayashi_bound",
    "pure_state_fisher",
    "quantum_fisher",
    "state_derivatives",
    "system_fisher",
]
