"""XY8-8 under an AC signal: 64 finite pulses between two pi/2 pulses, 201 spacings, with dephasing."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from benchmarks.methods.case import Case, Computed, Peer, column, dynamiqs, lindblad, quaccatoo
from benchmarks.methods.spin import TAU, Spin

SPACINGS = np.linspace(0.4e-6, 0.6e-6, 201)
ORDER = "xyxyyxyx" * 8
FREQUENCY, PHASE, AMPLITUDE = 1e6, 0.3, TAU * 10e3
AXES = {"x": 0.0, "y": np.pi / 2}


def _spin(dimension: int) -> Spin:
    return Spin(dimension, rabi=25e6, detuning=0.3e6)


def _events(spin: Spin, tau: Any) -> Iterator[tuple[str, float, Any]]:
    """Yield (axis, duration, start) of each pulse for a spacing (or all of them)."""
    yield "x", spin.half, 0 * tau
    for k, axis in enumerate(ORDER):
        yield axis, 2 * spin.half, (k + 0.5) * tau
    yield "y", spin.half, len(ORDER) * tau + spin.half


def _segments(spin: Spin, tau: float) -> Iterator[tuple[Computed, float, float]]:
    """Yield (H without the signal, start, stop) of each segment."""
    now = 0.0
    for axis, seconds, start in _events(spin, tau):
        if start > now:
            yield spin.free, now, start
        yield spin.free + spin.drive(AXES[axis]), start, start + seconds
        now = start + seconds


def case(dimension: int) -> Case:
    """Return the case of 2 or 9 levels."""
    spin = _spin(dimension)

    def ours() -> Computed:
        from qlab.physics.trains import Pulse, Signal, train

        kinds = {
            (axis, seconds): Pulse(spin.drive(AXES[axis]), seconds)
            for axis, seconds in (
                ("x", spin.half),
                ("y", spin.half),
                ("x", 2 * spin.half),
                ("y", 2 * spin.half),
            )
        }
        pulses = [(kinds[axis, seconds], start) for axis, seconds, start in _events(spin, SPACINGS)]
        signal = Signal(AMPLITUDE * spin.order, TAU * FREQUENCY, PHASE)
        end = len(ORDER) * SPACINGS + 2 * spin.half
        return train(spin.free, signal, pulses, end, spin.start, spin.bright, spin.jumps)

    @cache
    def exact(i: int) -> float:
        from scipy.integrate import solve_ivp

        lean = lindblad(AMPLITUDE * spin.order, [])
        # What no generator reaches from the start is left out, for the time that it would take.
        kept = _reached([lindblad(spin.free + spin.drive(a), spin.jumps) for a in AXES.values()], spin)
        state = column(spin.start)[kept]
        inside = np.ix_(kept, kept)
        for h, start, stop in _segments(spin, SPACINGS[i]):
            generator = lindblad(h, spin.jumps)[inside]

            def slope(t: float, y: Computed, g: Computed = generator) -> Computed:
                return g @ y + np.cos(TAU * FREQUENCY * t + PHASE) * (lean[inside] @ y)

            found = solve_ivp(slope, (start, stop), state, method="DOP853", rtol=3e-13, atol=1e-15)
            state = found.y[:, -1]
        return float((column(spin.bright)[kept].conj() @ state).real)

    def plain(i: int) -> float:
        return _mesolve(spin, i, {})

    return Case(
        name=f"XY8-8 with an AC signal, 201 τ, d = {dimension}",
        ours=ours,
        exact=exact,
        plain=plain,
        loops=len(SPACINGS),
        sampled=(17, 77, 100, 180),
        how="mesolve for each pulse and each gap",
        peers={
            "QuTiP, atol 1e-10": Peer(
                lambda: [_mesolve(spin, i, {"atol": 1e-10, "rtol": 1e-8}) for i in (17, 100)],
                (17, 100),
                len(SPACINGS),
            ),
            "QuTiP, array coefficients": Peer(
                lambda: [_arrays(spin, i) for i in (17, 100)], (17, 100), len(SPACINGS)
            ),
            "QuaCCAToo": Peer(lambda: _quaccatoo(spin, (17, 100)), (17, 100), len(SPACINGS)),
            "dynamiqs": Peer(lambda: _dynamiqs(spin)),
        },
        goal=800 if dimension == 2 else 200,
        bound=1e-7,
    )


def _reached(generators: list[Computed], spin: Spin) -> Computed:
    pattern = np.any([g != 0 for g in generators], axis=0)
    inside = column(spin.start) != 0
    for _ in range(len(pattern)):
        inside = inside | pattern[:, inside].any(axis=1)
    return np.flatnonzero(inside)


def _mesolve(spin: Spin, i: int, options: dict[str, Any]) -> float:
    import qutip as qt

    ops, signal = [qt.Qobj(c) for c in spin.jumps], qt.Qobj(AMPLITUDE * spin.order)
    state, arguments = qt.Qobj(spin.start), {"w": TAU * FREQUENCY, "p": PHASE}
    for h, start, stop in _segments(spin, SPACINGS[i]):
        whole = [qt.Qobj(h), [signal, "cos(w*t + p)"]]
        state = qt.mesolve(whole, state, [start, stop], ops, args=arguments, options=options).states[-1]
    return float(qt.expect(qt.Qobj(spin.bright), state))


def _arrays(spin: Spin, i: int) -> float:
    """Return the whole train in one mesolve: the pulses as step functions, the step as short as they are."""
    import qutip as qt

    events = [(axis, start, start + seconds) for axis, seconds, start in _events(spin, SPACINGS[i])]

    def on(axis: str) -> Any:
        spans = np.array([(a, b) for name, a, b in events if name == axis])

        def value(t: float) -> float:
            k = int(np.searchsorted(spans[:, 0], t, side="right")) - 1
            return 1.0 if k >= 0 and t < spans[k, 1] else 0.0

        return value

    ops, end = [qt.Qobj(c) for c in spin.jumps], events[-1][2]
    signal = [qt.Qobj(AMPLITUDE * spin.order), lambda t: np.cos(TAU * FREQUENCY * t + PHASE)]
    drives = [[qt.Qobj(spin.drive(AXES[axis])), on(axis)] for axis in "xy"]
    options = {"max_step": spin.half / 2, "nsteps": 10_000_000}
    found = qt.mesolve(
        [qt.Qobj(spin.free), signal, *drives], qt.Qobj(spin.start), [0, end], ops, options=options
    )
    return float(qt.expect(qt.Qobj(spin.bright), found.states[-1]))


def _quaccatoo(spin: Spin, part: Any) -> Computed:
    import qutip as qt

    qua = quaccatoo()
    ops = [qt.Qobj(c) / np.sqrt(TAU) for c in spin.jumps]
    system = qua.QSys(
        H0=qt.Qobj(spin.free) / TAU, rho0=qt.Qobj(spin.start), observable=qt.Qobj(spin.bright), c_ops=ops
    )
    signal = (qt.Qobj(AMPLITUDE * spin.order) / TAU, lambda t: np.cos(FREQUENCY * t + PHASE))
    still = {"f_pulse": 0.0, "phi_t": 0.0}
    made = []
    for i in part:
        sim, now = qua.PulsedSim(system, H2=signal), 0.0
        for axis, seconds, start in _events(spin, float(SPACINGS[i])):
            if start > now:
                sim.add_free_evolution(start - now)
            sim.add_pulse(seconds, qt.Qobj(spin.drive(AXES[axis])) / TAU, pulse_params=dict(still))
            now = start + seconds
        made.append(qt.expect(qt.Qobj(spin.bright), sim.rho))
    return np.real(made)


@cache
def _compiled(dimension: int) -> Any:
    """One segment for all spacings at once, in time scaled to 0 ... 1, compiled once."""
    dq = dynamiqs()
    import jax
    import jax.numpy as jnp

    spin = _spin(dimension)
    ops = [jnp.asarray(c) for c in spin.jumps]

    def segment(h: Any, state: Any, start: Any, seconds: Any) -> Any:
        lean = jnp.asarray(AMPLITUDE * spin.order)

        def one(rho: Any, begin: Any, length: Any) -> Any:
            def whole(s: Any) -> Any:
                wave = jnp.cos(TAU * FREQUENCY * (begin + s * length) + PHASE)
                return length * (h + wave * lean)

            scaled = [jnp.sqrt(length) * c for c in ops]
            found = dq.mesolve(
                dq.timecallable(whole), scaled, rho, jnp.array([0.0, 1.0]),
                method=dq.method.Tsit5(rtol=1e-6, atol=1e-8),
            )  # fmt: skip
            return found.states[-1].to_jax()

        return jax.vmap(one)(state, start, seconds)

    return jax.jit(segment)


def _dynamiqs(spin: Spin) -> Computed:
    dynamiqs()
    import jax.numpy as jnp

    segment = _compiled(spin.dimension)
    count = len(SPACINGS)
    state, now = jnp.asarray(np.repeat(spin.start[None], count, axis=0)), np.zeros(count)
    for axis, seconds, start in _events(spin, SPACINGS):
        if np.all(start > now):
            state = segment(jnp.asarray(spin.free), state, jnp.asarray(now), jnp.asarray(start - now))
        h = jnp.asarray(spin.free + spin.drive(AXES[axis]))
        state = segment(h, state, jnp.asarray(start), jnp.full(count, seconds))
        now = start + seconds
    return np.asarray(jnp.einsum("tij,ji->t", state, jnp.asarray(spin.bright))).real
