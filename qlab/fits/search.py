"""From several starts to one solution: the best end, its rivals, expected errors, no negative squares."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from qlab.fits.model import Variable
from qlab.fits.solve import Problem, Reals, Solution, inside, solve

TIE = 1.0  # starts whose chi² differ by less are alike: the likelier one, named first, wins
ALIKE = 6.0  # an end of chi² this little above the best is no worse an explanation (2.4 σ)


def best_end(problem: Problem, given: Mapping[str, float]) -> tuple[Solution, str]:
    """Return the lowest chi² of all starts, and in words another explanation that fits almost as well."""
    guesses: list[dict[str, float]] = problem.model.guess(problem.x, problem.y, problem.error)
    starts = []
    for guess in guesses or [{}]:
        start = {v.name: guess.get(v.name, problem.model.known(v.name)) for v in problem.free}
        start.update({name: float(value) for name, value in given.items() if name in start})
        starts.append([start[v.name] ** 2 if v.squared else start[v.name] for v in problem.free])
    one = problem.one
    begin = inside(np.array(starts), *one.bounds())
    ended, chi2 = one.settle(np.zeros(len(begin), dtype=np.int64), begin, 1e-3, steps=25)
    # A rough end may still fall a little: finish every start that could win, the likelier one on a tie.
    hopeful = chi2 <= 1.05 * chi2.min() + 10
    ended, chi2 = one.settle(np.zeros(int(hopeful.sum()), dtype=np.int64), ended[hopeful], 1e-6)
    best = 0
    for i in range(1, len(chi2)):
        if chi2[i] < chi2[best] - TIE:
            best = i
    solution = solve(problem, problem.theta(ended[best]))
    close = [i for i in range(len(chi2)) if i != best and chi2[i] <= solution.chi2 + ALIKE]
    return solution, _rival(solution, ended[close])


def _rival(best: Solution, others: Reals) -> str:
    sigma = np.sqrt(np.diag(best.covariance))
    for other in others:
        for variable, here, there, error in zip(best.problem.free, best.values, other, sigma, strict=True):
            if variable.essential and abs(there - here) > 5 * error:
                return another(variable, float(there))
    return ""


def another(variable: Variable, value: float) -> str:
    """Say that another value (the square of a squared variable) fits almost as well."""
    shown = value if not variable.squared else np.sqrt(max(value, 0.0))
    return f"Quite another {variable.label or variable.name} ({shown:.4g}) fits almost as well."


def expected_errors(y: Reals, error: Reals, residual: Reals) -> Reals:
    """Return the errors of counts as the curve expects them: error² scaled by expected over counted."""
    with np.errstate(all="ignore"):
        curve = np.nan_to_num(y + residual * error, nan=0.0)
        # For a count over a fixed exposure error² = y·unit; a point of no counts was given one count's error.
        unit = np.where(y > 0, error**2 / np.where(y > 0, y, 1), error)
        return np.asarray(np.sqrt(np.maximum(curve, 0.1 * unit) * unit))


def without_negative_squares(solution: Solution) -> Solution:
    """Set to 0 every square that came out negative, the rest fitted again beside it.

    The solution keeps the variable: its own error says how far from 0 the truth may be (see
    `Solution.covariance`).
    """
    problem = solution.problem
    for variable in problem.free:
        if not variable.squared or solution.theta[variable.name] >= 0:
            continue
        others = tuple(v for v in problem.free if v is not variable)
        held = replace(problem, free=others, held={**problem.held, variable.name: 0.0})
        theta = {**solve(held, solution.theta).theta, variable.name: 0.0}
        values = [theta[v.name] * (abs(theta[v.name]) if v.squared else 1.0) for v in problem.free]
        solution = Solution(problem, np.array(values), solution.scale)
    return solution
