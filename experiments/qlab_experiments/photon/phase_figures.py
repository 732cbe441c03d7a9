"""Figures of merit of an interferometer: what one shot resolves, from data and in closed form, and its limits."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from qlab.metrology.propagation import propagated
from qlab.record import Figure, FitResult
from qlab.runs import Run

if TYPE_CHECKING:
    from qlab_experiments.photon.mach_zehnder import MachZehnder

DEMKOWICZ = "Demkowicz-Dobrzański, Jarzyna and Kołodyński, Prog. Opt. 60, 345 (2015)"


def phase_figures(experiment: "MachZehnder", run: Run, fit: FitResult) -> tuple[Figure, ...]:
    """Return the phase resolution of one shot at the best phase of a fit that succeeded, its gain and its limits."""
    p = experiment.parameters
    fine = np.linspace(p.phase.values().min(), p.phase.values().max(), 721)

    def best(theta: Mapping[str, float]) -> float:
        phase = theta["scale"] * fine + theta["phase"]
        return float(experiment.system(theta).resolution(phase, p.readout).min())

    excess, wrong = _excess(experiment, run, fit)
    closed, system = best(fit.values), experiment.system(fit.values)
    error = math.hypot(propagated(best, fit) or 0.0, closed * wrong / 2)
    limits = {
        "standard_quantum_limit": ("standard quantum limit", 1 / math.sqrt(system.inside), "1/√n̄, no loss"),
        "lossy_shot_noise": ("coherent light, same arms", 1 / math.sqrt(max(system.shot_noise_fisher(), 1e-300)),
                             "1/√(n̄·2η_aη_b/(η_a+η_b)), perfect detectors"),
        "cramer_rao": ("quantum Cramér–Rao bound", 1 / math.sqrt(max(system.quantum_fisher(), 1e-300)),
                       "1/√F_Q of the light behind the arms"),
        "heisenberg_limit": ("Heisenberg limit", 1 / system.inside, "1/n̄"),
    }  # fmt: skip
    reached = closed * math.sqrt(excess)
    return (
        Figure(name="phase_resolution", label="phase resolution of one shot", value=reached, error=error,
               unit="rad",
               definition="scatter of the rows over the slope of the fit, at its best phase", source=DEMKOWICZ),
        Figure(name="closed_form", label="resolution in closed form", value=closed, unit="rad", source=DEMKOWICZ,
               error=propagated(best, fit), definition="error propagation at the fitted efficiency"),
        Figure(name="gain", label="gain over the standard quantum limit", unit="dB",
               value=-20 * math.log10(reached * math.sqrt(system.inside)),
               error=error / reached * 20 / math.log(10),
               definition="of the phase variance, n̄ photons in the arms"),
        *(Figure(name=name, label=label, value=value, unit="rad", definition=said, source=DEMKOWICZ,
                 limit_of="phase_resolution") for name, (label, value, said) in limits.items()),
    )  # fmt: skip


def _excess(experiment: "MachZehnder", run: Run, fit: FitResult) -> tuple[float, float]:
    """Return the variance of the rows over that in closed form, all phases together, and its relative error."""
    p = experiment.parameters
    signal, model = np.asarray(run["phase"], dtype=float), experiment.system(fit.values)
    rows = (
        np.asarray(run["hits"]) / np.asarray(run["shots"])
        if p.readout in {"parity", "clicks"}
        else np.asarray(run["level"])
    )
    phases, which, count = np.unique(signal, return_inverse=True, return_counts=True)
    mean = np.bincount(which, weights=rows) / count
    noise = model.noise(fit.values["scale"] * phases + fit.values["phase"], p.readout) ** 2 / p.shots
    freedom = float((count - 1).sum())
    if freedom < 1:
        return 1.0, 1.0
    ratio = ((rows - mean[which]) ** 2 / np.maximum(noise[which], 1e-12)).sum() / freedom
    return float(ratio), math.sqrt(2 / freedom)
