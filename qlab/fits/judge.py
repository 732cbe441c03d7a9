"""Whether a fit may be believed, and in words why not."""

from collections.abc import Sequence

import numpy as np

from qlab.fits.solve import Reals, Solution


def verdict(solution: Solution, *, absolute: bool) -> tuple[bool, str]:
    """Return (believable, what to say). `absolute`: the errors of the points were measured."""
    problem = solution.problem
    faults: list[str] = []
    if problem.model.feature and not _stands_out(solution, absolute=absolute):
        return False, f"No {problem.model.feature} above the noise: the trace is compatible with a constant."
    if solution.undetermined:
        faults.append(f"The data do not determine {_labels(solution, solution.undetermined)}.")
    if solution.at_bound:
        faults.append(f"{_labels(solution, solution.at_bound)} ended at the edge of what is allowed.")
    uncertain = _uncertain(solution, absolute=absolute)
    if uncertain:
        faults.append(f"The error of {_labels(solution, uncertain)} is larger than the value.")
    faults += problem.model.doubts(problem.x, solution.theta)
    if absolute:
        faults += _quality(solution)
    if autocorrelated(solution.residual[np.argsort(problem.x, kind="stable")], len(problem.free)):
        faults.append("The residuals are not random: another model may describe the data.")
    return not faults, " ".join(faults)


def _labels(solution: Solution, names: Sequence[str]) -> str:
    known = {v.name: v.label or v.name for v in solution.problem.free}
    return ", ".join(known[name] for name in names)


def _stands_out(solution: Solution, *, absolute: bool) -> bool:
    from scipy.special import chdtrc

    problem = solution.problem
    gain = problem.constant_chi2 - solution.chi2
    if not absolute:
        gain /= max(solution.chi2 / max(len(problem.x) - len(problem.free), 1), 1e-300)
    extra = max(len(problem.free) - 1, 1)
    # Every independent frequency (about one per point) was a chance to find something in mere noise.
    return bool(chdtrc(extra, max(gain, 0.0)) * len(problem.x) < 1e-3)


def _uncertain(solution: Solution, *, absolute: bool) -> list[str]:
    freedom = max(len(solution.problem.x) - len(solution.problem.free), 1)
    sigma = np.sqrt(np.diag(solution.covariance) * (1.0 if absolute else solution.chi2 / freedom))
    return [
        v.name
        for v, value, error in zip(solution.problem.free, solution.values, sigma, strict=True)
        if v.essential and v.name not in solution.undetermined and not error < abs(value)
    ]


def _quality(solution: Solution) -> list[str]:
    freedom = len(solution.problem.x) - len(solution.problem.free)
    if freedom <= 0:
        return []
    excess = (solution.chi2 - freedom) / np.sqrt(2 * freedom)
    reduced = solution.chi2 / freedom
    if excess > 5 and reduced > 1.2:
        residual = solution.residual
        worst = int(np.argmax(np.abs(residual)))
        rest = (solution.chi2 - residual[worst] ** 2 - freedom) / np.sqrt(2 * freedom)
        if abs(residual[worst]) > 5 and rest < 4:
            return [f"One point, at {solution.problem.x[worst]:.6g}, lies {abs(residual[worst]):.0f} σ off."]
        return [f"The curve does not describe the data (reduced χ² = {reduced:.3g})."]
    if excess < -5 and reduced < 0.5:
        return [f"The points scatter much less than their errors (reduced χ² = {reduced:.2g})."]
    return []


def autocorrelated(residual: Reals, free: int) -> bool:
    """Say whether neighbouring residuals agree too often: lag-one correlation 4.5 σ above chance."""
    count = len(residual)
    total = float(np.sum(residual**2))
    if count < 20 or total <= 0:
        return False
    lag = float(np.sum(residual[1:] * residual[:-1])) / total
    return bool((lag + free / count) * np.sqrt(count) > 4.5)
