"""CW-ODMR: the steady photon rate of a 7-level NV centre at 1001 drive frequencies."""

import numpy as np

from benchmarks.methods.case import Case, Computed, Peer, column, dynamiqs, lindblad

TAU = 2 * np.pi
OFFSETS = TAU * np.linspace(-10e6, 10e6, 1001)
RABI = TAU * 1e6
# Levels: ground m_S = 0, -1, +1; excited 0, -1, +1; singlet. Rates in 1/s (arrows from, to).
ARROWS = {
    (0, 3): 5e6, (1, 4): 5e6, (2, 5): 5e6, (3, 0): 65.9e6, (4, 1): 65.9e6, (5, 2): 65.9e6, (3, 6): 7.9e6,
    (4, 6): 53.3e6, (5, 6): 53.3e6, (6, 0): 0.98e6, (6, 1): 0.73e6, (6, 2): 0.73e6, (0, 1): 1e2, (1, 0): 1e2,
    (0, 2): 1e2, (2, 0): 1e2,
}  # fmt: skip
PHOTONS = np.diag([0, 0, 0, 1.0, 1.0, 1.0, 0]).astype(complex)


def _base() -> Computed:
    h = np.zeros((7, 7), dtype=complex)
    h[0, 1] = h[1, 0] = RABI / 2
    return h


def _slope() -> Computed:
    return np.diag([0, -1.0, 0, 0, 0, 0, 0]).astype(complex)


def _jumps() -> list[Computed]:
    made = []
    for (source, target), rate in ARROWS.items():
        c = np.zeros((7, 7), dtype=complex)
        c[target, source] = np.sqrt(rate)
        made.append(c)
    return [*made, np.sqrt(2 / 2e-6) * np.diag([0, -1.0, 1.0, 0, 0, 0, 0]).astype(complex)]


def case() -> Case:
    """Return the case."""

    def ours() -> Computed:
        from qlab.physics.resonance import steady_expectation

        return steady_expectation(_base(), _jumps(), PHOTONS, _slope(), OFFSETS)

    def exact(i: int) -> float:
        generator = lindblad(_base() + OFFSETS[i] * _slope(), _jumps())
        stacked = np.vstack([generator / np.abs(generator).max(), column(np.eye(7))[None]])
        found = np.linalg.lstsq(stacked, np.eye(50)[49].astype(complex), rcond=None)[0]
        return float((column(PHOTONS) @ found).real)

    def plain(i: int) -> float:
        import qutip as qt

        h = qt.Qobj(_base() + OFFSETS[i] * _slope())
        return float(qt.expect(qt.Qobj(PHOTONS), qt.steadystate(h, [qt.Qobj(c) for c in _jumps()])))

    def expert() -> Computed:
        import qutip as qt

        ops = [qt.Qobj(c) for c in _jumps()]
        still, turned = qt.liouvillian(qt.Qobj(_base()), ops), qt.liouvillian(qt.Qobj(_slope()))
        readout = qt.Qobj(PHOTONS)
        return np.array(
            [float(qt.expect(readout, qt.steadystate(still + f * turned))) for f in OFFSETS[::100]]
        )

    def batched() -> Computed:
        # Not QuTiP's own, but what an expert would write beside it: one batched solve of all Liouvillians.
        import qutip as qt

        ops = [qt.Qobj(c) for c in _jumps()]
        still = qt.liouvillian(qt.Qobj(_base()), ops).full()
        stack = still + OFFSETS[:, None, None] * qt.liouvillian(qt.Qobj(_slope())).full()
        stack[:, 0, :] = column(np.eye(7))
        right = np.zeros((len(stack), 49, 1), dtype=complex)
        right[:, 0] = 1
        return np.asarray((np.linalg.solve(stack, right)[..., 0] @ column(PHOTONS)).real)

    return Case(
        name="CW-ODMR, 1001 frequencies, d = 7",
        ours=ours,
        exact=exact,
        plain=plain,
        loops=len(OFFSETS),
        sampled=range(0, 1001, 100),
        how="steadystate for each frequency",
        peers={
            "QuTiP, L0 + f L1": Peer(expert, range(0, 1001, 100), len(OFFSETS)),
            "numpy, batched solve": Peer(batched),
            "dynamiqs": Peer(_dynamiqs),
        },
        goal=10_000,
    )


def _dynamiqs() -> Computed:
    # It has no steady state: the master equation until it is settled.
    dq = dynamiqs()
    found = dq.mesolve(
        dq.asqarray(_base() + OFFSETS[:, None, None] * _slope()),
        [dq.asqarray(c) for c in _jumps()],
        np.eye(7, dtype=complex) / 7,
        np.array([0, 20e-6]),
        exp_ops=[dq.asqarray(PHOTONS)],
        method=dq.method.Tsit5(rtol=1e-8, atol=1e-8),
    )
    return np.asarray(found.expects).real[:, 0, -1]
