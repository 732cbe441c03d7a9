"""metrology.fisher: what a system can tell of its parameters: bounds, the best time, the best measurement."""

import math
import time
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge, Gt
from pydantic import Field

from qlab.errors import UsageError
from qlab.experiment import Blocks, Experiment
from qlab.metrology.quantum.systems import SystemFisher, best_time, system_fisher
from qlab.parameters import Parameters
from qlab.physics.systems.custom import UserSystem
from qlab.record import Axis, Column, Figure, FitResult, Signal
from qlab.registry import load
from qlab.runs import Run
from qlab.scan import Linear, Scan
from qlab.units import Seconds, Unit

BRAUNSTEIN = "Braunstein and Caves, Phys. Rev. Lett. 72, 3439 (1994)"
ZHANG = "Zhang et al., Phys. Rev. Research 4, 043057 (2022)"

_TAKEN: dict[tuple[object, ...], float] = {}  # s that the last system asked for takes at its longest time


class FisherParameters(Parameters):
    """Settings of a look at the information in a system."""

    system: str = Field(
        "", title="System", description="A world of your own by its name; empty: a decaying qubit"
    )
    parameter: str = Field("frequency", title="Parameter", description="A term of its Hamiltonian")
    duration: Scan[Seconds] = Field(Linear(0.5, 100.0, 200), title="Evolution time")
    overhead: Seconds = Field(0.0, title="Overhead", description="Preparation and readout of each repetition")
    total_time: Annotated[float, Unit("s"), Gt(0)] = Field(1e4, title="All the time there is")
    frequency: Annotated[float, Unit("rad/s")] = Field(
        1.0, title="Frequency", description="Of the decaying qubit"
    )
    decay: Annotated[float, Unit("1/s"), Ge(0)] = Field(
        0.1, title="Decay rate", description="Of the decaying qubit"
    )


