"""What limits a clock that looks at its oscillator only part of the time: the Dick effect."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from qlab.errors import UsageError
from qlab.metrology.fisher import Reals


def dick_effect(
    density: Callable[[Reals], ArrayLike],
    cycle: float,
    tau: float,
    *,
    interrogation: float | None = None,
    sensitivity: ArrayLike | None = None,
    terms: int = 200_000,
) -> float:
    """Return σ_y(τ) from oscillator noise that a clock's dead time folds down: σ² = Σ |g_m/g_0|² S1_y(m/T_c)/τ.

    `density`: one-sided S1_y(f) in 1/Hz for f (k,) in Hz. Ramsey with short pulses of `interrogation` T (s) in a
    `cycle` T_c (s): |g_m/g_0| = |sinc(m T/T_c)|, summed to m = `terms`; or the sensitivity function g(t) at evenly
    spaced times over one cycle (n,), whose harmonics go to n/2. For τ ≫ T_c.
    Source: Santarelli et al., IEEE UFFC 45, 887 (1998), eq. 5; physics.md P17.
    """
    if sensitivity is not None:
        lines = np.abs(np.fft.rfft(np.asarray(sensitivity, dtype=float)))
        if not lines[0] > 0:
            raise UsageError(
                "This sensitivity function has no mean: it is no clock.", "Check its sign and span."
            )
        ratio = lines[1:] / lines[0]
    elif interrogation is not None and 0 < interrogation <= cycle:
        ratio = np.sinc(np.arange(1, terms + 1) * interrogation / cycle)
    else:
        raise UsageError(
            "The Dick effect needs to know when the clock looks.", "Give interrogation or sensitivity."
        )
    frequencies = np.arange(1, len(ratio) + 1) / cycle
    return math.sqrt(float(np.sum(ratio**2 * np.asarray(density(frequencies), dtype=float))) / tau)
