"""Derivatives of curves: exact where a curve is analytic, good to 1e-8 where it is not."""

import numpy as np
import pytest

from qlab.fits import load_model
from qlab.metrology.slopes import jacobian
from tests.fits.catalogue import CATALOGUE, model_of, theta_of

X = np.linspace(0.1, 10, 41)


class Plain:
    """A curve without slopes of its own."""

    def __init__(self, function):
        self.function = function

    def evaluate(self, x, theta):
        return self.function(x, theta)


def test_an_analytic_curve_is_exact_to_rounding():
    model = Plain(lambda x, t: t["a"] * np.exp(-t["k"] * x) * np.cos(t["w"] * x))
    theta = {"a": 2e6, "k": 0.3, "w": 1.7}
    a, k, w = theta.values()
    exact = np.stack([
        np.exp(-k * X) * np.cos(w * X), -a * X * np.exp(-k * X) * np.cos(w * X), -a * X * np.exp(-k * X) * np.sin(w * X)
    ], axis=-1)  # fmt: skip
    found = jacobian(model, X, theta, ["a", "k", "w"])
    assert np.abs(found - exact).max() < 1e-14 * np.abs(exact).max()


def test_a_curve_that_is_not_analytic_is_seen_and_refined():
    model = Plain(lambda x, t: np.abs(t["a"]) * np.hypot(x, np.abs(t["b"])))
    found = jacobian(model, X, {"a": -2.0, "b": 1.5}, ["a", "b"])
    exact = np.stack([-np.hypot(X, 1.5), 2 * 1.5 / np.hypot(X, 1.5)], axis=-1)
    assert np.abs(found - exact).max() < 1e-9 * np.abs(exact).max()


def test_a_dead_parameter_has_no_slope():
    model = Plain(lambda x, t: x + 0.0 * t["nothing"])
    assert not jacobian(model, X, {"nothing": 3.0}, ["nothing"]).any()


@pytest.mark.parametrize(
    "name", ["saturation", "stretched_decay", "beating_cosine", "torrey", "knife_edge", "rabi_line"]
)
def test_models_of_the_catalogue_against_many_digits(name):
    """Ninth-order differences in the parameter, with a step of their own."""
    model, case = model_of(name), CATALOGUE[name]
    theta = theta_of(model, case)
    for parameter in case.truth:
        h = 2e-4 * abs(theta[parameter])
        weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
        exact = sum(
            w * (model.evaluate(case.x, {**theta, parameter: theta[parameter] + k * h})
                 - model.evaluate(case.x, {**theta, parameter: theta[parameter] - k * h})) / h
            for k, w in weights.items()
        )  # fmt: skip
        found = jacobian(model, case.x, theta, [parameter])[:, 0]
        assert np.abs(found - exact).max() < 2e-7 * np.abs(exact).max(), parameter


def test_closed_slopes_are_taken_where_there_are_some():
    model = load_model("lorentzian")
    theta = {"frequency": 4.0, "fwhm": 1.0, "amplitude": -0.3, "offset": 1.0}
    closed = model.slopes(X, theta)[1]
    assert np.array_equal(jacobian(model, X, theta, ["fwhm"])[:, 0], closed["fwhm"])


def test_a_narrow_line_far_from_zero_has_its_slope():
    x = np.linspace(2.81e9, 2.82e9, 201)
    model = Plain(lambda x, t: 1 - 0.1 / (1 + np.abs((x - t["f"]) / t["w"]) ** 2))
    found = jacobian(model, x, {"f": 2.814e9, "w": 3e5}, ["f"])[:, 0]
    u = (x - 2.814e9) / 3e5
    exact = -0.1 * 2 * u / (1 + u**2) ** 2 / 3e5
    assert np.abs(found - exact).max() < 1e-6 * np.abs(exact).max()
