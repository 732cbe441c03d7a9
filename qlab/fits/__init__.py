"""Fits: models by name, one engine for one trace and one for many, and the fit of a run's gridded signal."""

from qlab.fits.batch import Fits
from qlab.fits.engine import fit_curve, fit_grid, load_model
from qlab.fits.fit import Bootstrap, Fit, Profile
from qlab.fits.many import fit_many
from qlab.fits.model import FitModel, Theta, Variable

__all__ = [
    "Bootstrap",
    "Fit",
    "FitModel",
    "Fits",
    "Profile",
    "Theta",
    "Variable",
    "fit_curve",
    "fit_grid",
    "fit_many",
    "load_model",
]
