"""Fits: models by name, one engine, and the fit of a run's gridded signal."""

from qlab.fits.engine import fit_curve, fit_grid, load_model
from qlab.fits.model import FitModel, Theta, Variable

__all__ = ["FitModel", "Theta", "Variable", "fit_curve", "fit_grid", "load_model"]
