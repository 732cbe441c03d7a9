"""Sweeps: what a measurement gives after piecewise-constant steps, over stacks of Hamiltonians and durations.

The language is QuTiP's: Hamiltonians in rad/s, collapse operators sqrt(rate)*jump, as Qobj or as arrays. A
Hamiltonian may be a stack (..., d, d) over amplitude, frequency, phase or field; a duration may be a list (t,).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from qlab.errors import UsageError
from qlab.physics.exponential import expm
from qlab.physics.given import Complex, Floats, density, hermitian, jumps, seconds
from qlab.physics.propagate import even_step, pairings, propagators
from qlab.physics.sectors import hilbert_sectors, seen_parts
from qlab.physics.superoperator import generators, parts

# Above this size of a superoperator what the readout cannot see is left out first.
LARGE = 25
# Up to this many levels cutting into sectors costs more than it saves.
SPLIT = 4


@dataclass(frozen=True)
class Step:
    """A time in which nothing changes: H in rad/s, (d, d) or a stack (..., d, d); s, one or a sweep (t,)."""

    hamiltonian: Any
    seconds: Any


@dataclass(frozen=True)
class Repeat:
    """Steps played `times` over: the propagator of one round is raised to that power."""

    times: int
    steps: tuple["Step | Repeat", ...]


Steps = Sequence[Step | Repeat]
Fixed = dict[tuple[int, float], Floats]  # propagators by Hamiltonian and duration


def expectation(steps: Steps, start: Any, observable: Any, collapse: Any = (), weights: Any = None) -> Floats:
    """Return Tr(O rho) after the steps, shape (*batch, t): batch that of the Hamiltonians, t that of a sweep.

    `start` a ket or a density matrix; `weights` (*batch) averages over the batch, as Gauss-Hermite or hyperfine
    weights do. Without a swept duration the last axis is missing. Raises UsageError for operators that do not
    fit, are not Hermitian or not finite, and for durations that are negative.
    """
    return _Sweep(steps, start, observable, collapse, weights).run()


class _Sweep:
    """One call of `expectation`: checked, cut into sectors, propagated."""

    def __init__(self, steps: Steps, start: Any, observable: Any, collapse: Any, weights: Any) -> None:
        self.steps = steps
        self.rho = density(start)
        self.d = self.rho.shape[-1]
        self.observable = hermitian(observable, "The observable", self.d)
        self.jumps = jumps(collapse, self.d)
        self.given: dict[int, Complex] = {}
        self.waits: dict[int, Floats] = {}
        self.lengths: set[int] = set()
        self._read(steps)
        if not self.given:
            raise UsageError("There are no steps to play.", "Give at least one.")
        if len(self.lengths) > 1:
            raise UsageError(f"Sweeps of lengths {sorted(self.lengths)} meet.", "Sweep over one list.")
        shapes = {*(h.shape[:-2] for h in self.given.values()), self.jumps.shape[:-3], self.rho.shape[:-2]}
        try:
            self.batch = shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)
        except ValueError as error:
            raise UsageError("The stacks of Hamiltonians do not match.", "Give them one shape.") from error
        self.weights = None if weights is None else np.asarray(weights, dtype=float)
        if self.weights is not None and (
            self.weights.shape != self.batch or not np.isfinite(self.weights).all()
        ):
            raise UsageError(
                f"Weights of shape {self.weights.shape} do not fit a batch of {self.batch}.",
                "Give one finite weight for each Hamiltonian.",
            )

    def _read(self, steps: Steps) -> None:
        for step in steps:
            if isinstance(step, Repeat):
                if step.times < 0:
                    raise UsageError(f"Steps cannot be repeated {step.times} times.", "Use 0 or more.")
                self._read(step.steps)
                continue
            if id(step) in self.waits:
                continue
            self.waits[id(step)] = wait = seconds(step.seconds)
            self.lengths |= {wait.size} if wait.ndim else set()
            if id(step.hamiltonian) not in self.given:
                self.given[id(step.hamiltonian)] = hermitian(step.hamiltonian, "A Hamiltonian", self.d)

    def run(self) -> Floats:
        """Return the sum over the sectors; those that hold nothing at the start or at the end add nothing."""
        found = [np.arange(self.d)]
        if self.d > SPLIT:
            found = hilbert_sectors(list(self.given.values()), self.jumps, [self.rho, self.observable])
        if len(found) == 1:
            return self._sector(np.array(found))
        ends = [self.rho, self.observable]
        held = [s for s in found if all(end[..., s[:, None], s].any() for end in ends)] or found[:1]
        total: Any = 0.0
        for size in sorted({len(sector) for sector in held}):
            total = total + self._sector(np.array([sector for sector in held if len(sector) == size]))
        return np.asarray(total)

    def _sector(self, alike: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
        """Return what sectors (g, size) of one size give together."""
        several, d = len(alike) > 1, alike.shape[1]

        def block(operators: Complex) -> Complex:
            if d == self.d:
                return operators
            made = np.ascontiguousarray(operators[..., alike[:, :, None], alike[:, None, :]])
            return made if several else made[..., 0, :, :]

        given = {key: block(h) for key, h in self.given.items()}
        collapse = block(self.jumps)
        if several:  # (..., k, g, d, d): the operators of a set stand right before the matrices
            collapse = np.ascontiguousarray(np.moveaxis(collapse, -4, -3))
        right, left = parts(block(self.rho)), parts(block(self.observable))
        maps = _generators(given, collapse)
        if right.shape[-1] > LARGE:
            keep = seen_parts(list(given.values()), collapse, left)
            if len(keep) < right.shape[-1]:
                maps = {key: np.ascontiguousarray(g[..., keep[:, None], keep]) for key, g in maps.items()}
                right, left = right[..., keep], left[..., keep]
        return self._play(maps, left, right, several=several)

    def _play(self, maps: dict[int, Floats], left: Floats, right: Floats, *, several: bool) -> Floats:
        weights = self.weights
        batch = (*self.batch, left.shape[-2]) if several else self.batch
        if weights is not None and several:
            weights = np.repeat(weights[..., None], left.shape[-2], axis=-1)
        swept = [i for i, step in enumerate(self.steps) if self._is_swept(step)]
        if len(swept) == 1 and isinstance(step := self.steps[swept[0]], Step):
            times = self.waits[id(step)]
            pace = even_step(times)
            fixed = self._fixed(maps, (id(step.hamiltonian), pace))
            for early in self.steps[: swept[0]]:
                right = _apply(self._matrix(early, maps, fixed), right)
            for late in reversed(self.steps[swept[0] + 1 :]):
                left = _apply(self._matrix(late, maps, fixed).swapaxes(-1, -2), left)
            small = fixed[id(step.hamiltonian), pace] if pace else None
            made = pairings(maps[id(step.hamiltonian)], times, left, right, weights, small)
            if weights is not None:
                return made
            if made.shape[:-1] != batch:
                made = np.broadcast_to(made, (*batch, made.shape[-1]))
            return np.asarray(made.sum(axis=-2)) if several else made
        fixed = self._fixed(maps)
        if swept:
            right, left = right[..., None, :], left[..., None, :]
        for each in self.steps:
            right = _apply(self._matrix(each, maps, fixed, swept=bool(swept)), right)
        values = (left * right).sum(axis=-1)
        values = np.broadcast_to(values, (*batch, values.shape[-1]) if swept else batch)
        if weights is not None:
            return np.asarray(np.tensordot(weights, values, axes=weights.ndim))
        if several:
            return np.asarray(values.sum(axis=-2 if swept else -1))
        return np.asarray(values)

    def _is_swept(self, step: Step | Repeat) -> bool:
        if isinstance(step, Repeat):
            return any(self._is_swept(inner) for inner in step.steps)
        return self.waits[id(step)].ndim > 0

    def _fixed(self, maps: dict[int, Floats], also: tuple[int, float | None] = (0, None)) -> Fixed:
        """Exponentiate each distinct (Hamiltonian, duration) once, those of one shape together."""
        wanted = {
            (id(step.hamiltonian), float(wait))
            for step in _flat(self.steps)
            if not (wait := self.waits[id(step)]).ndim
        }
        if also[1]:
            wanted.add((also[0], also[1]))
        found: Fixed = {}
        for shape in {maps[key].shape for key, _ in wanted}:
            keys = [key for key in wanted if maps[key[0]].shape == shape]
            made = expm(np.array([maps[key] * wait for key, wait in keys]))
            found |= dict(zip(keys, made, strict=True))
        return found

    def _matrix(
        self,
        step: Step | Repeat,
        maps: dict[int, Floats],
        fixed: Fixed,
        *,
        swept: bool = False,
    ) -> Floats:
        """Return the propagator of a step, (..., n, n), with an axis of times before the last two if `swept`."""
        if isinstance(step, Repeat):
            made: Floats | None = None
            for inner in step.steps:
                one = self._matrix(inner, maps, fixed, swept=swept)
                made = one if made is None else one @ made
            n = next(iter(maps.values())).shape[-1]
            return np.eye(n) if made is None else np.asarray(np.linalg.matrix_power(made, step.times))
        wait = self.waits[id(step)]
        if wait.ndim:
            return np.asarray(propagators(maps[id(step.hamiltonian)], wait))
        found = fixed[id(step.hamiltonian), float(wait)]
        return found[..., None, :, :] if swept else found


def _flat(steps: Steps) -> list[Step]:
    made: list[Step] = []
    for step in steps:
        made += _flat(step.steps) if isinstance(step, Repeat) else [step]
    return made


def _generators(given: dict[int, Complex], collapse: Complex) -> dict[int, Floats]:
    """Return the generator of each Hamiltonian; the relaxation, the same for all, is computed once."""
    d = next(iter(given.values())).shape[-1]
    none = np.zeros((0, d, d), dtype=complex)
    made: dict[int, Floats] = {}
    for shape in {h.shape for h in given.values()}:
        keys = [key for key, h in given.items() if h.shape == shape]
        made |= dict(zip(keys, generators(np.array([given[key] for key in keys]), none), strict=True))
    if not collapse.shape[-3]:
        return made
    relaxing = generators(np.zeros((d, d), dtype=complex), collapse)
    return {key: g + relaxing for key, g in made.items()}


def _apply(matrix: Floats, vector: Floats) -> Floats:
    return np.asarray((matrix @ vector[..., None])[..., 0])
