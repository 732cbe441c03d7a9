"""One honest measurement for every fit model of the catalogue: points, truth, noise."""

from dataclasses import dataclass, field

import numpy as np

from qlab.fits import load_model

DURATION = np.linspace(0, 1e-6, 101)
TAU = np.linspace(0, 4e-6, 161)
CARRIER = np.linspace(2.808e9, 2.820e9, 161)
RINGING = np.linspace(4.998e9, 5.002e9, 161)


@dataclass(frozen=True)
class Case:
    """`sigma` is the noise of every point; `counts` the mean of a Poisson count instead, error its root."""

    x: np.ndarray
    truth: dict
    sigma: float = 0.0
    counts: float = 0.0
    context: dict = field(default_factory=dict)
    unit: str = "1"  # of x, for the command line and messages


def _x(stop, count=161, start=0.0):
    return np.linspace(start, stop, count)


CATALOGUE = {
    "line": Case(_x(10, 41), {"slope": -0.7, "offset": 2.0}, 0.3),
    "polynomial": Case(_x(10, 41), {"c0": 2.0, "c1": -0.4, "c2": 0.1}, 0.3, context={"centre": 5.0}),
    "power_law": Case(np.geomspace(0.1, 100, 31), {"amplitude": 3.0, "exponent": -0.5}, 0.1,
                      context={"reference": float(np.sqrt(10))}),
    "saturation": Case(_x(5, 41), {"saturation": 0.8, "amplitude": 3e5, "slope": 2e3}, 3e3),
    "damped_cosine": Case(_x(10), {"frequency": 1.31, "decay_time": 5.0, "amplitude": 0.2, "phase": 0.4,
                                   "offset": 1.0}, 0.03),
    "cosine_of_two_decays": Case(_x(10), {"frequency": 1.31, "T2_star": 4.0, "slow_share": 0.4, "amplitude": 0.4,
                                          "phase": 0.4, "offset": 1.0}, 0.01),
    "beating_cosine": Case(_x(20), {"frequency": 1.6, "splitting": 0.21, "decay_time": 12.0, "amplitude": 0.2,
                                    "ratio": 0.8, "phase": 0.4, "offset": 1.0}, 0.03),
    "fringe": Case(_x(10), {"period": 2.3, "visibility": 0.4, "phase": 0.6, "level": 1.0}, counts=300.0),
    "gravity_fringe": Case(_x(150.0, 61, -150.0), {"shift": 1.1e-5, "contrast": 0.55, "level": 0.5}, 0.01,
                           context={"k": 1.6105751e7, "scale": 0.01, "nominal": 9.81}, unit="Hz/s"),
    "damped_cosine_triplet": Case(TAU, {"frequency": 1.5e5, "hyperfine": 2.14e6, "T2_star": 2e-6,
                                        "contrast": 0.28, "level": 1.0}, 0.015,
                                  context={"fringe_frequency": 4e6, "rabi_frequency": 10e6}),
    "damped_cosine_doublet": Case(TAU, {"frequency": 1.5e5, "hyperfine": 3.03e6, "T2_star": 2e-6,
                                        "contrast": 0.28, "level": 1.0}, 0.015,
                                  context={"fringe_frequency": 5e6, "rabi_frequency": 10e6}),
    "rabi_hyperfine": Case(DURATION, {"rabi_frequency": 8e6, "detuning": 4e6, "contrast": 0.3, "level": 1.0},
                           0.015, context={"hyperfine": 2.14e6, "sigma_detuning": 1e5}),
    "rabi_doublet": Case(DURATION, {"rabi_frequency": 8e6, "detuning": 4e6, "contrast": 0.3, "level": 1.0},
                         0.015, context={"hyperfine": 3.03e6, "sigma_detuning": 1e5}),
    "torrey": Case(DURATION, {"rabi_frequency": 8e6, "T2": 4e-7, "contrast": 0.3, "level": 1.0}, 0.015,
                   context={"T1": 2e-6}),
    "lorentzian": Case(_x(10), {"frequency": 4.2, "fwhm": 1.1, "amplitude": -0.3, "offset": 1.0}, 0.03),
    "gaussian": Case(_x(10), {"frequency": 4.2, "fwhm": 1.1, "amplitude": 0.3, "offset": 1.0}, 0.03),
    "lorentzian_pair": Case(_x(10), {"frequency": 4.6, "splitting": 2.2, "fwhm": 0.8, "amplitude": -0.3,
                                     "ratio": 0.7, "offset": 1.0}, 0.03),
    "gaussian_pair": Case(_x(10), {"frequency": 4.6, "splitting": 2.2, "fwhm": 0.8, "amplitude": -0.3,
                                   "ratio": 0.7, "offset": 1.0}, 0.03),
    "autler_townes": Case(_x(60e6, start=-60e6), {"frequency": 2e6, "splitting": 25e6, "fwhm": 9e6,
                                                  "amplitude": 0.3, "ratio": 1.2, "offset": 0.1}, 0.02),
    "lorentzian_triplet": Case(CARRIER, {"frequency": 2.8141e9, "hyperfine": 2.16e6, "fwhm": 6e5,
                                         "contrast": 0.1, "level": 1.0}, counts=2e3),
    "gaussian_triplet": Case(CARRIER, {"frequency": 2.8141e9, "hyperfine": 2.16e6, "fwhm": 6e5,
                                       "contrast": 0.1, "level": 1.0}, counts=2e3),
    "lorentzian_doublet": Case(CARRIER, {"frequency": 2.8141e9, "hyperfine": 3.05e6, "fwhm": 6e5,
                                         "contrast": 0.1, "level": 1.0}, counts=2e3),
    "lorentzian_septet": Case(_x(3.51e9, start=2.81e9), {"frequency": 3.16e9, "hyperfine": 46e6, "fwhm": 35e6,
                                                       "contrast": 0.15, "level": 1.0}, counts=2e3),
    "gaussian_doublet": Case(CARRIER, {"frequency": 2.8141e9, "hyperfine": 3.05e6, "fwhm": 6e5,
                                       "contrast": 0.1, "level": 1.0}, counts=2e3),
    "rabi_line_triplet": Case(CARRIER, {"frequency": 2.8141e9, "hyperfine": 2.16e6, "contrast": 0.28, "level": 1.0,
                                        "sigma_detuning": 1.6e5}, 0.01,
                              context={"rabi_frequency": 5e5, "pulse_duration": 1e-6}),
    "rabi_line_doublet": Case(CARRIER, {"frequency": 2.8141e9, "hyperfine": 3.05e6, "contrast": 0.28, "level": 1.0,
                                        "sigma_detuning": 1.6e5}, 0.01,
                              context={"rabi_frequency": 5e5, "pulse_duration": 1e-6}),
    "rabi_line": Case(_x(20, start=-20), {"frequency": 1.5, "duration": 0.15, "amplitude": 0.8, "offset": 0.1},
                      0.03),
    "eit": Case(_x(30e6, start=-30e6), {"frequency": 5e5, "fwhm": 12e6, "coupling": 6e6, "dark_width": 4e5,
                                        "amplitude": 0.8, "offset": 0.1}, 0.02),
    "stretched_decay": Case(_x(10), {"time": 2.5, "exponent": 1.6, "amplitude": 0.7, "offset": 0.3}, 0.02),
    "exponential_pair": Case(np.geomspace(0.05, 200, 161), {"time": 1.0, "slow_ratio": 20.0, "share": 0.45,
                                                            "amplitude": 0.7, "offset": 0.3}, 0.01),
    "echo_modulation": Case(_x(100e-6), {"T2": 6e-5, "depth": 0.35, "lower": 1.07e5, "splitting": 5.5e4,
                                         "amplitude": 0.15, "offset": 0.85}, 0.008),
    "echo_power_law": Case(_x(100e-6, start=1e-6), {"T2": 3e-5, "alpha": 1.0, "amplitude": 0.15, "offset": 0.85},
                           0.004),
    "lorentzian_noise": Case(_x(60e-6, start=0.5e-6), {"sigma": 4e4, "tau_c": 5e-6, "amplitude": 0.15,
                                                       "offset": 0.85}, 0.001, context={"pulses": 1.0}),
    "resonator_notch": Case(RINGING, {"frequency": 5.0002e9, "loaded_q": 8e3, "depth": 0.6, "asymmetry": 0.25,
                                      "amplitude": 0.9, "phase": 0.7, "delay": 4e-8}, 0.02,
                            context={"centre": 5e9}),
    "resonator_reflection": Case(RINGING, {"frequency": 5.0002e9, "loaded_q": 8e3, "depth": 1.3, "asymmetry": 0.1,
                                           "amplitude": 0.9, "phase": 0.7, "delay": 4e-8}, 0.02,
                                 context={"centre": 5e9}),
    "hom_dip": Case(_x(1.2e-12, start=-1e-12), {"centre": 6e-14, "fwhm": 4.5e-13, "contrast": 0.9, "level": 1.0},
                    counts=800.0),
    "knife_edge": Case(_x(4e-3), {"centre": 1.8e-3, "radius": 7e-4, "amplitude": 1.0, "offset": 0.05}, 0.01),
    "beam_radius": Case(_x(0.5, 41), {"waist": 5e-5, "centre": 0.22, "rayleigh": 0.06}, 2e-6),
    "ellipse": Case(_x(1, 121), {"phase": 1.1, "x_centre": 0.5, "x_amplitude": 0.3, "y_centre": 0.45,
                                 "y_amplitude": 0.28}, 0.01),
}  # fmt: skip


