"""A thousand traces fitted at once, beside a loop of lmfit's Model.fit and one of scipy's curve_fit.

All begin at the same values and use the same errors; theirs is timed on a part of the traces and scaled up. The
last column is the largest difference of any value and of any error, in standard deviations. Ours includes the
verdict on each trace. The rows "own starts" leave the starting values to us as well.
"""

import time
from collections.abc import Callable

import numpy as np

from benchmarks.timing import row, seconds

TRACES, LOOPED = 1000, 100
X = np.linspace(0, 10, 201)
TAU = np.linspace(0, 4e-6, 201)


def _lorentzian(x, frequency, fwhm, amplitude, offset):
    return offset + amplitude / (1 + (2 * (x - frequency) / fwhm) ** 2)


def _ramsey(x, frequency, decay_time, amplitude, phase, offset):
    return offset + amplitude * np.exp(-((x / decay_time) ** 2)) * np.cos(2 * np.pi * frequency * x + phase)


def _triplet(x, frequency, hyperfine, T2_star, contrast, level):
    phase = 2 * np.pi * (4e6 + frequency + hyperfine * np.array([[-1.0], [0.0], [1.0]])) * x
    return level * (1 - contrast * (0.5 + 0.5 * np.exp(-((x / T2_star) ** 2)) * np.cos(phase).mean(axis=0)))


CASES = {
    "Lorentzian": ("lorentzian", {}, X, _lorentzian, 0.02,
                   {"frequency": 4.0, "fwhm": 1.0, "amplitude": -0.3, "offset": 1.0}),
    "Ramsey": ("damped_cosine", {}, X, _ramsey, 0.03,
               {"frequency": 1.3, "decay_time": 5.0, "amplitude": 0.3, "phase": 0.4, "offset": 1.0}),
    "Ramsey triplet": ("damped_cosine_triplet", {"fringe_frequency": 4e6}, TAU, _triplet, 0.015,
                       {"frequency": 1e5, "hyperfine": 2.14e6, "T2_star": 2e-6, "contrast": 0.28, "level": 1.0}),
}  # fmt: skip


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines."""
    return [line for name in CASES for line in _case(name)]


def _case(name: str) -> list[tuple[str, ...]]:
    from qlab.fits import fit_many, load_model

    model_name, context, x, function, sigma, truth = CASES[name]
    rng = np.random.default_rng(5)
    model = load_model(model_name, context)
    y = function(x, **truth) + rng.normal(0, sigma, (TRACES, len(x)))
    start = {n: 1.02 * v for n, v in truth.items()}
    error = np.full(len(x), sigma)
    fits = fit_many(model, x, y, error, start=start, counting=False)
    ours = seconds(lambda: fit_many(model, x, y, error, start=start, counting=False), 5)
    alone = seconds(lambda: fit_many(model, x, y, error, counting=False), 3)
    found = []
    for what, theirs in (("lmfit", _with_lmfit), ("curve_fit", _with_curve_fit)):
        took, values, errors = theirs(function, x, y[:LOOPED], error, start)
        took *= TRACES / LOOPED
        difference = _difference(fits, values, errors, list(truth))
        found.append(row(f"1,000 {name} fits beside a loop of {what}", ours, took, difference))
        found.append(row(f"  the same, with own starts, beside {what} with given ones", alone, took))
    return found


def _difference(fits, values: np.ndarray, errors: np.ndarray, names: list[str]) -> str:
    count = len(values)
    apart = max(
        np.abs((fits.values[n][:count] - values[:, i]) / errors[:, i]).max() for i, n in enumerate(names)
    )
    wider = max(np.abs(fits.errors[n][:count] / errors[:, i] - 1).max() for i, n in enumerate(names))
    return f"{apart:.1e} sigma, errors {wider:.1e}"


def _with_lmfit(function: Callable, x, y, error, start) -> tuple[float, np.ndarray, np.ndarray]:
    import lmfit

    model = lmfit.Model(function)
    model.fit(y[0], x=x, weights=1 / error, scale_covar=False, **start)
    began = time.perf_counter()
    results = [model.fit(one, x=x, weights=1 / error, scale_covar=False, **start) for one in y]
    took = time.perf_counter() - began
    return (
        took,
        np.array([[r.params[n].value for n in start] for r in results]),
        np.array([[r.params[n].stderr for n in start] for r in results]),
    )


def _with_curve_fit(function: Callable, x, y, error, start) -> tuple[float, np.ndarray, np.ndarray]:
    from scipy.optimize import curve_fit

    first = list(start.values())
    curve_fit(function, x, y[0], first, error, absolute_sigma=True)
    began = time.perf_counter()
    results = [curve_fit(function, x, one, first, error, absolute_sigma=True) for one in y]
    took = time.perf_counter() - began
    return took, np.array([r[0] for r in results]), np.array([np.sqrt(np.diag(r[1])) for r in results])


if __name__ == "__main__":
    for line in rows():
        print("  ".join(str(cell).ljust(62 if i == 0 else 12) for i, cell in enumerate(line)))
