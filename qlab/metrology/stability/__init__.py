"""Stability: deviations over averaging time, spectra and power-law noise, live and at the end."""

from qlab.metrology.stability.deviations import Deviations, deviations
from qlab.metrology.stability.estimators import ESTIMATORS, Estimator
from qlab.metrology.stability.figures import figures_of, stability_figures
from qlab.metrology.stability.freedom import degrees_of_freedom
from qlab.metrology.stability.live import LiveDeviations
from qlab.metrology.stability.noise import Noise, identify
from qlab.metrology.stability.powerlaw import (
    PowerLaws,
    deviation_from_psd,
    fit_power_laws,
    power_law_deviation,
    sample_power_law,
)
from qlab.metrology.stability.second import at_one_second
from qlab.metrology.stability.series import Series, Treatment, find_outliers, series
from qlab.metrology.stability.spectrum import Spectrum, spectrum

__all__ = [
    "ESTIMATORS",
    "Deviations",
    "Estimator",
    "LiveDeviations",
    "Noise",
    "PowerLaws",
    "Series",
    "Spectrum",
    "Treatment",
    "at_one_second",
    "degrees_of_freedom",
    "deviation_from_psd",
    "deviations",
    "figures_of",
    "find_outliers",
    "fit_power_laws",
    "identify",
    "power_law_deviation",
    "sample_power_law",
    "series",
    "spectrum",
    "stability_figures",
]
