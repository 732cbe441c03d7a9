"""Files and the library: writing beside bare h5py, listing beside opening, overviews and slices beside reading."""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

import qlab
from benchmarks.timing import row, seconds, shown
from qlab.record import Column, Record
from qlab.store import Library, RunWriter, open_run
from qlab.store.overview import read_overview

RUNS = 10_000


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines."""
    return [*_scalars(), *_raw_shots(), *_large(), *_cube(), *_library()]


@contextmanager
def _place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("QLAB_CACHE")
        os.environ["QLAB_CACHE"] = f"{folder}/cache"
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ["QLAB_CACHE"]
            else:
                os.environ["QLAB_CACHE"] = before


def _record(*columns: Column, rows: int) -> Record:
    return Record(
        id=str(uuid.uuid4()),
        experiment="bench.files",
        title="a benchmark",
        parameters={},
        columns=columns,
        expected_rows=rows,
        state="running",
        started="2026-11-22T20:00:00+00:00",
    )


def _write(folder: Path, record: Record, block: dict[str, np.ndarray], times: int) -> RunWriter:
    writer = RunWriter.create(folder, record)
    for _ in range(times):
        writer.write(block)
    writer.flush()
    return writer


def _bare(path: Path, like: Path, block: dict[str, np.ndarray], times: int) -> None:
    """Write the same datasets with the same chunks, in SWMR mode, flushed ten times a second."""
    with h5py.File(like, "r", swmr=True) as file:
        chunks = {name: file[f"entry/shots/{name}"].chunks for name in block}
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        data = {
            n: file.create_dataset(
                n, (0, *v.shape[1:]), v.dtype, maxshape=(None, *v.shape[1:]), chunks=chunks[n]
            )
            for n, v in block.items()
        }
        file.swmr_mode = True
        flushed, count = time.monotonic(), 0
        for _ in range(times):
            for name, values in block.items():
                data[name].resize(count + len(values), 0)
                data[name][count:] = values
            count += len(next(iter(block.values())))
            if time.monotonic() - flushed > 0.1:
                file.flush()
                flushed = time.monotonic()
        file.flush()


def _beside(what: str, record: Record, block: dict[str, np.ndarray], times: int) -> tuple[str, ...]:
    with _place() as folder:
        writer = _write(folder, record, block, 1)

        def ours() -> None:
            _write(folder, record.model_copy(update={"id": str(uuid.uuid4())}), block, times).close()

        taken = seconds(ours, 3)
        bare = seconds(lambda: _bare(folder / "bare.h5", writer.path, block, times), 3)
        writer.close()
        count = len(next(iter(block.values()))) * times
        size = sum(v.nbytes for v in block.values()) * times / 1e6
        return row(
            f"{what}: {count / taken:.3g} rows/s, {size / taken:.3g} MB/s, against bare h5py", taken, bare
        )


def _scalars() -> list[tuple[str, ...]]:
    names = ("x", "y", "z", "time")
    record = _record(*(Column(name=n) for n in names), rows=4_000_000)
    return [
        _beside(f"scalars in blocks of {size}", record, {n: np.arange(float(size)) for n in names}, times)
        for size, times in ((10_000, 400), (1000, 1000))
    ]


def _raw_shots() -> list[tuple[str, ...]]:
    shots = np.random.default_rng(0).integers(-2000, 2000, (100, 16384)).astype("i2")
    record = _record(Column(name="samples", dtype="i2", dims=("shot",), shape=(16384,)), rows=10_000)
    return [_beside("raw shots of 32 KiB", record, {"samples": shots}, 60)]


def _large() -> list[tuple[str, ...]]:
    """A run of 1 GB, finished once."""
    count = 125_000_000
    with _place() as folder:
        record = _record(Column(name="y"), rows=count)
        writer = RunWriter.create(folder, record)
        piece = np.random.default_rng(0).normal(size=1_000_000).astype("f4").astype("f8")
        for _ in range(count // len(piece)):
            writer.write({"y": piece})
        path = writer.finish(record.model_copy(update={"state": "finished"}))
        view = seconds(lambda: read_overview(path, "y"), 5)
        began = time.perf_counter()
        with h5py.File(path) as file:
            for start in range(0, count, 1_000_000):
                file["entry/shots/y"][start : start + 1_000_000].max()
        whole = time.perf_counter() - began
        return [row("overview of 1 GB from a stored level, against reading it", view, whole)]


def _cube() -> list[tuple[str, ...]]:
    """A cube of 512^3, one frame a row, sliced along each axis."""
    with _place() as folder:
        record = _record(Column(name="frame", dtype="u2", dims=("y", "x"), shape=(512, 512)), rows=512)
        frames = np.random.default_rng(0).poisson(100, (8, 512, 512)).astype("u2")
        writer = RunWriter.create(folder, record)
        for _ in range(64):
            writer.write({"frame": frames})
        path = writer.finish(record.model_copy(update={"state": "finished"}))
        found = []
        with h5py.File(path) as file:
            data = file["entry/shots/frame"]
            whole = seconds(lambda: data[:], 1)
            for axis in range(3):
                place: list[slice | int] = [slice(None)] * 3
                place[axis] = 137
                taken = seconds(lambda at=tuple(place): data[at], 5)
                found.append(
                    row(f"slice of a 512^3 cube along axis {axis}, against reading it", taken, whole)
                )
        return found


def _library() -> list[tuple[str, ...]]:
    """Ten thousand copies of a real run, in folders by day, as `qlab runs` and the window list them."""
    with _place() as folder:
        data = folder / "data"
        first = qlab.run("nv.ramsey", qlab.Bench.load("sim-nv", seed=1), shots=2000, out=folder / "one").path
        paths = []
        for number in range(RUNS):
            day = data / f"2026-{1 + number // 900:02d}-{1 + number // 30 % 28:02d}"
            day.mkdir(parents=True, exist_ok=True)
            paths.append(day / f"{number:06d}.h5")
            shutil.copyfile(first, paths[-1])
        opened = seconds(lambda: _attributes(paths[:500]), 3) / 500 * RUNS
        began = time.perf_counter()
        for path in paths[:10]:
            open_run(path)
        whole = (time.perf_counter() - began) / 10 * RUNS
        with Library(data) as library:
            shown_first: list[float] = []
            began = time.perf_counter()
            library.refresh(tell=lambda *_: shown_first.append(time.perf_counter() - began))
            built = time.perf_counter() - began
            time.sleep(2.5)  # until the folders have settled
            library.refresh()

            def listed() -> None:
                library.refresh()
                library.page(limit=-1)

            against = f"attributes of {RUNS} files read with bare h5py"
            return [
                row(f"first look into {RUNS} runs, against {against}", built, opened),
                row("first runs shown while it goes on", shown_first[0], built),
                row(f"{RUNS} runs listed whole, against {against}", seconds(listed), opened),
                row(
                    f"the same, against `open_run` of each ({shown(whole)} from ten)", seconds(listed), whole
                ),
                row("nothing changed: the look at the disk", seconds(library.refresh), opened),
                row("a page of 100", seconds(lambda: library.page(limit=100)), opened),
                row("a search for one run by a word", seconds(lambda: library.page("000123")), opened),
                row("a search that finds all, a page of it", seconds(lambda: library.page("ramsey")), opened),
                row("a search by fitted value", seconds(lambda: library.page("T2_star<1ns")), opened),
                row(
                    "a search by state and date",
                    seconds(lambda: library.page("state:fin date:2026", 0, 100)),
                    opened,
                ),
            ]


def _attributes(paths: list[Path]) -> None:
    for path in paths:
        with h5py.File(path, "r") as file:
            dict(file.attrs)
