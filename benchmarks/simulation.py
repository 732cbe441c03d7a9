"""The engine beside the plain mesolve loop that a user writes, on the same physics."""

import time

import numpy as np

from benchmarks.timing import row, seconds


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines."""
    return [_ramsey(21)]


def _ramsey(points: int) -> tuple[str, ...]:
    from qlab.physics.engine import play
    from qlab.physics.quantum import qutip
    from qlab.physics.systems.nv import NVCentre
    from qlab.pulses import Acquire, Align, Delay, Gate, Play, Program, compile_program
    from qlab.scan import Linear

    qt = qutip()
    rabi, carrier = 10e6, 2.814e9
    nv = NVCentre(field=(0, 0, 2e-3), Tphi=50e-6, polarisation=1.0)
    scan = Linear(0, 1e-6, points)
    half = Play("mw", 1 / (4 * rabi), rabi)
    body = Gate("laser", 20e-6) + Delay(1e-6) + half + Delay(scan.symbol("tau")) + half
    body += Align() + Gate("laser", 1e-6) + Acquire("counter", 3e-7, "counts")
    timeline = compile_program(Program(body, setpoints={"microwave.frequency": carrier, "laser.power": 1e-3}))

    def ours() -> np.ndarray:
        return play(nv, timeline).transfer()

    def theirs() -> np.ndarray:
        total = np.zeros(points)
        options = {"atol": 1e-10, "rtol": 1e-8, "nsteps": 100_000}
        bright = qt.basis(3, 1).proj()
        for block in nv.blocks():
            diagonal = block.energies - block.quanta * 2 * np.pi * carrier
            free = qt.Qobj(np.diag(diagonal - diagonal[1]))
            driven = free + np.pi * rabi * qt.Qobj(block.drive + block.drive.conj().T)
            jumps = [qt.Qobj(jump) for jump in block.jumps]
            pulsed = qt.mesolve(driven, bright, [0, 1 / (4 * rabi)], jumps, options=options).states[-1]
            for i, tau in enumerate(scan.values()):
                state = pulsed
                if tau > 0:
                    state = qt.mesolve(free, state, [0, tau], jumps, options=options).states[-1]
                state = qt.mesolve(driven, state, [0, 1 / (4 * rabi)], jumps, options=options).states[-1]
                total[i] += block.weight * (1 - qt.expect(bright, state))
        return total

    began = time.perf_counter()
    reference = theirs()
    slow = time.perf_counter() - began
    what = f"Ramsey, {points} τ to 1 µs, NV with 14N, against a mesolve loop"
    return row(what, seconds(ours), slow, f"{np.abs(ours() - reference).max():.1e}")
