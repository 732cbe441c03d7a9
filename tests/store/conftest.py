"""What the tests of the run file share: folders of their own, a realistic record and its rows."""

import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from qlab.record import Axis, Column, Figure, FitParameter, FitResult, Record, Signal

TAU = tuple(np.linspace(0, 4e-6, 51).tolist())


@pytest.fixture(autouse=True)
def store_folders(own_folders, tmp_path_factory, monkeypatch):
    # After those that every test has, and outside tmp_path, so that a test may look at all that it made there.
    for name in ("QLAB_CACHE", "QLAB_RUNTIME", "QLAB_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
    # Child processes that the tests start must find this same qlab.
    monkeypatch.setenv("PYTHONPATH", ":".join(p for p in sys.path if p))


def make_record(**changes: object) -> Record:
    record = Record(
        id=str(uuid.uuid4()),
        experiment="nv.ramsey",
        title="Ramsey on the reference sample",
        description="Free precession of a single NV centre between two half-pi pulses, as a test of the file.",
        parameters={"tau": {"kind": "linear", "start": 0.0, "stop": 4e-6, "points": 51}, "shots": 20000},
        columns=(
            Column(name="tau", unit="s", role="setpoint", long_name="free precession time"),
            Column(name="counts", dtype="u4", long_name="counts, signal window"),
            Column(name="reference", dtype="u4", long_name="counts, reference window"),
            Column(name="time", unit="s", role="time"),
            Column(name="valid", dtype="i1", role="valid"),
        ),
        axes=(Axis(name="tau", unit="s", long_name="free precession time", values=TAU),),
        signals=(
            Signal(name="contrast", rule="ratio", of="counts", per="reference", long_name="normalised counts"),
            Signal(name="photons", rule="mean", of="counts"),
        ),
        fit="damped_cosine_triplet",
        expected_rows=510,
        bench={"name": "sim-nv", "instruments": {"player": {"driver": "sim.pulse_player", "rate": 1.25e9}}},
        simulated=True,
        seed=1,
        truth={"B": 2e-3},
        quantum={
            "domain": "quantum sensing and metrology", "area": "sensing", "platform": "solid-state spins",
            "protocol": "Ramsey", "measurand": "magnetic flux density",
        },
        software={"python": "3.11", "numpy": np.__version__},
        state="running",
        started="2026-11-22T20:00:00+00:00",
    )  # fmt: skip
    return record.model_copy(update=changes)


def ended(record: Record, **changes: object) -> Record:
    fit = FitResult(
        model="damped_cosine_triplet",
        signal="contrast",
        success=True,
        parameters=(
            FitParameter(name="frequency", label="Frequency", value=4.0e6, error=1.2e3, unit="Hz"),
            FitParameter(name="T2star", label="T₂*", value=1.9e-6, error=5e-8, unit="s"),
        ),
        free=("frequency", "T2star"),
        covariance=((1.44e6, 0.0), (0.0, 2.5e-15)),
        degrees_of_freedom=49,
    )
    figures = (
        Figure(name="sensitivity", label="DC field sensitivity", value=3e-9, error=1e-10, unit="T/√Hz"),
        Figure(name="T2star", label="T₂*", value=1.9e-6, error=5e-8, unit="s"),
    )
    return record.model_copy(
        update={
            "state": "finished",
            "ended": "2026-11-22T20:10:00+00:00",
            "programs": ({"operations": [{"play": "half_pi", "duration": "40 ns"}]},),
            "fits": (fit,),
            "figures": figures,
            "log": (
                {
                    "level": "warning",
                    "message": "µW power drifted " * 30,
                    "time": "2026-11-22T20:00:05+00:00",
                },
            ),
            "safe_report": {"player": "off"},
            **changes,
        }
    )


def make_block(start: int = 0, rows: int = 51, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng([seed, start])
    return {
        "tau": np.array(TAU)[np.arange(start, start + rows) % 51],
        "counts": random.poisson(1000, rows).astype("u4"),
        "reference": random.poisson(1200, rows).astype("u4"),
        "time": np.arange(start, start + rows) * 0.01,
        "valid": (np.arange(start, start + rows) % 17 != 3).astype("i1"),
    }


@pytest.fixture
def record() -> Record:
    return make_record()


@pytest.fixture
def new_record() -> Callable[..., Record]:
    return make_record


@pytest.fixture
def end() -> Callable[..., Record]:
    return ended


@pytest.fixture
def block() -> Callable[..., dict[str, np.ndarray]]:
    return make_block


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """The file of a finished run of 10 passes over 51 points."""
    from qlab.store import RunWriter

    given = make_record()
    writer = RunWriter.create(tmp_path / "runs", given)
    for i in range(10):
        writer.write(make_block(51 * i))
    return writer.finish(ended(given))
