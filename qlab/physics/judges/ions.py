"""Ions in a trap: the gate with its mode of motion, and every ion by itself afterwards, by QuTiP's mesolve."""

import cmath
import math
from itertools import product
from typing import Any

import numpy as np

from qlab.errors import UsageError
from qlab.physics.judge import safe_options
from qlab.physics.noise import gauss_hermite
from qlab.physics.quantum import qutip
from qlab.physics.systems.ions import NODES, Complex, Floats, IonChain, SidebandGate

MOST_IONS = 6


def entangled(chain: IonChain, gate: SidebandGate) -> IonChain:
    """Return the chain after a Mølmer–Sørensen gate: H = g Jx (a e^{i delta t} + h.c.) with thermal, heated motion.

    The mode is cut off where fewer than 1e-6 of its quanta lie beyond.
    """
    qt = qutip()
    ions, turns = chain.ions, gate.detuning * gate.time
    far = gate.coupling * ions / 2 * min(gate.time, 2 / max(abs(gate.detuning), 1e-12))
    quanta = gate.thermal + gate.heating * gate.time
    levels = math.ceil((far + 4) ** 2 + 14 * quanta + 4)
    lower = qt.tensor(qt.qeye(ions + 1), qt.destroy(levels))
    spin = qt.tensor(qt.jmat(ions / 2, "x"), qt.qeye(levels))
    push = gate.coupling * gate.time * spin * lower
    parts: list[Any] = [
        [push, qt.coefficient(lambda t: cmath.exp(1j * turns * t))],
        [push.dag(), qt.coefficient(lambda t: cmath.exp(-1j * turns * t))],
    ]
    kicks = math.sqrt(gate.heating * gate.time)
    jumps = [kicks * lower, kicks * lower.dag()] if kicks else []
    # QuTiP counts Jz downwards, the chain upwards.
    start = qt.tensor(qt.Qobj(chain.rho[::-1, ::-1]), qt.thermal_dm(levels, gate.thermal))
    options = {
        **safe_options(1.0),
        "max_step": min(0.5, 1 / max(abs(turns), 1.0)),
        "atol": 1e-10,
        "rtol": 1e-8,
    }
    end = qt.mesolve(qt.QobjEvo(parts), start, [0.0, 1.0], c_ops=jumps, options=options).states[-1]
    return IonChain(ions, np.asarray(end.ptrace(0).full()[::-1, ::-1]))


def turned(chain: IonChain, angle: float, phase: float) -> IonChain:
    """Return the chain after a turn by `angle` about cos(phase) x + sin(phase) y."""
    qt = qutip()
    jx, jy, _ = qt.jmat(chain.ions / 2)
    pulse = angle * (math.cos(phase) * jx + math.sin(phase) * jy)
    state = qt.Qobj(chain.rho[::-1, ::-1])
    end = qt.mesolve(pulse, state, [0.0, 1.0], options=safe_options(1.0)).states[-1]
    return IonChain(chain.ions, np.asarray(end.full()[::-1, ::-1]))


def counted(
    chain: IonChain, turn: float, wait: float, pulse: tuple[float, float],
    rates: tuple[float, float, float], missed: float, false: float,
) -> Floats:  # fmt: skip
    """Return the probabilities of 0..N bright ions; every ion decays and dephases by itself.

    `turn` is the phase that Jz gathers in the wait (s), `pulse` (angle, phase) what comes after it, `rates` (dephasing,
    1/T1, rms phase that all share, rad) and `missed`, `false` how often the camera errs on an ion.
    """
    qt = qutip()
    n = chain.ions
    if n > MOST_IONS:
        raise UsageError(
            f"QuTiP follows each of {n} ions, which takes 4^{n} numbers.",
            f"Load at most {MOST_IONS}, or leave --solver away.",
        )
    dephasing, decay, common = rates
    up, down = qt.basis(2, 0), qt.basis(2, 1)

    def on(one: Any, place: int) -> Any:
        return qt.tensor([one if k == place else qt.qeye(2) for k in range(n)])

    jumps = [math.sqrt(dephasing * wait / 2) * on(qt.sigmaz(), k) for k in range(n)]
    jumps += [math.sqrt(decay * wait) * on(down * up.dag(), k) for k in range(n)]
    jz, jx, jy = (sum(on(s, k) / 2 for k in range(n)) for s in (qt.sigmaz(), qt.sigmax(), qt.sigmay()))
    state = qt.Qobj(_symmetric(n) @ chain.rho @ _symmetric(n).conj().T, dims=jz.dims)
    if wait > 0:
        state = qt.mesolve(turn * jz, state, [0.0, 1.0], c_ops=jumps, options=safe_options(1.0)).states[-1]
    z, weights = gauss_hermite(NODES) if common > 0 else (np.zeros(1), np.ones(1))
    m = np.diag(jz.full()).real
    apart = m[:, None] - m
    blurred = sum(w * np.exp(-1j * common * x * apart) for x, w in zip(z, weights, strict=True))
    state = qt.Qobj(state.full() * blurred, dims=jz.dims)
    angle, phase = pulse
    if angle:
        h = angle * (math.cos(phase) * jx + math.sin(phase) * jy)
        state = qt.mesolve(h, state, [0.0, 1.0], options=safe_options(1.0)).states[-1]
    shares = np.zeros(n + 1)
    for bright, share in zip(np.rint(m + n / 2).astype(int), np.diag(state.full()).real, strict=True):
        seen = np.ones(1)
        for k in range(n):
            chance = 1 - missed if k < bright else false
            seen = np.convolve(seen, [1 - chance, chance])
        shares += share * seen
    return np.clip(shares, 0.0, 1.0)


def _symmetric(ions: int) -> Complex:
    """Return the states of N/2 (columns, Jz ascending) between those of the single ions, (2^N, N + 1)."""
    made = np.zeros((2**ions, ions + 1), dtype=complex)
    for row, downs in enumerate(product((0, 1), repeat=ions)):
        ups = ions - sum(downs)
        made[row, ups] = 1 / math.sqrt(math.comb(ions, ups))
    return made
