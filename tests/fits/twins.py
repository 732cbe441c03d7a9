"""Independent generators for the recovery tests: 2x2 propagators by eigendecomposition, Poisson counts."""

import numpy as np

X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]], dtype=complex)
Z = np.diag([1.0 + 0j, -1.0])
SIGNAL, REFERENCE = 1300.0, 6500.0


def propagator(detuning, rabi, phase, duration):
    """exp(-i H t) with H/h = -(δ/2) σz + (Ω/2)(cos φ σx + sin φ σy); arguments broadcast to (..., 2, 2)."""
    detuning, rabi, phase, duration = np.broadcast_arrays(detuning, rabi, phase, duration)
    expand = (..., None, None)
    hamiltonian = np.pi * (
        -detuning[expand] * Z + rabi[expand] * (np.cos(phase)[expand] * X + np.sin(phase)[expand] * Y)
    )
    energy, vectors = np.linalg.eigh(hamiltonian)
    factor = np.exp(-1j * energy * duration[..., None])
    return (vectors * factor[..., None, :]) @ np.conj(np.swapaxes(vectors, -1, -2))


def static_noise(sigma, count=61):
    """Detunings and weights of a normal distribution by a plain trapezoid over ±6 σ."""
    if sigma == 0:
        return np.zeros(1), np.ones(1)
    xi = np.linspace(-6, 6, count)
    weight = np.exp(-(xi**2) / 2)
    return sigma * xi, weight / weight.sum()


def line_detunings(detuning, hyperfine, asymmetry=0.0):
    return [detuning - m * hyperfine - (m * m - 2 / 3) * asymmetry for m in (-1, 0, 1)]


def ramsey(tau, detuning, hyperfine, sigma, rabi, fringe, *, asymmetry=0.0, shift=0.0, pulse=None):
    """Transfer probability of π/2 - τ - π/2 with static noise throughout, shape (tau,)."""
    pulse = 0.25 / rabi if pulse is None else pulse
    xi, weight = static_noise(sigma)
    total = np.zeros(len(tau))
    for line in line_detunings(detuning, hyperfine, asymmetry):
        delta = (line + xi)[:, None]
        first = propagator(delta + shift, rabi, 0.0, pulse)
        free = propagator(delta, 0.0, 0.0, tau)
        second = propagator(delta + shift, rabi, 2 * np.pi * fringe * tau, pulse)
        amplitude = (second @ free @ first)[..., 0, 1]
        total += weight @ np.abs(amplitude) ** 2 / 3
    return total


def driven(detunings_of_lines, sigma, rabi, duration):
    """Transfer of one square pulse, mean over lines and static noise; the arguments broadcast to (n,)."""
    xi, weight = static_noise(sigma)
    total = 0.0
    for line in detunings_of_lines:
        delta = np.atleast_1d(line)[None, :] + xi[:, None]
        amplitude = propagator(delta, rabi, 0.0, duration)[..., 0, 1]
        total = total + weight @ np.abs(amplitude) ** 2 / len(detunings_of_lines)
    return total


def measure(curve, rng, factor=1.0):
    """Counted signal and reference: y and its error as the grid of a run derives them."""
    signal = rng.poisson(SIGNAL * factor * curve)
    reference = rng.poisson(REFERENCE * factor, len(curve))
    scale = REFERENCE / SIGNAL
    y = signal / reference * scale
    return y, np.maximum(signal, 1) / reference * scale * np.sqrt(1 / np.maximum(signal, 1) + 1 / reference)
