"""Many traces at once: the same answers, errors and verdicts as one by one."""

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.fits import FitModel, Variable, fit_curve, fit_many
from tests.fits.catalogue import CATALOGUE, draw

SINGLE = [name for name in CATALOGUE if name != "ellipse"]


@pytest.mark.parametrize("name", SINGLE)
def test_the_same_as_one_by_one(name):
    model, x, y, error = draw(name, 3, seed=5)
    y[1, 4::9] = np.nan
    error[2, ::2] *= 1.5
    fits = fit_many(model, x, y, error)
    for k in range(3):
        alone = fit_curve(model, x, y[k], error[k])
        assert (fits.success[k], fits.messages[k]) == (alone.success, alone.message)
        whole = fits[k]
        assert whole.free == alone.free
        assert whole.degrees_of_freedom == alone.degrees_of_freedom
        assert whole.chi2 == pytest.approx(alone.chi2, rel=1e-4)
        for n in alone.free:
            assert abs(fits.values[n][k] - alone.values[n]) < 0.02 * alone.errors[n], n
            assert fits.errors[n][k] == pytest.approx(alone.errors[n], rel=0.02), n
        assert np.allclose(whole.covariance, alone.covariance, rtol=0.1, atol=0) or np.allclose(
            np.corrcoef(whole.covariance), np.corrcoef(alone.covariance), atol=0.05
        )
        assert {p.name for p in whole.parameters} == {p.name for p in alone.parameters}


def test_hopeless_traces_do_not_hinder_the_others():
    model, x, y, error = draw("lorentzian", 8)
    y[0], y[1], y[2, 3:], y[3], y[4] = (
        np.nan,
        0.0,
        np.nan,
        1e300,
        np.random.default_rng(0).normal(1, 0.03, len(x)),
    )
    error[5] = np.nan
    fits = fit_many(model, x, y, error)
    assert list(fits.success) == [False, False, False, False, False, True, True, True]
    assert all(fits.messages[:5])
    assert np.isnan(fits.values["frequency"][0])
    assert "above the noise" in fits.messages[4]
    for k in range(8):
        assert fits[k].success == fits.success[k]
        assert fits[k].model_dump_json()
    assert fits.errors["frequency"][5] == pytest.approx(fits.errors["frequency"][6], rel=0.4)


def test_order_of_x_does_not_matter():
    model, x, y, error = draw("damped_cosine", 4)
    shuffled = np.random.default_rng(1).permutation(len(x))
    one, other = (
        fit_many(model, x, y, error),
        fit_many(model, x[shuffled], y[:, shuffled], error[:, shuffled]),
    )
    assert np.array_equal(one.values["frequency"], other.values["frequency"])


def test_held_and_starting_values_may_differ_from_trace_to_trace():
    model, x, y, error = draw("stretched_decay", 3)
    fits = fit_many(model, x, y, error, fixed={"exponent": [1.5, 1.6, 1.7]})
    assert fits.free == ("time", "amplitude", "offset")
    assert list(fits.values["exponent"]) == [1.5, 1.6, 1.7]
    alone = fit_curve(model, x, y[2], error[2], fixed={"exponent": 1.7})
    assert fits.values["time"][2] == pytest.approx(alone.values["time"], rel=1e-4)
    truth = CATALOGUE["stretched_decay"].truth
    begun = fit_many(model, x, y, error, start=truth)
    assert begun.values["time"] == pytest.approx(fit_many(model, x, y, error).values["time"], rel=1e-4)


def test_bad_use_is_refused():
    model, x, y, error = draw("stretched_decay", 2)
    with pytest.raises(UsageError, match="shape"):
        fit_many(model, x[1:], y, error)
    with pytest.raises(UsageError, match="no parameter"):
        fit_many(model, x, y, error, fixed={"tau": 1.0})
    with pytest.raises(UsageError, match="lack"):
        fit_many(model, x, y, error, start={"time": 1.0})


class Plain(FitModel):
    """A lab's own model that knows nothing of batches."""

    name = "plain"
    parameters = (Variable("height", "y"), Variable("rate", "1/x", minimum=0.0))

    def evaluate(self, x, theta):
        return float(theta["height"]) * np.exp(-float(theta["rate"]) * x)

    def guess(self, x, y, error):
        return [{"height": float(y[0]), "rate": 1.0}]


def test_a_model_that_is_not_batched_works_too():
    x, rng = np.linspace(0, 3, 40), np.random.default_rng(3)
    y = 2.0 * np.exp(-0.7 * x) + rng.normal(0, 0.02, (5, 40))
    fits = fit_many(Plain(), x, y, 0.02)
    assert fits.success.all()
    assert np.abs((fits.values["rate"] - 0.7) / fits.errors["rate"]).max() < 4
    assert fits[0].values["rate"] == pytest.approx(
        fit_curve(Plain(), x, y[0], np.full(40, 0.02)).values["rate"], rel=1e-4
    )
