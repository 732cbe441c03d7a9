"""Both solvers give every experiment the same probabilities, and QuTiP is really asked."""

import numpy as np
import pytest

from qlab.physics import judge
from qlab.physics.engine import play
from qlab.physics.systems.clock import ClockAtoms
from qlab.physics.systems.nv import NVCentre
from qlab.physics.systems.transmon import Transmon
from qlab.pulses import Program, compile_program
from qlab.registry import load
from qlab.scan import Values

NV = NVCentre(
    field=(0.0, 0.0, 2e-3), noise_hz=112.5e3, tau_c=40e-3, T1=5e-3, Tphi=5e-3, polarisation=0.95, dark_rate=200.0,
    background_rate=2e3,
)  # fmt: skip
QUIET = NVCentre(field=(0.0, 0.0, 2e-3), T1=5e-3, Tphi=5e-3, polarisation=0.95, dark_rate=200.0)
TRANSMON = Transmon(flux=0.1, T1=40e-6, Tphi=80e-6, excited=0.01, flux_noise=3e-6, tau_c=1.0)
CASES = {
    "nv.rabi": ("duration", NV), "nv.ramsey": ("tau", NV), "nv.hahn_echo": ("tau", NV), "nv.t1": ("tau", NV),
    "nv.pulsed_odmr": ("frequency", QUIET), "nv.cw_odmr": ("frequency", QUIET), "transmon.ramsey": ("tau", TRANSMON),
}  # fmt: skip


def timeline_of(name, swept=None):
    kind = load("experiments", name)
    given = {}
    if swept:
        values = kind.read({}).parameters.scans()[swept].values()
        given[swept] = Values(tuple(values[[len(values) // 3, 2 * len(values) // 3]]))
    return compile_program(kind.read(given).program())


@pytest.mark.parametrize("name", CASES)
def test_both_solvers_agree(name, monkeypatch):
    swept, system = CASES[name]
    asked = []
    for entry in ("mesolve", "steadystate"):
        real = getattr(judge.qutip(), entry)
        monkeypatch.setattr(
            judge.qutip(), entry, lambda *a, real=real, **k: (asked.append(1), real(*a, **k))[1]
        )
    timeline = timeline_of(name, swept)
    ours = play(system, timeline)
    assert not asked
    theirs = play(system, timeline, "qutip")
    assert asked
    np.testing.assert_allclose(theirs.probability, ours.probability, rtol=0, atol=1e-7)
    for key, mean in ours.means.items():
        np.testing.assert_allclose(theirs.means[key], mean, rtol=1e-7, atol=1e-12)


def test_the_clock_line_on_both_solvers():
    program = load("experiments", "clock.rabi").read({"offset": Values((-1.0, 0.4, 2.0))})
    offsets = program.parameters.offset.symbol("offset")
    timeline = compile_program(Program(program.program().body, setpoints={"microwave.frequency": offsets}))
    atoms = ClockAtoms(T1=2.0, Tphi=3.0, shift=0.1)
    np.testing.assert_allclose(
        play(atoms, timeline, "qutip").probability, play(atoms, timeline).probability, rtol=0, atol=1e-7
    )


def test_an_unknown_solver_is_refused():
    with pytest.raises(Exception, match="no solver 'magic'"):
        play(NV, timeline_of("nv.t1"), "magic")


def test_no_pulse_is_stepped_over():
    # P48: a resonant pi pulse of 20 ns, 100 us of nothing, a pi pulse; P1 is 1 half way and 0 at the end.
    sx = np.array([[0, 1], [1, 0]]) * 2 * np.pi * 25e6 / 2
    none = np.zeros((0, 2, 2))
    turn = judge.propagators(sx, none, np.array([20e-9]))[0]
    wait = judge.propagators(np.zeros((2, 2)), none, np.array([100e-6]))[0]
    state = np.array([0, 0, 0, 1], dtype=complex)
    middle = wait @ turn @ state
    assert middle[0].real == pytest.approx(1, abs=1e-6)
    assert (turn @ middle)[0].real == pytest.approx(0, abs=1e-6)
