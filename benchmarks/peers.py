"""A point from an instrument that costs nothing, to a file that survives kill -9, beside QCoDeS, Bluesky, PyMeasure.

Every way writes two floats a point, one point a call, and has what it was given in the hands of the operating system
within half a second. Each number is the loop alone divided by its points: what starting and finishing cost is told
apart for qlab. Peers that are not installed are left out (`pip install 'qlab-metrology[peers]'`).
"""

import importlib.util
import json
import logging
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from benchmarks.recording import Nothing, installed
from qlab.bench import Bench, BenchEntry
from qlab.runner import Runner

FLUSH = 0.5  # s


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines: qlab's µs a point, the peer's, and how many times that is."""
    ours = _best(lambda folder: _qlab(folder, 20_000, 1))
    blocks = _best(lambda folder: _qlab(folder, 1_000_000, 100))
    bare = _best(_batches)
    what = "a point in blocks of 100, against bare h5py, 100 rows a call"
    lines: list[tuple[str, ...]] = [(what, _us(blocks), _us(bare), _times(blocks, bare), "")]
    for name, module, peer in (
        ("bare h5py, a row a call", "h5py", _h5py),
        ("PyMeasure, Worker to CSV", "pymeasure", _pymeasure),
        ("QCoDeS, add_result to SQLite", "qcodes", _qcodes),
        ("Bluesky, count to a JSON-lines file", "bluesky", _bluesky),
    ):
        if importlib.util.find_spec(module) is None:
            lines.append((f"one point a yield, against {name}", _us(ours), "not installed", "", ""))
            continue
        theirs = _best(peer, 2)
        lines.append((f"one point a yield, against {name}", _us(ours), _us(theirs), _times(ours, theirs), ""))
    return lines


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.3g} µs"


def _times(ours: float, theirs: float) -> str:
    return f"{theirs / ours:.3g} x"


def _best(way: Callable[[Path], float], times: int = 3) -> float:
    """Return the smallest time a point of a few tries, after one that warms up."""
    found = []
    for _ in range(times + 1):
        with tempfile.TemporaryDirectory() as folder:
            found.append(way(Path(folder)))
    return min(found[1:])


def _qlab(folder: Path, count: int, block: int) -> float:
    installed("bench.nothing", Nothing)
    bench = Bench(BenchEntry(name="none"), None, {}, "none")
    moments: list[float] = []

    def tell(event: dict[str, Any]) -> None:
        if event["event"] == "started" or (event["event"] == "safe"):
            moments.append(time.perf_counter())

    Runner(bench, "bench.nothing", {"rows": count, "block": block}, folder, tell=tell).run()
    return (moments[-1] - moments[0]) / count


def _h5py(folder: Path, count: int = 5000) -> float:
    with h5py.File(folder / "x.h5", "w", libver="latest") as file:
        data = [file.create_dataset(n, (0,), maxshape=(None,), chunks=(4096,), dtype=float) for n in "xy"]
        file.swmr_mode = True
        began = last = time.perf_counter()
        for i in range(count):
            for dataset in data:
                dataset.resize((i + 1,))
                dataset[i] = 0.0
            if time.perf_counter() - last > FLUSH:
                file.flush()
                last = time.perf_counter()
        file.flush()
        return (time.perf_counter() - began) / count


def _batches(folder: Path, count: int = 100_000) -> float:
    zeros = np.zeros(100)
    with h5py.File(folder / "x.h5", "w", libver="latest") as file:
        data = [file.create_dataset(n, (0,), maxshape=(None,), chunks=(4096,), dtype=float) for n in "xy"]
        file.swmr_mode = True
        began = last = time.perf_counter()
        for start in range(0, count, 100):
            for dataset in data:
                dataset.resize((start + 100,))
                dataset[start:] = zeros
            if time.perf_counter() - last > FLUSH:
                file.flush()
                last = time.perf_counter()
        file.flush()
        return (time.perf_counter() - began) / count


def _pymeasure(folder: Path, count: int = 20_000) -> float:
    from pymeasure.experiment import IntegerParameter, Procedure, Results
    from pymeasure.experiment.workers import Worker

    logging.getLogger("pymeasure").setLevel(logging.ERROR)

    class Nothing(Procedure):  # type: ignore[misc]
        points = IntegerParameter("Points", default=count)
        DATA_COLUMNS = ["x", "y"]

        def execute(self) -> None:
            for i in range(self.points):
                self.emit("results", {"x": float(i), "y": 0.0})

    results = Results(Nothing(), str(folder / "x.csv"))
    worker = Worker(results)
    began = time.perf_counter()
    worker.start()
    worker.join(timeout=120)
    return (time.perf_counter() - began) / count


def _qcodes(folder: Path, count: int = 3000) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from qcodes.dataset import Measurement, initialise_or_create_database_at, new_experiment
        from qcodes.parameters import ManualParameter

        initialise_or_create_database_at(str(folder / "x.db"))
        experiment = new_experiment("nothing", "none")
        x, y = ManualParameter("x"), ManualParameter("y")
        measurement = Measurement(exp=experiment)
        measurement.register_parameter(x)
        measurement.register_parameter(y, setpoints=(x,))
        measurement.write_period = FLUSH
        with measurement.run() as saver:
            began = time.perf_counter()
            for i in range(count):
                saver.add_result((x, float(i)), (y, 0.0))
            saver.flush_data_to_database()
            taken = (time.perf_counter() - began) / count
        experiment.conn.close()
        return taken


def _bluesky(folder: Path, count: int = 500) -> float:
    from bluesky import RunEngine
    from bluesky.plans import count as plan

    class Detector:
        name, parent = "y", None

        def read(self) -> dict[str, Any]:
            return {"y": {"value": 0.0, "timestamp": time.time()}}

        def describe(self) -> dict[str, Any]:
            return {"y": {"source": "none", "dtype": "number", "shape": []}}

        def read_configuration(self) -> dict[str, Any]:
            return {}

        def describe_configuration(self) -> dict[str, Any]:
            return {}

    with (folder / "x.jsonl").open("w") as file:
        last = [time.perf_counter()]

        def write(name: str, document: dict[str, Any]) -> None:
            file.write(json.dumps([name, document], default=str) + "\n")
            if time.perf_counter() - last[0] > FLUSH:
                file.flush()
                last[0] = time.perf_counter()

        engine = RunEngine({}, context_managers=[])
        engine.subscribe(write)
        began = time.perf_counter()
        engine(plan([Detector()], num=count))
        return (time.perf_counter() - began) / count
