"""From several starts to one solution: the best end, its rivals, expected errors, no negative squares."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from qlab.fits.solve import Problem, Reals, Solution, solve

_TIE = 1.0  # starts whose chi² differ by less are alike: the likelier one, named first, wins
ALIKE = 6.0  # an end of chi² this little above the best is no worse an explanation (2.4 σ)


def best_end(problem: Problem, given: Mapping[str, float]) -> tuple[Solution, str]:
    """Return the lowest chi² of all starts, and in words another explanation that fits almost as well."""
    guesses: list[dict[str, float]] = problem.model.guess(problem.x, problem.y, problem.error)
    rough: list[Solution] = []
    for guess in guesses or [{}]:
        start = {v.name: guess.get(v.name, problem.model.known(v.name)) for v in problem.free}
        start.update({name: float(value) for name, value in given.items() if name in start})
        rough.append(solve(problem, start, tolerance=3e-3))
    lowest = min(found.chi2 for found in rough)
    # A rough end may still fall a little: finish every start that could win, the likelier one on a tie.
    hopeful = [s for s in rough if s.chi2 < 1.05 * lowest + 10]
    ended = [solve(problem, s.theta, tolerance=1e-7) for s in hopeful[:3]] if len(hopeful) > 1 else hopeful
    best = ended[0]
    for found in ended[1:]:
        if found.chi2 < best.chi2 - _TIE:
            best = found
    return best, _rival(best, ended)


def _rival(best: Solution, ended: list[Solution]) -> str:
    sigma = np.sqrt(np.diag(best.covariance))
    for other in ended:
        if other is best or other.chi2 > best.chi2 + ALIKE:
            continue
        for variable, here, there, error in zip(
            best.problem.free, best.values, other.values, sigma, strict=True
        ):
            if variable.essential and abs(there - here) > 5 * error:
                shown = there if not variable.squared else np.sqrt(max(there, 0.0))
                return f"Quite another {variable.label or variable.name} ({shown:.4g}) fits almost as well."
    return ""


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