class Fisher(Experiment[FisherParameters]):
    """The Fisher information of one parameter against the time of evolution: no instrument, only the physics.

    H = H0 + θ·H_θ and jumps √rate·L of a system given as QuTiP objects; ρ(t) and ∂ρ/∂θ are exact (Van Loan). Quantum:
    F_Q = Tr ρL², ∂ρ = (ρL + Lρ)/2, with the rank of ρ; classical: that of the system's own measurement; best
    measurement: the eigenvectors of L. The best time has most information per second, overhead included. The decaying
    qubit: H = ωσ_z/2, decay γ, |+⟩, measured along x: F_Q = t²e^{−γt} (Zhang, PRR 4, 043057 (2022); P40).
    Reference: Braunstein and Caves, Phys. Rev. Lett. 72, 3439 (1994).
    Try: an overhead of 10 s; a world of your own (see "Measure on a physics of your own").
    """

    title = "Fisher information"
    group = "Estimation"
    preset = "sim-nv"
    quantum: ClassVar = {
        "domain": "quantum sensing and metrology", "area": "metrology", "platform": "other: any system",
        "protocol": "parameter estimation", "measurand": "other: Fisher information", "unit": "1",
    }  # fmt: skip

    @cached_property
    def system(self) -> UserSystem:
        """The system whose information is looked at; UsageError where the name gives none."""
        p = self.parameters
        if not p.system:
            return decaying_qubit(p.frequency, p.decay)
        found = getattr(load("worlds", p.system)({}), "system", None)
        if not isinstance(found, UserSystem):
            raise UsageError(
                f"The world {p.system!r} is not given as QuTiP objects.", "Name one made with `UserWorld.of`."
            )
        return found

    def preflight(self) -> None:
        """Refuse a parameter that the system does not have."""
        self.at(0.0)

    def at(self, seconds: float) -> SystemFisher:
        """Return the information after a time."""
        return system_fisher(self.system, seconds, (self.parameters.parameter,))

    def estimate(self) -> tuple[int, float]:
        """Return the points, and the seconds of computing by what the longest takes now; no instrument is used."""
        p = self.parameters
        times = p.duration.values()
        asked = (p.system, p.parameter, p.frequency, p.decay, float(times.max()))
        if asked not in _TAKEN:  # a form asks with each change of any field
            began = time.perf_counter()
            self.at(float(times.max()))
            _TAKEN.clear()
            _TAKEN[asked] = time.perf_counter() - began
        return len(times), len(times) * _TAKEN[asked]

    def run(self) -> Blocks:
        """Look at each time in turn."""
        times = self.parameters.duration.values()
        for moment in times[self.parameters.duration.played()]:
            found = self.at(float(moment))
            row = {
                "duration": float(moment), "quantum": found.quantum.matrix[0, 0], "classical": found.classical[0, 0],
                "best": found.reached(), "rank": found.quantum.rank, "time": float(moment), "valid": 1,
            }  # fmt: skip
            yield {name: np.array([value]) for name, value in row.items()}

    def measured(self) -> tuple[Column, ...]:
        """Return the informations and the rank."""
        return (
            Column(name="quantum", long_name="quantum Fisher information", role="reduced"),
            Column(
                name="classical", long_name="Fisher information of the system's measurement", role="reduced"
            ),
            Column(name="best", long_name="Fisher information of the best measurement", role="reduced"),
            Column(name="rank", long_name="rank of the state", dtype="i8", role="reduced"),
        )

    def axes(self) -> tuple[Axis, ...]:
        """Return the evolution time."""
        values = tuple(float(v) for v in self.parameters.duration.values())
        return (Axis(name="duration", long_name="evolution time", unit="s", values=values),)

    def signals(self) -> tuple[Signal, ...]:
        """Return the informations, per unit of the parameter squared."""
        return (
            Signal(name="quantum_information", long_name="quantum Fisher information", of="quantum"),
            Signal(name="information", long_name="Fisher information of the measurement", of="classical"),
        )

    def believed(self, known: Mapping[str, float]) -> UserSystem:
        """Return the system itself: it is not hidden."""
        del known
        return self.system

    def model(self, system: UserSystem) -> Mapping[str, Any]:
        """Return both informations of a system; (points,) each."""
        found = [
            system_fisher(system, float(t), (self.parameters.parameter,))
            for t in self.parameters.duration.values()
        ]
        return {
            "quantum_information": np.array([f.quantum.matrix[0, 0] for f in found]),
            "information": np.array([f.classical[0, 0] for f in found]),
        }

    def analyse(self, run: Run, fit: FitResult | None) -> tuple[Figure, ...]:
        """Return the best times, what they reach, and the best measurement."""
        del fit
        p = self.parameters
        if not len(run):
            return ()
        quantum, classical, times = (
            np.asarray(run[n], dtype=float) for n in ("quantum", "classical", "duration")
        )
        best, own = best_time(quantum, times, p.overhead), best_time(classical, times, p.overhead)
        found = self.at(float(times[best]))
        values, vectors = found.measurement()
        outcomes = "; ".join(
            f"{value:.4g}: (" + ", ".join(f"{a.real:.3g}{a.imag:+.3g}i" for a in vector) + ")"
            for value, vector in zip(values, vectors.T, strict=True)
        )

        def least(information: float, at: float) -> float:
            return (
                math.sqrt((at + p.overhead) / (p.total_time * information)) if information > 0 else math.inf
            )

        return (
            Figure(name="best_time", label="best evolution time", value=float(times[best]), unit="s",
                   definition="most quantum Fisher information per second, overhead included", source=ZHANG),
            Figure(name="quantum_information", label="quantum Fisher information there", value=float(quantum[best]),
                   definition=f"per unit of {p.parameter} squared; rank {found.quantum.rank} of {len(values)}",
                   source=BRAUNSTEIN),
            Figure(name="reached", label="of the best measurement", value=found.reached(),
                   definition=f"projection on the eigenvectors of the SLD, {outcomes}", source=BRAUNSTEIN),
            Figure(name="own", label="least error with the system's measurement",
                   value=least(float(classical[own]), float(times[own])),
                   definition=f"at its best time, {times[own]:.4g} s, repeated for {p.total_time:.4g} s"),
            Figure(name="quantum_limit", label="quantum Cramér–Rao bound",
                   value=least(float(quantum[best]), float(times[best])), source=BRAUNSTEIN,
                   definition=f"at the best time, repeated for {p.total_time:.4g} s", limit_of="own"),
        )  # fmt: skip


def decaying_qubit(frequency: float, decay: float) -> UserSystem:
    """Return a qubit, H = ωσ_z/2, that decays with γ, prepared and measured along x. Source: physics.md P40."""
    import qutip as qt

    plus = (qt.basis(2, 0) + qt.basis(2, 1)).unit()
    return UserSystem(
        H0=qt.qzero(2), terms={"frequency": qt.sigmaz() / 2}, parameters={"frequency": frequency},
        collapse=[math.sqrt(decay) * qt.sigmam()] if decay > 0 else [], initial=plus, measure=plus * plus.dag(),
    )  # fmt: skip
