"""The window while a bench process streams a million rows a second: frames drawn, stalls, zoom and pan.

The real program: supervisor, bench process with its run file, live table, window. A stall is the lateness of a 16 ms
timer, what the machine adds included.
"""

import os
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

PLUGIN = '''
import time
import numpy as np
from qlab.experiment import Experiment
from qlab.parameters import Parameters
from qlab.record import Axis, Column, Signal

RATE, BLOCK = 1_000_000, 20_000  # rows/s, rows

class StreamParameters(Parameters):
    """How much, and as what."""
    side: int = 0

class Stream(Experiment[StreamParameters]):
    """Rows at an even rate: a trace, or a map of `side` times `side`."""
    title = "Stream"

    def run(self):
        side = self.parameters.side
        count = side * side or 10_000_000
        noise = np.random.default_rng(1).normal(size=BLOCK)
        began = time.perf_counter()
        for first in range(0, count, BLOCK):
            at = np.arange(first, min(first + BLOCK, count), dtype=float)
            block = {"value": noise[: len(at)] + np.sin(at * 1e-5), "time": at / RATE,
                     "valid": np.ones(len(at), dtype=np.int8)}
            block |= {"a": at // side, "b": at % side} if side else {}
            yield block
            time.sleep(max(began + (first + BLOCK) / RATE - time.perf_counter(), 0.0))

    def estimate(self):
        side = self.parameters.side
        return side * side or 10_000_000, (side * side or 10_000_000) / RATE

    def axes(self):
        side = self.parameters.side
        return tuple(Axis(name=n, values=tuple(float(i) for i in range(side))) for n in "ab" if side)

    def measured(self):
        return (Column(name="value"),)

    def signals(self):
        return (Signal(name="value", of="value"),)

plugin = Stream
'''


def rows() -> list[tuple[str, ...]]:
    """Return rows of (what, stalls, frames per second, rows per second, turns of the wheel meanwhile)."""
    return [_shown("a trace of 1e7 rows", 0), _shown("a map of 2000 x 2000", 2000)]


def _shown(what: str, side: int) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "plugins" / "experiments").mkdir(parents=True)
        (home / "plugins" / "experiments" / "stream.py").write_text(textwrap.dedent(PLUGIN))
        environment = {
            **os.environ, "QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", "HOME": folder,
            "QLAB_PLUGINS": str(home / "plugins"),
            **{f"QLAB_{n}": str(home / n.lower()) for n in ("CONFIG", "RUNTIME", "STATE", "CACHE")},
        }  # fmt: skip
        code = [sys.executable, "-m", "benchmarks.live", folder, str(side)]
        told = subprocess.run(code, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        return (what, *told.strip().splitlines()[-1].split("|"))


def main(folder: str, side: int) -> None:
    """Run the stream, watch the window, print what was seen."""
    from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    from qlab.service.client import connect
    from qlab.session import Order
    from qlab.settings import Settings
    from qlab_ui.app import make_application, make_window, settle

    sys.setswitchinterval(0.0005)
    app = make_application(["qlab"])
    session = connect("benchmark")
    window = make_window(session, Settings(data_folder=f"{folder}/data", theme="light"))
    window.resize(1440, 900)
    window.show()
    _until(app, lambda: window.bench.ready)
    session.submit(
        Order(experiment="stream", bench="sim-nv", parameters={"side": side}, out=f"{folder}/data")
    )
    _until(app, lambda: (page := window.centre.current()) is not None and len(page.rows) > 200_000)
    settle()
    view = window.centre.current().view
    late, worked, frames, last, turned = [], [], [0], [time.perf_counter(), time.thread_time()], [0]
    draw = view.draw

    def counted(*given: object, **more: object) -> object:
        frames[0] += 1
        return draw(*given, **more)

    view.draw = counted

    def tick() -> None:
        now = [time.perf_counter(), time.thread_time()]
        late.append(max(now[0] - last[0] - 0.016, 0.0))
        worked.append(now[1] - last[1])
        last[:] = now

    def turn() -> None:
        """Zoom in and out at the middle of the plot, as a hand does that reads while it is measured."""
        target = view.graphics.viewport()
        middle = QPointF(target.rect().center())
        turned[0] += 1
        there, angle = QPointF(target.mapToGlobal(target.rect().center())), 120 if turned[0] % 2 else -120
        event = QWheelEvent(
            middle, there, QPoint(), QPoint(0, angle),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(target, event)

    timer = QTimer(window, interval=16)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    hand = QTimer(window, interval=200)
    hand.timeout.connect(turn)
    began, first = time.perf_counter(), len(window.centre.current().rows)
    timer.start()
    hand.start()
    # As long as rows come: what follows, the writing of the file, is looked at by no one who watches.
    whole = side * side or 10_000_000
    _until(app, lambda: len(window.centre.current().rows) >= whole or time.perf_counter() - began > 8)
    taken, seen = time.perf_counter() - began, len(window.centre.current().rows) - first
    timer.stop()
    hand.stop()
    (p99, worst), (own, _) = (
        (1e3 * sorted(times)[int(0.99 * (len(times) - 1))], 1e3 * max(times)) for times in (late, worked)
    )
    stalls = f"stall p99 {p99:.1f} ms, worst {worst:.1f} ms; a frame works {own:.1f} ms (p99)"
    line = f"{stalls}|{frames[0] / taken:.0f} frames/s"
    print(f"{line}|{seen / taken:.2e} rows/s|{turned[0]} turns of the wheel", flush=True)
    _until(app, lambda: not window.at_work.busy, 60)
    window.close()
    os._exit(0)


def _until(app: "QApplication", condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("waited in vain")
        app.processEvents()
        time.sleep(0.0005)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1], int(sys.argv[2]))
    else:
        for row in rows():
            print("  ".join(row))
