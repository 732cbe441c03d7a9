"""Time tags: the stream of a detector that says when each photon came, and how it is written and read."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qlab.errors import UsageError
from qlab.record import Block, Column, Stream
from qlab.runs import Run

TIMETAGS = "timetags"
PICOSECONDS = 1_000_000_000_000  # in a second


@dataclass(frozen=True)
class Tags:
    """Detected events in the order of the file, each (events,): `time` in ps, `channel`, and `row` of the run."""

    time: NDArray[np.int64]
    channel: NDArray[np.uint8]
    row: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.time)


def timetag_stream(expected: int = 0) -> Stream:
    """Return the stream `timetags`, to be declared by an experiment that records when each event came.

    ```python
    def streams(self):
        return (timetag_stream(),)

    def run(self):
        times, channels = self.detector.tags()
        yield {**row, **tagged(times, channels, row=0)}
    ```

    Times are whole picoseconds on the detector's clock since the start of the run (int64: 106 days); `expected` is
    how many events are expected, 0 where nobody knows. It is written like rows: safe from a crash within half a
    second, packed at the end, never wrapped. Readers find it as `/entry/timetags` with the dimension `event`.
    """
    return Stream(
        name=TIMETAGS, axis="event", long_name="detected event, in the order it was handed over",
        columns=(
            Column(name="time", unit="ps", dtype="i8", long_name="time since the start of the run"),
            Column(name="channel", dtype="u1", role="reduced", long_name="channel of the detector"),
            Column(name="row", dtype="i8", role="reduced", long_name="scan point that the event belongs to"),
        ),
        expected_rows=expected,
    )  # fmt: skip


def tagged(times: ArrayLike, channels: ArrayLike = 0, row: ArrayLike = 0) -> Block:
    """Return the part of a block that holds time tags: `times` (events,) in ps, whole numbers.

    `channels` and `row` are one each or one for all; `row` is the scan point that they belong to. To be yielded
    beside the rows or alone. Raises UsageError for times that are no whole numbers: a float has no picoseconds left
    after 2.5 hours.
    """
    given = np.asarray(times)
    if given.ndim != 1 or (given.dtype.kind not in "iu" and given.size):
        raise UsageError(
            f"Time tags came as {given.dtype} with the shape {given.shape}.",
            "Give whole picoseconds in one array: np.round(seconds * 1e12).astype('i8').",
        )
    return {
        f"{TIMETAGS}.time": given if given.size else np.zeros(0, dtype=np.int64),
        f"{TIMETAGS}.channel": np.broadcast_to(np.asarray(channels), given.shape),
        f"{TIMETAGS}.row": np.broadcast_to(np.asarray(row), given.shape),
    }


def tags_of(run: Run, row: int | None = None) -> Tags:
    """Return the time tags of a run from its file, those of one row where it is given.

    Raises UsageError where the run has none.
    """
    stream = run.streams.get(TIMETAGS)
    if stream is None:
        raise UsageError("The run has no time tags.", "Open it from its file; not every run keeps them.")
    found = Tags(stream.column("time"), stream.column("channel"), stream.column("row"))
    if row is None:
        return found
    here = found.row == row
    return Tags(found.time[here], found.channel[here], found.row[here])
