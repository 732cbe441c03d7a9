"""Bayesian estimation: posteriors on grids and as particles, adaptive design, comparison of models."""

from qlab.bayes.design import (
    Choice,
    choose,
    expected_information_gain,
    normal_information_gain,
    particle_guess_time,
)
from qlab.bayes.evidence import Comparison, compare
from qlab.bayes.following import Following
from qlab.bayes.grid import GridPosterior, grid_prior
from qlab.bayes.likelihood import Binomial, CurveResponse, Normal, Poisson, SpinPhotons, ramsey_probability
from qlab.bayes.particles import ParticlePosterior, normal_particles, uniform_particles

__all__ = [
    "Binomial",
    "Choice",
    "Comparison",
    "CurveResponse",
    "Following",
    "GridPosterior",
    "Normal",
    "ParticlePosterior",
    "Poisson",
    "SpinPhotons",
    "choose",
    "compare",
    "expected_information_gain",
    "grid_prior",
    "normal_information_gain",
    "normal_particles",
    "particle_guess_time",
    "ramsey_probability",
    "uniform_particles",
]
