"""Figures of merit of vector magnetometry: the field with its covariance, sensitivities and their bounds."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from qlab.experiment import Experiment
from qlab.metrology.propagation import propagated
from qlab.metrology.sensitivity import cw_odmr_sensitivity, sensitivity
from qlab.record import Figure, FitResult
from qlab.runs import Run
from qlab_experiments.nv.ac_figures import KAY, bound
from qlab_experiments.nv.figures import DREAU, spent

SCHLOSS = "Schloss et al., Phys. Rev. Applied 10, 034044 (2018)"
COMPONENTS = ("Bx", "By", "Bz")


def field_vector(experiment: Experiment[Any], run: Run, fit: FitResult) -> list[Figure]:
    """Return components, size and direction, their correlations, and the sensitivity of each with its bound."""
    del experiment
    seconds = spent(run)
    found = [
        Figure(name=name, label=f"field along {name[1]}", value=fit.values[name], error=fit.errors[name], unit="T",
               definition="in the crystal's frame, by exact diagonalisation for all axes", source=SCHLOSS)
        for name in COMPONENTS
    ]  # fmt: skip
    for name, label, unit, function in (
        ("B", "size of the field", "T", size),
        ("theta", "angle to z", "rad", lambda v: math.acos(v["Bz"] / max(size(v), 1e-300))),
        ("phi", "azimuth", "rad", lambda v: math.atan2(v["By"], v["Bx"])),
    ):
        found.append(
            Figure(name=name, label=label, value=function(fit.values), error=propagated(function, fit), unit=unit,
                   definition="from the components, with their covariance", source=SCHLOSS)
        )  # fmt: skip
    covariance = np.asarray(fit.covariance)
    at = {name: i for i, name in enumerate(fit.free)}
    for first, second in (("Bx", "By"), ("Bx", "Bz"), ("By", "Bz")):
        shared = covariance[at[first], at[second]]
        both = math.sqrt(covariance[at[first], at[first]] * covariance[at[second], at[second]])
        found.append(
            Figure(name=f"correlation_{first[1]}{second[1]}", label=f"correlation of {first} and {second}",
                   value=float(shared / both) if both > 0 else math.nan,
                   definition="covariance over both standard deviations", source=KAY)
        )  # fmt: skip
    for name in COMPONENTS:
        reached = sensitivity(fit.errors[name], seconds)
        found += [
            Figure(name=f"sensitivity_{name[1]}", label=f"sensitivity along {name[1]}", value=reached,
                   error=reached / math.sqrt(2 * max(fit.degrees_of_freedom, 1)), unit="T/√Hz", source=SCHLOSS,
                   definition="standard deviation of the component times the square root of all time taken"),
            Figure(name=f"cramer_rao_{name[1]}", label=f"Cramér–Rao bound along {name[1]}", unit="T/√Hz",
                   value=sensitivity(bound(run, fit, name), seconds), source=KAY,
                   definition="inverse Fisher information of all lines together, for the photon noise recorded",
                   limit_of=f"sensitivity_{name[1]}"),
        ]  # fmt: skip
    deepest = max(fit.values[f"contrast_{axis}"] for axis in range(1, 5))
    found.append(
        Figure(name="photon_limit", label="photon-noise limit of one line, all time at its steepest point",
               value=cw_odmr_sensitivity(fit.values["fwhm"], deepest, fit.values["level"]), unit="T/√Hz",
               definition="4/(3√3)·Δν/(γ C √R) of the deepest hyperfine line", source=DREAU + ", eq. 4",
               limit_of="sensitivity_z")
    )  # fmt: skip
    return found


def size(values: Mapping[str, float]) -> float:
    """Return the size of the field, T."""
    return math.sqrt(sum(values[name] ** 2 for name in COMPONENTS))
