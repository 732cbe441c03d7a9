"""Computations independent of qlab.physics: NV Hamiltonians, segments by scipy's expm, sampled noise."""

import numpy as np
from scipy.linalg import expm

TAU = 2 * np.pi
D, GAMMA = 2.870e9, 28.03e9
A_PAR, A_PERP, P, GAMMA_N = -2.14e6, -2.70e6, -4.945e6, 3.077e6


def spin_one():
    up = np.sqrt(2) * np.diag([1.0, 1.0], 1)
    return (up + up.T) / 2, (up - up.T) / 2j, np.diag([1.0, 0.0, -1.0])


def nv_hamiltonian(field, *, a_perp=A_PERP, strain=0.0):
    """H in rad/s, 9 x 9, basis m_S (x) m_I = +1, 0, -1."""
    sx, sy, sz = spin_one()
    one = np.eye(3)
    h = np.kron(D * sz @ sz + strain * (sx @ sx - sy @ sy), one).astype(complex)
    for b, s in zip(field, (sx, sy, sz), strict=True):
        h += b * (GAMMA * np.kron(s, one) - GAMMA_N * np.kron(one, s))
    h += A_PAR * np.kron(sz, sz) + a_perp * (np.kron(sx, sx) + np.kron(sy, sy)).real
    return TAU * (h + P * np.kron(one, sz @ sz))


def lindblad(h, jumps):
    """Superoperator on column-stacked density matrices, the other convention than the engine's."""
    one = np.eye(len(h))
    made = -1j * (np.kron(one, h) - np.kron(h.T, one))
    for c in jumps:
        n = c.conj().T @ c
        made = made + np.kron(c.conj(), c) - 0.5 * (np.kron(one, n) + np.kron(n.T, one))
    return made


def nv_jumps(t1, t_phi):
    """Electron relaxation 1/(3 T1) between all levels, dephasing; 9 x 9."""
    jumps = []
    for f in range(3):
        for i in range(3):
            if f != i:
                c = np.zeros((3, 3))
                c[f, i] = np.sqrt(1 / (3 * t1))
                jumps.append(np.kron(c, np.eye(3)))
    return [*jumps, np.sqrt(2 / t_phi) * np.kron(np.diag([1.0, 0, -1]), np.eye(3))]


class NineLevels:
    """Nine levels in the frame of the carrier: the drive acts between all of them, nuclear flips included.

    Works in the eigenbasis of H, in which the rotating frame is defined; jumps are taken there whole.
    """

    def __init__(self, field, carrier, *, a_perp=A_PERP, t1=np.inf, t_phi=np.inf):
        energy, vectors = np.linalg.eigh(nv_hamiltonian(field, a_perp=a_perp))
        order = np.argmax(np.abs(vectors) ** 2, axis=1)  # of each product state, its level
        energy, vectors = energy[order], vectors[:, order]
        quanta = np.repeat([1, 0, 1], 3)
        self.frame = np.diag(energy - energy[4] - TAU * carrier * quanta)
        whole = vectors.conj().T @ np.kron(spin_one()[0], np.eye(3)) @ vectors
        self.raising = np.sqrt(2) * np.where(quanta[:, None] - quanta[None, :] == 1, whole, 0)
        jumps = nv_jumps(t1, t_phi) if np.isfinite(t1) else []
        self.jumps = [vectors.conj().T @ c @ vectors for c in jumps]
        self.sz = np.diag(np.repeat([1.0, 0, -1], 3))

    def generator(self, rabi=0.0, phase=0.0, detuning=0.0):
        h = self.frame + detuning * self.sz
        h = h + TAU * rabi / 2 * (
            self.raising * np.exp(-1j * phase) + (self.raising * np.exp(-1j * phase)).conj().T
        )
        return lindblad(h, self.jumps)

    def bright(self, steps, detuning=0.0, polarisation=1.0):
        """Share in m_S = 0 after steps of (duration, rabi, phase), from a mixed nucleus."""
        other = (1 - polarisation) / 2
        rho = np.diag(np.repeat([other, polarisation, other], 3) / 3).astype(complex).reshape(-1, order="F")
        for duration, rabi, phase in steps:
            rho = expm(self.generator(rabi, phase, detuning) * duration) @ rho
        return float(np.trace(rho.reshape(9, 9, order="F")[3:6, 3:6]).real)


def normal(sigma, count=81):
    """Detunings and weights of a normal distribution on a plain grid."""
    z = np.linspace(-6.5, 6.5, count)
    w = np.exp(-(z**2) / 2)
    return sigma * z, w / w.sum()


def lab_frame(field, pulses, end, *, substep=2e-12):
    """Population of m_S = 0 without RWA: three levels, B1 cos(theta(t)) across the axis.

    `pulses`: (start, stop, rabi Hz, theta) with theta(t) the drive's phase in rad; unitary, midpoint rule.
    """
    sx, _, sz = spin_one()
    still = TAU * (D * sz @ sz + GAMMA * field * sz)
    psi = np.array([0, 1, 0], dtype=complex)
    now = 0.0
    for start, stop, rabi, theta in pulses:
        psi = np.exp(-1j * np.diag(still) * (start - now)) * psi
        count = int(np.ceil((stop - start) / substep))
        dt = (stop - start) / count
        middle = start + (np.arange(count) + 0.5) * dt
        drive = np.sqrt(2) * TAU * rabi * np.cos(theta(middle))
        energy, vectors = np.linalg.eigh(still + drive[:, None, None] * sx)
        steps = (vectors * np.exp(-1j * energy * dt)[:, None, :]) @ vectors.conj().swapaxes(-1, -2)
        for step in steps:
            psi = step @ psi
        now = stop
    del end
    return float(abs(psi[1]) ** 2)


def ou_paths(rng, sigma, tau_c, dt, steps, paths):
    """Exact Ornstein-Uhlenbeck paths, shape (steps, paths)."""
    x = np.empty((steps, paths))
    x[0] = rng.normal(0, sigma, paths)
    keep = np.exp(-dt / tau_c)
    for k in range(1, steps):
        x[k] = keep * x[k - 1] + sigma * np.sqrt(1 - keep**2) * rng.normal(size=paths)
    return x


def rotate(a, b, rabi, phase, detuning, duration):
    """One two-level step on amplitudes (a excited, b ground); H = detuning |e><e| + drive; arrays (paths,)."""
    rate = np.hypot(rabi, detuning)
    safe = np.where(rate > 0, rate, 1)
    c, s = np.cos(rate * duration / 2), np.sin(rate * duration / 2) / safe
    turn = np.exp(-1j * detuning * duration / 2)
    excited = turn * ((c - 1j * detuning * s) * a - 1j * rabi * np.exp(-1j * phase) * s * b)
    ground = turn * (-1j * rabi * np.exp(1j * phase) * s * a + (c + 1j * detuning * s) * b)
    return excited, ground
