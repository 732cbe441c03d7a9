"""The judge: the same timelines played by QuTiP, one ODE for each segment, setting and noise node.

What is shared with the batched engine is the average over noise, which is exact and no solver's business. All
evolution is QuTiP's: mesolve for pulses, waits and readout windows, steadystate for continuous driving. Each segment
is solved by itself with its own largest step, so that no pulse can be stepped over.
"""

from typing import Any

import numpy as np

from qlab.physics import given
from qlab.physics.levels import Complex, Floats
from qlab.physics.modulated import Train
from qlab.physics.player import Player
from qlab.physics.propagate import hermitian_basis
from qlab.physics.quantum import qutip
from qlab.physics.rates import once
from qlab.physics.segments import Segment

TOLERANCES = {"atol": 1e-12, "rtol": 1e-10, "nsteps": 10_000_000, "method": "vern9", "progress_bar": ""}


def safe_options(seconds: float) -> dict[str, Any]:
    """Return solver options for one segment: tight tolerances, and no step beyond half of it."""
    return {**TOLERANCES, "max_step": seconds / 2}


def propagators(hamiltonian: Complex, jumps: Complex, durations: Floats) -> Complex:
    """Return QuTiP's propagators of row-stacked density matrices; shape (durations, d*d, d*d).

    `hamiltonian` (d, d) in rad/s, `jumps` (k, d, d) as sqrt(rate)*jump, `durations` (t,) in s.
    """
    qt = qutip()
    h = given.hermitian(hamiltonian, "The Hamiltonian")
    c_ops = [qt.Qobj(c) for c in given.jumps(jumps, len(h)) if np.any(c)]
    return _solved(qt.liouvillian(qt.Qobj(h), c_ops), np.atleast_1d(given.seconds(durations)))


def _solved(liouvillian: Any, durations: Floats) -> Complex:
    """Return exp(L t) for each t, by one mesolve of the identity map; row-stacked."""
    qt = qutip()
    d = liouvillian.dims[0][0][0]
    distinct, which = np.unique(durations, return_inverse=True)
    times = distinct if distinct[0] == 0 else np.concatenate([[0.0], distinct])
    if times[-1] == 0:
        return np.broadcast_to(np.eye(d * d, dtype=complex), (len(durations), d * d, d * d))
    # Times of order 1 keep the solver's first step from being absurd; rates scale with them.
    scale = times[-1]
    whole = qt.qeye(liouvillian.dims[0])
    made = qt.mesolve(liouvillian * scale, whole, times / scale, options=safe_options(1.0)).states
    stack = np.array([p.full() for p in made])[len(times) - len(distinct) :]
    swap = np.arange(d * d).reshape(d, d).T.ravel()  # QuTiP stacks columns, the engine rows
    return np.asarray(stack[:, swap][:, :, swap][which.reshape(-1)])


class QutipPlayer(Player):
    """Plays segments as `Player` does, every evolution solved by QuTiP."""

    def _hamiltonian(self, block: int, carrier: float, rabi: float, detuning: float) -> Complex:
        stack = self.stack
        energies = stack.energies[block] - stack.energies[block, 0]
        drive = stack.drive[block]
        frame = np.diag(energies - carrier * stack.one.quanta + detuning * stack.one.order)
        return np.asarray(frame + rabi / 2 * (drive + drive.conj().T))

    def _propagate(self, settings: Floats, parts: Complex, *, lit: bool) -> Complex:
        distinct, which = np.unique(settings[:, :2], axis=0, return_inverse=True)
        which = which.reshape(-1)
        jumps, basis = self.jumps(lit=lit), hermitian_basis(self.stack.dimension)
        out = np.empty((parts.shape[0], self.points, *parts.shape[2:]), dtype=complex)
        for setting, (carrier, rabi) in enumerate(distinct):
            rows = np.flatnonzero(which == setting)
            entering = parts if parts.shape[1] == 1 else parts[:, rows]
            for block in range(parts.shape[2]):
                for node, detuning in enumerate(self.detunings):
                    hamiltonian = self._hamiltonian(block, carrier, rabi, detuning)
                    made = basis @ propagators(hamiltonian, jumps, settings[rows, 2]) @ basis.conj().T
                    turned = np.einsum("pij,kpj->kpi", made, np.broadcast_to(
                        entering[:, :, block, node], (parts.shape[0], len(rows), parts.shape[-1])))  # fmt: skip
                    out[:, rows, block, node] = turned
        return out

    def _undriven(self, segment: Segment, detunings: Floats) -> Complex:
        # Without drive the Hamiltonian is diagonal: in its own frame, which is exact, only the jumps are left, and
        # a wait of a million turns of the carrier is no more work than one of a single turn.
        d = self.stack.dimension
        seconds = once(segment.seconds)
        made = propagators(np.zeros((d, d), dtype=complex), self.jumps(lit=segment.lit), seconds)
        frame = self.stack.energies - self.stack.one.quanta * once(self.carrier)[:, None, None]
        gap = (frame[..., :, None] - frame[..., None, :]) * seconds[:, None, None, None]
        phase = np.exp(-1j * gap)[:, :, None]
        if np.any(detunings):
            turn = np.multiply.outer(seconds, detunings)
            phase = phase * np.exp(-1j * turn[:, None, :, None, None] * self.stack.order)
        turned = self.rho * phase
        flat = turned.reshape(*turned.shape[:4], d * d)
        return np.asarray((made[:, None, None] @ flat[..., None])[..., 0].reshape(turned.shape))

    def _windows(self, segments: tuple[Segment, ...], labels: int) -> dict[str, Floats]:
        """Count photons in one more level: it is fed at the rate of the light, at no cost to the others."""
        qt = qutip()
        d = self.stack.dimension
        state = np.zeros((labels, self.points, (d + 1) ** 2), dtype=complex)
        for label in range(labels):
            inside = np.flatnonzero(self.stack.one.labels == label)
            state[label, :, inside * (d + 2)] = 1 / max(len(inside), 1)
        seen: dict[str, Floats] = {}
        for segment in segments:
            light = self.lit if segment.lit else self.dark
            grown = np.zeros((len(self.jumps(lit=segment.lit)), d + 1, d + 1), dtype=complex)
            grown[:, :d, :d] = self.jumps(lit=segment.lit)
            feeding = [
                (light.brightness[i] + self.system.dark_rate) * qt.sprepost(click, click.dag())
                for i in range(d)
                for click in [qt.basis(d + 1, d) * qt.basis(d + 1, i).dag()]
            ]
            relaxing = qt.liouvillian(qt.qzero(d + 1), [qt.Qobj(c) for c in grown if np.any(c)])
            made = _solved(sum(feeding, relaxing), segment.seconds)
            state[..., -1] = 0.0
            state = (made @ state[..., None])[..., 0]
            for key in segment.keys:
                seen[key] = seen.get(key, np.zeros((self.points, labels))) + state[..., -1].real.T
        return seen

    def _contracted(self, segments: tuple[Segment, ...], labels: int) -> Floats | None:
        """Nothing is contracted: every branch is solved."""
        del segments, labels
        return None

    def photon_rates(self, settings: Floats, detunings: Floats, jumps: Complex) -> Floats:
        """Return the photons per second of QuTiP's steady states; (blocks, nodes, settings)."""
        qt = qutip()
        c_ops = [qt.Qobj(c) for c in jumps if np.any(c)]
        blocks = len(self.stack.weights)
        found = np.empty((blocks, len(detunings), len(settings)))
        for m, (carrier, rabi) in enumerate(settings):
            for block in range(blocks):
                for node, detuning in enumerate(detunings):
                    hamiltonian = qt.Qobj(self._hamiltonian(block, carrier, rabi, detuning))
                    state = qt.steadystate(hamiltonian, c_ops, method="direct")
                    found[block, node, m] = np.diag(state.full()).real @ self.lit.brightness
        return found


