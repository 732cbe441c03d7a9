"""Stacks: a Rabi chevron of 101 detunings by 101 times, and the average over 1000 quasi-static detunings."""

import numpy as np

from benchmarks.methods.case import Case, Computed, Peer, column, dynamiqs, expm, lindblad
from benchmarks.methods.spin import TAU, Spin

SPIN = Spin(2, rabi=5e6, detuning=0.0, coherence=5e-6)
CHEVRON = TAU * np.linspace(-10e6, 10e6, 101)
TIMES = np.linspace(0, 1e-6, 101)
STATIC = TAU * 0.3e6 * np.random.Generator(np.random.Philox(5)).standard_normal(1000)
LONG = np.linspace(0, 2e-6, 200)


def _hamiltonians(detunings: Computed) -> Computed:
    return np.asarray(SPIN.drive() + detunings[..., None, None] * SPIN.order)


def _exact(detuning: float, times: Computed) -> Computed:
    step = expm(lindblad(_hamiltonians(np.array(detuning)), SPIN.jumps) * times[1])
    vector, made = column(SPIN.start), []
    for _ in times:
        made.append((column(SPIN.bright) @ vector).real)
        vector = step @ vector
    return np.array(made)


def _mesolve(detuning: float, times: Computed) -> Computed:
    import qutip as qt

    ops = [qt.Qobj(c) for c in SPIN.jumps]
    h = qt.Qobj(_hamiltonians(np.array(detuning)))
    found = qt.mesolve(h, qt.Qobj(SPIN.start), times, ops, e_ops=[qt.Qobj(SPIN.bright)])
    return np.asarray(found.expect[0])


def _dynamiqs(detunings: Computed, times: Computed) -> Computed:
    dq = dynamiqs()
    found = dq.mesolve(
        dq.asqarray(_hamiltonians(detunings)),
        [dq.asqarray(c) for c in SPIN.jumps],
        SPIN.start,
        times,
        exp_ops=[dq.asqarray(SPIN.bright)],
        method=dq.method.Tsit5(rtol=1e-8, atol=1e-8),
    )
    return np.asarray(found.expects).real[:, 0, :]


def chevron() -> Case:
    """Return the Rabi chevron: a solve for each pixel is what the plain loop does."""

    def ours() -> Computed:
        from qlab.physics.sweeps import Step, expectation

        steps = [Step(_hamiltonians(CHEVRON), TIMES)]
        return expectation(steps, SPIN.start, SPIN.bright, SPIN.jumps)

    def plain(i: int) -> float:
        row, time = divmod(i, 101)
        return float(_mesolve(CHEVRON[row], np.array([0, TIMES[time]]))[-1]) if time else 1.0

    return Case(
        name="Rabi chevron, 101 x 101",
        ours=ours,
        exact=lambda i: _exact(CHEVRON[i // 101], TIMES)[i % 101],
        plain=plain,
        loops=101 * 101,
        sampled=range(50, 101 * 101, 509),
        how="mesolve for each pixel",
        peers={
            "QuTiP, a solve a row": Peer(lambda: np.array([_mesolve(d, TIMES) for d in CHEVRON])),
            "dynamiqs": Peer(lambda: _dynamiqs(CHEVRON, TIMES)),
        },
        goal=20_000,
        at=lambda made, i: made.reshape(-1)[i],
    )


def quasi_static() -> Case:
    """Return the average over sampled detunings; the plain loop solves each with its list of times."""

    def ours() -> Computed:
        from qlab.physics.sweeps import Step, expectation

        weights = np.full(len(STATIC), 1 / len(STATIC))
        steps = [Step(_hamiltonians(STATIC), LONG)]
        return expectation(steps, SPIN.start, SPIN.bright, SPIN.jumps, weights=weights)

    whole: list[Computed] = []

    def exact(i: int) -> float:
        if not whole:
            whole.append(np.mean([_exact(d, LONG) for d in STATIC], axis=0))
        return float(whole[0][i])

    def expert() -> Computed:
        # What an expert does: one exponential a detuning, and steps.
        import qutip as qt

        ops = [qt.Qobj(c) for c in SPIN.jumps]
        total = np.zeros(len(LONG))
        for d in STATIC:
            generator = qt.liouvillian(qt.Qobj(_hamiltonians(np.array(d))), ops)
            step, vector = (generator * LONG[1]).expm().full(), column(SPIN.start)
            for k in range(len(LONG)):
                total[k] += (column(SPIN.bright) @ vector).real
                vector = step @ vector
        return total / len(STATIC)

    return Case(
        name="1000 quasi-static detunings x 200 t",
        ours=ours,
        exact=exact,
        plain=lambda i: _mesolve(STATIC[i], LONG),
        loops=1000,
        sampled=range(20),
        how="mesolve for each detuning",
        peers={
            "QuTiP, .expm() steps": Peer(expert),
            "dynamiqs": Peer(lambda: _dynamiqs(STATIC, LONG).mean(axis=0)),
        },
        goal=1_500,
        whole_loop=True,
    )
