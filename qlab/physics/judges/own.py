"""A physics of one's own on many levels, by QuTiP: states in place of propagators, trajectories in place of large ones.

A ket without jumps is solved by sesolve, a density matrix by mesolve; above `DENSITIES` levels a ket with jumps is
followed by `TRAJECTORIES` quantum trajectories of mcsolve, whose mean is known to about 1/(2 sqrt(TRAJECTORIES)).
"""

from collections.abc import Callable, Hashable, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from qlab.physics.judge import safe_options
from qlab.physics.levels import Floats
from qlab.physics.quantum import qutip

DENSITIES = 96  # levels
TRAJECTORIES = 2000
SEED = 1


class Stretch(Hashable, Protocol):
    """A time in which nothing changes."""

    @property
    def seconds(self) -> float:
        """How long."""
        ...


def probabilities(
    start: Any,
    measure: Any,
    jumps: Sequence[Any],
    paths: Sequence[Sequence[Stretch]],
    energy: Callable[[Any], Any],
) -> Floats:
    """Return Tr(measure rho) at the end of each path; `energy` gives the Hamiltonian (rad/s) of a stretch."""
    if start.isket and jumps and start.shape[0] > DENSITIES:
        return np.array([_by_trajectories(start, measure, jumps, path, energy) for path in paths])
    qt = qutip()
    begin = qt.ket2dm(start) if start.isket and jumps else start
    known: dict[tuple[Any, ...], Any] = {(): begin}
    found = np.empty(len(paths))
    for point, path in enumerate(paths):
        for k, stretch in enumerate(path):
            so_far = tuple(path[: k + 1])
            if so_far not in known:  # paths that begin alike are solved once as far as they go together
                known[so_far] = _after(known[so_far[:-1]], stretch, jumps, energy)
        found[point] = np.real(qt.expect(measure, known[tuple(path)]))
    return found


def _after(state: Any, stretch: Stretch, jumps: Sequence[Any], energy: Callable[[Any], Any]) -> Any:
    if not stretch.seconds:
        return state
    qt, h = qutip(), energy(stretch) * stretch.seconds
    options = safe_options(1.0)
    if state.isket:
        return qt.sesolve(h, state, [0.0, 1.0], options=options).states[-1]
    scaled = [c * np.sqrt(stretch.seconds) for c in jumps]
    return qt.mesolve(h, state, [0.0, 1.0], c_ops=scaled, options=options).states[-1]


def _by_trajectories(
    start: Any, measure: Any, jumps: Sequence[Any], path: Sequence[Stretch], energy: Callable[[Any], Any]
) -> float:
    """Return the mean over trajectories through all stretches, in units of the whole time; the same each time."""
    qt = qutip()
    whole = sum(stretch.seconds for stretch in path)
    if not whole:
        return float(np.real(qt.expect(measure, start)))
    edges = np.cumsum([0.0, *(stretch.seconds / whole for stretch in path)])
    parts = []
    for stretch, (begin, end) in zip(path, pairwise(edges.tolist()), strict=True):
        last = end == edges[-1]

        def on(t: float, begin: float = begin, end: float = end, last: bool = last) -> float:
            return float(begin <= t < end or (last and t >= end))

        parts.append([energy(stretch) * whole, qt.coefficient(on)])
    shortest = min(stretch.seconds for stretch in path if stretch.seconds) / whole
    options = {
        "progress_bar": "", "max_step": shortest / 2, "nsteps": 10_000_000, "atol": 1e-8, "rtol": 1e-6,
        "improved_sampling": True,
    }  # fmt: skip
    scaled = [c * np.sqrt(whole) for c in jumps]
    found = qt.mcsolve(
        qt.QobjEvo(parts), start, [0.0, 1.0], scaled, e_ops=[measure], ntraj=TRAJECTORIES, seeds=SEED,
        options=options,
    )  # fmt: skip
    return float(np.real(found.expect[0][-1]))
