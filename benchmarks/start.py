"""From the command `qlab` to the first paint of its window, beside a bare window with pyqtgraph."""

import os
import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.timing import row

TIMES = 9

BARE = """
from PySide6.QtWidgets import QApplication, QMainWindow
import pyqtgraph as pg
app = QApplication([]); w = QMainWindow(); w.setCentralWidget(pg.PlotWidget()); w.show(); app.processEvents()
"""
# The command itself, left at the first paint of its window, with which its bench process would start.
OURS = """
import os, sys, threading, time
def watch():
    while not hasattr(sys.modules.get("qlab_ui.window"), "MainWindow"):
        time.sleep(0.005)
    sys.modules["qlab_ui.window"].MainWindow._after_first_paint = lambda self: os._exit(0)
threading.Thread(target=watch, daemon=True).start()
sys.argv = ["qlab"]
from qlab.cli import main
main()
"""


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines."""
    taken: dict[str, list[float]] = {OURS: [], BARE: []}
    for _ in range(TIMES + 1):
        for code, seconds in taken.items():
            seconds.append(_started(code))
    ours, bare = (statistics.median(taken[code][1:]) for code in (OURS, BARE))
    return [row("`qlab` to its first paint, against bare pyqtgraph", ours, bare)]


def _started(code: str) -> float:
    """Return how long a program takes to its first paint."""
    with tempfile.TemporaryDirectory() as folder:
        places = {f"QLAB_{name}": folder for name in ("CONFIG", "RUNTIME", "STATE", "CACHE")}
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **places}
        began = time.perf_counter()
        quiet = subprocess.DEVNULL
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, stdout=quiet, stderr=quiet)
        return time.perf_counter() - began
