"""From the command to a shown window, beside a bare window with pyqtgraph."""

import os
import subprocess
import sys
import tempfile

from benchmarks.timing import row, seconds

BARE = """
from PySide6.QtWidgets import QApplication, QMainWindow
import pyqtgraph as pg
app = QApplication([]); w = QMainWindow(); w.setCentralWidget(pg.PlotWidget()); w.show(); app.processEvents()
"""
OURS = """
from qlab.settings import Settings
from qlab_ui import theme
from qlab_ui.app import make_application, make_window
class Quiet:
    def submit(self, order): return ""
    def check(self, *a): pass
    def command(self, *a, **k): pass
    def events(self): return []
    def close(self): pass
app = make_application(["qlab"]); theme.apply(app, "light", 100)
w = make_window(Quiet(), Settings()); w.show(); app.processEvents()
import os; os._exit(0)
"""


def rows() -> list[tuple[str, ...]]:
    """Return the table's lines."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "QLAB_CONFIG": folder,
            "QLAB_RUNTIME": folder,
        }

        def started(code: str) -> None:
            quiet = subprocess.DEVNULL  # a pipe would stay open as long as the window's worker lives
            subprocess.run(
                [sys.executable, "-c", code], env=environment, check=True, stdout=quiet, stderr=quiet
            )

        return [
            row(
                "start to the first frame, against bare pyqtgraph",
                seconds(lambda: started(OURS), 3),
                seconds(lambda: started(BARE), 3),
            )
        ]
