"""Light in two arms, by QuTiP: number states up to a cut-off, loss as decay, beam splitters as unitaries."""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from qlab.errors import UsageError
from qlab.physics.counting import with_dark_counts
from qlab.physics.judge import safe_options
from qlab.physics.quantum import qutip
from qlab.physics.systems.interferometer import DECIBEL, Floats, Interferometer, clicks_of

MOST_LEVELS = 20  # of each mode: beyond it a density matrix takes minutes a stretch
LOST = 1e-8  # of the light's numbers that may lie beyond the cut-off


class SolvedInterferometer(Interferometer):
    """`Interferometer` whose state and losses are QuTiP's; the average over the phase noise is shared."""

    def shares(self, phase: float) -> Floats:
        """Return the probability of each pair of counts (n_a, n_b); (k, k), dark counts included."""
        nodes, weights = self._nodes(np.asarray(float(phase)))
        found = sum(w * self._counted(float(p)) for p, w in zip(nodes, weights, strict=True))
        return with_dark_counts(np.asarray(found), self.dark)

    def clicks(self, phase: float) -> Floats:
        """Return the probabilities of a click at neither port, at a alone, at b alone, at both; (4,)."""
        return clicks_of(self.shares(phase))

    def _counted(self, phase: float) -> Floats:
        """Return P(n_a, n_b) of one phase, before dark counts."""
        levels = self._levels()
        a, b = _modes(levels)
        state = _arms(self, levels)
        turn = (-0.5j * phase * (a.dag() * a - b.dag() * b)).expm()
        # Port b is dark at phase 0: light from port a has been split already, NOON states have not.
        join = _splitter(levels).dag() if self.noon else _splitter(levels)
        whole = join * turn
        seen = _lossy(whole * state * whole.dag(), (self.efficiency, self.efficiency), levels)
        shares: Floats = np.diag(seen.full()).real.reshape(levels, levels)
        return np.clip(shares, 0.0, 1.0)

    def _levels(self) -> int:
        if self.noon:
            return self.noon + 1
        squeezed = math.sinh(self.squeezing * DECIBEL) ** 2
        # Poisson light beyond mean + 7 deviations, and pairs of photons that fall off by tanh(r)^2 each.
        tail = math.log(LOST) / math.log(max(math.tanh(self.squeezing * DECIBEL) ** 2, 1e-9)) * 2
        levels = math.ceil(self.photons + squeezed + 7 * math.sqrt(self.photons + 0.3) + tail)
        if levels > MOST_LEVELS:
            raise UsageError(
                f"QuTiP would need {levels} number states of each mode for so much light.",
                "Weaken laser or squeezer, or leave --solver away.",
            )
        return levels


def _modes(levels: int) -> tuple[Any, Any]:
    qt = qutip()
    return qt.tensor(qt.destroy(levels), qt.qeye(levels)), qt.tensor(qt.qeye(levels), qt.destroy(levels))


@lru_cache(maxsize=32)
def _splitter(levels: int) -> Any:
    """Return the beam splitter a -> (a - b)/sqrt(2), b -> (a + b)/sqrt(2)."""
    a, b = _modes(levels)
    return (math.pi / 4 * (b.dag() * a - a.dag() * b)).expm()


@lru_cache(maxsize=64)
def _arms(system: Interferometer, levels: int) -> Any:
    """Return the state in the arms behind their loss, at phase 0."""
    qt = qutip()
    if system.noon:
        n = system.noon
        ket = (
            qt.tensor(qt.fock(levels, n), qt.fock(levels, 0))
            + qt.tensor(qt.fock(levels, 0), qt.fock(levels, n))
        ).unit()
        state = ket.proj()
    else:
        bright = qt.coherent(levels, math.sqrt(system.photons))
        dark = qt.squeeze(levels, -system.squeezing * DECIBEL) * qt.basis(levels, 0)
        mix = _splitter(levels).dag()
        state = (mix * qt.tensor(bright, dark)).proj()
    return _lossy(state, system.arms, levels)


def _lossy(state: Any, kept: tuple[float, float], levels: int) -> Any:
    """Return a state after each mode has lost photons for as long as leaves a share `kept` of them."""
    jumps = [
        math.sqrt(-math.log(eta)) * mode for eta, mode in zip(kept, _modes(levels), strict=True) if eta < 1
    ]
    if not jumps:
        return state
    qt = qutip()
    return qt.mesolve(
        0 * _modes(levels)[0], state, [0.0, 1.0], c_ops=jumps, options=safe_options(1.0)
    ).states[-1]
