"""A physics of one's own: Hamiltonian, drives, jumps and measurement as QuTiP objects, played like any other.

H(t) = H0 + sum_k p_k H_k + sum_c a_c(t) (cos(phi) X_c + sin(phi) Y_c): H0 and the terms of the parameters in rad/s, in
whatever frame they are written; a pulse on channel c with the amplitude a (Hz) and phase phi drives with
2 pi a/2 (D e^{-i phi} + h.c.), where D is the raising part of the channel.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from qlab.errors import UsageError
from qlab.physics.constants import TWO_PI
from qlab.physics.engine import check_solver
from qlab.physics.judge import propagators
from qlab.physics.judges.own import probabilities
from qlab.physics.levels import Complex, Floats
from qlab.physics.path import SAMPLES, Path, made
from qlab.physics.propagate import expm, liouvillian
from qlab.physics.quantum import qutip
from qlab.pulses.timeline import PICOSECOND, Event, Timeline

if TYPE_CHECKING:
    from qutip import Qobj

LARGEST = 64  # levels: beyond, a superoperator no longer fits
PROPAGATED = 16  # levels up to which QuTiP solves for propagators, each once for all points
MOST = 1024  # levels, of states


@dataclass(frozen=True)
class UserSystem:
    """A system given as QuTiP objects.

    `H0` (rad/s); `drives` channel -> raising part D of its drive for a Rabi frequency of 1 rad/s; `collapse` operators
    sqrt(rate)*jump (rate in 1/s); `initial` a ket or density matrix; `measure` an operator with eigenvalues from 0 to
    1: the probability of a click. `parameters` are numbers with a term each in `terms`: H0 + sum value*term (rad/s
    per unit of the parameter). Raises UsageError for what is no physics.
    """

    H0: "Qobj"
    initial: "Qobj"
    measure: "Qobj"
    drives: "Mapping[str, Qobj]" = field(default_factory=dict)
    collapse: "Sequence[Qobj]" = ()
    terms: "Mapping[str, Qobj]" = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = _square("H0", self.H0)
        if shape > MOST:
            raise UsageError(f"H0 has {shape} levels; {MOST} is the most.", "Leave levels out.")
        for name, operator in self._operators():
            if _square(name, operator) != shape:
                raise UsageError(
                    f"{name} is {operator.shape[0]} x {operator.shape[1]} and H0 {shape} x {shape}.",
                    "Write every operator on the same levels.",
                )
        for name, operator in (("H0", self.H0), ("measure", self.measure), *self.terms.items()):
            matrix = operator.full()
            if not np.allclose(matrix, matrix.conj().T, rtol=0, atol=1e-9 * max(1.0, np.abs(matrix).max())):
                raise UsageError(f"{name} is not Hermitian.", "An energy or a probability is a real number.")
        shares = np.linalg.eigvalsh(self.measure.full())
        if shares.min() < -1e-9 or shares.max() > 1 + 1e-9:
            raise UsageError(
                f"measure has eigenvalues from {shares.min():.3g} to {shares.max():.3g}: they are no probabilities.",
                "Give a projector, or a sum of projectors times efficiencies from 0 to 1.",
            )
        if abs(np.trace(self._start) - 1) > 1e-9:
            raise UsageError("The initial state is not normalised.", "Its trace must be 1.")
        for name in self.terms:
            if not math.isfinite(self.parameters.get(name, 0.0)):
                raise UsageError(f"The parameter {name} is not a finite number.", "Give one.")

    def _operators(self) -> "list[tuple[str, Qobj]]":
        found = [("measure", self.measure), *self.terms.items()]
        found += [(f"the drive on {name!r}", drive) for name, drive in self.drives.items()]
        found += [(f"collapse operator {i + 1}", c) for i, c in enumerate(self.collapse)]
        if self.initial.isket:
            return found
        return [*found, ("initial", self.initial)]

    @cached_property
    def _start(self) -> Complex:
        state = self.initial if self.initial.isoper else self.initial * self.initial.dag()
        matrix = np.asarray(state.full(), dtype=complex)
        if len(matrix) != self.H0.shape[0]:
            raise UsageError(
                f"The initial state has {len(matrix)} levels and H0 {self.H0.shape[0]}.",
                "Write it on the same levels.",
            )
        return matrix

    @cached_property
    def _jumps(self) -> Complex:
        d = self.H0.shape[0]
        return np.array([c.full() for c in self.collapse], dtype=complex).reshape(-1, d, d)

    def hamiltonian(self, **parameters: float) -> "Qobj":
        """Return H0 with the terms of its parameters, in rad/s; `parameters` replace the system's own."""
        values = {**self.parameters, **parameters}
        total = self.H0
        for name, term in self.terms.items():
            total = total + values.get(name, 0.0) * term
        return total

    def collapse_operators(self) -> "list[Qobj]":
        """Return sqrt(rate)*jump."""
        return list(self.collapse)

    def probability(self, timeline: Timeline, solver: str = "batched") -> Floats:
        """Return the probability of a click at the end of each point of a timeline; (points,).

        Setpoints named `sample.NAME` replace the parameter NAME. Every distinct stretch is solved once.
        """
        check_solver(solver)
        levels = self.H0.shape[0]
        if levels > LARGEST and solver == "batched":
            raise UsageError(
                f"The batched solver holds {LARGEST} levels, and this system has {levels}.",
                'Choose solver = "qutip" on the bench, or leave levels out.',
            )
        steps = [self._steps(timeline, point) for point in range(len(timeline))]
        if solver == "qutip" and levels > PROPAGATED:
            found = probabilities(self.initial, self.measure, list(self.collapse), steps, self._energy)
            return np.clip(found, 0.0, 1.0)
        distinct = {step: None for point in steps for step in point}
        made = dict(zip(distinct, self._solve(list(distinct), solver), strict=True))
        effect = np.asarray(self.measure.full()).T.ravel()
        found = np.empty(len(timeline))
        for point, path in enumerate(steps):
            state = self._start.ravel()
            for step in path:
                state = made[step] @ state
            found[point] = (effect @ state).real
        return np.clip(found, 0.0, 1.0)

    def path(self, timeline: Timeline, point: int = 0) -> Path:
        """Return the state along one point of a timeline, up to its readout."""
        if self.H0.shape[0] > LARGEST:
            raise UsageError(
                "So many levels cannot be drawn along a sequence.", "The counts can be measured."
            )
        times, states, now = [], [self._start.ravel()[None]], 0.0
        share = np.linspace(0, 1, SAMPLES)
        times.append(np.zeros(1))
        for step in self._steps(timeline, point):
            generator = liouvillian(self._matrix(step)[None], self._jumps)[0]
            within = expm(generator * (step.seconds * share)[:, None, None])
            states.append(np.asarray(within @ states[-1][-1]))
            times.append(now + step.seconds * share)
            now += step.seconds
        d = self.H0.shape[0]
        names = tuple(f"|{i}⟩" for i in range(d))
        whole = np.concatenate(states).reshape(-1, d, d)
        raising = [np.argwhere(np.abs(np.asarray(drive.full())) > 0) for drive in self.drives.values()]
        pair = (int(raising[0][0][0]), int(raising[0][0][1])) if raising and len(raising[0]) else (d - 1, 0)
        return made(np.concatenate(times), names, whole, pair)

    def _steps(self, timeline: Timeline, point: int) -> "list[_Step]":
        """Return the stretches of one point up to the readout, in each of which nothing changes."""
        plays = [e for e in timeline.events if e.kind == "play"]
        for event in plays:
            if event.channel not in self.drives:
                known = ", ".join(self.drives) or "none"
                raise UsageError(f"This system has no drive {event.channel!r}.", f"It has: {known}.")
            if event.frequency[point] != 0:
                raise UsageError(
                    "A frame of this system cannot be detuned.", "Sweep a parameter of H0 instead."
                )
        reading = [int(e.start[point]) for e in timeline.events if e.kind == "acquire"]
        end = min(reading, default=int(timeline.duration[point]))
        edges = {0, end, *(int(t) for e in plays for t in (e.start[point], e.stop[point]) if t < end)}
        values = tuple(
            float(timeline.setpoints[key][point]) if (key := f"sample.{name}") in timeline.setpoints
            else self.parameters.get(name, 0.0)
            for name in self.terms
        )  # fmt: skip
        ordered = sorted(edges)
        return [
            _Step(values, _on(plays, point, start, stop), (stop - start) * PICOSECOND)
            for start, stop in pairwise(ordered)
        ]

    def _solve(self, steps: "list[_Step]", solver: str) -> Complex:
        """Return the propagators of row-stacked density matrices of all distinct stretches."""
        hamiltonians = np.array([self._matrix(step) for step in steps])
        if solver == "qutip":
            return np.array([
                propagators(h, self._jumps, np.array([s.seconds]))[0] for h, s in zip(hamiltonians, steps, strict=True)
            ])  # fmt: skip
        seconds = np.array([step.seconds for step in steps])
        return np.asarray(expm(liouvillian(hamiltonians, self._jumps) * seconds[:, None, None]))

    def _energy(self, step: "_Step") -> "Qobj":
        """Return the Hamiltonian of a stretch as QuTiP holds it, sparse."""
        return qutip().Qobj(self._matrix(step), dims=self.H0.dims).to("CSR")

    def _matrix(self, step: "_Step") -> Complex:
        h = np.asarray(self.hamiltonian(**dict(zip(self.terms, step.values, strict=True))).full())
        for channel, amplitude, phase in step.drives:
            raising = TWO_PI * amplitude / 2 * np.exp(-1j * phase) * np.asarray(self.drives[channel].full())
            h = h + raising + raising.conj().T
        return h


@dataclass(frozen=True)
class _Step:
    """A stretch in which nothing changes: parameter values, (channel, Hz, rad) of each pulse, its length."""

    values: tuple[float, ...]
    drives: tuple[tuple[str, float, float], ...]
    seconds: float


def _on(plays: list[Event], point: int, start: int, stop: int) -> tuple[tuple[str, float, float], ...]:
    return tuple(
        (e.channel, float(e.amplitude[point]), float(e.phase[point]))
        for e in plays
        if e.start[point] <= start and e.stop[point] >= stop
    )


def _square(name: str, operator: Any) -> int:
    if (
        not isinstance(operator, qutip().Qobj)
        or not operator.isoper
        or operator.shape[0] != operator.shape[1]
    ):
        raise UsageError(f"{name} is no square operator of QuTiP.", "Give a Qobj such as qutip.sigmaz().")
    if not np.all(np.isfinite(operator.full())):
        raise UsageError(f"{name} has entries that are not finite.", "Check its numbers.")
    return int(operator.shape[0])
