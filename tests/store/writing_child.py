"""A child process that writes a run without end, and says which rows it has handed in."""

import sys
import time
from pathlib import Path

import numpy as np

from qlab.record import Record
from qlab.store import RunWriter


def main(folder: str, record: str, rate: float) -> None:
    writer = RunWriter.create(Path(folder), Record.model_validate_json(record))
    print("path", writer.path, flush=True)
    row, begun = 0, time.monotonic()
    while True:
        while row < (time.monotonic() - begun) * rate:
            block = {
                "tau": np.array([row * 1e-9]), "counts": np.array([row]), "reference": np.array([2 * row]),
                "time": np.array([row / rate]), "valid": np.array([1]),
            }  # fmt: skip
            writer.write(block)
            row += 1
        if row % 20 == 0:
            writer.note("log", {"level": "info", "message": f"row {row}"})
        print("row", row, time.monotonic(), flush=True)
        writer.tick()
        time.sleep(0.002)


main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
