"""The Nagaoka–Hayashi bound: published numbers, its neighbours, and the programme against the closed form."""

import importlib.util

import numpy as np
import pytest

from qlab.errors import UsageError
from qlab.metrology.quantum import holevo_bound, nagaoka_hayashi_bound, quantum_fisher

SX = np.array([[0, 1], [1, 0]], dtype=complex)
SY = np.array([[0, -1j], [1j, 0]])
SZ = np.diag([1.0 + 0j, -1.0])
PROGRAMME = importlib.util.find_spec("cvxpy") is not None


def test_tomography_of_a_qubit():
    """Gill and Massar, PRA 61, 042312 (2000): all three Bloch components of a qubit of length r cost (2 + √(1−r²))²."""
    for r in (0.0, 0.6, 0.9):
        rho, changes = (np.eye(2) + r * SZ) / 2, [SX / 2, SY / 2, SZ / 2]
        assert nagaoka_hayashi_bound(rho, changes).value == pytest.approx(
            (2 + np.sqrt(1 - r * r)) ** 2, rel=1e-9
        )


def test_p41_on_single_copies():
    """A pure qubit: what many copies reach together, single ones reach too (4)."""
    theta, r = np.pi / 3, 1 - 1e-9
    rho = (np.eye(2) + r * (np.sin(theta) * SX + np.cos(theta) * SZ)) / 2
    changes = [r * (np.cos(theta) * SX - np.sin(theta) * SZ) / 2, r * np.sin(theta) * SY / 2]
    weight = np.diag([1, np.sin(theta) ** 2])
    assert nagaoka_hayashi_bound(rho, changes, weight).value == pytest.approx(4, rel=1e-6)
    assert holevo_bound(rho, changes, weight).value == pytest.approx(4, rel=1e-6)


def test_random_measurements_of_a_qubit_never_beat_it():
    """No measurement does better, and a good one comes near: 400 random ones of four outcomes."""
    from qlab.metrology.quantum import measurement_fisher

    rng = np.random.default_rng(3)
    rho, changes = (np.eye(2) + 0.5 * SX) / 2, np.array([SY / 2, SZ / 2])
    bound, best = nagaoka_hayashi_bound(rho, changes).value, np.inf
    for _ in range(400):
        vectors = rng.normal(size=(4, 2)) + 1j * rng.normal(size=(4, 2))
        effects = np.einsum("xi,xj->xij", vectors, vectors.conj())
        root = np.linalg.inv(np.linalg.cholesky(effects.sum(axis=0)))
        effects = root @ effects @ root.conj().T
        best = min(best, float(np.trace(np.linalg.inv(measurement_fisher(rho, changes, effects)))))
    assert bound * (1 - 1e-9) <= best < 1.2 * bound


@pytest.mark.skipif(not PROGRAMME, reason="needs cvxpy")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("k", [2, 3])
def test_the_programme_agrees_with_the_closed_form(k):
    rng = np.random.default_rng(k)
    rho, changes = (np.eye(2) + 0.4 * SX + 0.3 * SZ) / 2, np.array([SX, SY, SZ])[:k] / 2
    root = rng.normal(size=(k, k))
    weight = root @ root.T + np.eye(k)
    closed, solved = (nagaoka_hayashi_bound(rho, changes, weight, method=m).value for m in ("auto", "sdp"))
    assert solved == pytest.approx(closed, rel=1e-5)


@pytest.mark.skipif(not PROGRAMME, reason="needs cvxpy")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_it_lies_above_the_holevo_bound():
    rng = np.random.default_rng(5)
    root = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    rho = root @ root.conj().T
    rho /= np.trace(rho)
    generators = [g + g.conj().T for g in rng.normal(size=(2, 3, 3)) + 1j * rng.normal(size=(2, 3, 3))]
    changes = np.array([-1j * (g @ rho - rho @ g) for g in generators])
    found, below = nagaoka_hayashi_bound(rho, changes).value, holevo_bound(rho, changes)
    assert below.certified * (1 - 1e-6) <= found <= 2 * below.sld * (1 + 1e-6)


def test_one_parameter_is_the_quantum_cramer_rao_bound():
    rho, change = (np.eye(2) + 0.5 * SX) / 2, [SY / 4]
    fisher = quantum_fisher(rho, np.array(change)).matrix[0, 0]
    assert nagaoka_hayashi_bound(rho, change).value == pytest.approx(1 / fisher)


def test_what_cannot_be_told_apart_is_refused():
    with pytest.raises(UsageError, match="told apart"):
        nagaoka_hayashi_bound((np.eye(2) + 0.5 * SX) / 2, [SY, SY])
