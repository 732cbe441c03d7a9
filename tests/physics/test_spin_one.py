"""Other spin-1 defects by their numbers: three equivalent 14N (V_B in hBN), no nuclei (neutral SiV), against QuTiP."""

import numpy as np
import pytest
import qutip as qt

import qlab
from qlab.bench import Bench
from qlab.errors import UsageError
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.nv_levels import totals

TAU = 2 * np.pi
# Gottscholl et al., Nat. Mater. 19, 540 (2020): D = 3.48 GHz, E = 50 MHz, g = 2.000, 47 MHz for each nitrogen.
VB = {
    "D": 3.48e9, "E": 50e6, "gamma": 27.99e9, "A_parallel": 47e6, "A_perpendicular": 60e6, "quadrupole": 0.0,
    "equivalent": 3,
}  # fmt: skip
PAIR = {"nitrogen": 15, "equivalent": 2, "A_parallel": 3.03e6, "A_perpendicular": 3.65e6, "quadrupole": 0.0}
BENCH = """
platform = "solid-state spins"
[world]
kind = "nv"
truth = {truth}
[instruments]
player = {{driver = "sim.pulse_player"}}
source = {{driver = "sim.microwave"}}
laser = {{driver = "sim.laser"}}
counter = {{driver = "sim.photon_counter"}}
[roles]
player = "player"
microwave = "source"
laser = "laser"
counter = "counter"
"""


def written_out(D, E, gamma, coupling, across, spin, gamma_n, count, field):
    """H/2π in Hz on the whole product space, and Sx."""
    sizes = [3] + [round(2 * spin + 1)] * count

    def on(op, place):
        return qt.tensor(*(op if k == place else qt.qeye(n) for k, n in enumerate(sizes)))

    s = [on(op, 0) for op in qt.spin_J_set(1)]
    h = (
        D * s[2] ** 2
        + E * (s[0] ** 2 - s[1] ** 2)
        + gamma * sum(b * op for b, op in zip(field, s, strict=True))
    )
    for k in range(count):
        i = [on(op, k + 1) for op in qt.spin_J_set(spin)]
        h = h + coupling * s[2] * i[2] + across * (s[0] * i[0] + s[1] * i[1])
        h = h - gamma_n * sum(b * op for b, op in zip(field, i, strict=True))
    return h.full(), s[0].full()


CASES = {
    "V_B": (VB, (3.48e9, 50e6, 27.99e9, 47e6, 60e6, 1, 3.077e6, 3), (0.0, 0.0, 12e-3)),
    "V_B, tilted": (VB, (3.48e9, 50e6, 27.99e9, 47e6, 60e6, 1, 3.077e6, 3), (1e-3, 0.5e-3, 12e-3)),
    "two 15N": (PAIR, (2.87e9, 0.0, 28.03e9, 3.03e6, 3.65e6, 0.5, -4.316e6, 2), (0.0, 0.0, 5e-3)),
}


@pytest.mark.parametrize("case", CASES)
def test_equivalent_nuclei_by_their_total_spin_are_the_whole_product_space(case):
    numbers, told, field = CASES[case]
    centre = NVCentre(field=field, **numbers)
    matrix, sx = written_out(*told, field)
    assert (
        np.abs(np.linalg.eigvalsh(centre.hamiltonian().full()) / TAU - np.linalg.eigvalsh(matrix)).max()
        < 1e-3
    )
    energies, vectors = np.linalg.eigh(matrix)
    count = len(matrix) // 3
    share = (np.abs(vectors) ** 2).reshape(3, count, -1).sum(axis=1)
    zero, lower = (np.argsort(-share[m])[:count] for m in (1, 2))
    strength = np.abs((vectors.conj().T @ sx @ vectors)[np.ix_(lower, zero)]) ** 2
    apart = energies[lower][:, None] - energies[zero][None, :]
    # The same lines, looked at through a window of 2 MHz.
    at = np.linspace(apart.min() - 20e6, apart.max() + 20e6, 301)
    lines, weights = centre.spectrum(-1)
    mine = (weights / (1 + ((at[:, None] - lines) / 1e6) ** 2)).sum(axis=1)
    whole = (strength.ravel() / strength.sum() / (1 + ((at[:, None] - apart.ravel()) / 1e6) ** 2)).sum(axis=1)
    assert mine == pytest.approx(whole, rel=1e-8)


