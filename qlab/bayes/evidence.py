"""Which of several models the data are for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """Probabilities of models after the data, and by how much the best leads the next: ln of the Bayes factor."""

    probabilities: dict[str, float]
    best: str
    log_factor: float

    @property
    def verdict(self) -> str:
        """The lead in the words of Kass and Raftery, JASA 90, 773 (1995)."""
        lead = 2 * self.log_factor
        words = ((2, "not worth more than a mention"), (6, "positive"), (10, "strong"))
        return next((word for limit, word in words if lead < limit), "very strong")


def compare(log_evidences: Mapping[str, float], prior: Mapping[str, float] | None = None) -> Comparison:
    """Return what log p(data | model) (nats) of each model say; equal prior probabilities unless given.

    The evidences have to be of the same data, normalised (see Binomial, Poisson: they are), each with a proper
    prior; that prior's width is part of the model and counts.
    """
    names = list(log_evidences)
    weight = {name: (prior or {}).get(name, 1.0) for name in names}
    logs = np.array([log_evidences[name] + np.log(weight[name]) for name in names])
    shares = np.exp(logs - logs.max())
    order = np.argsort(logs)[::-1]
    lead = float(logs[order[0]] - logs[order[1]]) if len(names) > 1 else float("inf")
    return Comparison(
        dict(zip(names, (shares / shares.sum()).tolist(), strict=True)), names[int(order[0])], lead
    )
