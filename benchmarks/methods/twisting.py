"""One-axis twisting of 100 spins: the Wineland parameter at 200 times."""

from functools import cache
from typing import Any

import numpy as np

from benchmarks.methods.case import Case, Computed, Peer, dynamiqs

SPINS = 100
TIMES = np.linspace(0, 0.05, 200)


def _squeezing(x: Computed, yy: Computed, zz: Computed, yz: Computed) -> Computed:
    least = (yy + zz) / 2 - np.sqrt(((yy - zz) / 2) ** 2 + yz**2)
    return np.asarray(SPINS * least / x**2)


def _operators() -> tuple[Computed, Computed, Computed]:
    m = SPINS / 2 - np.arange(SPINS + 1)
    up = np.diag(np.sqrt(SPINS / 2 * (SPINS / 2 + 1) - m[1:] * (m[1:] + 1)), 1)
    return (up + up.T) / 2, (up - up.T) / 2j, np.diag(m)


def _start() -> Computed:
    values, vectors = np.linalg.eigh(_operators()[0])
    return np.asarray(vectors[:, np.argmax(values)])


@cache
def _prepared() -> tuple[Any, Any, list[Any]]:
    """What a user builds once: H, start and the operators that are watched, sparse as QuTiP has them quickest."""
    import qutip as qt

    _, _, z = _operators()
    return qt.Qobj(z @ z).to("CSR"), qt.Qobj(_start()), [qt.Qobj(op).to("CSR") for op in _watched()]


def _watched() -> list[Computed]:
    x, y, z = _operators()
    return [x, y @ y, z @ z, (y @ z + z @ y) / 2]


def case() -> Case:
    """Return the case."""

    def ours() -> Computed:
        from qlab.physics.collective import twisting, wineland

        return wineland(SPINS, twisting(SPINS, TIMES, 1.0))

    def exact(i: int) -> float:
        z = np.diag(_operators()[2])
        psi = np.exp(-1j * z**2 * TIMES[i]) * _start()
        return float(_squeezing(*(np.vdot(psi, op @ psi).real for op in _watched())))

    def solved(times: Computed) -> Computed:
        import qutip as qt

        h, start, watched = _prepared()
        return _squeezing(*np.array(qt.sesolve(h, start, times, e_ops=watched).expect))

    return Case(
        name="one-axis twisting, N = 100 x 200 t",
        ours=ours,
        exact=exact,
        plain=lambda i: solved(np.array([0, TIMES[i]]))[-1] if i else 1.0,
        loops=len(TIMES),
        sampled=range(9, 200, 10),
        how="sesolve for each t",
        peers={
            "QuTiP, sesolve diag": Peer(_diagonal),
            "QuTiP, one sesolve": Peer(lambda: solved(TIMES)),
            "dynamiqs": Peer(_dynamiqs),
        },
        goal=5_000,
    )


def _diagonal() -> Computed:
    import qutip as qt

    h, start, watched = _prepared()
    found = qt.sesolve(h, start, TIMES, e_ops=watched, options={"method": "diag"})
    return _squeezing(*np.array(found.expect))


def _dynamiqs() -> Computed:
    dq = dynamiqs()
    _, _, z = _operators()
    watched = [dq.asqarray(op, layout=dq.dia) for op in _watched()]
    found = dq.sesolve(
        dq.asqarray(z @ z, layout=dq.dia),
        _start()[:, None].astype(complex),
        TIMES,
        exp_ops=watched,
        method=dq.method.Tsit5(rtol=1e-8, atol=1e-8),
    )
    return _squeezing(*np.asarray(found.expects).real)
