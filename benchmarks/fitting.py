"""A thousand traces fitted at once, beside a loop of lmfit's Model.fit and one of scipy's curve_fit.

CPU time of one process: other work on the machine does not count. First all begin at the same values and use the
same errors; the last column is the largest difference of any value and of any error, in standard deviations. Then
each finds its own starting values, trace by trace for theirs with the few lines that people write for it (the
extreme point and where the line has half its height; the highest peak of a padded Fourier transform); the last
column is the share of the traces whose frequency lies within 5 standard deviations of the truth, ours first. Ours
always includes the verdict on each trace.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.timing import row

TRACES, LOOPED, ROUNDS = 1000, 100, 3
X = np.linspace(0, 10, 201)
TAU = np.linspace(0, 4e-6, 201)
FRINGE = 4e6


def _lorentzian(x, frequency, fwhm, amplitude, offset):
    return offset + amplitude / (1 + (2 * (x - frequency) / fwhm) ** 2)


def _ramsey(x, frequency, decay_time, amplitude, phase, offset):
    return offset + amplitude * np.exp(-((x / decay_time) ** 2)) * np.cos(2 * np.pi * frequency * x + phase)


def _triplet(x, frequency, hyperfine, T2_star, contrast, level):
    phase = 2 * np.pi * (FRINGE + frequency + hyperfine * np.array([[-1.0], [0.0], [1.0]])) * x
    return level * (1 - contrast * (0.5 + 0.5 * np.exp(-((x / T2_star) ** 2)) * np.cos(phase).mean(axis=0)))


def _line_guess(x, y):
    offset = np.median(y)
    extreme = int(np.argmax(np.abs(y - offset)))
    height = y[extreme] - offset
    beyond = np.abs(y - offset) > abs(height) / 2
    return [x[extreme], max(beyond.sum() * (x[1] - x[0]), x[1] - x[0]), height, offset]


def _peak(x, y):
    spectrum = np.abs(np.fft.rfft(y - y.mean(), 4 * len(x)))
    return np.fft.rfftfreq(4 * len(x), x[1] - x[0])[int(np.argmax(spectrum[4:])) + 4]


def _ramsey_guess(x, y):
    found = _peak(x, y)
    quadratures = np.exp(-2j * np.pi * found * x) @ (y - y.mean())
    return [found, x[-1] / 2, np.ptp(y) / 2, float(np.angle(quadratures)), y.mean()]


def _triplet_guess(x, y):
    level = float(np.quantile(y, 0.98))
    return [
        _peak(x, y) - FRINGE,
        2.14e6,
        x[-1] / 2,
        max(1 - float(np.quantile(y, 0.02)) / level, 0.01),
        level,
    ]


@dataclass(frozen=True)
class Case:
    """A model of ours with what it knows, the same curve as a plain function, how people guess, truth and noise."""

    model: str
    x: np.ndarray
    function: Callable[..., Any]
    guess: Callable[[np.ndarray, np.ndarray], list[float]]
    sigma: float
    truth: dict[str, float]
    context: dict[str, float] = field(default_factory=dict)

    def traces(self) -> np.ndarray:
        """Return the traces to be fitted, (1000, points)."""
        noise = np.random.default_rng(5).normal(0, self.sigma, (TRACES, len(self.x)))
        return self.function(self.x, **self.truth) + noise


CASES = {
    "Lorentzian": Case("lorentzian", X, _lorentzian, _line_guess, 0.02,
                       {"frequency": 4.0, "fwhm": 1.0, "amplitude": -0.3, "offset": 1.0}),
    "Ramsey": Case("damped_cosine", X, _ramsey, _ramsey_guess, 0.03,
                   {"frequency": 1.3, "decay_time": 5.0, "amplitude": 0.3, "phase": 0.4, "offset": 1.0}),
    "Ramsey triplet": Case("damped_cosine_triplet", TAU, _triplet, _triplet_guess, 0.015,
                           {"frequency": 1e5, "hyperfine": 2.14e6, "T2_star": 2e-6, "contrast": 0.28, "level": 1.0},
                           {"fringe_frequency": FRINGE}),
}  # fmt: skip


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines."""
    return [line for name in CASES for line in _case(name)]


