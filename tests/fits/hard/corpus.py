"""A corpus of hard traces, each from a seed: what real benches give on bad days, for every model.

A `Hard` trace says what may come of it: `right` (a believed fit near the truth), `flagged`, or `either`; a fit that
is believed must be near the truth in any case.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from qlab.fits import FitModel, load_model
from tests.fits.catalogue import CATALOGUE, draw, model_of, theta_of


@dataclass(frozen=True)
class Hard:
    model: FitModel
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray | None
    truth: dict = field(default_factory=dict)  # empty: there is none that this model has
    verdict: str = "either"


def whole(name, seed=11):
    """Return one honest trace of a model as (x, y, error)."""
    _, x, y, error = draw(name, 1, seed)
    return (x[0] if x.ndim == 2 else x), y[0].copy(), error[0].copy()


def noiseless(name, x=None, **theta):
    case, model = CATALOGUE[name], model_of(name)
    return model.evaluate(case.x if x is None else x, theta_of(model, case) | theta)


def _dead_points(name, rng):
    x, y, error = whole(name)
    y[rng.choice(len(y), len(y) // 8, replace=False)] = np.nan
    return x, y, error, "right"


def _zero_errors(name, rng):
    x, y, error = whole(name)
    error[rng.choice(len(y), len(y) // 8, replace=False)] = 0.0
    return x, y, error, "right"


def _no_errors(name, rng):
    x, y, _ = whole(name)
    return x, y, None, "right"


def _unsorted(name, rng):
    parts = whole(name)
    order = rng.permutation(len(parts[0]))
    return *(part[order] for part in parts), "right"


def _repeated_x(name, rng):
    one, other = whole(name, 11), whole(name, 12)
    return *(np.concatenate(pair) for pair in zip(one, other, strict=True)), "right"


def _tiny_numbers(name, rng):
    x, y, error = whole(name)
    return x, y * 1e-9, error * 1e-9, "any"


def _outlier(name, rng):
    x, y, error = whole(name)
    y[len(y) // 3] += 40 * error[len(y) // 3]
    return x, y, error, "either"


def _noisy(name, rng):
    """Low contrast: the same feature under thirty times the noise."""
    x, y, error = whole(name)
    scale = 30 * np.median(error)
    return x, y + rng.normal(0, scale, len(y)), np.full(len(y), scale), "either"


def _few_points(name, rng):
    x, y, error = whole(name)
    kept = np.linspace(0, len(x) - 1, len(model_of(name).parameters) + 2).astype(int)
    return x[kept], y[kept], error[kept], "either"


def _sparse(name, rng):
    """Every ninth point: aliased, or narrower than a step."""
    x, y, error = whole(name)
    return x[::9], y[::9], error[::9], "either"


def _beginning(name, rng):
    """The first seventh of the sweep: one period at most, half a line, no decay."""
    x, y, error = whole(name)
    kept = slice(None, max(len(x) // 7, 6))
    return x[kept], y[kept], error[kept], "either"


def _drifting(name, rng):
    """A noisy baseline: a random walk of half the feature under it."""
    x, y, error = whole(name)
    walk = np.cumsum(rng.normal(0, 1, len(y)))
    return x, y + 0.5 * np.ptp(np.abs(y)) * walk / np.ptp(walk), error, "any"


def _constant(name, rng):
    x, y, error = whole(name)
    return x, np.full(len(x), np.abs(y).mean()) + 0 * y, error, "any"


def _zeros(name, rng):
    x, y, error = whole(name)
    return x, 0 * y, error, "any"


def _huge_offset(name, rng):
    x, y, error = whole(name)
    return x, y + 1e9, error, "any"


def _wrong_model(name, rng):
    """A staircase."""
    x, y, error = whole(name)
    return x, np.abs(y).mean() * (1 + 0.5 * np.floor(np.linspace(0, 4.99, len(x)))) + 0 * y, error, "any"


def _wild(name, rng):
    x, y, error = whole(name)
    return x, y + rng.standard_cauchy(len(y)) * np.median(error) * 5, error, "either"


CORRUPTIONS: dict[str, Callable] = {
    made.__name__.strip("_"): made
    for made in (
        _dead_points, _zero_errors, _no_errors, _unsorted, _repeated_x, _tiny_numbers, _outlier, _noisy, _few_points,
        _sparse, _beginning, _drifting, _constant, _zeros, _huge_offset, _wrong_model, _wild,
    )
}  # fmt: skip


def corrupted(kind, name):
    """Return an honest trace of a model spoilt in one way; `any` truth where the model has none for it."""
    rng = np.random.default_rng([7, *kind.encode(), *name.encode()])
    x, y, error, verdict = CORRUPTIONS[kind](name, rng)
    truth = {} if verdict == "any" else CATALOGUE[name].truth
    if kind == "sparse":
        truth = _folded(truth, x)
    return Hard(model_of(name), x, y, error, truth, "either" if verdict == "any" else verdict)


def _folded(truth, x):
    """Even steps cannot tell an oscillation from its alias below half the sampling rate: no data could."""
    rate = 1 / np.median(np.diff(x))
    found = dict(truth)
    waves = {"decay_time", "T2", "detuning", "slow_share"} & set(truth)
    for name in ("frequency", "rabi_frequency"):
        if waves and truth.get(name, 0.0) > rate / 2:
            found[name] = abs(truth[name] - rate * round(truth[name] / rate))
            found.pop("phase", None)
    return found


def _curve(name, x, sigma, seed, context=None, **theta):
    model = load_model(name, context or CATALOGUE[name].context)
    full = theta_of(model, CATALOGUE[name]) | theta
    y = model.evaluate(x, full) + np.random.default_rng([13, seed]).normal(0, sigma, len(x))
    truth = {n: v for n, v in full.items() if n in CATALOGUE[name].truth}
    return Hard(model, x, y, np.full(len(x), sigma), truth)


def _verdict(hard, verdict, model=None, **changes):
    return Hard(model or hard.model, hard.x, changes.get("y", hard.y), hard.error, hard.truth if model is None else {},
                verdict)  # fmt: skip


def named():
    """Return the traces that have a story of their own, by name."""
    time, long = np.linspace(0, 10, 161), np.linspace(0, 200, 161)
    fringes = _curve("damped_cosine", time, 0.05, 1)
    beat = _curve("beating_cosine", np.linspace(0, 20, 161), 0.03, 2)
    pair = _curve("lorentzian_pair", time, 0.02, 3, splitting=3.0)
    decay = _curve("stretched_decay", time, 0.02, 4)
    odmr = CATALOGUE["lorentzian_triplet"].x
    double = 1 - 0.15 * sum(0.4e6**2 / ((odmr - c) ** 2 + 0.4e6**2) for c in (2.8105e9, 2.817e9))
    rng = np.random.default_rng(21)
    ring = _curve("damped_cosine", time, 0.05, 14)
    return {
        "low contrast, yet there": _verdict(_curve("lorentzian", np.linspace(0, 10, 401), 0.1, 5), "right"),
        "one period only": _verdict(_curve("damped_cosine", time, 0.01, 6, frequency=0.11, decay_time=8.0), "right"),
        "half a period": _curve("damped_cosine", time, 0.05, 7, frequency=0.04),
        "aliased": _verdict(_curve("damped_cosine", long, 0.03, 8, decay_time=100.0, frequency=1.31), "flagged"),
        "decays within a point": _verdict(_curve("stretched_decay", time, 0.02, 9, time=0.01, exponent=1.0), "flagged"),
        "fringes gone within two points": _verdict(_curve("damped_cosine", long, 0.03, 10, decay_time=1.0), "flagged"),
        "decays beyond the sweep": _verdict(
            _curve("stretched_decay", time, 0.02, 11, time=300.0, exponent=1.0), "flagged"),
        "a line outside the sweep": _verdict(_curve("lorentzian", time, 0.02, 12, frequency=14.0), "flagged"),
        "a line at the edge": _curve("lorentzian", time, 0.02, 13, frequency=9.9),
        "an inverted line": _verdict(_curve("lorentzian", time, 0.02, 15, amplitude=0.4), "right"),
        "two lines fitted as one": _verdict(pair, "flagged", load_model("lorentzian")),
        "a beat fitted as one frequency": _verdict(beat, "flagged", load_model("damped_cosine")),
        "fringes fitted as a decay": _verdict(fringes, "flagged", load_model("stretched_decay")),
        "fringes fitted as a line": _verdict(fringes, "flagged", load_model("line")),
        "a decay fitted as fringes": _verdict(decay, "flagged", load_model("fringe")),
        "a triplet on two far lines": Hard(load_model("lorentzian_triplet"), odmr, double + rng.normal(0, 0.005, 161),
                                           np.full(161, 0.005), {}, "flagged"),
        "one line fitted as two": Hard(load_model("lorentzian_pair"), time, _curve("lorentzian", time, 0.02, 16).y,
                                       np.full(161, 0.02), {}, "flagged"),
        "an oscillating level": _verdict(ring, "flagged", y=ring.y * (1 + 0.2 * np.sin(time / 2))),
        "power never reaches saturation": _verdict(
            _curve("saturation", np.linspace(0, 0.05, 41), 1.0, 17, saturation=0.8), "flagged"),
        "errors far too small": Hard(decay.model, time, decay.y, decay.error / 10, {}, "flagged"),
        "errors far too large": Hard(decay.model, time, decay.y, decay.error * 10, {}, "flagged"),
        "a dead detector": Hard(load_model("lorentzian"), time, np.zeros(161), np.ones(161), {}, "flagged"),
        "a saturated detector": Hard(load_model("lorentzian"), time, np.full(161, 65535.0), None, {}, "flagged"),
        "mere noise": Hard(load_model("damped_cosine"), time, rng.normal(1, 0.1, 161), np.full(161, 0.1), {},
                           "flagged"),
        "few counts": Hard(load_model("stretched_decay"), time, rng.poisson(0.05, 161) * 1.0, np.ones(161), {},
                           "flagged"),
        "a spike": Hard(load_model("stretched_decay"), time, np.where(np.arange(161) == 80, 1e6, 1.0),
                        np.full(161, 0.1), {}, "flagged"),
        "negative counts after background": _verdict(_curve("lorentzian", time, 0.02, 18, offset=-0.1), "right"),
        "a resonator outside the sweep": Hard(model_of("resonator_notch"), CATALOGUE["resonator_notch"].x,
                                              noiseless("resonator_notch", frequency=5.02e9)
                                              + 0.02 * (rng.normal(size=161) + 1j * rng.normal(size=161)),
                                              np.full(161, 0.02), {}, "flagged"),
        "a detuned flop of a hidden triplet": _verdict(
            _curve("rabi_hyperfine", CATALOGUE["rabi_hyperfine"].x, 0.02, 19, detuning=20e6), "either"),
    }  # fmt: skip
