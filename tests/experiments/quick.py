"""A simulated experiment without its file: the same bench, programs, grid rules and fit, for statistics."""

from dataclasses import dataclass

import numpy as np

from qlab.bench import Bench
from qlab.fits import fit_curve, load_model
from qlab.fits.model import FitModel
from qlab.metrology.fisher import cramer_rao, gaussian_information, jacobian
from qlab.pulses import compile_program
from qlab.record import FitResult
from qlab.registry import load


@dataclass
class Quick:
    """What a run gave: the truth, rows, and the gridded signal with its fit."""

    truth: dict
    rows: dict
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray
    model: FitModel
    fit: FitResult

    def pull(self, name, truth):
        return (self.fit.values[name] - truth) / self.fit.errors[name]


def take(name, seed, truth=None, knobs=None, **parameters):
    """Play an experiment on `sim-nv` and return (bench, experiment, rows by column)."""
    bench = Bench.load("sim-nv", seed=seed, truth=truth or {})
    experiment = load("experiments", name).read(parameters)
    experiment.bind(bench)
    bench.open()
    try:
        bench.begin(seed)
        for knob, value in (knobs or {}).items():
            instrument, attribute = knob.split(".")
            setattr(bench.instruments[instrument], attribute, value)
        known = bench.world.truth()
        blocks = list(experiment.run())
    finally:
        bench.make_safe()
        bench.close()
    rows = {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}
    return known, experiment, rows


def quick(name, seed, truth=None, knobs=None, **parameters):
    """Play, grid and fit."""
    known, experiment, rows = take(name, seed, truth, knobs, **parameters)
    axis, signal = experiment.axes()[0], experiment.signals()[0]
    x, where = np.unique(rows[axis.name], return_inverse=True)
    of, per = (np.bincount(where, weights=rows[column]) for column in (signal.of, signal.per))
    y = of / per * signal.scale
    error = y * np.sqrt(1 / of + (1 / per if signal.rule == "ratio" else 0))
    model = load_model(type(experiment).fit, experiment.fit_context())
    return Quick(known, rows, x, y, error, model, fit_curve(model, x, y, error))


def exact(name, system, **parameters):
    """Return (x, y, error, model) of what a system would show without noise; the errors are the photons'."""
    experiment = load("experiments", name).read(parameters)
    signal, shown = experiment.signals()[0], experiment.model(system)
    x = compile_program(experiment.program()).points[experiment.axes()[0].name]
    y, p = shown[signal.name], experiment.parameters
    if signal.rule == "ratio":
        error = y * np.sqrt((1 + p.signal_window / p.reference_window) / (shown["photons"] * p.shots))
    else:
        error = np.sqrt(y / (p.dwell * p.shots))
    return x, y, error, load_model(type(experiment).fit, experiment.fit_context())


def bound(model, x, error, theta, free):
    """Return the Cramer-Rao bound of each free parameter; of the square of those that show only in it.

    Those come back as the error of the parameter itself at its true value.
    """
    squared = {v.name for v in model.parameters if v.squared and v.name in free}

    class Squares:
        def evaluate(self, points, values):
            return model.evaluate(
                points, {k: np.sqrt(max(v, 0)) if k in squared else v for k, v in values.items()}
            )

    at = {k: v**2 if k in squared else v for k, v in theta.items()}
    sigma = cramer_rao(gaussian_information(jacobian(Squares(), x, at, free), error), free).sigma
    return {k: s / (2 * theta[k]) if k in squared else s for k, s in sigma.items()}


def targets(name, truth, parameters):
    """Return the fit parameters of an experiment that the bench's truth knows, with their true values."""
    carrier = parameters.get("microwave_frequency", 2.814e9)
    return {
        "nv.rabi": {"rabi_frequency": parameters.get("rabi_frequency", 10e6) * truth["drive_gain"]},
        "nv.ramsey": {"frequency": carrier - truth["resonance"], "hyperfine": truth["hyperfine"],
                      "T2_star": truth["T2_star"]},
        "nv.pulsed_odmr": {"frequency": truth["resonance"], "hyperfine": truth["hyperfine"],
                           "sigma_detuning": truth["sigma_detuning"]},
        "nv.cw_odmr": {"frequency": truth["resonance"], "hyperfine": truth["hyperfine"]},
        "nv.hahn_echo": {"time": truth["T2"]},
        "nv.t1": {"time": truth["T1"]},
    }[name]  # fmt: skip
