"""The question where the state is: asked of a bench in this process, answered as plain data."""

import json
import time

import numpy as np
import pytest

from qlab.catalogue import check
from qlab.errors import UsageError
from qlab.following import follow
from qlab.registry import load
from qlab.service.local import LocalSession


@pytest.fixture(scope="module")
def ramsey():
    return check("nv.ramsey", {}, "sim-nv")["program"]


def wait_for(session, kind, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for event in session.events():
            if event["event"] == kind:
                return event
        time.sleep(0.02)
    raise AssertionError(kind)


def test_a_session_answers_where_the_state_is(ramsey):
    session = LocalSession()
    try:
        session.follow(7, ramsey, 20, "sim-nv", {"B": 2.1e-3, "T2_star": 1.0})
        event = json.loads(json.dumps(wait_for(session, "followed")))
        session.follow(8, ramsey, 10**6, "sim-nv", {})
        refused = wait_for(session, "followed")
    finally:
        session.close()
    assert event["token"] == 7
    path = event["path"]
    assert list(path["levels"]) == ["mₛ = +1", "mₛ = 0", "mₛ = −1"]
    assert {len(values) for values in (*path["levels"].values(), *path["bloch"])} == {len(path["times"])}
    assert path["levels"]["mₛ = 0"][60] > 0.9  # the laser has polarised it
    assert refused["token"] == 8
    assert "point" in refused["problem"]


def test_the_truth_of_a_run_is_what_is_followed(ramsey):
    low, high = (follow(ramsey, 40, "sim-nv", {"B": b})["bloch"] for b in (2.0e-3, 2.02e-3))
    assert max(abs(a - b) for a, b in zip(low[0], high[0], strict=True)) > 0.05


@pytest.mark.parametrize(("experiment", "bench", "top"), [
    ("clock.rabi", "sim-clock", "excited"), ("transmon.ramsey", "sim-transmon", "|1⟩"),
    ("nv.cw_odmr", "sim-nv", "mₛ = −1"), ("atom.gravimeter", "sim-atoms", "F = 2"),
])  # fmt: skip
def test_other_benches_are_followed_too(experiment, bench, top):
    path = follow(check(experiment, {}, bench)["program"], 12, bench, {})
    assert path["pair"][0] == top
    assert all(abs(sum(shares) - 1) < 1e-4 for shares in zip(*path["levels"].values(), strict=True))


def test_the_mean_spin_of_twisted_atoms_shortens():
    """cos^(N−1)(θ) of the twist by θ = 2πχt, times e^(−Γt): Kitagawa and Ueda, PRA 47, 5138 (1993)."""
    atoms, chi, rate, seconds = 20, 2.0, 3.0, 12e-3
    truth = {"atoms": atoms, "chi": chi, "collective_dephasing": rate}
    program = load("experiments", "atom.squeezing").read({}).programs(seconds)[1].to_dict()
    path = follow(program, 0, "sim-squeezing", truth)
    length = np.linalg.norm(path["bloch"], axis=0)
    assert path["bloch"][2][0] == -1
    assert path["bloch"][0][97] == pytest.approx(1, abs=1e-5)  # the first pulse has laid it along x
    shorter = np.cos(2 * np.pi * chi * seconds) ** (atoms - 1) * np.exp(-rate * seconds)
    assert length[-1] == pytest.approx(shorter, abs=2e-5)


def test_the_gravimeter_splits_reflects_and_joins():
    path = follow(check("atom.gravimeter", {}, "sim-atoms")["program"], 3, "sim-atoms", {"velocity": 0.0})
    excited = np.array(path["levels"]["F = 2"]).reshape(-1, 49)
    assert min(abs(part[0] - 0.5) + abs(part[-1] - 0.5) for part in excited) < 1e-4  # between the pulses
    assert excited[0][0] == 0


@pytest.mark.parametrize(("bench", "why"), [
    ("sim-rydberg", "steady state"), ("sim-ion", "entangled"), ("sim-photonics", "numbers of photons"),
])  # fmt: skip
def test_a_state_that_cannot_be_drawn_is_said(ramsey, bench, why):
    with pytest.raises(UsageError, match=f"cannot be drawn: .*{why}"):
        follow(ramsey, 0, bench, {})
