"""Ramsey: 501 free times between two pulses, with dephasing."""

from typing import Any

import numpy as np

from benchmarks.methods.case import TIGHT, Case, Computed, Peer, column, dynamiqs, expm, lindblad, quaccatoo
from benchmarks.methods.spin import TAU, Spin

TIMES = np.linspace(0, 10e-6, 501)


def case(dimension: int) -> Case:
    """Return the case of 3 or 9 levels."""
    spin = Spin(dimension)
    pulse = spin.free + spin.drive()

    def ours() -> Computed:
        from qlab.physics.sweeps import Step, expectation

        half = Step(pulse, spin.half)
        return expectation([half, Step(spin.free, TIMES), half], spin.start, spin.bright, spin.jumps)

    flip, drift = expm(lindblad(pulse, spin.jumps) * spin.half), lindblad(spin.free, spin.jumps)

    def exact(i: int) -> float:
        rho = flip @ expm(drift * TIMES[i]) @ flip @ column(spin.start)
        return float((column(spin.bright).conj() @ rho).real)

    def plain(i: int) -> float:
        import qutip as qt

        ops = [qt.Qobj(c) for c in spin.jumps]
        state = qt.Qobj(spin.start)
        for h, seconds in ((pulse, spin.half), (spin.free, TIMES[i]), (pulse, spin.half)):
            if seconds > 0:
                state = qt.mesolve(qt.Qobj(h), state, [0, seconds], ops).states[-1]
        return float(qt.expect(qt.Qobj(spin.bright), state))

    return Case(
        name=f"Ramsey, 501 τ, d = {dimension}",
        ours=ours,
        exact=exact,
        plain=plain,
        loops=len(TIMES),
        sampled=range(10, 501, 49),
        how="mesolve for each pulse and each τ",
        peers={
            "QuTiP, propagator": Peer(lambda: _propagator(spin, pulse)),
            "QuTiP, .expm() steps": Peer(lambda: _steps(spin, pulse)),
            "QuaCCAToo": Peer(lambda: _quaccatoo(spin, range(10, 501, 98)), range(10, 501, 98), len(TIMES)),
            "dynamiqs": Peer(lambda: _dynamiqs(spin, pulse)),
        },
        goal=20_000 if dimension == 3 else 5_000,
    )


def _propagator(spin: Spin, pulse: Computed) -> Computed:
    import qutip as qt

    ops = [qt.Qobj(c) for c in spin.jumps]
    options = {key: value for key, value in TIGHT.items() if key == "nsteps"}
    flip = qt.propagator(qt.Qobj(pulse), spin.half, ops, options=options)
    state = qt.vector_to_operator(flip * qt.operator_to_vector(qt.Qobj(spin.start)))
    back = qt.Qobj(flip.dag() * qt.operator_to_vector(qt.Qobj(spin.bright)))
    seen = qt.vector_to_operator(back)
    found = qt.mesolve(qt.Qobj(spin.free), state, TIMES, ops, e_ops=[seen], options=options)
    return np.asarray(found.expect[0]).real


def _steps(spin: Spin, pulse: Computed) -> Computed:
    import qutip as qt

    ops = [qt.Qobj(c) for c in spin.jumps]
    flip = (qt.liouvillian(qt.Qobj(pulse), ops) * spin.half).expm().full()
    step = (qt.liouvillian(qt.Qobj(spin.free), ops) * (TIMES[1] - TIMES[0])).expm().full()
    vector = flip @ column(spin.start)
    readout = column(spin.bright).conj() @ flip
    made = np.empty(len(TIMES))
    for i in range(len(TIMES)):
        made[i] = (readout @ vector).real
        vector = step @ vector
    return made


def _quaccatoo(spin: Spin, part: Any) -> Computed:
    import qutip as qt

    qua = quaccatoo()
    # It multiplies times by 2 pi, the rates of collapse operators with them.
    ops = [qt.Qobj(c) / np.sqrt(TAU) for c in spin.jumps]
    system = qua.QSys(
        H0=qt.Qobj(spin.free) / TAU, rho0=qt.Qobj(spin.start), observable=qt.Qobj(spin.bright), c_ops=ops
    )
    drive, still = qt.Qobj(spin.drive()) / TAU, {"f_pulse": 0.0, "phi_t": 0.0}
    made = []
    for i in part:
        sim = qua.PulsedSim(system)
        sim.add_pulse(spin.half, drive, pulse_params=still)
        sim.add_free_evolution(float(TIMES[i]))
        sim.add_pulse(spin.half, drive, pulse_params=still)
        made.append(qt.expect(qt.Qobj(spin.bright), sim.rho))
    return np.real(made)


def _dynamiqs(spin: Spin, pulse: Computed) -> Computed:
    dq = dynamiqs()
    method = dq.method.Tsit5(rtol=1e-8, atol=1e-8)
    ops = [dq.asqarray(c) for c in spin.jumps]
    ends = np.array([0, spin.half])
    state = dq.mesolve(dq.asqarray(pulse), ops, spin.start, ends, method=method).states[-1]
    states = dq.mesolve(dq.asqarray(spin.free), ops, state, TIMES, method=method).states
    found = dq.mesolve(
        dq.asqarray(pulse), ops, states, ends, exp_ops=[dq.asqarray(spin.bright)], method=method
    )
    return np.asarray(found.expects).real[:, 0, -1]
