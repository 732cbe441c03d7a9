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


PEERS: tuple[tuple[str, str, str], ...] = (
    ("bare h5py, a row a call", "h5py", "_h5py"),
    ("PyMeasure, Worker to CSV", "pymeasure", "_pymeasure"),
    ("QCoDeS, add_result to SQLite", "qcodes", "_qcodes"),
    ("Bluesky, count to a JSON-lines file", "bluesky", "_bluesky"),
)


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines: qlab's µs a point, the peer's, and how many times that is."""
    found = [
        _line("a point in blocks of 100, against bare h5py, 100 rows a call", _blocks, _batches),
        _line("the same with start, final file and checksum", _whole, _batches),
    ]
    for name, module, way in PEERS:
        what = f"one point a yield, against {name}"
        if importlib.util.find_spec(module) is None:
            found.append((what, "", "not installed", "", ""))
        else:
            found.append(_line(what, _singles, globals()[way]))
    return found


def _line(what: str, ours: Callable[[Path], float], theirs: Callable[[Path], float]) -> tuple[str, ...]:
    """Return one line: the best of three of each, taken in turn, because a machine is not always as busy."""
    best = [float("inf")] * 2
    for turn in range(4):
        for which, way in enumerate((ours, theirs)):
            with tempfile.TemporaryDirectory() as folder:
                taken = way(Path(folder))
            if turn:
                best[which] = min(best[which], taken)
    return (what, f"{best[0] * 1e6:.3g} µs", f"{best[1] * 1e6:.3g} µs", f"{best[1] / best[0]:.3g} x", "")


def _singles(folder: Path) -> float:
    return _qlab(folder, 20_000, 1)[0]


def _blocks(folder: Path) -> float:
    return _qlab(folder, 1_000_000, 100)[0]


def _whole(folder: Path) -> float:
    return _qlab(folder, 1_000_000, 100)[1]


def _qlab(folder: Path, count: int, block: int) -> tuple[float, float]:
    """Return the seconds a point of the loop, and of the whole run."""
    installed("bench.nothing", Nothing)
    bench = Bench(BenchEntry(name="none"), None, {}, "none")
    moments: list[float] = []

    def tell(event: dict[str, Any]) -> None:
        if event["event"] == "started" or (event["event"] == "safe"):
            moments.append(time.perf_counter())

    made = Runner(bench, "bench.nothing", {"rows": count, "block": block}, folder, tell=tell)
    began = time.perf_counter()
    made.run()
    return (moments[-1] - moments[0]) / count, (time.perf_counter() - began) / count


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
