"""The window of the soak: a real one on the real supervisor, with a timer that measures how late the event loop is."""

import json
import os
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt, QTimer

from qlab.service.client import connect
from qlab.settings import Settings
from qlab_ui.app import make_application, make_window, settle

FRAME = 0.016  # s


def course(seconds):
    """Return the median, the 99th percentile and the worst."""
    ordered = sorted(seconds) or [0.0]
    return {
        "median": ordered[len(ordered) // 2], "p99": ordered[int(0.99 * (len(ordered) - 1))], "worst": ordered[-1]
    }  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1])
    sys.setswitchinterval(0.0005)
    app = make_application(["qlab"])
    window = make_window(connect(), Settings(data_folder=str(folder), theme="light"))
    window.resize(1440, 900)
    window.show()
    late, worked, last = [], [], [time.perf_counter(), time.thread_time()]

    def frame():
        now = [time.perf_counter(), time.thread_time()]
        late.append(max(now[0] - last[0] - FRAME, 0.0))
        worked.append(now[1] - last[1])
        last[:] = now

    def obey(line):
        match line.split(maxsplit=1):
            case ["open", path]:
                window.files.open(Path(path))
            case ["fit"]:
                window.fitting.again()
            case ["measure"]:
                # The beginning, with its imports, is not what the soak is about.
                settle()
                late.clear()
                worked.clear()
                last[:] = time.perf_counter(), time.thread_time()
            case ["told"]:
                print(json.dumps({
                    "frames": len(late), **course(late), "over_60_ms": sum(value > 0.060 for value in late),
                    "quarters": [course(late[i * len(late) // 4 : (i + 1) * len(late) // 4]) for i in range(4)],
                    "own": course(worked),  # CPU time of the window between two frames: without what others took
                    "threads": threading.active_count(), "tabs": sum(1 for _ in window.centre.pages()),
                }), flush=True)  # fmt: skip
            case ["end"]:
                window.close()
                app.quit()

    lines = []
    threading.Thread(target=lambda: [lines.append(line.strip()) for line in sys.stdin], daemon=True).start()

    def listen():
        while lines:
            obey(lines.pop(0))

    timer = QTimer(window, interval=16)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(frame)
    timer.start()
    ears = QTimer(window, interval=50)
    ears.timeout.connect(listen)
    ears.start()
    print("up", flush=True)
    app.exec()


if __name__ == "__main__":
    main()