def test_three_nitrogens_make_seven_lines_as_often_as_they_can_be_made():
    lines, weights = NVCentre(**{**VB, "E": 0.0, "A_perpendicular": 0.0}, field=(0, 0, 12e-3)).spectrum(-1)
    seven = 3.48e9 - 27.99e9 * 12e-3 - 47e6 * np.arange(-3, 4)
    found = [weights[np.abs(lines - line) < 1e3].sum() * 27 for line in seven]
    assert found == pytest.approx([1, 3, 6, 7, 6, 3, 1], abs=1e-9)
    shares = [share for _, share in totals(14, 3)]
    assert shares == pytest.approx([7 / 27, 10 / 27, 9 / 27, 1 / 27])


def test_without_nuclei_there_is_one_line():
    centre = NVCentre(D=0.942e9, gamma=28.05e9, equivalent=0, field=(0, 0, 5e-3))
    assert centre.resonance() == pytest.approx(0.942e9 - 28.05e9 * 5e-3, abs=1e-3)
    assert centre.hyperfine() == centre.asymmetry() == 0
    (block,) = centre.blocks()
    assert block.weight == 1


def test_what_cannot_be_is_refused():
    with pytest.raises(UsageError, match="quadrupole"):
        NVCentre(equivalent=3)
    with pytest.raises(UsageError, match="equivalent"):
        NVCentre(equivalent=7, quadrupole=0.0)
    with pytest.raises(UsageError, match="gamma"):
        NVCentre(gamma=float("nan"))


def bench(tmp_path, **truth):
    path = tmp_path / "defect.toml"
    inside = ", ".join(f"{name} = {value!r}".replace("'", '"') for name, value in truth.items())
    path.write_text(BENCH.format(truth=f"{{{inside}}}"))
    return Bench.load(path, seed=3)


def test_a_boron_vacancy_shows_its_septet(tmp_path):
    # So far from the other branch that its tail tilts nothing.
    boron = bench(
        tmp_path, D="3.48 GHz", gamma="27.99 GHz/T", B="40 mT", equivalent=3, hyperfine_parallel="47 MHz", T1="16 us",
        Tphi="200 ns", sigma_detuning="6 MHz", emitters=3000, fluorescence_contrast=0.2,
    )  # fmt: skip
    run = qlab.run(
        "nv.cw_odmr", boron, out=tmp_path, frequency="2.11GHz:2.61GHz:201", laser_power="20 uW",
        rabi_frequency="4 MHz", expected_noise="6 MHz", shots=4000,
    )  # fmt: skip
    fit, truth = run.fit("lorentzian_septet"), run.record.truth
    assert truth["hyperfine"] == pytest.approx(47e6, rel=1e-6)
    assert fit.success, fit.message
    for name, expected in (("frequency", truth["resonance"]), ("hyperfine", truth["hyperfine"])):
        assert abs(fit.values[name] - expected) < 3 * fit.errors[name], name
    assert fit.errors["frequency"] < 1e6


def test_a_neutral_silicon_vacancy_shows_one_line(tmp_path):
    silicon = bench(tmp_path, D="942 MHz", gamma="28.05 GHz/T", B="4 mT", equivalent=0, emitters=100)
    run = qlab.run("nv.cw_odmr", silicon, out=tmp_path, frequency="815MHz:845MHz:121", expected_noise=0.0)
    fit = run.fit("lorentzian")
    assert run.record.truth["resonance"] == pytest.approx(942e6 - 28.05e9 * 4e-3, abs=30.0)
    assert abs(fit.values["frequency"] - run.record.truth["resonance"]) < 3 * fit.errors["frequency"]
    assert fit.errors["frequency"] < 30e3
