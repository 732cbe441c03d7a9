"""Errors of what is computed from a fit."""

import math

import numpy as np
import pytest

from qlab.metrology.propagation import propagated
from qlab.record import FitParameter, FitResult


def fit(covariance):
    return FitResult(
        model="line",
        signal="y",
        success=True,
        parameters=(
            FitParameter(name="a", value=2.0, error=0.1),
            FitParameter(name="b", value=3.0, error=0.2),
        ),
        free=("a", "b"),
        covariance=covariance,
    )


def test_a_product_of_correlated_values_matches_sampling():
    covariance = ((0.01, 0.012), (0.012, 0.04))
    drawn = np.random.default_rng(1).multivariate_normal([2.0, 3.0], covariance, 200_000)
    told = propagated(lambda v: v["a"] * v["b"], fit(covariance))
    assert told == pytest.approx(np.std(drawn[:, 0] * drawn[:, 1]), rel=0.02)


def test_without_a_covariance_or_a_finite_value_there_is_no_error():
    assert propagated(lambda v: v["a"], fit(())) is None
    assert propagated(lambda v: math.inf * v["a"], fit(((0.01, 0.0), (0.0, 0.04)))) is None
