"""A case: one sweep, computed by us, by the loop that a user writes, by expert QuTiP, and by other packages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Computed = np.ndarray[Any, Any]
# What QuTiP is asked for where it serves as the reference.
TIGHT = {"atol": 1e-14, "rtol": 1e-12, "nsteps": 10_000_000}


class AbsentError(Exception):
    """A package that is not installed."""


@dataclass(frozen=True)
class Case:
    """One row of the table.

    `ours()` gives the whole sweep, `exact(i)` its value at point i by an independent way, `plain(i)` what a user's
    loop spends on one point. `loops` is how many points that loop has, `sampled` those that are timed. `peers` give
    the whole sweep, or with `part` points timed, of `whole`.
    """

    name: str
    ours: Callable[[], Computed]
    exact: Callable[[int], Any]
    plain: Callable[[int], Any]
    loops: int
    sampled: Sequence[int]
    how: str
    peers: dict[str, "Peer"] = field(default_factory=dict)
    goal: float = 0.0
    bound: float = 1e-9
    # How a point of `ours()` is found, where it is not simply [i].
    at: Callable[[Computed, int], Any] = lambda made, i: made[i]
    whole_loop: bool = False  # the plain loop gives the sweep only when it is complete


@dataclass(frozen=True)
class Peer:
    """Another way: `run()` gives the sweep, or the points `part` of it, at which it is compared."""

    run: Callable[[], Any]
    part: Sequence[int] | None = None
    whole: int = 1
    warm: bool = True


def expm(matrix: Computed) -> Computed:
    """Return exp(A) of one matrix, by scipy: not our own."""
    from scipy.linalg import expm as one

    return np.asarray(one(matrix))


def lindblad(h: Computed, jumps: Sequence[Computed]) -> Computed:
    """Return a Liouvillian on column-stacked density matrices, the other convention than the engine's."""
    one = np.eye(len(h))
    made = -1j * (np.kron(one, h) - np.kron(h.T, one))
    for c in jumps:
        n = c.conj().T @ c
        made = made + np.kron(c.conj(), c) - 0.5 * (np.kron(one, n) + np.kron(n.T, one))
    return np.asarray(made)


def column(rho: Computed) -> Computed:
    """Return a density matrix as a column."""
    return rho.reshape(-1, order="F").astype(complex)


def dynamiqs() -> Any:
    """Return dynamiqs in double precision. Raises AbsentError where it is not installed."""
    try:
        import dynamiqs as dq
    except ImportError as error:
        raise AbsentError from error
    dq.set_precision("double")
    dq.set_progress_meter(False)
    return dq


def quaccatoo() -> Any:
    """Return QuaCCAToo. Raises AbsentError where it is not installed."""
    try:
        import quaccatoo as module
    except ImportError as error:
        raise AbsentError from error
    return module
