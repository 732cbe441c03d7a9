"""How far an adaptive run has come: σ against time with its limits, the posterior, figures of merit."""

import math
from typing import Any

import numpy as np

from qlab.metrology.curves import Curve
from qlab.metrology.limits import Limits, Resources, frequency_limits
from qlab.record import Figure
from qlab.runs import Run
from qlab_experiments.metrology.knowledge import Knowledge

BONATO = "Bonato et al., Nat. Nanotechnol. 11, 247 (2016)"
GIOVANNETTI = "Giovannetti, Lloyd and Maccone, Nat. Photon. 5, 222 (2011)"


def spent(run: Run) -> Any:
    """Return shots (n,), precession times (n,) in s and the time when each setting was done, (n,) in s."""
    kind = np.asarray(run["kind"]).astype(int) == 2
    time = np.asarray(run["time"], dtype=float)[kind]
    return np.asarray(run["shots"], dtype=float)[kind], np.asarray(run["tau"], dtype=float)[kind], time


def limits_of(shots: Any, tau: Any) -> Limits:
    """Return the limits of one particle that gathers phase for τ in each shot: without and with coherence throughout.

    Shots of different lengths add up like one of the root mean square time (standard), or of the sum of all times
    (Heisenberg): 1/(2π√Στ²) and 1/(2πΣτ).
    """
    total, square = float(shots @ tau), float(shots @ (tau * tau))
    standard = frequency_limits(Resources(interrogation=math.sqrt(square))).standard
    return Limits(standard, frequency_limits(Resources(interrogation=total)).heisenberg, "Hz", total)


def progress(run: Run) -> Curve:
    """Return σ against the time that the run took, with the limits of the shots so far."""
    shots, tau, time = spent(run)
    sigma = np.asarray(run["sigma"], dtype=float)[-len(time) :]
    standard = 1 / (2 * math.pi * np.sqrt(np.cumsum(shots * tau**2)))
    heisenberg = 1 / (2 * math.pi * np.cumsum(shots * tau))
    curve = Curve(
        name="uncertainty", label="standard deviation of the offset", x=time, y=sigma, low=sigma, high=sigma,
        x_label="time", unit="Hz", definition="of the posterior, after each setting", source=BONATO,
    )  # fmt: skip
    return curve.with_limit("standard quantum limit", time, standard, GIOVANNETTI).with_limit(
        "Heisenberg limit", time, heisenberg, GIOVANNETTI
    )


def posterior(following: Any) -> Curve:
    """Return the density of the posterior over the values that are possible."""
    axis, density = following.axis, following.posterior.density(following.name)
    return Curve(
        name="posterior", label="posterior of the offset", x=axis, y=density, low=density, high=density,
        x_label="resonance offset", x_unit="Hz", unit="1/Hz", logarithmic=False,
        definition="probability density after all settings; flat before the first",
    )  # fmt: skip


def figures(parameters: Any, run: Run, known: Knowledge) -> tuple[Figure, ...]:
    """Return the offset with its error and what it cost, each beside its limits."""
    shots, tau, time = spent(run)
    found, least = known.following, limits_of(shots, tau)
    interval = found.posterior.interval("frequency")
    root = math.sqrt(float(time[-1]))
    prior = parameters.reach**2 / 3
    bound = 1 / math.sqrt(known.information() + 1 / prior)
    return (
        Figure(name="frequency", label="resonance offset", value=found.mean, error=found.sigma, unit="Hz",
               definition="mean and standard deviation of the posterior; 68.3 % between "
                          f"{interval[0]:.7g} and {interval[1]:.7g} Hz", source=BONATO),
        Figure(name="uncertainty", label="standard deviation", value=found.sigma, unit="Hz",
               definition="of the posterior"),
        Figure(name="bound", label="Cramér–Rao bound of these settings", value=bound, unit="Hz",
               definition="information of the rows as they were counted and of the prior's variance, at the estimate",
               source="van Trees (1968), section 2.4", limit_of="uncertainty"),
        Figure(name="standard_quantum_limit", label="standard quantum limit", value=least.standard, unit="Hz",
               definition="1/(2π√Στ²): perfect readout, no decay, each shot for itself", source=GIOVANNETTI,
               limit_of="uncertainty"),
        Figure(name="heisenberg_limit", label="Heisenberg limit", value=least.heisenberg, unit="Hz",
               definition="1/(2πΣτ): all precession in one coherent piece", source=GIOVANNETTI,
               limit_of="uncertainty"),
        Figure(name="sensitivity", label="sensitivity of this run", value=found.sigma * root, unit="Hz/√Hz",
               definition="standard deviation times the root of all time taken, calibration included",
               source=BONATO),
        Figure(name="dynamic_range", label="dynamic range", value=2 * parameters.reach / found.sigma,
               definition="width of the prior over the standard deviation reached", source=BONATO),
        Figure(name="settings", label="settings taken", value=float(len(time)),
               definition="stopped below the asked σ" if found.sigma < parameters.until else "all that were asked"),
    )  # fmt: skip
