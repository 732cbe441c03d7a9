"""What is kept of the single shots behind a row: nothing, how many counts each shot gave, or every shot."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from qlab.record import Block, Column

KeepShots = Literal["off", "summary", "all"]
SUFFIX = (
    "_shots"  # behind the name of a window: the counts of each shot, as a counter that can hands them over
)
BINS = 32  # of the summary: 0, 1, ... 30 counts in a shot, and more


def kept_columns(keep: KeepShots, keys: Sequence[str], shots: int) -> tuple[Column, ...]:
    """Return the columns that keep the shots of windows `keys`; `shots` is the most that a row has.

    `all`: counts of each shot in the order played, shape (rows, shots), -1 where a row had fewer shots.
    `summary`: how many shots gave 0, 1, ... counts, shape (rows, 32); the last bin is 31 and more.
    """
    if keep == "all":
        return tuple(
            Column(name=f"{key}{SUFFIX}", long_name=f"{key} of each shot, -1 where none was played",
                   dtype="i4", dims=("shot",), shape=(shots,))
            for key in keys
        )  # fmt: skip
    if keep == "summary":
        return tuple(
            Column(name=f"{key}_histogram", long_name=f"shots by {key} in a shot, the last bin {BINS - 1} and more",
                   dtype="u4", dims=("counts_in_shot",), shape=(BINS,))
            for key in keys
        )  # fmt: skip
    return ()


def kept(keep: KeepShots, block: Block, keys: Sequence[str], shots: int) -> dict[str, NDArray[Any]]:
    """Return a block with what is kept of its shots in place of the shots themselves."""
    result = {name: values for name, values in block.items() if not name.endswith(SUFFIX)}
    for key in keys if block else ():
        given = np.asarray(block[f"{key}{SUFFIX}"])
        if keep == "all":
            padded = np.full((len(given), shots), -1, dtype=np.int64)
            padded[:, : given.shape[1]] = given
            result[f"{key}{SUFFIX}"] = padded
        else:
            result[f"{key}_histogram"] = _histogram(given)
    return result


def _histogram(shots: NDArray[Any]) -> NDArray[np.int64]:
    rows = len(shots)
    place = np.minimum(shots, BINS - 1) + BINS * np.arange(rows)[:, None]
    return np.bincount(place.ravel(), minlength=rows * BINS).reshape(rows, BINS)
