"""The runner with an experiment that costs nothing, to a file that survives kill -9, beside bare h5py."""

import tempfile
from pathlib import Path

import h5py
import numpy as np

from benchmarks.timing import row, seconds
from qlab import registry
from qlab.bench import Bench, BenchEntry
from qlab.experiment import Blocks, Experiment
from qlab.parameters import Parameters
from qlab.record import Axis, Column, Signal
from qlab.runner import Runner

ROWS = 100_000


class NothingParameters(Parameters):
    """How many rows, in blocks of how many."""

    rows: int = ROWS
    block: int = 100


class Nothing(Experiment[NothingParameters]):
    """An experiment that measures nothing, quickly."""

    def run(self) -> Blocks:
        """Yield blocks of made-up rows."""
        p = self.parameters
        block = {name: np.zeros(p.block) for name in ("x", "y", "time")}
        block["valid"] = np.ones(p.block, dtype=np.int8)
        for _ in range(p.rows // p.block):
            yield block

    def axes(self) -> tuple[Axis, ...]:
        """One axis of one value."""
        return (Axis(name="x", values=(0.0,)),)

    def measured(self) -> tuple[Column, ...]:
        """One column."""
        return (Column(name="y"),)

    def signals(self) -> tuple[Signal, ...]:
        """Its mean."""
        return (Signal(name="mean", of="y"),)


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines."""
    return [_blocks(100), _blocks(1)]


def _blocks(block: int) -> tuple[str, ...]:
    count = ROWS if block > 1 else 20_000

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(BenchEntry(name="none"), None, {}, "none")
            installed("bench.nothing", Nothing)
            Runner(bench, "bench.nothing", {"rows": count, "block": block}, Path(folder)).run()

    def theirs() -> None:
        with tempfile.TemporaryDirectory() as folder, h5py.File(Path(folder) / "x.h5", "w") as file:
            data = [
                file.create_dataset(name, (0,), maxshape=(None,), chunks=(4096,), dtype=float)
                for name in ("x", "y", "time", "valid")
            ]
            zeros = np.zeros(100)
            for start in range(0, count, 100):
                for dataset in data:
                    dataset.resize((start + 100,))
                    dataset[start:] = zeros
            file.flush()

    what = f"{count} rows in blocks of {block}, against bare h5py in blocks of 100"
    return row(what, seconds(ours, 3), seconds(theirs, 3))


class _Installed:
    """A plug-in that is here already."""

    distribution = "benchmarks"

    def __init__(self, kind: type) -> None:
        self._kind = kind

    def load(self) -> type:
        """Return it."""
        return self._kind


def installed(name: str, kind: type) -> None:
    """Install an experiment for this process."""
    registry.plugins.cache_clear()
    registry.plugins("experiments")[name] = _Installed(kind)  # type: ignore[assignment]