def _case(name: str) -> list[tuple[str, ...]]:
    from qlab.fits import fit_many, load_model

    case = CASES[name]
    model, y, error = load_model(case.model, case.context), case.traces(), np.full(len(case.x), case.sigma)
    given = {n: 1.02 * v for n, v in case.truth.items()}
    found = []
    for what, fit in (("lmfit", _lmfit(case)), ("curve_fit", _curve_fit(case))):
        for start, own in ((given, ""), (None, ", own starts for all")):
            # Turn by turn, so that what the machine does meanwhile meets both alike.
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(
                    _cpu(lambda start=start: fit_many(model, case.x, y, error, start=start, counting=False))
                )
                theirs.append(_cpu(lambda fit=fit, start=start: _loop(case, fit, y[:LOOPED], start)))
            took, fits = _median(ours)
            looped, loop = _median(theirs)
            compare = _difference(case, fits, loop) if start else _right(case, fits, loop)
            label = f"1,000 {name} fits beside a loop of {what}{own} (CPU)"
            found.append(row(label, took, looped * TRACES / LOOPED, compare))
    return found


def _loop(case: Case, fit: Callable[..., Any], y: np.ndarray, start: dict[str, float] | None) -> list[Any]:
    return [fit(case.x, one, list(start.values()) if start else case.guess(case.x, one)) for one in y]


def _cpu(call: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    result = call()
    return time.process_time() - began, result


def _median(taken: list[tuple[float, Any]]) -> tuple[float, Any]:
    return statistics.median(seconds for seconds, _ in taken), taken[-1][1]


def _difference(case: Case, fits: Any, loop: list[tuple[np.ndarray, np.ndarray]]) -> str:
    values, errors = (np.array([each[i] for each in loop]) for i in (0, 1))
    ours, sigma = ([part[n][: len(loop)] for n in case.truth] for part in (fits.values, fits.errors))
    apart = np.abs((np.transpose(ours) - values) / errors).max()
    wider = np.abs(np.transpose(sigma) / errors - 1).max()
    return f"{apart:.1e} sigma, errors {wider:.1e}"


def _right(case: Case, fits: Any, loop: list[tuple[np.ndarray, np.ndarray]]) -> str:
    truth = case.truth["frequency"]
    ours = np.abs(fits.values["frequency"] - truth) < 5 * fits.errors["frequency"]
    theirs = [abs(values[0] - truth) < 5 * errors[0] for values, errors in loop]
    return f"right: {np.mean(ours):.1%}, {np.mean(theirs):.1%}"


def _lmfit(case: Case) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    import lmfit

    model, weights = lmfit.Model(case.function), 1 / case.sigma

    def fit(x: np.ndarray, y: np.ndarray, start: list[float]) -> tuple[np.ndarray, np.ndarray]:
        named = dict(zip(case.truth, start, strict=True))
        result = model.fit(y, x=x, weights=weights, scale_covar=False, **named)
        errors = [result.params[n].stderr for n in case.truth]
        return np.array([result.params[n].value for n in case.truth]), np.array(errors, dtype=float)

    return fit


def _curve_fit(case: Case) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    from scipy.optimize import curve_fit

    def fit(x: np.ndarray, y: np.ndarray, start: list[float]) -> tuple[np.ndarray, np.ndarray]:
        try:
            values, covariance = curve_fit(
                case.function, x, y, start, np.full(len(x), case.sigma), absolute_sigma=True
            )
        except RuntimeError:
            return np.full(len(start), np.nan), np.full(len(start), np.nan)
        return values, np.sqrt(np.diag(covariance))

    return fit


if __name__ == "__main__":
    for line in rows():
        print("  ".join(str(cell).ljust(62 if i == 0 else 12) for i, cell in enumerate(line)))
