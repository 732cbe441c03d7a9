"""QuTiP at tight tolerance, and random problems for it: what the engine's paths are compared with."""

import numpy as np
import qutip as qt

TIGHT = {"atol": 1e-13, "rtol": 1e-11, "nsteps": 1_000_000}


def solve(h, rho, seconds, jumps=(), **options):
    """Return the state after one segment; `h` a matrix or a QuTiP list."""
    if seconds == 0:
        return qt.Qobj(rho) if not isinstance(rho, qt.Qobj) else rho
    h = h if isinstance(h, list) else qt.Qobj(h)
    state = rho if isinstance(rho, qt.Qobj) else qt.Qobj(rho)
    ops = [qt.Qobj(c) for c in jumps]
    args = options.pop("args", None)
    found = qt.mesolve(h, state, [0, seconds], ops, args=args, options={**TIGHT, **options})
    return found.states[-1]


def value(observable, state):
    return float(np.real(qt.expect(qt.Qobj(observable), state)))


def matrix(rng, d, *lead, hermitian=True):
    made = rng.normal(size=(*lead, d, d)) + 1j * rng.normal(size=(*lead, d, d))
    return made + made.conj().swapaxes(-1, -2) if hermitian else made


def density(rng, d):
    made = matrix(rng, d, hermitian=False)
    made = made @ made.conj().T
    return made / np.trace(made).real
