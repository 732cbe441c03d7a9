"""Populations: rate matrices of undriven levels, and the photons counted in readout windows."""

from typing import TYPE_CHECKING

import numpy as np

from qlab.physics.levels import Complex, Floats
from qlab.physics.propagate import expm
from qlab.physics.segments import Segment

if TYPE_CHECKING:
    from qlab.physics.player import Player


def rate_matrix(jumps: Complex) -> tuple[Floats, Floats]:
    """Return the rate matrix (d, d) of populations and the decay rates (d, d) of coherences.

    Exact for jumps that are diagonal or lead from one level to another, as those of the cards are.
    """
    strength = np.abs(jumps) ** 2
    rates = strength.sum(axis=0)
    leaving = strength.sum(axis=(0, 1))
    diagonal = np.einsum("kii->ki", jumps)
    kept = np.einsum("ki,kj->ij", diagonal, diagonal.conj())
    decay = (leaving[:, None] + leaving[None, :]) / 2 - kept.real
    np.fill_diagonal(decay, 0.0)
    return rates - np.diag(leaving), decay


def once(values: Floats) -> Floats:
    """Return one value where all points share it, so that nothing is computed twice."""
    return values[:1] if np.all(values == values[0]) else values


def expm_by_duration(generator: Floats, seconds: Floats) -> Floats:
    """Return exp(A t) for each duration; shape (points, n, n)."""
    distinct, which = np.unique(seconds, return_inverse=True)
    stack = expm(generator * distinct[:, None, None])
    return np.asarray(stack[which.reshape(-1)], dtype=float)


def windows(player: "Player", segments: tuple[Segment, ...], labels: int) -> dict[str, Floats]:
    """Return the mean counts in each window after a collapse into each outcome; arrays (points, labels)."""
    one, d = player.stack.one, player.stack.dimension
    population = np.zeros((labels, d))
    for label in range(labels):
        inside = one.labels == label
        population[label, inside] = 1 / max(int(inside.sum()), 1)
    state = population[None, :, :, None]
    seen: dict[str, Floats] = {}
    for segment in segments:
        light = player.lit if segment.lit else player.dark
        rates, _ = rate_matrix(player.jumps(lit=segment.lit))
        augmented = np.zeros((d + 1, d + 1))
        augmented[:d, :d] = rates
        augmented[d, :d] = light.brightness + player.system.dark_rate
        propagator = expm_by_duration(augmented, once(segment.seconds))
        counted = (propagator[:, None, d:, :d] @ state)[..., 0, 0]
        state = propagator[:, None, :d, :d] @ state
        for key in segment.keys:
            seen[key] = seen.get(key, np.zeros((player.points, labels))) + counted
    return seen
