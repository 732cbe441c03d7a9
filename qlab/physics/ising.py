"""One-axis twisting with noise on each spin: exact closed forms for any number of spins.

Under H = chi Jz^2 each spin dephases, decays and is excited on its own. A spin's coherence turns by chi times the
sum of the others' z, and each of those jumps between up and down as a two-state Markov process; the average over
its path is a 2 x 2 exponential. Agrees with Foss-Feig et al., New J. Phys. 15, 113008 (2013).
"""

import numpy as np

from qlab.errors import UsageError
from qlab.physics.collective import Complex, Floats, Moments


def twisting_with_local_noise(
    spins: int, times: Floats, chi: float, *, dephasing: float = 0.0, down: float = 0.0, up: float = 0.0
) -> Moments:
    """Return the moments from a coherent state along x, at times (t,), of `spins` spins 1/2.

    chi in rad/s; collapse operators on each spin: sqrt(dephasing) sigma_z/2, sqrt(down) sigma_-, sqrt(up)
    sigma_+, rates in 1/s.
    """
    if spins < 1 or spins != int(spins):
        raise UsageError(f"There cannot be {spins} spins.", "Give a whole number, at least 1.")
    t = np.atleast_1d(np.asarray(times, dtype=float))
    rates = (dephasing, down, up)
    if not np.isfinite(t).all() or t.min(initial=0) < 0 or not all(0 <= r < np.inf for r in rates):
        raise UsageError("Times and rates must be finite and not negative.", "Check the sweep.")
    if not np.isfinite(chi):
        raise UsageError("chi is not finite.", "Check it.")
    n = spins
    fading = np.exp(-(dephasing + down + up) * t / 2)
    lone, z_lone = _partner(chi, down, up, t)
    pair, _ = _partner(2 * chi, down, up, t)
    none, z_none = _partner(0.0, down, up, t)
    raising = fading / 2 * lone ** (n - 1)
    # <s+ s+> of two spins: their own coupling gives both states one energy. <s+ s->: the others' phases cancel.
    same = fading**2 / 4 * pair ** max(n - 2, 0) if n > 1 else np.zeros_like(fading)
    opposite = fading**2 / 4 * (none ** max(n - 2, 0)).real if n > 1 else np.zeros_like(fading)
    cross = fading / 2 * z_lone * lone ** max(n - 2, 0) if n > 1 else np.zeros_like(raising)
    pairs = n * (n - 1)
    up_up, up_down, up_z = pairs * same, pairs * opposite, pairs * cross / 2
    single = n / 4
    mean = n * raising
    z = n * z_none.real / 2
    return Moments(
        x=mean.real,
        y=mean.imag,
        z=z,
        xx=single + (up_up.real + up_down) / 2,
        yy=single + (up_down - up_up.real) / 2,
        zz=single + pairs * z_none.real**2 / 4,
        xy=up_up.imag / 2,
        yz=up_z.imag,
        zx=up_z.real,
    )


def _partner(phase: float, down: float, up: float, t: Floats) -> tuple[Complex, Complex]:
    """Return <e^{i phase int s}> and the same with the final s, for s = +-1 that starts at random; (t,).

    d(u, l)/dt = [[-down + i phase, up], [down, -up - i phase]] (u, l) from (1/2, 1/2): sum and difference.
    """
    half = (down + up) / 2
    skew = 1j * phase - (down - up) / 2
    root = np.sqrt(skew**2 + down * up + 0j)
    x = root * t
    small = np.abs(x) < 1e-4
    shrink = np.exp(-half * t)
    cosh = np.cosh(x)
    sinch = np.where(small, 1 + x**2 / 6, np.sinh(np.where(small, 1, x)) / np.where(small, 1, x)) * t
    # Of the traceless part [[s, up], [down, -s]] with s = skew, applied to (1/2, 1/2).
    upper = cosh / 2 + sinch * (skew + up) / 2
    lower = cosh / 2 + sinch * (down - skew) / 2
    return shrink * (upper + lower), shrink * (upper - lower)
