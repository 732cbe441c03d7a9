"""Figures of merit of AC magnetometry: field, sensitivity with overhead, and the limits beside it."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from qlab.experiment import Experiment
from qlab.fits import load_model
from qlab.fits.ac import Train
from qlab.metrology.fisher import cramer_rao, gaussian_information, jacobian
from qlab.metrology.propagation import propagated
from qlab.metrology.sensitivity import sensitivity
from qlab.physics.constants import GAMMA_NV, TWO_PI
from qlab.pulses import compile_program
from qlab.record import Figure, FitResult
from qlab.runs import Run
from qlab_experiments.nv.decoupling import PULSES
from qlab_experiments.nv.figures import spent

DEGEN = "Degen et al., Rev. Mod. Phys. 89, 035002 (2017), sec. VI"
KAY = "Kay, Fundamentals of Statistical Signal Processing (1993), ch. 3"


def ac_signal(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return what the fit found, how well the run resolved it, and how well the train could."""
    name = "gain" if "gain" in fit.values else "amplitude"
    unit = {"gain": "1", "amplitude": "T"}[name]
    value, error, seconds = fit.values[name], fit.errors[name], spent(run)
    found = [
        Figure(name=name, label={"gain": "gain of the test coil", "amplitude": "signal field"}[name], value=value,
               error=error, unit=unit, definition="peak field along the NV axis" + (" over what was asked" * (
                   name == "gain")), source=DEGEN),
        Figure(name="sensitivity", label="sensitivity of this run", value=sensitivity(error, seconds),
               error=sensitivity(error, seconds) / math.sqrt(2 * max(fit.degrees_of_freedom, 1)),
               unit=f"{unit}/√Hz".replace("1/", "1/"), source=DEGEN,
               definition="standard deviation of the value above times the square root of all time taken"),
        Figure(name="cramer_rao", label="Cramér–Rao bound of the recorded points",
               value=sensitivity(bound(run, fit, name), seconds), unit=f"{unit}/√Hz", source=KAY,
               definition="for the fitted curve and the photon noise of each point", limit_of="sensitivity"),
    ]  # fmt: skip
    if fit.values.get("decay_rate", 0.0) > 0:
        found.append(
            Figure(name="T2", label="T2 of the train", value=1 / fit.values["decay_rate"], unit="s", source=DEGEN,
                   error=propagated(lambda theta: 1 / theta["decay_rate"], fit), definition="1 over the decay rate")
        )  # fmt: skip
    return found + best_ac_sensitivity(experiment, run, fit)


def bound(run: Run, fit: FitResult, name: str) -> float:
    """Return the Cramér–Rao bound of a fitted value: from the curve's slopes and the errors of the points."""
    grid, model = run.grid(fit.signal), load_model(fit.model, fit.context)
    good = np.isfinite(grid.error) & (grid.error > 0)
    x = grid.axes[0][1][good]
    information = gaussian_information(jacobian(model, x, fit.values, list(fit.free)), grid.error[good])
    return cramer_rao(information, list(fit.free)).sigma[name]


def best_ac_sensitivity(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return how well a locked signal on resonance is resolved in the sine quadrature, and by one perfect spin."""
    program, model = experiment.program(), load_model(fit.model, fit.context)
    if program is None or not isinstance(model, Train):
        return []
    frequency = fit.values.get("frequency", fit.context["frequency"])
    swept = fit.model == "ac_buildup"
    blocks = run.grid(fit.signal).axes[0][1] if swept else np.array([fit.context["blocks"]])
    spacing = 1 / (2 * frequency)
    frames = [model.toggled(np.array([spacing]), float(n)).response(TWO_PI * frequency) for n in blocks]
    turn = np.array([np.linalg.norm(frame, axis=-1).mean() for frame in frames])
    lasts = PULSES * blocks * spacing
    timeline = compile_program(program)
    played = [event for event in timeline.events if event.kind == "play"]
    overhead = float(np.mean(timeline.duration - (played[-1].stop - played[0].start))) * 1e-12
    photons = float(run["counts"].sum() + run["counts_inverted"].sum()) / (2 * float(run["shots"].sum()))

    def perfect(theta: Mapping[str, float]) -> Any:
        decay = np.exp(lasts * theta.get("decay_rate", 1 / fit.context["T2"]))
        return decay / (TWO_PI * GAMMA_NV * turn) * np.sqrt(lasts + overhead)

    def real(theta: Mapping[str, float]) -> Any:
        # A photon more or less moves (a − b)/(a + b) by 1/√photons; the spin moves it by the contrast.
        return np.sqrt(1 + 1 / (theta["contrast"] ** 2 * photons)) * perfect(theta)

    best = int(np.argmin(real(fit.values)))
    said = f"{PULSES * int(blocks[best])} pulses, {lasts[best] * 1e6:.3g} µs, overhead included"
    return [
        Figure(name="ac_sensitivity", label="best AC sensitivity", value=float(real(fit.values)[best]), unit="T/√Hz",
               error=propagated(lambda theta: float(real(theta)[best]), fit), source=DEGEN,
               definition=f"photon and spin noise over the slope of a locked signal on resonance; {said}"),
        Figure(name="standard_quantum_limit", label="standard quantum limit", value=float(perfect(fit.values)[best]),
               unit="T/√Hz", source=DEGEN, limit_of="ac_sensitivity",
               definition=f"spin-projection noise of one spin, perfect readout; {said}. The Heisenberg limit of one "
               "spin is the same"),
    ]  # fmt: skip