class QutipTrain(Train):
    """Plays trains as `Train` does, every pulse and wait of every point, block and node solved by QuTiP.

    Shared is the grid of static noise and what is put on the path of ideal pulses for its wandering.
    """

    def _chunk(self, rows: slice, reading: int, first: int, last: int, wander: Floats, labels: int) -> Floats:
        points = range(*rows.indices(self.points))
        shares = np.zeros((len(points), labels))
        for at, point in enumerate(points):
            for block, weight in enumerate(self.stack.weights):
                for detuning, share in zip(self.detunings, self.weights, strict=True):
                    rho = np.diag(self.stack.one.initial).astype(complex)
                    for index, segment in enumerate(self.segments[:reading]):
                        loss = wander[point] if first < index < last else 0.0
                        rho = self._solved(rho, segment, point, block, detuning, loss)
                    seen = np.diag(rho).real
                    for level, label in enumerate(self.stack.one.labels):
                        shares[at, label] += weight * share * seen[level]
        return shares

    def _solved(
        self, rho: Complex, segment: Segment, point: int, block: int, detuning: float, loss: float
    ) -> Complex:
        qt = qutip()
        start, seconds = float(segment.start[point]), float(segment.seconds[point])
        if seconds == 0:
            return rho
        order = np.diag(self.stack.one.order).astype(complex)
        energies = self.stack.energies[block] - self.stack.energies[block, 0]
        still = energies - self.carrier[point] * self.stack.one.quanta + detuning * self.stack.one.order
        play = segment.play
        before: Floats = np.zeros(len(still))
        after: Floats = np.asarray(still * seconds)
        static = np.zeros((len(still), len(still)), dtype=complex)
        if play is not None:
            offset = 2 * np.pi * float(play.frequency[point])
            drive = self.stack.drive[block]
            static = np.diag(still - offset * self.stack.one.quanta).astype(complex)
            static += float(self.rabi(segment)[point]) / 2 * (drive + drive.conj().T)
            before = np.asarray(-float(play.phase[point]) * self.stack.one.quanta, dtype=np.float64)
            turned = float(play.phase[point]) + offset * seconds
            after = np.asarray(turned * self.stack.one.quanta, dtype=np.float64)
        tones = [tone.take(np.array([point])) for tone in self.tones]
        parts: list[Any] = [qt.Qobj(static) * seconds]

        def field(t: float) -> float:
            return float(np.sum([tone.at(np.array(start + t * seconds)) for tone in tones])) * seconds

        if tones:
            parts.append([qt.Qobj(order), qt.coefficient(field)])
        jumps = [qt.Qobj(c) * np.sqrt(seconds) for c in self.jumps(lit=segment.lit) if np.any(c)]
        rho = _turned(rho, before)
        options = safe_options(1.0)
        rho = (
            qt.mesolve(qt.QobjEvo(parts), qt.Qobj(rho), [0.0, 1.0], c_ops=jumps, options=options)
            .states[-1]
            .full()
        )
        rho = _turned(rho, after)
        if play is None:
            rho = rho * np.exp(-loss * seconds * self.stack.order**2)
        return np.asarray(rho)


def _turned(rho: Complex, angles: Floats) -> Complex:
    turn = np.exp(-1j * angles)
    return np.asarray(turn[:, None] * rho * turn.conj())
