"""Fisher information of a system's own parameters: exact derivatives, the best time, the best measurement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qlab.errors import UsageError
from qlab.metrology.quantum.fisher import (
    Complexes,
    QuantumFisher,
    measurement_fisher,
    quantum_fisher,
)
from qlab.metrology.slopes import Reals
from qlab.physics.frechet import Varied, with_derivatives
from qlab.physics.systems.custom import UserSystem


@dataclass(frozen=True)
class SystemFisher:
    """What a system says of its parameters after a time (s): quantum, and by its own measurement `classical` (k, k)."""

    names: tuple[str, ...]
    time: float
    quantum: QuantumFisher
    classical: Reals

    def measurement(self, name: str = "") -> tuple[Reals, Complexes]:
        """Return the best measurement of one parameter: values (d,) and vectors (d, d, one a column) of its SLD.

        Projecting on these reaches the quantum Fisher information, at this value of the parameter.
        Source: Braunstein and Caves, PRL 72, 3439 (1994).
        """
        index = self.names.index(name) if name else 0
        values, vectors = np.linalg.eigh(self.quantum.slds[index])
        return values, vectors

    def reached(self, name: str = "") -> float:
        """Return the classical Fisher information of the best measurement of one parameter."""
        _, vectors = self.measurement(name)
        effects = np.einsum("ai,bi->iab", vectors, vectors.conj())
        index = self.names.index(name) if name else 0
        return float(measurement_fisher(self.quantum.state, self._changes[[index]], effects)[0, 0])

    @property
    def _changes(self) -> Complexes:
        rho, slds = self.quantum.state, self.quantum.slds
        return np.asarray((rho @ slds + slds @ rho) / 2)


def system_fisher(
    system: UserSystem, seconds: float, names: Sequence[str] = (), *, probe: Any = None
) -> SystemFisher:
    """Return the Fisher information of parameters of H0 + Σ value·term after a free evolution from the initial state.

    `names`: terms of the system (all by default); `probe` another initial state (Qobj or array). Derivatives are exact
    (Van Loan), per unit of each parameter. Raises UsageError for a name that is no term.
    """
    chosen = tuple(names) or tuple(system.terms)
    unknown = [name for name in chosen if name not in system.terms]
    if unknown or not chosen:
        known = ", ".join(system.terms) or "none"
        raise UsageError(f"The system has no parameter {(unknown or [''])[0]!r}.", f"Its terms are: {known}.")
    slopes = np.array([system.terms[name].full() for name in chosen])
    step = Varied(system.hamiltonian(), slopes, seconds, list(system.collapse_operators()))
    rho, changes = with_derivatives([step], system.initial if probe is None else probe)
    click = np.asarray(system.measure.full())
    effects = np.array([click, np.eye(len(click)) - click])
    return SystemFisher(
        chosen, seconds, quantum_fisher(rho, changes), measurement_fisher(rho, changes, effects)
    )


def best_time(information: Reals, seconds: Reals, overhead: float = 0.0) -> int:
    """Return the index of the time at which repetitions of t + overhead gather most information per second."""
    rate = np.asarray(information) / np.maximum(np.asarray(seconds) + overhead, 1e-300)
    return int(np.nanargmax(rate))