def model_of(name):
    return load_model(name, CATALOGUE[name].context)


def theta_of(model, case):
    return {v.name: model.known(v.name) for v in model.parameters} | case.truth


def draw(name, count, seed=0):
    """Return the model, x (n,) or (count, n), traces (count, n) and their errors of the same shape."""
    case, model = CATALOGUE[name], model_of(name)
    rng = np.random.default_rng([seed, *name.encode()])
    theta = theta_of(model, case)
    if name == "ellipse":
        common = rng.uniform(0, 2 * np.pi, (count, len(case.x)))
        x = theta["x_centre"] + theta["x_amplitude"] * np.cos(common)
        y = theta["y_centre"] + theta["y_amplitude"] * np.cos(common + theta["phase"])
        x, y = (part + rng.normal(0, case.sigma, part.shape) for part in (x, y))
        return model, x, y, np.full(y.shape, case.sigma)
    curve = model.evaluate(case.x, theta)
    if case.counts:
        y = rng.poisson(case.counts * np.broadcast_to(curve, (count, len(case.x)))) * 1.0
        return model, case.x, y / case.counts, np.sqrt(np.maximum(y, 1)) / case.counts
    y = curve + rng.normal(0, case.sigma, (count, len(case.x)))
    if model.quadratures:
        y = y + 1j * rng.normal(0, case.sigma, y.shape)
    return model, case.x, y, np.full(y.shape, case.sigma)
